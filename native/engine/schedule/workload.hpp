// SPDX-License-Identifier: Apache-2.0
// A workload that the engine serves: its bounds, what it uses, its sockets, and its place in the round robin.
#pragma once
#include "engine/dial/socket-stock.hpp"
#include "engine/memory/ring-queue.hpp"
#include "engine/tls/identity.hpp"
#include <algorithm>
#include <array>
#include <cstdint>

namespace weft {

/// 0 is the engine's default.
struct WorkloadOptions {
    uint32_t connections = 0;
    uint32_t pending_requests = 0;
    uint64_t buffered_bytes = 0;
    uint32_t cpu_share = 0;
};

struct Workload {
    static constexpr uint32_t default_connections = 16384;
    static constexpr uint32_t default_pending = 4096;
    static constexpr uint64_t default_buffered = uint64_t{64} << 20;
    static constexpr uint32_t default_share = 100;
    /// Who uses less than that of the worker's time, a thirtieth, is modest: bytes' worth each microsecond …
    static constexpr int64_t modest_rate = 8;
    /// … but for bursts of so much.
    static constexpr int64_t modest_burst = 32 * 1024;

    Handle self;
    /// The caller's name for it.
    uint32_t name = 0;
    uint32_t connection_limit = default_connections;
    uint32_t pending_limit = default_pending;
    uint64_t buffered_limit = default_buffered;
    uint32_t cpu_share = default_share;
    /// Accepted connections; and sockets of all kinds, which keep this slot.
    uint32_t connections = 0;
    uint32_t open = 0;
    uint32_t pending = 0;
    uint64_t buffered = 0;
    /// Connections that have a TLS session, finished or not.
    uint32_t tls_sessions = 0;
    /// No new connections; the slot goes when the last one does.
    bool removed = false;
    uint64_t remove_at_ms = 0;
    std::array<SocketStock, 2> stock; // by Family
    /// Null: it has none. The serial number grows with each, and names it in the keys of pools.
    std::shared_ptr<const tls::Identity> identity;
    uint32_t identity_serial = 0;

    RingQueue<Handle> ready;
    /// Connections whose handshake has something to do; and those that it has yet to begin for.
    RingQueue<Handle> handshakes;
    RingQueue<Handle> beginnings;
    uint8_t continued = 0;
    bool in_handshake_round = false;
    int64_t deficit = 0;
    bool in_round = false;
    /// A token bucket: what it may use yet and still be modest, as of then.
    int64_t credit = modest_burst;
    uint64_t credit_us = 0;

    void apply(const WorkloadOptions &options) {
        connection_limit = options.connections != 0 ? options.connections : default_connections;
        pending_limit = options.pending_requests != 0 ? options.pending_requests : default_pending;
        buffered_limit = options.buffered_bytes != 0 ? options.buffered_bytes : default_buffered;
        cpu_share = options.cpu_share != 0 ? options.cpu_share : default_share;
    }

    void charge(int64_t cost) {
        deficit -= cost;
        credit = std::max(credit - cost, -modest_burst);
    }

    /// Whether it leaves most of the worker's time to others.
    bool is_modest(uint64_t now_us) {
        const auto passed = static_cast<int64_t>(std::min<uint64_t>(now_us - credit_us, 1'000'000));
        credit = std::min(credit + passed * modest_rate * cpu_share / default_share, modest_burst);
        credit_us = now_us;
        return credit > 0;
    }

    bool has_handshakes() const { return !handshakes.empty() || !beginnings.empty(); }

    /// What is under way goes first, so that a crowd of callers is not left half done; but for one in four,
    /// so that who never ends keeps nobody from beginning.
    Handle next_handshake() {
        const bool begins = handshakes.empty() || (!beginnings.empty() && continued == 3);
        continued = static_cast<uint8_t>(begins ? 0 : std::min(continued + 1, 3));
        return begins ? beginnings.pop() : handshakes.pop();
    }

    bool over_buffered() const { return buffered >= buffered_limit; }

    void reset() {
        name = connections = open = pending = tls_sessions = identity_serial = 0;
        buffered = remove_at_ms = 0;
        removed = in_round = in_handshake_round = false;
        continued = 0;
        identity = nullptr;
        deficit = 0;
        credit = modest_burst;
        credit_us = 0;
        for (SocketStock &each : stock)
            each.clear();
        ready.clear();
        handshakes.clear();
        beginnings.clear();
        apply({});
    }
};

} // namespace weft
