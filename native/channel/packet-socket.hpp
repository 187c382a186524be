// SPDX-License-Identifier: Apache-2.0
//
// Packets with descriptors over Unix sockets (SOCK_SEQPACKET, SCM_RIGHTS, SO_PEERCRED; unix(7)). No event
// loop: every call is non-blocking. Functions return a descriptor or 0, or a negative errno.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

namespace weft {

// Largest packet; the same as maxMessageBytes in agent/handover/messages.ts.
inline constexpr size_t max_packet_bytes = 128 * 1024;

// SCM_MAX_FD: the kernel passes no more with one packet.
inline constexpr size_t max_packet_descriptors = 253;

// A descriptor with one owner.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor &&other) noexcept : fd_(other.release()) {}
    Descriptor &operator=(Descriptor &&other) noexcept;
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;
    ~Descriptor();

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release();

private:
    int fd_ = -1;
};

// Who was at the other end when the connection was made.
struct PeerCredentials {
    pid_t pid = 0;
    uid_t uid = 0;
    gid_t gid = 0;
};

struct Packet {
    std::vector<uint8_t> bytes;
    std::vector<Descriptor> descriptors;
};

// Listens at a path with mode 0660, owned by `owner` and this process's group: a successor that holds no
// CAP_DAC_OVERRIDE connects by the group. A socket file that nobody listens on is replaced;
// anything else that stands there is left alone (-EADDRINUSE).
int listenPackets(const std::string &path, uid_t owner);

// Accepts one waiting connection; -EAGAIN where none waits.
int acceptPackets(int listener);

// Connects to the listener at a path.
int connectPackets(const std::string &path);

int readPeer(int socket, PeerCredentials &peer);

// Sends one packet; -EAGAIN where the socket is full. The descriptors stay the caller's.
int sendPacket(int socket, std::span<const uint8_t> bytes, std::span<const int> descriptors);

// Receives one packet: 1 with a packet, 0 at the end of the stream, -EAGAIN where none waits, -EMSGSIZE where
// the packet or its descriptors were cut (those that came are closed).
int receivePacket(int socket, Packet &packet);

} // namespace weft
