// SPDX-License-Identifier: Apache-2.0
// One socket: towards a client (downstream) or towards an endpoint (upstream).
#pragma once
#include "engine/connection/address.hpp"
#include "engine/connection/transport.hpp"
#include "engine/decide/verdict.hpp"
#include "engine/dial/upstream-pool.hpp"
#include "engine/memory/block.hpp"
#include "engine/memory/slab.hpp"
#include "engine/reasons.hpp"
#include "engine/schedule/timer-wheel.hpp"
#include "engine/secure/protection.hpp"
#include "engine/session/http2-end.hpp"
#include <memory>

namespace weft {

enum class Role : uint8_t { downstream, upstream };

/// What is being done with a connection.
///   downstream: undecided → sniffing → securing → undecided, where the verdict wants it;
///               undecided ⇄ parked → http1 | tunnel; http1 → http2 (by its first bytes) | tunnel (after an
///               upgrade) | lingering; http2 → lingering
///   upstream:   waiting (for a socket) → connecting → securing (TLS) → http1 ⇄ idle | http2 | tunnel;
///               http1 → tunnel
enum class ConnectionState : uint8_t {
    undecided,
    parked,
    /// Its first bytes shall tell whether it is TLS.
    sniffing,
    /// TLS handshake.
    securing,
    http1,
    http2,
    tunnel,
    /// All is sent and FIN too; what the client still sends is dropped, so that it is not answered by a reset
    /// that would take the reply away (RFC 9112 section 9.6).
    lingering,
    waiting,
    connecting,
    idle,
    closed,
};

struct Connection {
    Handle self;
    Handle workload;
    /// http1: the exchange under way. Upgraded tunnel, downstream: its exchange, for the account.
    Handle exchange;
    /// tunnel: the other end.
    Handle peer;
    /// downstream inbound: the first of the connections to the application that are this client's own and
    /// may be used (again): idle ones, and HTTP/2 sessions. upstream: the next one of them, and whose it is.
    Handle bound;
    Handle client;
    Transport transport;
    /// Null: plaintext.
    std::unique_ptr<Protection> tls;
    Role role = Role::downstream;
    ConnectionState state = ConnectionState::undecided;
    Direction direction = Direction::outbound;

    // What epoll's edges have told and reads and writes have not used up.
    bool readable = false;
    bool writable = false;
    /// The peer sent FIN or RST; a read will find out, so a short read does not mean that nothing is left.
    bool hung_up = false;
    bool errored = false;

    bool read_closed = false;
    bool write_closed = false;
    /// FIN, or the end, once the outbox is empty.
    bool shutdown_wanted = false;
    bool close_wanted = false;
    /// It may still be sent to by its client when it ends: see ConnectionState::lingering.
    bool linger_wanted = false;
    /// It has bytes and stopped reading because the other side has no room.
    bool stalled = false;
    /// A write failed: nothing more can be sent.
    bool write_dead = false;
    /// It waits in its workload's ready queue.
    bool scheduled = false;
    /// The inbox holds the beginning of something that needs more bytes.
    bool need_more = false;
    /// Nothing was read of it that told HTTP/1 from HTTP/2.
    bool first_bytes = true;
    /// What its account will say where it ends by itself.
    Reason close_reason = Reason::peer_closed;
    std::unique_ptr<Http2End> http2;
    /// downstream: it was looked at, and is no TLS of the mesh.
    bool sniffed = false;
    /// downstream, tunnel: where its endpoint cannot be reached, another one is asked for.
    bool asks = false;
    /// downstream: why its last attempt failed, while the question is open.
    Reason attempt_failure = Reason::none;
    /// It takes nothing new, and ends when idle; at `retire_at_ms` in any case, with `retire_reason`.
    bool retiring = false;
    Reason retire_reason = Reason::none;
    uint64_t retire_at_ms = UINT64_MAX;
    Timer retirement;

    Timer timer;
    Inbox inbox;
    ByteQueue outbox;
    size_t accounted = 0;

    Address source;
    Address destination;
    uint32_t tag = 0;
    /// upstream, and a tunnel's downstream.
    uint32_t endpoint = 0;
    PoolKey key;
    uint64_t opened_us = 0;
    uint64_t decided_us = 0;
    uint64_t connect_us = 0;
    uint64_t first_byte_us = 0;
    uint64_t received = 0;
    uint64_t sent = 0;

    void reset() { *this = Connection{}; }
};

} // namespace weft
