// SPDX-License-Identifier: Apache-2.0
// HTTP/2 connections of either side: bytes into the session and out of it, draining, ending. What a session
// has to send leaves once per turn, in one call.
#include "engine/engine.hpp"
#include <algorithm>

namespace weft {
namespace {
constexpr size_t session_cost = 16 * 1024;   // memory of one session, for its workload's account
constexpr uint32_t drain_patience_ms = 5000; // for the answer to the PING between a drain's two GOAWAYs
constexpr uint8_t hold_turns = 3;            // a turn is 100 µs of work at most
constexpr uint64_t quiet_us = 1000;
} // namespace

/// The client speaks HTTP/2, by its first bytes or by ALPN.
void Engine::begin_server_session(Connection &down) {
    down.first_bytes = down.need_more = false;
    down.state = ConnectionState::http2;
    open_session(down, http2::Role::server);
    wheel_.set(down.timer, now_ms_ + limits_.idle_timeout_ms);
    if (draining_ && !ending_)
        drain_session(down, Reason::draining);
    schedule(down);
}

void Engine::open_session(Connection &connection, http2::Role role) {
    connection.http2 = std::make_unique<Http2End>(*this, connection.self, role, limits_.http2);
    workload_of(connection).buffered += session_cost;
    buffered_ += session_cost;
    mark(connection);
}

/// Its session may have something to send.
void Engine::mark(Connection &connection) {
    if (connection.http2 == nullptr || connection.http2->marked)
        return;
    connection.http2->marked = true;
    marked_.push(connection.self);
}

/// A send costs more than all else of a small request, and a TLS record of its own too. So while turns find
/// work, a session that sent lately waits a few of them for what they bring to the same call. One that is
/// quiet never does.
void Engine::pump_sessions(bool busy) {
    for (size_t left = marked_.size(); left > 0; --left) {
        const Handle handle = marked_.pop();
        Connection *connection = connections_.get(handle);
        if (connection == nullptr || connection->http2 == nullptr)
            continue;
        Http2End &end = *connection->http2;
        const bool lively = end.session.streams() > 0 && now_us_ - end.pumped_us < quiet_us;
        if (busy && lively && end.held < hold_turns) {
            ++end.held;
            marked_.push(handle);
            continue;
        }
        end.marked = false;
        end.held = 0;
        end.pumped_us = now_us_;
        if (connection->state == ConnectionState::http2 && !connection->close_wanted)
            pump(*connection);
    }
}

/// Sends what the session has, as much as one turn may.
void Engine::pump(Connection &connection) {
    Http2End &end = *connection.http2;
    size_t budget = turn_bytes();
    bool more = true;
    while (more && budget > 0 && connection.outbox.size() < limits_.buffer_bytes) {
        const size_t size = end.session.send({session_area_.get(), BlockPool::largest});
        gather_to(connection, 1, 0).borrow({reinterpret_cast<char *>(session_area_.get()), size});
        flush_gather();
        if (connection.state != ConnectionState::http2)
            return;
        workload_of(connection).charge(static_cast<int64_t>(size));
        budget -= std::min(budget, size);
        more = size == BlockPool::largest;
        if (size > 0)
            touch(connection);
    }
    if (more && budget == 0)
        schedule(connection);
    if (!more)
        end_session_if_done(connection);
}

void Engine::end_session_if_done(Connection &connection) {
    Http2End &end = *connection.http2;
    if (end.session.failure() != Reason::none) {
        fail_session(connection, end.session.failure());
    } else if (end.session.finished() && end.outliving == 0) {
        close_after_write(connection, connection.close_reason);
    } else if (connection.role == Role::upstream && end.session.streams() == 0 && end.waiting.empty()) {
        if (ending_ || end.draining || connection.retiring || workload_of(connection).removed)
            close_connection(connection, Reason::peer_closed);
        else
            wheel_.set(connection.timer, now_ms_ + limits_.pool_idle_timeout_ms);
    }
}

/// Reads and understands until there is no more, or no budget. It never waits for the other sides: each
/// stream's window does.
void Engine::step_session(Connection &connection) {
    size_t budget = turn_bytes();
    while (connection.state == ConnectionState::http2 && !connection.close_wanted) {
        if (connection.inbox.size() > 0) {
            receive_session(connection, connection.inbox.view());
            connection.inbox.clear(blocks_);
            continue;
        }
        if (connection.read_closed) {
            lose_session(connection, connection.role == Role::upstream ? Reason::upstream_closed_early
                                                                       : Reason::downstream_closed_early);
            return;
        }
        if (!connection.readable)
            return;
        if (budget == 0) {
            schedule(connection);
            return;
        }
        const IoResult result =
            read_into(connection, read_area_.get(), std::min<size_t>(BlockPool::largest, budget));
        budget -= std::min(budget, result.bytes);
        if (result.io == Io::again) {
            if (connection.errored)
                schedule(connection);
            return;
        }
        if (result.io == Io::failed) {
            lose_session(connection, result.why != Reason::none          ? result.why
                                     : connection.role == Role::upstream ? Reason::upstream_reset
                                                                         : Reason::downstream_reset);
            return;
        }
        if (result.io == Io::ok)
            receive_session(connection, {read_area_.get(), result.bytes});
    }
}

void Engine::receive_session(Connection &connection, std::string_view bytes) {
    Http2End &end = *connection.http2;
    corking_ = true;
    const Reason why = end.session.receive(http1::bytes_of(bytes), now_ms_);
    uncork();
    if (connection.state != ConnectionState::http2)
        return;
    mark(connection);
    if (why != Reason::none)
        fail_session(connection, why);
}

/// The peer broke the rules: it is told, and the connection ends.
void Engine::fail_session(Connection &connection, Reason why) {
    const size_t size = connection.http2->session.send({session_area_.get(), BlockPool::largest});
    gather_to(connection, 1, 0).borrow({reinterpret_cast<char *>(session_area_.get()), size});
    flush_gather();
    end_streams(connection, why);
    close_after_write(connection, why);
}

/// The connection is gone, or must go now.
void Engine::lose_session(Connection &connection, Reason reason) {
    if (connection.http2->outliving > 0 && connection.http2->session.streams() == 0)
        return; // it has said everything, and that is on its way
    const bool quiet = connection.http2->session.streams() == 0;
    const bool reset = reason != Reason::downstream_closed_early && reason != Reason::upstream_closed_early;
    // Who was told to leave may do so without reading the rest, which resets the connection.
    const bool expected = quiet && (!reset || connection.http2->draining);
    close_connection(connection, expected ? connection.close_reason : reason, reset);
}

/// Ends every stream of a connection, and what waits for one.
void Engine::end_streams(Connection &connection, Reason reason) {
    Http2End &end = *connection.http2;
    if (end.over)
        return;
    end_outliving(connection, reason);
    end.over = true;
    workload_of(connection).buffered -= session_cost;
    buffered_ -= session_cost;
    forget_session(connection);
    end.session.abandon(reason);
    fail_waiting(connection, reason);
}

/// Ends once what was sent has left, without letting bytes that still arrive take it away.
void Engine::close_after_write(Connection &connection, Reason reason) {
    connection.close_wanted = true;
    connection.close_reason = reason;
    connection.linger_wanted = connection.role == Role::downstream;
    wheel_.cancel(connection.timer);
    wheel_.set(connection.timer, now_ms_ + limits_.linger_ms);
    after_write(connection);
}

/// No new streams soon; those that run go on. The connection ends behind them with `reason`.
void Engine::drain_session(Connection &connection, Reason reason) {
    Http2End &end = *connection.http2;
    if (end.draining || connection.close_wanted)
        return;
    end.draining = true;
    connection.close_reason = reason;
    forget_session(connection);
    if (connection.role == Role::upstream) {
        mark(connection); // whoever opens streams need not say that it opens no more
        return;
    }
    if (ending_ && end.session.streams() == 0) {
        tell_last_stream(connection);
        return;
    }
    // A client may have a request on its way: it hears of it first (RFC 9113 section 6.8).
    end.session.begin_drain();
    wheel_.set(connection.timer, now_ms_ + drain_patience_ms);
    mark(connection);
}

/// The client has heard that the connection ends, or was silent for too long: later streams will not be
/// taken. The connection ends behind those that were.
void Engine::tell_last_stream(Connection &down) {
    Http2End &end = *down.http2;
    if (end.told || down.close_wanted)
        return;
    end.told = true;
    end.session.finish_drain();
    wheel_.set(down.timer, now_ms_ + limits_.idle_timeout_ms);
    mark(down);
}

void Engine::session_goaway(Connection &connection) {
    connection.http2->draining = true;
    forget_session(connection);
    mark(connection);
}

void Engine::session_timed_out(Connection &connection) {
    Http2End &end = *connection.http2;
    if (connection.close_wanted) {
        close_connection(connection, connection.close_reason, true);
    } else if (end.draining && !end.told) {
        tell_last_stream(connection);
    } else if (end.session.streams() == 0 && end.waiting.empty()) {
        end.draining ? close_connection(connection, connection.close_reason)
                     : drain_session(connection, Reason::idle_timeout);
    } else if (connection.role == Role::downstream) {
        // Not a byte has moved on any of its streams.
        close_connection(connection, Reason::idle_timeout, true);
    }
}

} // namespace weft
