// SPDX-License-Identifier: Apache-2.0
// The small structures that everything stands on.
#include "engine/memory/block.hpp"
#include "engine/test/engine-under-test.hpp"
#include <random>
#include <unistd.h>

namespace weft::testing {
namespace {

struct Thing {
    Handle self;
    int value = 0;
    void reset() { *this = Thing{}; }
};

CASE("a retired slot's handle is stale at once, and the slot is reused only after the sweep") {
    Slab<Thing> slab;
    Thing &first = slab.acquire();
    const Handle handle = first.self;
    slab.retire(first);
    CHECK(slab.get(handle) == nullptr);
    Thing &second = slab.acquire();
    CHECK(second.self.index != handle.index);
    slab.sweep();
    Thing &third = slab.acquire();
    CHECK_EQUAL(third.self.index, handle.index);
    CHECK(third.self.generation != handle.generation);
    CHECK(slab.get({}) == nullptr);
    CHECK(slab.get({12345, 1}) == nullptr);
}

CASE("timers fire in their millisecond, near or days away, also when moved or cancelled") {
    std::mt19937 random(1);
    const uint64_t start = 1'000'003;
    TimerWheel wheel(start);
    std::vector<Timer> timers(400);
    std::vector<uint64_t> wanted(timers.size());
    for (size_t i = 0; i < timers.size(); ++i) {
        timers[i].owner.index = static_cast<uint32_t>(i);
        wanted[i] = start + 1 +
                    random() % (i % 4 == 0   ? 60
                                : i % 4 == 1 ? 5000
                                : i % 4 == 2 ? 300'000
                                             : 100'000'000);
        wheel.set(timers[i], wanted[i] + (i % 3) * 777); // moved nearer
        wheel.set(timers[i], wanted[i]);
        if (i % 5 == 0) { // moved away
            wanted[i] += random() % 100'000;
            wheel.set(timers[i], wanted[i]);
        }
        if (i % 7 == 0) {
            wheel.cancel(timers[i]);
            wanted[i] = 0;
        }
    }
    uint64_t now = start;
    while (!wheel.empty()) {
        const uint64_t next = wheel.next_ms();
        CHECK(next != UINT64_MAX);
        now = std::max(now + 1, next);
        wheel.advance(now, [&](Timer &timer) {
            CHECK_EQUAL(wanted[timer.owner.index], now);
            wanted[timer.owner.index] = 0;
        });
    }
    for (const uint64_t left : wanted)
        CHECK_EQUAL(left, 0U);
}

CASE("a timer set from a timer, for now or later, fires once") {
    TimerWheel wheel(10);
    Timer timer;
    wheel.set(timer, 20);
    int fired = 0;
    wheel.advance(50, [&](Timer &each) {
        if (++fired < 3)
            wheel.set(each, 5);
    });
    wheel.advance(60, [&](Timer &) { ++fired; });
    CHECK_EQUAL(fired, 3);
    CHECK(wheel.empty());
}

CASE("a queue gives back what was put in, in any pieces, and all of its memory") {
    BlockPool pool;
    std::mt19937 random(2);
    std::string in;
    std::string out;
    ByteQueue queue;
    for (int i = 0; i < 500; ++i) {
        const std::string piece(random() % 9000, static_cast<char>('a' + i % 26));
        in += piece;
        queue.append(pool, piece);
        std::string held;
        queue.each([&](std::string_view part) { held += part; });
        const size_t taken = queue.size() == 0 ? 0 : random() % (queue.size() + 1);
        out += held.substr(0, taken);
        queue.consume(pool, taken);
    }
    queue.each([&](std::string_view part) { out += part; });
    CHECK(in == out);
    queue.clear(pool);
    CHECK_EQUAL(pool.out(), 0U);
}

CASE("an inbox grows to its limit and no further, and is empty-handed when empty") {
    BlockPool pool;
    Inbox inbox;
    std::string in;
    while (true) {
        const iovec space = inbox.space(pool, 50'000);
        if (space.iov_len == 0)
            break;
        const size_t size = std::min<size_t>(space.iov_len, 777);
        std::memset(space.iov_base, 'a' + static_cast<int>(in.size() % 26), size);
        in.append(static_cast<char *>(space.iov_base), size);
        inbox.grew(size);
    }
    CHECK_EQUAL(inbox.size(), 50'000U);
    CHECK(inbox.view() == in);
    inbox.consume(pool, 49'000);
    CHECK(inbox.view() == in.substr(49'000));
    inbox.append(pool, in.substr(0, 40'000));
    CHECK(inbox.view() == in.substr(49'000) + in.substr(0, 40'000));
    inbox.consume(pool, inbox.size());
    CHECK_EQUAL(pool.out(), 0U);
}

CASE("addresses are read and written alike") {
    CHECK_EQUAL(Address::parse("10.1.2.3", 80)->text(), "10.1.2.3:80");
    CHECK_EQUAL(Address::parse("fd00::1", 443)->text(), "[fd00::1]:443");
    CHECK(Address::parse("::ffff:10.1.2.3", 80) == Address::parse("10.1.2.3", 80));
    CHECK(!Address::parse("10.1.2", 80));
    CHECK(!Address::parse("", 80));
    sockaddr_storage storage;
    Address::parse("fd00::1", 443)->to_sockaddr(storage);
    CHECK_EQUAL(Address::from_sockaddr(storage).text(), "[fd00::1]:443");
}

CASE("a stock asks for what one message can carry, however many dials wait, and again once that came") {
    SocketStock stock;
    for (uint32_t dial = 1; dial <= 400; ++dial)
        stock.wait({dial, 1});
    uint32_t asked = stock.missing(1);
    for (uint64_t now = 2000; now < 20'000; now += 2000)
        asked = stock.missing(now);
    CHECK_EQUAL(asked, 253U);
    CHECK_EQUAL(stock.missing(18'500), 0U);
    for (uint32_t count = 0; count < asked; ++count) {
        stock.add(dup(0));
        CHECK(stock.next_waiting() == (Handle{count + 1, 1}));
        ::close(stock.take());
    }
    CHECK_EQUAL(stock.missing(18'501), 253U);
}

} // namespace
} // namespace weft::testing
