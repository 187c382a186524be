// SPDX-License-Identifier: Apache-2.0
// HTTP/2 to endpoints: one session carries the requests of many exchanges, of one workload (outbound), or of
// one client's connection (inbound: the application must see that client's address). A further session is
// opened where those there are have no stream left.
#include "engine/engine.hpp"
#include <utility>

namespace weft {
namespace {

constexpr uint32_t connection_first_ms = 100; // its own timer comes before those that wait: it knows why

// RFC 9113 section 7.
constexpr uint32_t no_error = 0;
constexpr uint32_t cancel = 8;

} // namespace

bool Engine::wants_http2(const Exchange &exchange, const Verdict &verdict) const {
    const bool tunnels = exchange.request.upgrade || exchange.request.method == http1::Method::CONNECT;
    return (exchange.key.peer != 0 || (verdict.flags & verdict_flag::http2) != 0) && !tunnels;
}

/// The verdict's text is gone once its turn is over, and the head is written when the stream opens: keeps
/// what it changes. False: refused.
bool Engine::keep_rewrite(Exchange &exchange, const Verdict &verdict) {
    std::string text;
    text.append(verdict.path);
    if (!verdict.host.empty())
        text.append(verdict.host);
    else if (exchange.request.authority.empty()) // only an HTTP/1.0 client may omit Host
        text.append(downstream_of(exchange)->destination.text());
    exchange.rewrite_path = static_cast<uint32_t>(verdict.path.size());
    exchange.rewrite_authority = static_cast<uint32_t>(text.size() - verdict.path.size());
    text.append(verdict.extra);
    if (text.size() > BlockPool::largest) {
        reply_reason(exchange, Reason::http2_head_too_large);
        return false;
    }
    keep(exchange.wire, http1::bytes_of(text));
    edits_.hold(verdict.request_edit);
    edits_.drop(exchange.request_edit);
    exchange.request_edit = verdict.request_edit;
    return true;
}

/// Finds or opens a session for the exchange's attempt.
void Engine::start_stream(Exchange &exchange) {
    Connection &down = *downstream_of(exchange);
    Connection *up = find_session(down, exchange.key);
    if (up != nullptr && up->state == ConnectionState::http2 && up->http2->session.free_streams() > 0) {
        attach_stream(exchange, *up);
        return;
    }
    const Workload &workload = workload_of(down);
    if (workload.removed || workload.pending >= workload.pending_limit) {
        --exchange.attempt;
        reply_reason(exchange, workload.removed ? Reason::workload_withdrawn : Reason::pending_limit);
        return;
    }
    const bool dials = up == nullptr;
    if (dials)
        up = &new_session(down, exchange.key, exchange.endpoint);
    up->http2->waiting.push(exchange.self);
    ++waiting_streams_;
    exchange.upstream = up->self;
    exchange.reused = false;
    set_state(exchange, ExchangeState::connecting);
    if (exchange.backend_timeout_ms == 0)
        wheel_.set(exchange.timer, now_ms_ + limits_.connect_timeout_ms + connection_first_ms +
                                       (exchange.key.peer != 0 ? limits_.tls_handshake_timeout_ms : 0));
    if (dials)
        dial(*up);
}

/// Calls visit(Connection &) for each session of a key that takes new streams, until it gives true.
template <class Visit> bool Engine::any_session(const Connection *down, const PoolKey &key, Visit visit) {
    const auto usable = [](const Connection *up) {
        return up != nullptr && up->http2 && !up->http2->draining;
    };
    if (down != nullptr && down->direction == Direction::inbound) {
        for (Connection *up = connections_.get(down->bound); up != nullptr; up = connections_.get(up->bound))
            if (usable(up) && up->key == key && visit(*up))
                return true;
        return false;
    }
    const std::vector<Handle> *sessions = sessions_.find(key);
    for (size_t i = 0; sessions != nullptr && i < sessions->size(); ++i) {
        Connection *up = connections_.get((*sessions)[i]);
        if (usable(up) && visit(*up))
            return true;
    }
    return false;
}

/// One with a free stream, or one to wait for; nullptr: another one may be opened.
Connection *Engine::find_session(Connection &down, const PoolKey &key) {
    size_t count = 0;
    Connection *least = nullptr;
    const bool found = any_session(&down, key, [&](Connection &up) {
        if (up.hung_up)
            return false;
        ++count;
        const size_t waiting = up.http2->waiting.size();
        const bool has_room = up.state == ConnectionState::http2 ? up.http2->session.free_streams() > waiting
                                                                 : waiting < limits_.http2.concurrent_streams;
        if (has_room || least == nullptr || waiting < least->http2->waiting.size())
            least = &up;
        return has_room;
    });
    return found || count >= limits_.http2_sessions ? least : nullptr;
}

Connection &Engine::new_session(Connection &down, const PoolKey &key, uint32_t endpoint) {
    Connection &up = new_upstream(down, key, endpoint, tls::Alpn::http2);
    open_session(up, http2::Role::client);
    if (up.direction == Direction::inbound)
        bind(down, up);
    else
        sessions_.give(key, up.self, limits_.http2_sessions);
    return up;
}

/// The session takes no new streams: nobody shall find it.
void Engine::forget_session(Connection &up) {
    if (up.role != Role::upstream)
        return;
    if (up.direction == Direction::inbound)
        unbind(up);
    else
        sessions_.remove(up.key, up.self);
}

/// Its connection is there.
void Engine::session_connected(Connection &up) {
    up.state = ConnectionState::http2;
    wheel_.cancel(up.timer);
    wheel_.set(up.timer, now_ms_ + limits_.pool_idle_timeout_ms);
    serve_waiting_streams(up);
    mark(up);
    schedule(up);
}

/// Free streams go to those who wait for this session, then to those who wait for another one like it.
void Engine::serve_waiting_streams(Connection &up) {
    if (up.http2->over || up.state != ConnectionState::http2)
        return;
    serve_waiting_of(up, up);
    if (up.http2->draining)
        fail_waiting(up, Reason::http2_refused_stream);
    else if (waiting_streams_ > 0 && up.http2->session.free_streams() > 0)
        any_session(connections_.get(up.client), up.key, [&](Connection &other) {
            serve_waiting_of(other, up);
            return up.http2->session.free_streams() == 0;
        });
}

void Engine::serve_waiting_of(Connection &waited_for, Connection &up) {
    RingQueue<Handle> &waiting = waited_for.http2->waiting;
    while (!waiting.empty() && up.http2->session.free_streams() > 0) {
        --waiting_streams_;
        Exchange *exchange = exchanges_.get(waiting.pop());
        if (exchange != nullptr && exchange->upstream == waited_for.self &&
            exchange->state == ExchangeState::connecting)
            attach_stream(*exchange, up);
    }
}

void Engine::fail_waiting(Connection &up, Reason reason) {
    while (!up.http2->waiting.empty()) {
        --waiting_streams_;
        Exchange *exchange = exchanges_.get(up.http2->waiting.pop());
        if (exchange == nullptr || exchange->upstream != up.self ||
            exchange->state != ExchangeState::connecting)
            continue;
        exchange->upstream = {};
        fail_attempt(*exchange, reason, true);
    }
}

/// The exchange's request becomes a stream of the session.
void Engine::attach_stream(Exchange &exchange, Connection &up) {
    const http1::Bytes wire = kept(exchange.wire);
    const http1::RequestRewrite rewrite{
        .path = wire.first(exchange.rewrite_path),
        .authority = wire.subspan(exchange.rewrite_path, exchange.rewrite_authority),
        .edit = edits_.get(exchange.request_edit),
        .extra = wire.subspan(exchange.rewrite_path + exchange.rewrite_authority)};
    const bool content = exchange.request.framing != http1::Framing::none;
    Reason why = Reason::none;
    const http2::StreamRef stream =
        up.http2->session.request(exchange.head_bytes(), exchange.request, rewrite, content, why);
    if (!stream) {
        exchange.upstream = {};
        if (why == Reason::http2_stream_limit || why == Reason::http2_refused_stream)
            fail_attempt(exchange, why, true);
        else
            reply_reason(exchange, why);
        return;
    }
    up.http2->link(stream, exchange.self);
    exchange.upstream = up.self;
    exchange.up_stream = stream;
    exchange.reused = up.http2->used;
    exchange.connect_us = up.http2->used ? 0 : up.connect_us;
    up.http2->used = true;
    if (exchange.backend_timeout_ms == 0)
        wheel_.cancel(exchange.timer); // it bounded the wait for the connection
    set_state(exchange, ExchangeState::active);
    begin_request_content(exchange);
    mark(up);
}

void Engine::detach_stream(Exchange &exchange, Connection &up, bool whole) {
    if (exchange.up_stream) {
        up.http2->unlink(exchange.up_stream);
        up.http2->session.reset(exchange.up_stream, whole ? no_error : cancel);
        mark(up);
    }
    exchange.up_stream = {};
    exchange.outgoing.clear(blocks_);
    exchange.response_uncredited = 0;
    account(exchange);
}

void Engine::stream_response(Exchange &exchange, http1::Bytes text, const http1::ResponseHead &head) {
    exchange.response_started = true;
    if (exchange.attempt_first_byte_us == 0)
        exchange.attempt_first_byte_us = now_us_;
    exchange.response.copy(head);
    if (!head.interim && hold_response(exchange, text)) {
        keep(exchange.held_head, text);
        return;
    }
    begin_response(exchange, text);
}

void Engine::stream_response_content(Exchange &exchange, std::string_view part) {
    exchange.response_uncredited += part.size();
    if (exchange.state == ExchangeState::held) {
        exchange.answer.append(blocks_, part);
        account(exchange);
        return;
    }
    touch(*downstream_of(exchange));
    send_response_content(exchange, part);
    if (has_response_room(exchange))
        wake_endpoint(exchange);
}

void Engine::stream_response_ended(Exchange &exchange, http1::Bytes trailers) {
    if (exchange.state == ExchangeState::held) {
        exchange.response_whole = true;
        keep(exchange.response_trailers, trailers);
        return;
    }
    finish_response(exchange, trailers);
}

void Engine::endpoint_stream_closed(Exchange &exchange, Reason why) {
    const Connection *up = upstream_of(exchange);
    const bool refused = up != nullptr && up->tls != nullptr && up->tls->session->refused_certificate();
    exchange.up_stream = {};
    exchange.upstream = {};
    if (exchange.state == ExchangeState::answered) {
        end_answered(exchange, Reason::none); // the request is whole too, or not wanted
        return;
    }
    if (exchange.state == ExchangeState::held) {
        if (why != Reason::none || !exchange.response_whole) // else all of it is here
            drop_held(exchange);
        return;
    }
    // What a server did wrong is no fault of the client's.
    const Reason reason = status_of(why) >= 400 && status_of(why) < 500 ? Reason::http2_bad_response : why;
    fail_attempt(exchange, reason == Reason::none ? Reason::upstream_closed_early : reason,
                 refused || why == Reason::http2_refused_stream);
}

/// The verdict lets a held response through.
void Engine::pass_held_stream(Exchange &exchange) {
    const Handle self = exchange.self;
    const bool whole = exchange.response_whole;
    exchange.response_whole = false;
    set_state(exchange, ExchangeState::active);
    begin_response(exchange, kept(exchange.held_head));
    if (exchanges_.get(self) == nullptr || exchange.state != ExchangeState::active)
        return;
    keep(exchange.held_head, {});
    ByteQueue content;
    std::swap(content, exchange.answer);
    content.each([&](std::string_view piece) { send_response_content(exchange, piece); });
    flush_gather();
    content.clear(blocks_);
    if (whole) {
        Block *const trailers = std::exchange(exchange.response_trailers, nullptr);
        finish_response(exchange, kept(trailers));
        if (trailers != nullptr)
            blocks_.give(trailers);
        if (exchanges_.get(self) != nullptr && exchange.state == ExchangeState::answered)
            forward_pending(exchange);
        return;
    }
    forward_pending(exchange);
    if (has_response_room(exchange))
        wake_endpoint(exchange);
}

/// New requests go elsewhere; what runs goes on.
void Engine::drain_sessions(const std::function<bool(const PoolKey &)> &match) {
    sessions_.remove_if(match, [&](Handle handle) {
        if (Connection *up = connections_.get(handle))
            drain_session(*up, Reason::peer_closed);
    });
}

/// Nobody wants the response that was held back, or it is not whole.
void Engine::drop_held(Exchange &exchange) {
    keep(exchange.held_head, {});
    keep(exchange.response_trailers, {});
    exchange.answer.clear(blocks_);
    exchange.response_whole = false;
    account(exchange);
}

} // namespace weft
