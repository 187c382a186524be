// SPDX-License-Identifier: Apache-2.0
// How a connection gets its TLS: the handshake of either side. Handshakes are worked on one workload after
// the other, so many a turn, because one costs as much as dozens of requests.
#include "engine/engine.hpp"
#include <algorithm>

namespace weft {
namespace {
constexpr size_t flight_bytes = 16 * 1024;        // read at once
constexpr int64_t handshake_cost = 128 * 1024;    // of a step, in bytes' worth of time
constexpr int64_t most_debt = 8 * handshake_cost; // a crowd of them is not held against later requests
constexpr uint64_t most_notice_ms = 30'000;       // between a certificate's notice and its end
constexpr uint64_t patience_ms = 1'000;           // with a handshake that stands in others' way
constexpr char handshake_record = 22;             // RFC 8446 section 5.1
} // namespace

/// The verdict `secure`.
void Engine::secure(Connection &down) {
    if (down.direction != Direction::inbound || down.tls != nullptr || down.sniffed) {
        close_connection(down, Reason::decide_failed, true);
    } else if (workload_of(down).identity == nullptr) {
        close_connection(down, Reason::tls_no_identity, true);
    } else {
        protect(down, {tls::Alpn::http2, tls::Alpn::http1, tls::Alpn::tcp}, {});
        begin_handshake(down);
    }
}

void Engine::begin_handshake(Connection &connection) {
    connection.state = ConnectionState::securing;
    connection.tls->held = std::exchange(connection.inbox, {}); // of sniffing
    wheel_.cancel(connection.timer);
    wheel_.set(connection.timer, now_ms_ + limits_.tls_handshake_timeout_ms);
    // A caller that is silent costs no session; its first byte is an event.
    if (connection.role == Role::upstream || connection.readable || connection.tls->held.size() > 0)
        queue_handshake(connection);
}

void Engine::queue_handshake(Connection &connection) {
    if (connection.tls->queued || connection.close_wanted)
        return;
    connection.tls->queued = true;
    Workload &workload = workload_of(connection);
    (connection.tls->session == nullptr ? workload.beginnings : workload.handshakes).push(connection.self);
    if (!workload.in_handshake_round) {
        workload.in_handshake_round = true;
        handshake_round_.push(workload.self);
    }
}

/// True where some are left for the next turn.
bool Engine::run_handshakes() {
    for (uint32_t left = std::min(limits_.turn_handshakes, bounds_.handshakes);
         left > 0 && !handshake_round_.empty(); --left) {
        const Handle handle = handshake_round_.pop();
        Workload *workload = workloads_.get(handle);
        if (workload == nullptr)
            continue;
        Connection *connection = nullptr;
        while (connection == nullptr && workload->has_handshakes())
            connection = connections_.get(workload->next_handshake());
        if (connection != nullptr) {
            connection->tls->queued = false;
            if (connection->state == ConnectionState::securing && !connection->close_wanted)
                step_handshake(*connection);
        }
        workload = workloads_.get(handle);
        if (workload == nullptr)
            continue;
        workload->in_handshake_round = workload->has_handshakes();
        if (workload->in_handshake_round)
            handshake_round_.push(handle);
    }
    flush_gather();
    return !handshake_round_.empty();
}

void Engine::step_handshake(Connection &connection) {
    Workload &workload = workload_of(connection);
    const int64_t before = workload.deficit;
    workload.charge(handshake_cost);
    workload.deficit = std::max(workload.deficit, std::min(before, -most_debt));
    if ((connection.tls->session == nullptr && !begin_session(connection)) || !feed_handshake(connection))
        return;
    const tls::Session &session = *connection.tls->session;
    send_waiting(connection);
    if (!session.handshaking())
        count_ticket(session);
    if (session.state() == tls::SessionState::failed)
        handshake_failed(connection, session.why());
    else if (!session.handshaking())
        handshake_done(connection);
    else if (connection.readable || connection.tls->held.size() > 0)
        queue_handshake(connection);
    if (connection.state != ConnectionState::closed)
        account(connection);
}

/// False where it failed.
bool Engine::begin_session(Connection &connection) {
    Protection &protection = *connection.tls;
    if (workload_of(connection).tls_sessions >= limits_.tls_sessions) {
        end_handshake(connection, Reason::tls_session_limit);
        return false;
    }
    const int64_t now = host_.unix_seconds();
    protection.session =
        connection.role == Role::downstream
            ? tls::Session::accept(protection.identity, protection.alpns, now, {},
                                   {.epoch = protection.epoch,
                                    .client = connection.source.ip,
                                    .port = connection.destination.port})
            : tls::Session::connect(protection.identity, protection.alpns, protection.expected, now, {},
                                    tickets_.take(connection.key, now));
    if (protection.session == nullptr) {
        handshake_failed(connection, Reason::tls_handshake_failed);
        return false;
    }
    ++workload_of(connection).tls_sessions;
    if (connection.role == Role::downstream)
        begin_counting(connection);
    return true;
}

/// Callers have proved nothing yet. (What endpoints leave undone is held against their own caller alone.)
void Engine::begin_counting(Connection &down) {
    down.tls->unfinished = true;
    down.tls->begun_ms = now_ms_;
    ++unfinished_;
    begun_.push(down.self);
    while (!begun_.empty()) {
        Connection *oldest = unfinished(begun_.front());
        const bool goes = unfinished_ > limits_.tls_handshakes;
        if (oldest != nullptr && (!goes || now_ms_ - oldest->tls->begun_ms < patience_ms))
            return;
        begun_.pop();
        if (oldest != nullptr)
            end_handshake(*oldest, Reason::tls_handshake_limit);
    }
}

/// Whose handshake is under way; null where it has ended in any way.
Connection *Engine::unfinished(Handle handle) {
    Connection *connection = connections_.get(handle);
    const bool under_way = connection != nullptr && connection->tls != nullptr && connection->tls->unfinished;
    return under_way ? connection : nullptr;
}

/// Gives the session what the peer sent. False where the connection ended over it.
bool Engine::feed_handshake(Connection &connection) {
    Protection &protection = *connection.tls;
    std::string_view cipher = protection.held.view();
    const bool waited = !cipher.empty();
    if (!waited && connection.readable) {
        const IoResult got = connection.transport.read(cipher_area_.get(), flight_bytes);
        connection.readable = got.io == Io::ok && (got.more || connection.hung_up);
        if (got.io == Io::failed) {
            handshake_failed(connection, connection.role == Role::downstream ? Reason::downstream_reset
                                                                             : Reason::upstream_reset);
            return false;
        }
        if (got.io == Io::end) {
            connection.read_closed = true;
            protection.session->wire_ended();
        }
        cipher = {cipher_area_.get(), got.bytes};
        if (!cipher.empty() && connection.role == Role::downstream && connection.received == 0 &&
            cipher.front() != handshake_record) {
            close_connection(connection, Reason::plaintext_refused, true);
            return false;
        }
        connection.received += cipher.size();
    }
    if (cipher.empty())
        return true;
    const tls::Received got = protection.session->receive(http1::bytes_of(cipher), {});
    if (waited)
        protection.held.consume(blocks_, got.consumed);
    else
        protection.held.append(blocks_, cipher.substr(got.consumed));
    return true;
}

void Engine::finish_counting(Protection &protection) {
    if (std::exchange(protection.unfinished, false))
        --unfinished_;
}

void Engine::count_ticket(const tls::Session &session) {
    outdated_tickets_ += session.ticket_fate() == tls::TicketFate::outdated ? 1 : 0;
    misplaced_tickets_ += session.ticket_fate() == tls::TicketFate::misplaced ? 1 : 0;
}

void Engine::handshake_done(Connection &connection) {
    Protection &protection = *connection.tls;
    protection.established = true;
    finish_counting(protection);
    connection.received = 0; // from now on it counts what the peer says
    connection.readable |= protection.held.size() > 0;
    wheel_.cancel(connection.timer);
    const int64_t end = std::min(protection.identity->not_after(), protection.session->peer_not_after());
    const int64_t left = std::max<int64_t>(end - host_.unix_seconds(), 0);
    const uint64_t left_ms = static_cast<uint64_t>(left) * 1000;
    retire_after(connection, Reason::tls_expired_certificate,
                 left_ms - std::min(left_ms / 10, most_notice_ms), left_ms);
    const uint64_t resumed = protection.session->resumed() ? 1 : 0;
    if (connection.role == Role::upstream) {
        ++client_handshakes_;
        resumed_as_client_ += resumed;
        ready_to_use(connection);
        return;
    }
    ++server_handshakes_;
    resumed_as_server_ += resumed;
    connection.state = ConnectionState::undecided;
    questions_.push({connection.self, false});
}

/// The peer is told by an alert, which must not be taken away by a reset.
void Engine::handshake_failed(Connection &connection, Reason reason) {
    ++failed_handshakes_;
    if (connection.role == Role::upstream) {
        connect_failed(connection, reason);
    } else if (connection.read_closed || reason == Reason::downstream_reset) {
        close_connection(connection, reason, true);
    } else {
        close_after_write(connection, reason);
    }
}

/// Without a word to the peer.
void Engine::end_handshake(Connection &connection, Reason reason) {
    if (connection.close_wanted) { // it has failed already, and its alert does not leave
        close_connection(connection, connection.close_reason, true);
        return;
    }
    ++failed_handshakes_;
    if (connection.role == Role::upstream)
        connect_failed(connection, reason);
    else
        close_connection(connection, reason, true);
}

} // namespace weft
