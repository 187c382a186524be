// SPDX-License-Identifier: Apache-2.0
// An answer may be whole before its request is. Then the two directions end on their own: content goes on to
// the endpoint until the request is whole too, or until the endpoint ends its side, for then it wants no more
// (RFC 9113 section 8.1, RFC 9112 section 9.6).
#include "engine/engine.hpp"

namespace weft {

/// Whether the endpoint takes the rest of a request behind its answer, as far as the answer's head tells.
bool Engine::may_outlast(const Exchange &exchange) {
    // It asked whether to send content, and was answered otherwise (RFC 9110 section 10.1.1).
    const bool sends_none =
        exchange.request.expect_continue && !exchange.body_forwarded && exchange.interim == 0;
    return !sends_none && (exchange.up_stream || exchange.response.keep_alive);
}

/// Whether anything of the request is still to be moved to the endpoint, whose answer is whole.
bool Engine::outlasts_answer(const Exchange &exchange) {
    const Connection *up = upstream_of(exchange);
    // A client that knows the answer's end by the connection's alone must be shown that.
    if (up == nullptr || !may_outlast(exchange) || exchange.response_framing == http1::Framing::until_close)
        return false;
    if (exchange.up_stream)
        return !up->http2->session.has_sent_all(exchange.up_stream);
    return !up->read_closed && !up->hung_up && !up->write_dead &&
           !(exchange.end_forwarded && up->outbox.empty());
}

/// The answer is whole, and its request goes on: as long as something of it moves.
void Engine::outlast_answer(Exchange &exchange) {
    set_state(exchange, ExchangeState::answered);
    wheel_.set(exchange.timer, now_ms_ + limits_.idle_timeout_ms);
    exchange.retained.clear(blocks_); // nothing will be tried again
    exchange.retain_limit = 0;
    if (!exchange.down_stream)
        return;
    Connection &down = *downstream_of(exchange);
    down.http2->session.resume(exchange.down_stream);
    mark(down);
}

/// Ends an exchange whose answer is whole: its request is too, or nobody wants the rest of it. The endpoint's
/// connection is kept only where nothing at all is left of this exchange.
void Engine::end_answered(Exchange &exchange, Reason reason) {
    complete_attempt(exchange, reason);
    flush_gather();
    if (const Connection *up = upstream_of(exchange))
        detach_upstream(exchange, exchange.response.keep_alive && exchange.end_forwarded &&
                                      up->outbox.empty() && !up->write_dead && !up->read_closed &&
                                      !up->hung_up);
    finish_exchange(exchange, reason);
}

/// The client has sent and received everything; the endpoint has not got all of it yet.
void Engine::outlive_stream(Exchange &exchange) {
    exchange.outlives_stream = true;
    ++downstream_of(exchange)->http2->outliving;
}

/// The client's connection ends before the endpoint has got the rest of those requests.
void Engine::end_outliving(Connection &down, Reason reason) {
    if (down.http2->outliving == 0)
        return;
    exchanges_.each([&](Exchange &exchange) {
        if (exchange.outlives_stream && exchange.downstream == down.self)
            abort_exchange(exchange, reason, false);
    });
}

} // namespace weft
