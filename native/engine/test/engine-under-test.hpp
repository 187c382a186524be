// SPDX-License-Identifier: Apache-2.0
// An engine on loopback with real sockets on both sides, in one thread: the test is client, application,
// capture and decision. Nothing sleeps: until() turns the engine until something is true, for five seconds at
// most.
#pragma once
#include "engine/engine.hpp"
#include "engine/test/testing.hpp"
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weft::testing {

/// One end of a connection that the test holds.
class Peer {
public:
    explicit Peer(int descriptor) : descriptor_(descriptor) {}
    Peer(const Peer &) = delete;
    Peer &operator=(const Peer &) = delete;
    ~Peer() { close(); }

    /// Queues what the socket does not take at once.
    void send(std::string_view text);
    void finish(); // FIN
    void reset();  // RST
    void close();
    /// Reads what is there; called by until().
    void poll();
    void stop_reading(bool stopped) { stopped_ = stopped; }
    bool has(std::string_view text) const { return received.find(text) != std::string::npos; }
    uint16_t port() const;

    std::string received;
    /// Called by each poll().
    std::function<void()> on_poll;
    bool ended = false;     // FIN
    bool was_reset = false; // RST

private:
    int descriptor_;
    std::string unsent_;
    bool stopped_ = false;
    bool finishing_ = false;
};

class EngineUnderTest : public Host {
public:
    explicit EngineUnderTest(const EngineLimits &limits = {});
    ~EngineUnderTest() override;

    /// A client of workload 1's outbound (or given) listener.
    std::unique_ptr<Peer> connect() { return connect_to(port); }
    std::unique_ptr<Peer> connect_to(uint16_t to);
    /// The next connection that reached the application; waits for it.
    std::unique_ptr<Peer> accept();
    /// The next one, or nullptr.
    std::unique_ptr<Peer> try_accept();
    /// Sends a request. The connection that brings it to the application, once its head has arrived.
    std::unique_ptr<Peer> deliver(Peer &client, std::string_view request);
    uint16_t listen_for(uint32_t workload, Direction direction);
    bool until(const std::function<bool()> &done);
    /// What every turn of until() does beside turning the engine.
    void poll_peers();
    /// Some turns in which nothing is expected to happen.
    void settle();
    void advance(uint64_t ms) { skew_us_ += ms * 1000; }
    void watch(Peer &peer) { peers_.push_back(&peer); }
    void forget(Peer &peer) { std::erase(peers_, &peer); }
    /// Called with every turn of until().
    void each_turn(std::function<void()> work) { each_turn_.push_back(std::move(work)); }

    bool decide(uint32_t rows, uint32_t count) override;
    void stock_low(uint32_t workload, Family family, uint32_t missing) override;
    void wake() override {}
    uint64_t now_us() override;
    /// Where tests' certificates are valid, moved by advance().
    int64_t unix_seconds() override;

    std::string text(uint32_t offset, uint32_t length);
    std::string path(uint32_t row);
    /// Puts text into the scratch and returns its offset.
    uint32_t write_scratch(std::string_view text);
    void forward_to(uint32_t row, uint32_t endpoint = 1);
    /// The last completion of a kind, or nullptr.
    const Completion *last(CompletionKind kind) const;
    size_t count(CompletionKind kind) const;

    uint16_t port = 0;     // of workload 1's outbound listener
    uint16_t app_port = 0; // endpoint 1
    std::function<bool(uint32_t rows)> on_decide;
    bool fill_stock = true;
    std::vector<std::pair<Family, uint32_t>> asked_for;
    std::vector<Completion> completions;
    std::unique_ptr<Engine> engine;

private:
    int app_ = -1;
    uint64_t skew_us_ = 0;
    uint32_t scratch_used_ = 0;
    std::vector<Peer *> peers_;
    std::vector<std::function<void()>> each_turn_;
};

/// Descriptors that this process has open.
size_t open_descriptors();

} // namespace weft::testing
