// SPDX-License-Identifier: Apache-2.0
//
// The cases that JavaScript cannot reach: cut packets, and descriptors that nobody took.
#include "channel/packet-socket.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

#define EXPECT(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

struct Pair {
    Pair() {
        std::array<int, 2> ends = {};
        EXPECT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
        left = weft::Descriptor(ends[0]);
        right = weft::Descriptor(ends[1]);
    }
    weft::Descriptor left, right;
};

const std::array<uint8_t, 3> hello = {'h', 'e', 'y'};

void anEmptyPacketIsRefusedAndTheEndIsSeen() {
    Pair pair;
    weft::Packet packet;
    EXPECT(weft::receivePacket(pair.right.get(), packet) == -EAGAIN);
    EXPECT(weft::sendPacket(pair.left.get(), {}, {}) == -EINVAL);
    EXPECT(weft::sendPacket(pair.left.get(), hello, {}) == 0);
    pair.left = weft::Descriptor();
    EXPECT(weft::receivePacket(pair.right.get(), packet) == 1 && packet.bytes.size() == hello.size());
    EXPECT(weft::receivePacket(pair.right.get(), packet) == 0);
}

void aPacketThatIsTooLargeIsSaidToBeCut() {
    Pair pair;
    std::vector<uint8_t> large(weft::max_packet_bytes + 1, 'x');
    EXPECT(send(pair.left.get(), large.data(), large.size(), 0) == static_cast<ssize_t>(large.size()));
    weft::Packet packet;
    EXPECT(weft::receivePacket(pair.right.get(), packet) == -EMSGSIZE);
}

void descriptorsThatNobodyTakesAreClosed() {
    Pair pair;
    std::array<int, 2> pipe_ends = {};
    EXPECT(pipe2(pipe_ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    const std::array<int, 1> passed = {pipe_ends[1]};
    EXPECT(weft::sendPacket(pair.left.get(), hello, passed) == 0);
    close(pipe_ends[1]);
    {
        weft::Packet packet;
        EXPECT(weft::receivePacket(pair.right.get(), packet) == 1 && packet.descriptors.size() == 1);
        char byte = 0;
        EXPECT(read(pipe_ends[0], &byte, 1) == -1 && errno == EAGAIN);
    }
    char byte = 0;
    EXPECT(read(pipe_ends[0], &byte, 1) == 0);
    close(pipe_ends[0]);
}

} // namespace

int main() {
    anEmptyPacketIsRefusedAndTheEndIsSeen();
    aPacketThatIsTooLargeIsSaidToBeCut();
    descriptorsThatNobodyTakesAreClosed();
    puts("packet-socket: 3 cases passed");
    return 0;
}
