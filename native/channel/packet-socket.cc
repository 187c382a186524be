// SPDX-License-Identifier: Apache-2.0
#include "channel/packet-socket.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace weft {

namespace {

constexpr int listen_backlog = 16;

int setAddress(const std::string &path, sockaddr_un &address) {
    address = {};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path.data(), path.size());
    return 0;
}

int openSocket() {
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

// Removes a socket file that nobody listens on. Only an explicit refusal proves that.
void removeStaleSocket(const std::string &path, const sockaddr_un &address) {
    struct stat info = {};
    if (lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode))
        return;
    Descriptor probe(openSocket());
    if (!probe)
        return;
    if (connect(probe.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 &&
        errno == ECONNREFUSED)
        unlink(path.c_str());
}

void takeDescriptors(msghdr &header, std::vector<Descriptor> &descriptors) {
    for (cmsghdr *part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t at = 0; at < count; ++at) {
            int fd = -1;
            memcpy(&fd, CMSG_DATA(part) + at * sizeof fd, sizeof fd);
            descriptors.emplace_back(fd);
        }
    }
}

} // namespace

Descriptor &Descriptor::operator=(Descriptor &&other) noexcept {
    if (this != &other) {
        if (fd_ >= 0)
            close(fd_);
        fd_ = other.release();
    }
    return *this;
}

Descriptor::~Descriptor() {
    if (fd_ >= 0)
        close(fd_);
}

int Descriptor::release() {
    return std::exchange(fd_, -1);
}

int listenPackets(const std::string &path, uid_t owner) {
    sockaddr_un address;
    if (const int error = setAddress(path, address); error != 0)
        return error;
    removeStaleSocket(path, address);
    Descriptor listener(openSocket());
    if (!listener)
        return -errno;
    // The file gets the socket inode's mode, so it is never open to others, not even between bind and chown.
    if (fchmod(listener.get(), 0600) != 0 ||
        bind(listener.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
        return -errno;
    // The group's turn comes after bind, which takes the umask off; the mode first: whoever owns it then may
    // not.
    if (chmod(path.c_str(), 0660) != 0 || lchown(path.c_str(), owner, static_cast<gid_t>(-1)) != 0 ||
        listen(listener.get(), listen_backlog) != 0) {
        const int error = errno;
        unlink(path.c_str());
        return -error;
    }
    return listener.release();
}

int acceptPackets(int listener) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

int connectPackets(const std::string &path) {
    sockaddr_un address;
    if (const int error = setAddress(path, address); error != 0)
        return error;
    Descriptor end(openSocket());
    if (!end)
        return -errno;
    if (connect(end.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
        return -errno;
    return end.release();
}

int readPeer(int socket, PeerCredentials &peer) {
    ucred credentials = {};
    socklen_t size = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return -errno;
    peer = {credentials.pid, credentials.uid, credentials.gid};
    return 0;
}

int sendPacket(int socket, std::span<const uint8_t> bytes, std::span<const int> descriptors) {
    // A packet without bytes would look like the end of the stream.
    if (bytes.empty())
        return -EINVAL;
    if (bytes.size() > max_packet_bytes || descriptors.size() > max_packet_descriptors)
        return -EMSGSIZE;
    iovec part = {const_cast<uint8_t *>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(max_packet_descriptors * sizeof(int))] = {};
    msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (!descriptors.empty()) {
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr *rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
    }
    return sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ? 0 : -errno;
}

int receivePacket(int socket, Packet &packet) {
    packet.descriptors.clear();
    packet.bytes.resize(max_packet_bytes);
    iovec part = {packet.bytes.data(), packet.bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(max_packet_descriptors * sizeof(int))];
    msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const ssize_t got = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0)
        return -errno;
    takeDescriptors(header, packet.descriptors);
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        packet.descriptors.clear();
        return -EMSGSIZE;
    }
    packet.bytes.resize(static_cast<size_t>(got));
    return got > 0 ? 1 : 0;
}

} // namespace weft
