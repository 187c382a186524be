// SPDX-License-Identifier: Apache-2.0
// A hierarchical timing wheel (Varghese and Lauck, 1987) with a tick of one millisecond. Setting a later
// deadline is one store: the timer moves when its old slot comes round. Cancelling is unlinking.
#pragma once
#include "engine/memory/slab.hpp"
#include <array>
#include <cstdint>

namespace weft {

/// What a timer means to the one it belongs to.
enum class TimerKind : uint8_t { connection, retirement, exchange_deadline, exchange_attempt };

/// Lives inside the thing it wakes; unlinked before that is retired.
struct Timer {
    Timer *previous = nullptr;
    Timer *next = nullptr;
    uint64_t deadline_ms = 0; // when it is wanted; 0 is off
    uint64_t slot_ms = 0;     // when the wheel looks at it
    uint8_t level = 0;
    uint8_t slot = 0;
    TimerKind kind = TimerKind::connection;
    Handle owner;
};

class TimerWheel {
public:
    explicit TimerWheel(uint64_t now_ms) : now_ms_(now_ms) {}
    TimerWheel(const TimerWheel &) = delete;
    TimerWheel &operator=(const TimerWheel &) = delete;

    /// (Re)arms a timer for an absolute time.
    void set(Timer &timer, uint64_t deadline_ms);
    void cancel(Timer &timer);

    /// Calls expire(Timer&) for all that are due; each is off by then and may be set again.
    template <class Expire> void advance(uint64_t now_ms, Expire expire) {
        while (now_ms_ <= now_ms) {
            drain(0, static_cast<uint32_t>(now_ms_ % slots), expire);
            if (occupied_[0] == 0 && !skip(now_ms))
                return;
            ++now_ms_;
            cascade();
        }
    }

    /// The time of the next thing to look at, UINT64_MAX where there is none. Never late, at times early.
    uint64_t next_ms() const;
    bool empty() const { return count_ == 0; }

private:
    static constexpr uint32_t bits = 6;
    static constexpr uint32_t slots = 1U << bits;
    static constexpr uint32_t levels = 5; // 2^30 ms: twelve days

    void link(Timer &timer);
    void unlink(Timer &timer);
    void cascade();
    bool skip(uint64_t now_ms);

    template <class Expire> void drain(uint32_t level, uint32_t slot, Expire expire) {
        while (Timer *timer = heads_[level][slot]) {
            unlink(*timer);
            if (timer->deadline_ms > now_ms_) {
                link(*timer);
                continue;
            }
            timer->deadline_ms = 0;
            expire(*timer);
        }
    }

    std::array<std::array<Timer *, slots>, levels> heads_{};
    std::array<uint64_t, levels> occupied_{};
    uint64_t now_ms_;
    size_t count_ = 0;
};

} // namespace weft
