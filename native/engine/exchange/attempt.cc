// SPDX-License-Identifier: Apache-2.0
// A request's way to an endpoint, as often as verdicts try it; and every way in which an exchange ends.
#include "engine/engine.hpp"

namespace weft {

/// HTTP/1: the connection's next request.
Exchange &Engine::begin_exchange(Connection &down) {
    Exchange &exchange = new_exchange(down);
    down.exchange = exchange.self;
    wheel_.cancel(down.timer);
    wheel_.set(down.timer, now_ms_ + limits_.header_timeout_ms);
    return exchange;
}

Exchange &Engine::new_exchange(Connection &down) {
    Exchange &exchange = exchanges_.acquire();
    exchange.downstream = down.self;
    exchange.started_us = now_us_;
    exchange.deadline.kind = TimerKind::exchange_deadline;
    exchange.timer.kind = TimerKind::exchange_attempt;
    exchange.deadline.owner = exchange.timer.owner = exchange.self;
    return exchange;
}

void Engine::set_state(Exchange &exchange, ExchangeState state) {
    Workload &workload = workload_of(*downstream_of(exchange));
    workload.pending += (is_pending(state) ? 1 : 0) - (is_pending(exchange.state) ? 1 : 0);
    parked_ += (state == ExchangeState::parked ? 1 : 0) - (exchange.state == ExchangeState::parked ? 1 : 0);
    exchange.state = state;
}

void Engine::ask(Exchange &exchange) {
    if (exchange.state != ExchangeState::held)
        set_state(exchange, ExchangeState::deciding);
    wheel_.cancel(exchange.timer);
    questions_.push({exchange.self, true});
}

/// Takes a verdict's plan over and makes its first attempt, now or after the delay.
void Engine::forward(Exchange &exchange, const Verdict &verdict) {
    const std::optional<PoolKey> key = resolve(*downstream_of(exchange), verdict.endpoint);
    const bool known = key && (verdict.request_edit == 0 || edits_.find(verdict.request_edit) != nullptr) &&
                       (verdict.response_edit == 0 || edits_.find(verdict.response_edit) != nullptr) &&
                       (verdict.retry_statuses == 0 || status_sets_.find(verdict.retry_statuses) != nullptr);
    if (!known || exchange.attempt == UINT8_MAX) {
        reply_reason(exchange, Reason::decide_failed);
        return;
    }
    detach_upstream(exchange, false); // a held response that nobody wants
    drop_held(exchange);
    edits_.hold(verdict.response_edit);
    status_sets_.hold(verdict.retry_statuses);
    edits_.drop(exchange.response_edit);
    status_sets_.drop(exchange.retry_statuses);
    exchange.response_edit = verdict.response_edit;
    exchange.retry_statuses = verdict.retry_statuses;
    exchange.flags = verdict.flags;
    exchange.endpoint = verdict.endpoint;
    exchange.key = *key;
    exchange.http2 = wants_http2(exchange, verdict);
    exchange.backend_timeout_ms = verdict.backend_timeout_ms;
    exchange.close_downstream |= (verdict.flags & verdict_flag::close_after) != 0;
    if (exchange.attempt == 0)
        exchange.retain_limit = verdict.buffer_bytes;
    if (!(exchange.http2 ? keep_rewrite(exchange, verdict) : render_request(exchange, verdict)))
        return;
    if (exchange.attempt == 0 && verdict.deadline_ms > 0)
        wheel_.set(exchange.deadline, exchange.started_us / 1000 + verdict.deadline_ms);
    if (verdict.delay_ms > 0) {
        set_state(exchange, ExchangeState::delayed);
        wheel_.set(exchange.timer, now_ms_ + verdict.delay_ms);
        return;
    }
    start_attempt(exchange);
}

/// Writes the head as it will be forwarded; the verdict's text is gone once its turn is over. False: refused.
bool Engine::render_request(Exchange &exchange, const Verdict &verdict) {
    const Connection &down = *downstream_of(exchange);
    std::string fallback; // only an HTTP/1.0 client may omit Host
    if (exchange.request.authority.empty() && verdict.host.empty())
        fallback = down.destination.text();
    const http1::RequestRewrite rewrite{.path = http1::bytes_of(verdict.path),
                                        .authority = http1::bytes_of(verdict.host),
                                        .fallback_authority = http1::bytes_of(fallback),
                                        .edit = edits_.get(verdict.request_edit),
                                        .extra = http1::bytes_of(verdict.extra)};
    exchange.forwards_upgrade = exchange.request.upgrade && rewrite.upgrade;
    const size_t bound = http1::request_head_bound(exchange.request, rewrite);
    if (bound > BlockPool::largest) {
        reply_reason(exchange, Reason::http1_head_too_large);
        return false;
    }
    if (exchange.wire != nullptr)
        blocks_.give(exchange.wire);
    exchange.wire = blocks_.take(bound);
    const http1::Written written = http1::write_request_head(
        exchange.head_bytes(), exchange.request, rewrite,
        {reinterpret_cast<uint8_t *>(exchange.wire->data()), exchange.wire->capacity});
    exchange.wire->end = static_cast<uint32_t>(written.size);
    if (written.why == Reason::none)
        return true;
    reply_reason(exchange, written.why);
    return false;
}

void Engine::start_attempt(Exchange &exchange) {
    Connection &down = *downstream_of(exchange);
    Workload &workload = workload_of(down);
    ++exchange.attempt;
    exchange.attempt_us = now_us_;
    exchange.attempt_first_byte_us = exchange.connect_us = 0;
    exchange.response.reset();
    exchange.response_started = exchange.attempt_completed = exchange.passed = exchange.end_forwarded = false;
    exchange.interim = 0;
    if (exchange.backend_timeout_ms > 0)
        wheel_.set(exchange.timer, now_ms_ + exchange.backend_timeout_ms);
    if (const Reason why = may_dial(down, exchange.endpoint, exchange.key); why != Reason::none) {
        fail_attempt(exchange, why, true);
        return;
    }
    if (exchange.http2) {
        start_stream(exchange);
        return;
    }
    if (Connection *idle = take_idle(down, exchange.key)) {
        attach(exchange, *idle, true);
        return;
    }
    if (workload.removed || workload.pending >= workload.pending_limit) {
        --exchange.attempt;
        reply_reason(exchange, workload.removed ? Reason::workload_withdrawn : Reason::pending_limit);
        return;
    }
    Connection &up = new_upstream(down, exchange.key, exchange.endpoint, tls::Alpn::http1);
    up.exchange = exchange.self;
    exchange.upstream = up.self;
    exchange.reused = false;
    set_state(exchange, ExchangeState::connecting);
    dial(up);
}

/// The exchange has its connection: head, what of the body was kept, and what has arrived leave together.
void Engine::attach(Exchange &exchange, Connection &up, bool reused) {
    up.exchange = exchange.self;
    up.state = ConnectionState::http1;
    up.need_more = false;
    exchange.upstream = up.self;
    exchange.reused = reused;
    exchange.connect_us = reused ? 0 : up.connect_us;
    set_state(exchange, ExchangeState::active);
    gather_to(up, 1, 0).borrow(exchange.wire->view());
    begin_request_content(exchange);
    keep(exchange.wire, {});
    if (up.readable)
        schedule(up);
}

/// Whether this failure may become a row: it was asked for, the client has seen nothing, and all can be sent
/// again.
bool Engine::may_ask(const Exchange &exchange, bool not_sent) const {
    if (exchange.head_sent || ending_)
        return false;
    const bool untouched = not_sent || (exchange.reused && !exchange.response_started);
    return ((exchange.flags & verdict_flag::ask_on_connect_failure) != 0 && untouched) ||
           (exchange.flags & verdict_flag::ask_on_response) != 0;
}

void Engine::fail_attempt(Exchange &exchange, Reason reason, bool not_sent) {
    if (exchange.state == ExchangeState::answered) {
        end_answered(exchange, reason);
        return;
    }
    complete_attempt(exchange, reason);
    detach_upstream(exchange, false);
    if (exchange.head_sent) {
        // The client must see that the answer is not whole; where only the end of the connection tells, by a
        // reset.
        abort_exchange(exchange, reason, exchange.response_framing == http1::Framing::until_close);
        return;
    }
    const bool replayable =
        !exchange.body_forwarded || (exchange.retain_limit > 0 && !exchange.retain_failed);
    if (may_ask(exchange, not_sent) && replayable) {
        exchange.failure = reason;
        exchange.not_sent = not_sent;
        exchange.status = 0;
        ask(exchange);
        return;
    }
    reply_reason(exchange, exchange.retain_failed && may_ask(exchange, not_sent)
                               ? Reason::retry_buffer_exceeded
                               : reason);
}

void Engine::complete_attempt(Exchange &exchange, Reason reason) {
    if (exchange.attempt_completed)
        return;
    exchange.attempt_completed = true;
    const Connection &down = *downstream_of(exchange);
    const auto since = [&](uint64_t when) { return when == 0 ? 0 : when - exchange.attempt_us; };
    complete({.kind = CompletionKind::attempt,
              .direction = down.direction,
              .workload = workload_of(down).name,
              .connection_tag = down.tag,
              .request_tag = exchange.tag,
              .endpoint = exchange.endpoint,
              .status = exchange.response.status,
              .grpc_status = exchange.grpc_status,
              .reason = reason,
              .attempt = exchange.attempt,
              .reused = exchange.reused,
              .bytes_received = exchange.received,
              .bytes_sent = exchange.sent,
              .decide_us = 0,
              .connect_us = exchange.connect_us,
              .first_byte_us = since(exchange.attempt_first_byte_us),
              .total_us = now_us_ - exchange.attempt_us});
}

/// Lets go of the endpoint's connection: into the pool where it is clean, else it ends.
void Engine::detach_upstream(Exchange &exchange, bool keep) {
    Connection *up = upstream_of(exchange);
    exchange.upstream = {};
    if (up == nullptr)
        return;
    flush_gather();
    if (up->http2) {
        detach_stream(exchange, *up, keep);
        return;
    }
    up->exchange = {};
    if (keep)
        keep_idle(*up, downstream_of(exchange));
    else
        close_connection(*up, Reason::peer_closed);
}

/// Ends an exchange that cannot go on, and its client's connection.
void Engine::abort_exchange(Exchange &exchange, Reason reason, bool reset) {
    Connection &down = *downstream_of(exchange);
    if (exchange.state == ExchangeState::upgraded) {
        end_tunnel(down, reason, reset);
        return;
    }
    if (exchange.down_stream) {
        abort_stream(exchange, reason);
        return;
    }
    // A client that has its whole answer may stop its request.
    const bool stopped = exchange.state == ExchangeState::answered && !exchange.request_done &&
                         down.outbox.empty() &&
                         (reason == Reason::downstream_closed_early || reason == Reason::downstream_reset);
    const Reason outcome = stopped ? Reason::none : reason;
    if (exchange.attempt > 0)
        complete_attempt(exchange, outcome);
    flush_gather();
    detach_upstream(exchange, false);
    end_exchange(exchange, outcome);
    if (down.state == ConnectionState::closed)
        return;
    if (reset || down.outbox.empty()) {
        close_connection(down, reason, reset);
    } else {
        down.close_wanted = true; // what was sent before still arrives
        wheel_.set(down.timer, now_ms_ + limits_.linger_ms);
    }
}

/// Writes the account and frees the slot; connections are the caller's concern.
void Engine::end_exchange(Exchange &exchange, Reason reason) {
    Connection &down = *downstream_of(exchange);
    const auto since = [&](uint64_t when) { return when == 0 ? 0 : when - exchange.started_us; };
    complete({.kind = CompletionKind::request,
              .direction = down.direction,
              .workload = workload_of(down).name,
              .connection_tag = down.tag,
              .request_tag = exchange.tag,
              .endpoint = exchange.endpoint,
              .status = exchange.head_sent ? exchange.status : uint16_t{0},
              .grpc_status = exchange.grpc_status,
              .reason = reason,
              .attempt = exchange.attempt,
              .reused = exchange.reused,
              .bytes_received = exchange.received,
              .bytes_sent = exchange.sent,
              .decide_us = since(exchange.decided_us),
              .connect_us = exchange.connect_us,
              .first_byte_us = since(exchange.first_byte_us),
              .total_us = now_us_ - exchange.started_us});
    set_state(exchange, ExchangeState::deciding); // takes it off the counts
    wheel_.cancel(exchange.deadline);
    wheel_.cancel(exchange.timer);
    for (Block **block : {&exchange.head, &exchange.wire, &exchange.held_head, &exchange.request_trailers,
                          &exchange.response_trailers})
        keep(*block, {});
    for (ByteQueue *queue : {&exchange.retained, &exchange.pending, &exchange.outgoing, &exchange.answer})
        queue->clear(blocks_);
    account(exchange);
    edits_.drop(exchange.request_edit);
    edits_.drop(exchange.response_edit);
    status_sets_.drop(exchange.retry_statuses);
    exchange.request_edit = exchange.response_edit = exchange.retry_statuses = 0;
    if (!exchange.down_stream)
        down.exchange = {};
    else if (down.http2 && down.http2->exchange_of(exchange.down_stream) == exchange.self)
        down.http2->unlink(exchange.down_stream);
    if (exchange.outlives_stream) {
        --down.http2->outliving;
        mark(down);
        schedule(down);
    }
    exchanges_.retire(exchange);
}

} // namespace weft
