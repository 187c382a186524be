// SPDX-License-Identifier: Apache-2.0
// Requests that come by HTTP/2: each stream is an exchange.
#include "engine/engine.hpp"
#include "engine/exchange/grpc.hpp"

namespace weft {
namespace {

constexpr uint64_t stream_cost = 2048; // of a request's head, beside its bytes, in bytes' worth of time

constexpr std::string_view switching =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";

// RFC 9113 section 7.
constexpr uint32_t internal_error = 2;
constexpr uint32_t cancel = 8;

/// What a client is told whose stream is cut: that the answer failed, or that somebody decided so.
uint32_t error_code_of(Reason reason) {
    return status_of(reason) >= 500 ? internal_error : cancel;
}

} // namespace

void Engine::stream_request(Connection &down, http2::StreamRef stream, http1::Bytes text,
                            const http1::RequestHead &head) {
    cost_ += stream_cost;
    Exchange &exchange = new_exchange(down);
    exchange.down_stream = stream;
    down.http2->link(stream, exchange.self);
    keep(exchange.head, text);
    exchange.request.copy(head);
    exchange.request_done = head.framing == http1::Framing::none;
    exchange.grpc = grpc::is_call(exchange.request, exchange.head_bytes());
    account(exchange);
    touch(down);
    if (workload_of(down).removed)
        reply_reason(exchange, Reason::workload_withdrawn);
    else if (head.method == http1::Method::CONNECT)
        reply_reason(exchange, Reason::connect_not_allowed); // a tunnel is an HTTP/1 matter here
    else
        ask(exchange);
}

/// The request that asked for HTTP/2 by Upgrade becomes its first stream; where its settings make no sense it
/// stays what it is.
void Engine::upgrade_to_http2(Connection &down, Exchange &exchange) {
    const http1::Field *settings = exchange.request.fields.find(http1::FieldId::http2_settings);
    begin_server_session(down);
    const http2::StreamRef stream =
        down.http2->session.upgrade(settings->value.text(exchange.head_bytes()), exchange.request.method);
    if (!stream) {
        end_streams(down, Reason::http2_protocol_error);
        down.http2.reset();
        down.state = ConnectionState::http1;
        return;
    }
    gather_to(down, 1, switching.size()).copy(switching);
    flush_gather();
    down.http2->link(stream, exchange.self);
    down.exchange = {};
    exchange.down_stream = stream;
    exchange.request_done = true;
    account(exchange);
}

void Engine::stream_request_content(Exchange &exchange, std::string_view part) {
    if (exchange.state == ExchangeState::finishing)
        return;
    exchange.request_uncredited += part.size();
    if (!takes_content(exchange.state)) {
        exchange.pending.append(blocks_, part);
        account(exchange);
        return;
    }
    send_request_content(exchange, part);
    if (has_request_room(exchange))
        wake_client(exchange);
}

void Engine::stream_request_ended(Exchange &exchange, http1::Bytes trailers) {
    if (exchange.request_done || exchange.state == ExchangeState::finishing)
        return;
    exchange.request_done = true;
    keep(exchange.request_trailers, trailers);
    if (takes_content(exchange.state))
        end_request_content(exchange);
}

/// A stream that nobody here has heard of was refused: an account of its own tells why.
void Engine::stream_refused(Connection &connection, Reason why) {
    mark(connection);
    if (connection.role == Role::downstream)
        complete({.kind = CompletionKind::request,
                  .direction = connection.direction,
                  .workload = workload_of(connection).name,
                  .connection_tag = connection.tag,
                  .reason = why});
}

void Engine::stream_closed(Connection &connection, Exchange *exchange, Reason why) {
    mark(connection);
    if (connection.role == Role::upstream) {
        if (exchange != nullptr)
            endpoint_stream_closed(*exchange, why);
        serve_waiting_streams(connection);
        return;
    }
    if (exchange == nullptr)
        return;
    if (why == Reason::none && exchange->state == ExchangeState::answered && exchange->request_done) {
        outlive_stream(*exchange);
        return;
    }
    // Sent whole, or the client went away.
    if (exchange->attempt > 0)
        complete_attempt(*exchange, why);
    detach_upstream(*exchange, false);
    end_exchange(*exchange, why == Reason::none ? exchange->outcome : why);
}

/// Starts the answer on the client's stream. False: the attempt failed for it.
bool Engine::respond_stream(Exchange &exchange, http1::Bytes bytes, const http1::ResponseRewrite &rewrite) {
    Connection &down = *downstream_of(exchange);
    const bool content = !exchange.response.interim && has_content(exchange);
    if (!down.http2->session.respond(exchange.down_stream, bytes, exchange.response, rewrite, content)) {
        fail_attempt(exchange, Reason::decide_failed, false);
        return false;
    }
    mark(down);
    return true;
}

/// A local reply on the client's stream.
void Engine::reply_stream(Exchange &exchange, const http1::LocalReply &reply, Reason reason) {
    Connection &down = *downstream_of(exchange);
    exchange.answer.clear(blocks_);
    keep(exchange.response_trailers, {});
    if (!down.http2->session.reply(exchange.down_stream, reply)) {
        abort_exchange(exchange, reason, true);
        return;
    }
    exchange.answer.append(blocks_, reply.body);
    account(exchange);
    mark(down);
    finish_exchange(exchange, reason);
}

/// The answer is whole; the exchange ends when its stream has sent it.
void Engine::finish_stream(Exchange &exchange, Reason reason) {
    Connection &down = *downstream_of(exchange);
    if (exchange.close_downstream)
        drain_session(down, Reason::peer_closed);
    if (exchange.outlives_stream) {
        end_exchange(exchange, reason);
        return;
    }
    exchange.outcome = reason;
    exchange.response_whole = true;
    wheel_.cancel(exchange.timer);
    set_state(exchange, ExchangeState::finishing);
    exchange.pending.clear(blocks_);
    exchange.outgoing.clear(blocks_);
    account(exchange);
    down.http2->session.refuse_rest(exchange.down_stream);
    down.http2->session.resume(exchange.down_stream);
    mark(down);
}

/// Cuts the client's stream; its connection goes on.
void Engine::abort_stream(Exchange &exchange, Reason reason) {
    Connection &down = *downstream_of(exchange);
    if (exchange.attempt > 0)
        complete_attempt(exchange, reason);
    detach_upstream(exchange, false);
    down.http2->session.reset(exchange.down_stream, error_code_of(reason));
    mark(down);
    end_exchange(exchange, reason);
}

} // namespace weft
