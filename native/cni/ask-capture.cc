// SPDX-License-Identifier: Apache-2.0
#include "cni/ask-capture.hpp"

#include "channel/packet-socket.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <poll.h>
#include <span>
#include <unistd.h>

namespace weft::cni {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Capture's successor listens within a fraction of a second.
constexpr int retry_ms = 20;
constexpr int least_answer_ms = 2'000;

int leftUntil(Clock::time_point deadline) {
    return static_cast<int>(
        std::max<int64_t>(0, std::chrono::duration_cast<milliseconds>(deadline - Clock::now()).count()));
}

Answer away(const std::string &what, int error) {
    return {Answer::Kind::away, what + ": " + strerror(error)};
}

// Waits for the answer on a connection on which the question was sent.
Answer awaitAnswer(int socket, Clock::time_point deadline) {
    for (;;) {
        pollfd wait = {socket, POLLIN, 0};
        const int ready = poll(&wait, 1, leftUntil(deadline));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return away("capture has not answered in time", ready == 0 ? ETIMEDOUT : errno);
        Packet packet;
        const int got = receivePacket(socket, packet);
        if (got == -EAGAIN)
            continue;
        if (got <= 0)
            return away("capture ended the talk", got == 0 ? ECONNRESET : -got);
        return readAnswer({reinterpret_cast<const char *>(packet.bytes.data()), packet.bytes.size()});
    }
}

// `busy`: capture is there, and has not taken the connections before this one yet.
Answer askOnce(const std::string &socket, const std::string &question, int answer_ms, bool &busy) {
    const int connected = connectPackets(socket);
    busy = connected == -EAGAIN;
    if (connected < 0)
        return away(socket, -connected);
    const Descriptor end(connected);
    PeerCredentials peer;
    if (const int error = readPeer(end.get(), peer); error != 0)
        return away(socket, -error);
    // Whoever runs this plugin runs capture: another's socket is not believed.
    if (peer.uid != geteuid())
        return away(socket + " is another user's", EPERM);
    const auto deadline = Clock::now() + milliseconds(answer_ms);
    const std::span bytes(reinterpret_cast<const uint8_t *>(question.data()), question.size());
    if (const int error = sendPacket(end.get(), bytes, {}); error != 0)
        return away(socket, -error);
    return awaitAnswer(end.get(), deadline);
}

} // namespace

Answer askCapture(const std::string &socket, const std::string &question, int wait_ms) {
    const int answer_ms = std::max(wait_ms, least_answer_ms);
    const auto deadline = Clock::now() + milliseconds(wait_ms);
    const auto busy_deadline = Clock::now() + milliseconds(answer_ms);
    for (;;) {
        bool busy = false;
        Answer answer = askOnce(socket, question, answer_ms, busy);
        const int left = leftUntil(busy ? busy_deadline : deadline);
        if (answer.kind != Answer::Kind::away || left == 0)
            return answer;
        poll(nullptr, 0, std::min(retry_ms, left));
    }
}

} // namespace weft::cni
