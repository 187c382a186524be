// SPDX-License-Identifier: Apache-2.0
// How a connection gets its TLS: looking at first bytes, and the handshake of either side. Handshakes are
// worked on one workload after the other, so many a turn, because one costs as much as dozens of requests.
#include "engine/engine.hpp"
#include <algorithm>

namespace weft {
namespace {
constexpr size_t flight_bytes = 16 * 1024;        // read at once
constexpr int64_t handshake_cost = 128 * 1024;    // of a step, in bytes' worth of time
constexpr int64_t most_debt = 8 * handshake_cost; // a crowd of them is not held against later requests
constexpr uint64_t most_notice_ms = 30'000;       // between a certificate's notice and its end
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

/// The verdict `sniff`.
void Engine::sniff(Connection &down, const Verdict &verdict) {
    if (down.direction != Direction::inbound || down.tls != nullptr || down.sniffed) {
        close_connection(down, Reason::decide_failed, true);
        return;
    }
    down.state = ConnectionState::sniffing;
    wheel_.set(down.timer,
               now_ms_ + (verdict.deadline_ms != 0 ? verdict.deadline_ms : limits_.sniff_timeout_ms));
    schedule(down);
}

void Engine::step_sniffing(Connection &down) {
    while (down.readable) {
        const iovec space = down.inbox.space(blocks_, tls::max_sniffed_bytes);
        const IoResult result = read_into(down, static_cast<char *>(space.iov_base), space.iov_len);
        if (result.io == Io::failed) {
            close_connection(down, Reason::downstream_reset, true);
            return;
        }
        if (result.io == Io::end)
            end_sniffing(down);
        if (result.io != Io::ok)
            return;
        down.inbox.grew(result.bytes);
        switch (tls::sniff_client_hello(http1::bytes_of(down.inbox.view())).kind) {
        case tls::Sniff::needs_more:
            break;
        case tls::Sniff::weft_client_hello:
            secure(down);
            return;
        case tls::Sniff::other_tls:
        case tls::Sniff::not_tls:
            end_sniffing(down);
            return;
        }
    }
    down.inbox.give_back_if_empty(blocks_);
}

/// The first bytes may have come while nobody looked.
void Engine::sniffing_timed_out(Connection &down) {
    step_sniffing(down);
    if (down.state == ConnectionState::sniffing)
        end_sniffing(down);
}

/// No TLS of the mesh: what was read stays in the inbox.
void Engine::end_sniffing(Connection &down) {
    wheel_.cancel(down.timer);
    down.inbox.give_back_if_empty(blocks_);
    down.sniffed = true;
    down.state = ConnectionState::undecided;
    questions_.push({down.self, false});
}

void Engine::begin_handshake(Connection &connection) {
    connection.state = ConnectionState::securing;
    connection.tls->held = std::exchange(connection.inbox, {}); // of sniffing
    wheel_.cancel(connection.timer);
    wheel_.set(connection.timer, now_ms_ + limits_.tls_handshake_timeout_ms);
    queue_handshake(connection);
}

void Engine::queue_handshake(Connection &connection) {
    if (connection.tls->queued || connection.close_wanted)
        return;
    connection.tls->queued = true;
    Workload &workload = workload_of(connection);
    workload.handshakes.push(connection.self);
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
        while (connection == nullptr && !workload->handshakes.empty())
            connection = connections_.get(workload->handshakes.pop());
        if (connection != nullptr) {
            connection->tls->queued = false;
            if (connection->state == ConnectionState::securing && !connection->close_wanted)
                step_handshake(*connection);
        }
        workload = workloads_.get(handle);
        if (workload == nullptr)
            continue;
        workload->in_handshake_round = !workload->handshakes.empty();
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
    const int64_t now = host_.unix_seconds();
    protection.session =
        connection.role == Role::downstream
            ? tls::Session::accept(protection.identity, protection.alpns, now)
            : tls::Session::connect(protection.identity, protection.alpns, protection.expected, now);
    if (protection.session == nullptr)
        handshake_failed(connection, Reason::tls_handshake_failed);
    return protection.session != nullptr;
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

void Engine::handshake_done(Connection &connection) {
    Protection &protection = *connection.tls;
    protection.established = true;
    connection.received = 0; // from now on it counts what the peer says
    connection.readable |= protection.held.size() > 0;
    wheel_.cancel(connection.timer);
    const int64_t end = std::min(protection.identity->not_after(), protection.session->peer_not_after());
    const int64_t left = std::max<int64_t>(end - host_.unix_seconds(), 0);
    const uint64_t left_ms = static_cast<uint64_t>(left) * 1000;
    retire_after(connection, Reason::tls_expired_certificate,
                 left_ms - std::min(left_ms / 10, most_notice_ms), left_ms);
    if (connection.role == Role::upstream) {
        ++client_handshakes_;
        ready_to_use(connection);
        return;
    }
    ++server_handshakes_;
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

void Engine::handshake_timed_out(Connection &connection) {
    if (connection.close_wanted) { // it has failed already, and its alert does not leave
        close_connection(connection, connection.close_reason, true);
        return;
    }
    ++failed_handshakes_;
    if (connection.role == Role::upstream)
        connect_failed(connection, Reason::tls_handshake_timeout);
    else
        close_connection(connection, Reason::tls_handshake_timeout, true);
}

} // namespace weft
