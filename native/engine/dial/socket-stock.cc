// SPDX-License-Identifier: Apache-2.0
#include "engine/dial/socket-stock.hpp"
#include <algorithm>
#include <unistd.h>

namespace weft {

int SocketStock::take() {
    return sockets_.empty() ? -1 : sockets_.pop();
}

void SocketStock::add(int descriptor) {
    sockets_.push(descriptor);
    if (asked_ > 0)
        --asked_;
}

Handle SocketStock::next_waiting() {
    return sockets_.empty() || waiting_.empty() ? Handle{} : waiting_.pop();
}

// The target doubles whenever a dial had to wait, so a workload that opens many connections soon waits no
// more.
uint32_t SocketStock::missing(uint64_t now_ms) {
    if (sockets_.size() > target_ / 2 || (asked_ > 0 && now_ms < asked_ms_ + ask_again_ms))
        return 0;
    if (!waiting_.empty())
        target_ = std::min(most, target_ * 2);
    const auto waiting = static_cast<uint32_t>(std::min<size_t>(waiting_.size(), most));
    asked_ = std::min(most_at_once, target_ - static_cast<uint32_t>(sockets_.size()) + waiting);
    asked_ms_ = now_ms;
    return asked_;
}

void SocketStock::clear() {
    while (!sockets_.empty())
        ::close(sockets_.pop());
    waiting_.clear();
    asked_ = 0;
}

} // namespace weft
