// SPDX-License-Identifier: Apache-2.0
// Opaque bytes both ways between two connections: plain TCP, and what follows a 101 or a 2xx to CONNECT.
// Each direction ends on its own (half-close); a reset ends both, as a reset.
#include "engine/engine.hpp"
#include <algorithm>

namespace weft {

/// The verdict `tunnel`: connect now, copy once connected. Nothing of what the client sends is read before.
void Engine::open_tunnel(Connection &down, const Verdict &verdict) {
    std::optional<PoolKey> key = resolve(down, verdict.endpoint);
    Workload &workload = workload_of(down);
    if (!key || workload.removed || workload.pending >= workload.pending_limit || workload.over_buffered()) {
        close_connection(down,
                         !key                       ? Reason::decide_failed
                         : workload.removed         ? Reason::workload_withdrawn
                         : workload.over_buffered() ? Reason::buffer_limit
                                                    : Reason::pending_limit,
                         true);
        return;
    }
    down.endpoint = verdict.endpoint;
    down.asks = (verdict.flags & verdict_flag::ask_on_connect_failure) != 0;
    down.attempt_failure = Reason::none;
    if (const Reason why = may_dial(down, verdict.endpoint, *key); why != Reason::none) {
        tunnel_failed(down, why);
        return;
    }
    Connection &up = new_upstream(down, *key, verdict.endpoint, tls::Alpn::tcp);
    down.state = ConnectionState::waiting;
    down.peer = up.self;
    up.peer = down.self;
    dial(up);
}

/// Its endpoint cannot be reached. Nothing that the client sent was read: another endpoint may take it.
void Engine::tunnel_failed(Connection &down, Reason reason) {
    complete_tunnel_attempt(down, reason);
    if (!down.asks) {
        close_connection(down, reason, true);
        return;
    }
    down.peer = {};
    down.attempt_failure = reason;
    down.state = ConnectionState::undecided;
    questions_.push({down.self, false});
}

void Engine::link_tunnel(Connection &down, Connection &up) {
    down.state = up.state = ConnectionState::tunnel;
    down.peer = up.self;
    up.peer = down.self;
    up.exchange = {};
    down.connect_us = up.connect_us;
    wheel_.cancel(down.timer);
    wheel_.cancel(up.timer);
    wheel_.set(down.timer, now_ms_ + limits_.tunnel_idle_timeout_ms);
    down.need_more = up.need_more = false;
    if (Exchange *exchange = exchanges_.get(down.exchange)) {
        wheel_.cancel(exchange->deadline);
        wheel_.cancel(exchange->timer);
    }
    schedule(down);
    schedule(up);
}

void Engine::step_tunnel(Connection &connection) {
    size_t budget = turn_bytes();
    while (connection.state == ConnectionState::tunnel) {
        Connection *peer = connections_.get(connection.peer);
        if (peer == nullptr)
            return;
        connection.stalled = !has_room(*peer);
        if (connection.stalled)
            return;
        if (connection.inbox.size() > 0) {
            const std::string_view bytes = connection.inbox.view();
            gather_to(*peer, 1, 0).borrow(bytes);
            flush_gather();
            connection.inbox.consume(blocks_, bytes.size());
            continue;
        }
        if (connection.read_closed) {
            tunnel_half_closed(connection);
            return;
        }
        if (!connection.readable)
            return;
        if (budget == 0) {
            schedule(connection);
            return;
        }
        const IoResult result =
            read_into(connection, read_area_.get(),
                      read_size(connection, std::min<size_t>(BlockPool::largest, budget)));
        if (result.io == Io::again)
            return;
        if (result.io == Io::failed) {
            end_tunnel(connection,
                       result.why != Reason::none            ? result.why
                       : connection.role == Role::downstream ? Reason::downstream_reset
                                                             : Reason::upstream_reset,
                       true);
            return;
        }
        if (result.io == Io::end)
            continue;
        budget -= result.bytes;
        if (connection.role == Role::upstream && peer->first_byte_us == 0)
            peer->first_byte_us = now_us_ - peer->opened_us;
        gather_to(*peer, 1, 0).borrow({read_area_.get(), result.bytes});
        flush_gather();
    }
}

/// This side has said all it will say: so will the other side be told, behind the bytes that still wait.
void Engine::tunnel_half_closed(Connection &connection) {
    Connection *peer = connections_.get(connection.peer);
    if (peer == nullptr || peer->shutdown_wanted)
        return;
    peer->shutdown_wanted = true;
    if (peer->outbox.empty())
        after_write(*peer);
}

void Engine::end_tunnel_if_done(Connection &connection) {
    const Connection *peer = connections_.get(connection.peer);
    if (peer != nullptr && connection.write_closed && peer->write_closed)
        end_tunnel(connection, Reason::peer_closed, false);
}

void Engine::end_tunnel(Connection &connection, Reason reason, bool reset) {
    Connection *other = connections_.get(connection.peer);
    Connection &down = connection.role == Role::downstream || other == nullptr ? connection : *other;
    Connection *up = &down == &connection ? other : &connection;
    if (Exchange *exchange = exchanges_.get(down.exchange)) {
        complete_attempt(*exchange, reason == Reason::peer_closed ? Reason::none : reason);
        exchange->received += down.received;
        exchange->sent += down.sent;
        end_exchange(*exchange, reason == Reason::peer_closed ? Reason::none : reason);
    } else {
        complete_tunnel_attempt(down, reason == Reason::peer_closed ? Reason::none : reason);
    }
    if (up != nullptr)
        close_connection(*up, reason, reset);
    close_connection(down, reason, reset);
}

void Engine::complete_tunnel_attempt(const Connection &down, Reason reason) {
    complete({.kind = CompletionKind::attempt,
              .direction = down.direction,
              .workload = workload_of(down).name,
              .connection_tag = down.tag,
              .endpoint = down.endpoint,
              .reason = reason,
              .attempt = 1,
              .bytes_received = down.received,
              .bytes_sent = down.sent,
              .connect_us = down.connect_us,
              .first_byte_us = down.first_byte_us,
              .total_us = now_us_ - down.opened_us});
}

} // namespace weft
