// SPDX-License-Identifier: Apache-2.0
#include "engine/schedule/timer-wheel.hpp"
#include <algorithm>
#include <bit>

namespace weft {

void TimerWheel::set(Timer &timer, uint64_t deadline_ms) {
    const bool linked = timer.deadline_ms != 0;
    timer.deadline_ms = std::max<uint64_t>(deadline_ms, 1);
    if (linked && timer.slot_ms <= timer.deadline_ms)
        return;
    if (linked)
        unlink(timer);
    link(timer);
}

void TimerWheel::cancel(Timer &timer) {
    if (timer.deadline_ms == 0)
        return;
    unlink(timer);
    timer.deadline_ms = 0;
}

// A timer whose slot is the current tick must lie ahead of it, or it would wait a whole round.
void TimerWheel::link(Timer &timer) {
    uint64_t when = std::max(timer.deadline_ms, now_ms_ + 1);
    uint32_t level = 0;
    while (level + 1 < levels && (when >> (bits * level)) - (now_ms_ >> (bits * level)) >= slots)
        ++level;
    const uint64_t ahead = (now_ms_ >> (bits * level)) + slots - 1;
    const uint64_t unit = std::min(when >> (bits * level), ahead);
    timer.level = static_cast<uint8_t>(level);
    timer.slot = static_cast<uint8_t>(unit % slots);
    timer.slot_ms = unit << (bits * level);
    Timer *&head = heads_[level][timer.slot];
    timer.previous = nullptr;
    timer.next = head;
    if (head != nullptr)
        head->previous = &timer;
    head = &timer;
    occupied_[level] |= uint64_t{1} << timer.slot;
    ++count_;
}

void TimerWheel::unlink(Timer &timer) {
    Timer *&head = heads_[timer.level][timer.slot];
    (timer.previous == nullptr ? head : timer.previous->next) = timer.next;
    if (timer.next != nullptr)
        timer.next->previous = timer.previous;
    timer.previous = timer.next = nullptr;
    if (head == nullptr)
        occupied_[timer.level] &= ~(uint64_t{1} << timer.slot);
    --count_;
}

// On entering a new unit of a level, its timers move down, nearer to their time.
void TimerWheel::cascade() {
    for (uint32_t level = 1; level < levels; ++level) {
        if ((now_ms_ & ((uint64_t{1} << (bits * level)) - 1)) != 0)
            return;
        const auto slot = static_cast<uint32_t>((now_ms_ >> (bits * level)) % slots);
        Timer *list = heads_[level][slot];
        while (list != nullptr) {
            Timer *timer = list;
            list = timer->next;
            unlink(*timer);
            if (timer->deadline_ms <= now_ms_) {
                // Due at this very tick: straight into the slot that is drained next.
                timer->level = 0;
                timer->slot = static_cast<uint8_t>(now_ms_ % slots);
                timer->slot_ms = now_ms_;
                Timer *&head = heads_[0][timer->slot];
                timer->next = head;
                if (head != nullptr)
                    head->previous = timer;
                head = timer;
                occupied_[0] |= uint64_t{1} << timer->slot;
                ++count_;
            } else {
                link(*timer);
            }
        }
    }
}

// With nothing on level 0, jump to the end of the tick group before the next cascade. False: all time up to
// now is done.
bool TimerWheel::skip(uint64_t now_ms) {
    const uint64_t last = now_ms_ | (slots - 1);
    if (last >= now_ms) {
        now_ms_ = now_ms;
        return false;
    }
    now_ms_ = last;
    return true;
}

uint64_t TimerWheel::next_ms() const {
    uint64_t best = UINT64_MAX;
    for (uint32_t level = 0; level < levels; ++level) {
        if (occupied_[level] == 0)
            continue;
        const uint64_t unit = now_ms_ >> (bits * level);
        const auto turn = static_cast<int>(unit % slots);
        const int distance = std::countr_zero(std::rotr(occupied_[level], turn));
        best = std::min(best, std::max((unit + static_cast<uint64_t>(distance)) << (bits * level), now_ms_));
    }
    return best;
}

} // namespace weft
