// SPDX-License-Identifier: Apache-2.0
#include "loader/namespace.hpp"

#include "abi.h"
#include "loader/kernel-error.hpp"

#include <array>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

namespace weft {

namespace {

// Above the usual range of local ports (ip_local_port_range), so that a pod loses none of those.
constexpr uint16_t first_port = 61440;
constexpr int listener_backlog = 4096;

bool isName(const std::string &name) {
    constexpr size_t longest = 255;
    if (name.empty() || name.size() > longest || name == "." || name == "..")
        return false;
    return name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
           std::string::npos;
}

Descriptor openFile(const char *path) {
    return Descriptor(open(path, O_RDONLY | O_CLOEXEC));
}

void refuseOwnNamespace(int netns, const std::string &name) {
    const NamespaceId id = identifyNamespace(netns);
    for (const char *path : {"/proc/self/ns/net", "/proc/1/ns/net"}) {
        const Descriptor own = openFile(path);
        if (own && identifyNamespace(own.get()) == id)
            throw KernelError("namespace " + name + " is the machine's own", 0,
                              "workloads of the host network cannot be enrolled");
    }
}

void checkIsNetworkNamespace(int fd, const std::string &name) {
    struct statfs info = {};
    if (fstatfs(fd, &info) != 0 || info.f_type != NSFS_MAGIC || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
        throw KernelError(name + " is not a network namespace", 0, "its namespace may be gone");
}

Descriptor openStream(int family) {
    return Descriptor(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
}

sockaddr_storage makeAddress(bool ipv6, bool loopback, uint16_t port, socklen_t &size) {
    sockaddr_storage storage = {};
    if (ipv6) {
        sockaddr_in6 address = {};
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(port);
        address.sin6_addr = loopback ? in6addr_loopback : in6addr_any;
        size = sizeof address;
        memcpy(&storage, &address, sizeof address);
    } else {
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(loopback ? INADDR_LOOPBACK : INADDR_ANY);
        size = sizeof address;
        memcpy(&storage, &address, sizeof address);
    }
    return storage;
}

// Binds to the first free port at or above `port`, which it advances; 0 or a negative errno.
int bindFrom(int fd, bool ipv6, bool loopback, uint16_t &port) {
    for (uint32_t tried = port; tried <= UINT16_MAX; ++tried) {
        socklen_t size = 0;
        const sockaddr_storage address = makeAddress(ipv6, loopback, static_cast<uint16_t>(tried), size);
        if (bind(fd, reinterpret_cast<const sockaddr *>(&address), size) == 0) {
            port = static_cast<uint16_t>(tried);
            return 0;
        }
        if (errno != EADDRINUSE)
            return -errno;
    }
    return -EADDRINUSE;
}

// Makes one listener and moves `port` on; 0 or a negative errno.
int makeListener(ListenerKind kind, uint16_t &port, std::vector<Listener> &listeners) {
    const bool ipv6 = kind == ListenerKind::outbound6 || kind == ListenerKind::inbound6;
    const bool loopback = kind == ListenerKind::inbound4 || kind == ListenerKind::inbound6;
    Descriptor fd = openStream(ipv6 ? AF_INET6 : AF_INET);
    const int on = 1;
    if (!fd || (ipv6 && setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0))
        return -errno;
    if (const int error = bindFrom(fd.get(), ipv6, loopback, port); error != 0)
        return error;
    if (listen(fd.get(), listener_backlog) != 0)
        return -errno;
    listeners.push_back({std::move(fd), kind, port++});
    return 0;
}

bool isLoopbackUp() {
    const Descriptor any = openStream(AF_INET);
    ifreq request = {};
    memcpy(request.ifr_name, "lo", sizeof "lo");
    return any && ioctl(any.get(), SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
}

void makeListenersHere(std::vector<Listener> &listeners) {
    uint16_t port = first_port;
    if (!isLoopbackUp())
        throw KernelError("the namespace's loopback is down", 0, "ip -n NAME link set lo up");
    for (const ListenerKind kind : {ListenerKind::inbound4, ListenerKind::outbound4})
        if (const int error = makeListener(kind, port, listeners); error != 0)
            throw KernelError("cannot listen in the namespace", -error);
    // Without ::1 (ipv6 disabled or not built in) nothing can be steered over IPv6 and nothing arrives by it.
    if (const int error = makeListener(ListenerKind::inbound6, port, listeners); error != 0) {
        if (error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT)
            return;
        throw KernelError("cannot listen on IPv6 in the namespace", -error);
    }
    for (int count = 0; count < WEFT_OUTBOUND_PORTS6; ++count)
        if (const int error = makeListener(ListenerKind::outbound6, port, listeners); error != 0)
            throw KernelError("cannot listen on IPv6 in the namespace", -error);
}

} // namespace

Descriptor openNamespace(const std::vector<std::string> &folders, const std::string &name) {
    if (!isName(name))
        throw KernelError("'" + name + "' is no name of a namespace", 0,
                          "letters, digits, '.', '_' and '-' alone");
    for (const std::string &path : folders) {
        const Descriptor folder(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!folder)
            continue;
        Descriptor fd(openat(folder.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
        if (!fd && errno == ENOENT)
            continue;
        if (!fd)
            throw KernelError("cannot open namespace " + path + "/" + name, errno);
        checkIsNetworkNamespace(fd.get(), path + "/" + name);
        refuseOwnNamespace(fd.get(), name);
        return fd;
    }
    throw KernelError("there is no namespace " + name + " in capture's folders", ENOENT);
}

NamespaceId identifyNamespace(int netns) {
    struct stat info = {};
    if (fstat(netns, &info) != 0)
        throw KernelError("cannot read a namespace", errno);
    return {info.st_dev, info.st_ino};
}

uint64_t readNamespaceCookie(int netns) {
    uint64_t cookie = 0;
    runInside(netns, [&cookie] {
        const Descriptor any = openStream(AF_INET);
        socklen_t size = sizeof cookie;
        if (!any || getsockopt(any.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0)
            throw KernelError("cannot read a namespace's cookie", errno, "weft needs Linux 6.1");
    });
    return cookie;
}

void runInside(int netns, const std::function<void()> &work) {
    const Descriptor home = openFile("/proc/thread-self/ns/net");
    if (!home)
        throw KernelError("cannot open the process's own namespace", errno);
    if (setns(netns, CLONE_NEWNET) != 0)
        throw KernelError("cannot enter a namespace", errno,
                          errno == EPERM ? "capture lacks CAP_SYS_ADMIN" : "");
    std::exception_ptr failure;
    try {
        work();
    } catch (...) {
        failure = std::current_exception();
    }
    if (setns(home.get(), CLONE_NEWNET) != 0) {
        perror("weft capture cannot leave a pod's namespace");
        abort();
    }
    if (failure)
        std::rethrow_exception(failure);
}

std::vector<Listener> makeListeners(int netns) {
    std::vector<Listener> listeners;
    runInside(netns, [&listeners] { makeListenersHere(listeners); });
    return listeners;
}

std::vector<Descriptor> makeSockets(int netns, int family, size_t count, int notes_map) {
    std::vector<Descriptor> sockets;
    runInside(netns, [&sockets, family, count] {
        while (sockets.size() < count) {
            sockets.push_back(openStream(family));
            if (!sockets.back())
                throw KernelError("cannot make a socket in a namespace", errno);
        }
    });
    for (const Descriptor &made : sockets) {
        const int fd = made.get();
        weft_note note = {};
        note.kind = WEFT_NOTE_AGENT;
        if (bpf_map_update_elem(notes_map, &fd, &note, BPF_ANY) != 0)
            throw KernelError("cannot mark a socket as the agent's", errno);
    }
    return sockets;
}

} // namespace weft
