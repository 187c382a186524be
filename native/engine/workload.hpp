// SPDX-License-Identifier: Apache-2.0
// A workload that the engine serves: its bounds, what it uses, its sockets, and its place in the round robin.
#pragma once
#include "engine/ring-queue.hpp"
#include "engine/socket-stock.hpp"
#include "engine/tls/identity.hpp"
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
    /// No new connections; the slot goes when the last one does.
    bool removed = false;
    uint64_t remove_at_ms = 0;
    std::array<SocketStock, 2> stock; // by Family
    /// Null: it has none. The serial number grows with each, and names it in the keys of pools.
    std::shared_ptr<const tls::Identity> identity;
    uint32_t identity_serial = 0;

    RingQueue<Handle> ready;
    /// Connections whose handshake has something to do.
    RingQueue<Handle> handshakes;
    bool in_handshake_round = false;
    int64_t deficit = 0;
    bool in_round = false;

    void apply(const WorkloadOptions &options) {
        connection_limit = options.connections != 0 ? options.connections : default_connections;
        pending_limit = options.pending_requests != 0 ? options.pending_requests : default_pending;
        buffered_limit = options.buffered_bytes != 0 ? options.buffered_bytes : default_buffered;
        cpu_share = options.cpu_share != 0 ? options.cpu_share : default_share;
    }

    bool over_buffered() const { return buffered >= buffered_limit; }

    void reset() {
        name = connections = open = pending = identity_serial = 0;
        buffered = remove_at_ms = 0;
        removed = in_round = in_handshake_round = false;
        identity = nullptr;
        deficit = 0;
        for (SocketStock &each : stock)
            each.clear();
        ready.clear();
        handshakes.clear();
        apply({});
    }
};

} // namespace weft
