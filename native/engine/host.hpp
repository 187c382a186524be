// SPDX-License-Identifier: Apache-2.0
// What an engine and whoever runs it tell each other, beside the batch's columns and the limits.
#pragma once
#include "engine/connection/address.hpp"
#include "engine/decide/verdict.hpp"
#include "engine/dial/upstream-pool.hpp"
#include "engine/reasons.hpp"
#include <cstdint>
#include <optional>
#include <string>

namespace weft {

/// What the engine needs from whoever runs it.
class Host {
public:
    virtual ~Host() = default;
    /// Rows lie in the batch's columns; the answers go there too. False: it threw, and every row fails
    /// closed. May call the engine's public functions, turn() and the destructor excepted.
    virtual bool decide(uint32_t rows, uint32_t completions) = 0;
    virtual void stock_low(uint32_t workload, Family family, uint32_t missing) = 0;
    /// turn() is wanted soon; called only outside of turn().
    virtual void wake() = 0;
    /// Monotonic microseconds.
    virtual uint64_t now_us() = 0;
    /// Seconds since 1970, for certificates' dates.
    virtual int64_t unix_seconds() = 0;
};

struct Endpoint {
    Address address;
    uint32_t destination = 0;
    uint32_t generation = 0;
    /// The SPIFFE id that it must prove; empty: plaintext.
    std::string identity;
    /// The engine's number for it.
    uint32_t peer = 0;
    bool defined = false;

    bool leads_to(const PoolKey &key) const {
        return defined && key.destination == destination && key.address == address &&
               key.generation == generation && key.peer == peer;
    }
};

struct TurnResult {
    /// There is work left that no event will announce: call again soon.
    bool more = false;
    /// Something happened in this turn.
    bool busy = false;
    /// When to call again at the latest, host's clock in milliseconds; UINT64_MAX: only on events.
    uint64_t next_ms = UINT64_MAX;
};

struct EngineStats {
    size_t connections = 0, exchanges = 0, pooled = 0, parked = 0, buffered_bytes = 0, sockets = 0;
    uint64_t turns = 0, rows = 0;
    uint64_t client_handshakes = 0, server_handshakes = 0, failed_handshakes = 0;
    uint64_t resumed_as_client = 0, resumed_as_server = 0, outdated_tickets = 0, misplaced_tickets = 0;
    size_t tls_sessions = 0, tls_bytes = 0, tickets = 0, streams = 0;
};

struct ConnectionInfo {
    uint32_t workload;
    Direction direction;
    uint32_t tag;
    const char *state;
    const char *protocol;
    bool tls;
    std::string peer;
    Address source, destination;
    uint64_t age_us, received, sent, buffered;
};

/// Which connections; an absent part matches all.
struct ConnectionMatch {
    std::optional<uint32_t> workload, tag;
};

} // namespace weft
