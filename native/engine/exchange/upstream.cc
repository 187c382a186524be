// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 from an endpoint: the response to the one request that is on the connection.
#include "engine/engine.hpp"
#include "engine/exchange/grpc.hpp"
#include <algorithm>

namespace weft {
namespace {
constexpr uint8_t max_interim = 32; // responses before the final one

/// Where the destination's own agent answers in the application's place, its reason says that nothing of the
/// request reached the application: as good as a failed connect. Any other answer gives none. A server that
/// forges the field gets its own requests tried elsewhere. To a gRPC call it answers 200 and UNAVAILABLE.
Reason unreached_reason(const http1::ResponseHead &head, http1::Bytes bytes, bool grpc) {
    const bool unavailable =
        head.status == 503 || head.status == 504 ||
        (grpc && grpc::status_in(head, bytes) == grpc_status_of(Reason::connect_refused));
    if (!unavailable)
        return Reason::none;
    for (const http1::Field &field : head.fields.all()) {
        if (!http1::same_name(field.name.text(bytes), "x-weft-reason"))
            continue;
        for (const Reason reason :
             {Reason::connect_refused, Reason::connect_unreachable, Reason::connect_timeout,
              Reason::socket_stock_empty, Reason::workload_withdrawn, Reason::draining,
              Reason::http2_refused_stream})
            if (field.value.text(bytes) == name_of(reason))
                return reason;
    }
    return Reason::none;
}
} // namespace

void Engine::step_responses(Connection &up) {
    size_t budget = turn_bytes();
    while (up.state == ConnectionState::http1 || up.state == ConnectionState::idle) {
        Exchange *exchange = exchanges_.get(up.exchange);
        if (exchange != nullptr) {
            if (exchange->state == ExchangeState::held)
                return;
            if (exchange->state == ExchangeState::answered && !outlasts_answer(*exchange)) {
                end_answered(*exchange, Reason::none);
                continue;
            }
            up.stalled = !exchange->response_whole && !has_response_room(*exchange);
            if (up.stalled)
                return;
        }
        if (up.inbox.size() > 0 && !up.need_more) {
            const size_t used = consume_responses(up, up.inbox.view());
            flush_gather();
            up.inbox.consume(blocks_, used);
            continue;
        }
        if (up.read_closed) {
            responses_ended(up, Reason::none);
            return;
        }
        if (!up.readable)
            return;
        if (budget == 0) {
            schedule(up);
            return;
        }
        const bool append = up.inbox.size() > 0;
        iovec space{read_area_.get(), BlockPool::largest};
        if (append)
            space = up.inbox.space(blocks_, BlockPool::largest);
        const IoResult result = read_into(up, static_cast<char *>(space.iov_base),
                                          read_size(up, std::min(space.iov_len, budget)));
        budget -= std::min(budget, result.bytes);
        if (result.io == Io::again)
            return;
        if (result.io == Io::failed) {
            responses_ended(up, result.why != Reason::none ? result.why : Reason::upstream_reset);
            return;
        }
        up.need_more = false;
        if (result.io == Io::end)
            continue;
        if (append) {
            up.inbox.grew(result.bytes);
            continue;
        }
        const size_t used = consume_responses(up, {read_area_.get(), result.bytes});
        flush_gather();
        if (up.state != ConnectionState::closed)
            up.inbox.append(blocks_, {read_area_.get() + used, result.bytes - used});
    }
}

size_t Engine::consume_responses(Connection &up, std::string_view bytes) {
    size_t used = 0;
    while (used < bytes.size() && (up.state == ConnectionState::http1 || up.state == ConnectionState::idle)) {
        Exchange *exchange = exchanges_.get(up.exchange);
        if (exchange == nullptr) {
            close_connection(up, Reason::http1_unexpected_bytes);
            break;
        }
        if (exchange->state == ExchangeState::answered) { // no rest of a request is worth such an endpoint
            end_answered(*exchange, Reason::none);
            continue;
        }
        const size_t step = exchange->response_body
                                ? forward_response_body(up, *exchange, bytes.substr(used))
                                : consume_response_head(up, *exchange, bytes.substr(used));
        used += step;
        if (step == 0 || up.need_more)
            break;
    }
    return used;
}

size_t Engine::consume_response_head(Connection &up, Exchange &exchange, std::string_view bytes) {
    exchange.response_started = true;
    if (exchange.attempt_first_byte_us == 0)
        exchange.attempt_first_byte_us = now_us_;
    const http1::ResponseContext context{exchange.request.method,
                                         exchange.forwards_upgrade
                                             ? exchange.request.upgrade_token.text(exchange.head_bytes())
                                             : std::string_view{}};
    Reason why = Reason::none;
    switch (
        http1::parse_response_head(http1::bytes_of(bytes), context, limits_.http1, exchange.response, why)) {
    case http1::Parse::need_more:
        up.need_more = true;
        return 0;
    case http1::Parse::refused:
        fail_attempt(exchange, why, false);
        return bytes.size();
    case http1::Parse::complete:
        break;
    }
    const http1::ResponseHead &head = exchange.response;
    const size_t length = head.length;
    const http1::Bytes text = http1::bytes_of(bytes);
    if (!head.interim && !exchange.passed && hold_response(exchange, text))
        return 0; // it stays in the inbox until the verdict
    begin_response(exchange, text);
    return length;
}

/// True where the verdict wants to be asked about this response and the request could be sent again: it is
/// held back.
bool Engine::hold_response(Exchange &exchange, http1::Bytes bytes) {
    const http1::ResponseHead &head = exchange.response;
    const bool replayable =
        !exchange.body_forwarded || (exchange.retain_limit > 0 && !exchange.retain_failed);
    if (!replayable)
        return false;
    const StatusSet *statuses = status_sets_.get(exchange.retry_statuses);
    const bool wanted = (exchange.flags & verdict_flag::ask_on_response) != 0 && statuses != nullptr &&
                        head.status < statuses->size() && statuses->test(head.status);
    const Reason unreached = (exchange.flags & verdict_flag::ask_on_connect_failure) != 0
                                 ? unreached_reason(head, bytes, exchange.grpc)
                                 : Reason::none;
    const bool not_sent = unreached != Reason::none;
    if ((!wanted && !not_sent) || !may_ask(exchange, not_sent))
        return false;
    exchange.failure = unreached;
    exchange.not_sent = not_sent;
    exchange.status = head.status;
    complete_attempt(exchange, unreached);
    set_state(exchange, ExchangeState::held);
    ask(exchange);
    return true;
}

/// Whether content or trailers follow the response's head. By HTTP/2 nothing but the stream's end tells.
bool Engine::has_content(const Exchange &exchange) {
    const http1::ResponseHead &head = exchange.response;
    if (head.framing == http1::Framing::none)
        return false;
    return exchange.up_stream ? !head.ended
                              : head.framing != http1::Framing::length || head.content_length > 0;
}

/// Passes the response's head on to the client.
void Engine::begin_response(Exchange &exchange, http1::Bytes bytes) {
    const http1::ResponseHead &head = exchange.response;
    const bool request_whole = exchange.request_done || may_outlast(exchange);
    const http1::ResponseRewrite rewrite{.edit = edits_.get(exchange.response_edit),
                                         .client_version = exchange.request.version,
                                         .keep_alive = exchange.request.keep_alive &&
                                                       !exchange.close_downstream && request_whole &&
                                                       !draining_ && !downstream_of(exchange)->retiring};
    if (head.interim && ++exchange.interim > max_interim) {
        fail_attempt(exchange, Reason::http1_bad_response, false);
        return;
    }
    if (!(exchange.down_stream ? respond_stream(exchange, bytes, rewrite)
                               : write_response(exchange, bytes, rewrite)))
        return;
    if (head.interim) {
        exchange.response.reset();
        return;
    }
    exchange.status = head.status;
    exchange.head_sent = true;
    exchange.first_byte_us = now_us_;
    if (exchange.grpc)
        exchange.grpc_status = grpc::status_in(head, bytes);
    if (head.tunnel) {
        set_state(exchange, ExchangeState::upgraded);
        link_tunnel(*downstream_of(exchange), *upstream_of(exchange));
        return;
    }
    exchange.response_left = head.content_length;
    exchange.response_body = has_content(exchange);
    if (!exchange.response_body && !exchange.up_stream)
        finish_response(exchange, {});
}

/// Writes the head to an HTTP/1 client. False: the attempt failed for it.
bool Engine::write_response(Exchange &exchange, http1::Bytes bytes, const http1::ResponseRewrite &rewrite) {
    Connection &down = *downstream_of(exchange);
    const size_t bound = http1::response_head_bound(exchange.response, rewrite);
    if (bound > Gather::arena_bytes) {
        fail_attempt(exchange, Reason::http1_bad_response, false);
        return false;
    }
    Gather &gather = gather_to(down, 1, bound);
    const http1::Written written =
        http1::write_response_head(bytes, exchange.response, rewrite, gather.reserve(bound));
    if (written.why != Reason::none) {
        fail_attempt(exchange, written.why, false);
        return false;
    }
    gather.commit(written.size);
    if (!exchange.response.interim) {
        exchange.response_framing = written.framing;
        exchange.close_downstream |= written.close && !exchange.response.tunnel;
    }
    return true;
}

size_t Engine::forward_response_body(Connection &up, Exchange &exchange, std::string_view bytes) {
    if (exchange.response.framing == http1::Framing::chunked)
        return forward_response_chunks(up, exchange, bytes);
    std::string_view part = bytes;
    if (exchange.response.framing == http1::Framing::length)
        part = bytes.substr(0, std::min<uint64_t>(bytes.size(), exchange.response_left));
    send_response_content(exchange, part);
    if (exchange.response.framing == http1::Framing::length) {
        exchange.response_left -= part.size();
        if (exchange.response_left == 0)
            finish_response(exchange, {});
    }
    return part.size();
}

size_t Engine::forward_response_chunks(Connection &up, Exchange &exchange, std::string_view bytes) {
    size_t used = 0;
    for (;;) {
        const auto step = exchange.response_chunks.next(http1::bytes_of(bytes.substr(used)), limits_.http1);
        used += step.consumed;
        switch (step.kind) {
        case http1::ChunkedDecoder::Kind::need_more:
            up.need_more = true;
            return used;
        case http1::ChunkedDecoder::Kind::data:
            send_response_content(exchange,
                                  {reinterpret_cast<const char *>(step.part.data()), step.part.size()});
            break;
        case http1::ChunkedDecoder::Kind::complete:
            finish_response(exchange, step.part);
            return used;
        case http1::ChunkedDecoder::Kind::refused:
            fail_attempt(exchange, step.why, false);
            return bytes.size();
        }
    }
}

/// The response is whole.
void Engine::finish_response(Exchange &exchange, http1::Bytes trailers) {
    if (exchange.grpc && !trailers.empty())
        exchange.grpc_status = grpc::status_in(trailers);
    if (exchange.down_stream)
        keep(exchange.response_trailers, trailers);
    else if (exchange.response_framing == http1::Framing::chunked)
        write_content_end(*downstream_of(exchange), trailers);
    exchange.response_whole = true;
    flush_gather();
    if (outlasts_answer(exchange))
        outlast_answer(exchange);
    else
        end_answered(exchange, Reason::none);
}

/// The end of an exchange whose answer is sent: the client's connection goes on or ends.
void Engine::finish_exchange(Exchange &exchange, Reason reason) {
    if (exchange.down_stream) {
        finish_stream(exchange, reason);
        return;
    }
    Connection &down = *downstream_of(exchange);
    const bool close = exchange.close_downstream || !exchange.request_done || !exchange.request.keep_alive;
    down.linger_wanted = !exchange.request_done || exchange.request.keep_alive;
    end_exchange(exchange, reason);
    flush_gather();
    if (down.state == ConnectionState::closed)
        return;
    if (!close) {
        next_request(down);
        return;
    }
    down.close_wanted = true;
    wheel_.set(down.timer, now_ms_ + limits_.idle_timeout_ms);
    after_write(down);
}

/// The endpoint has said all it will say, or its connection failed (`why`). A client may speak before its
/// server has judged its certificate; an alert about that says that not a byte was taken (RFC 8446 sections
/// 4.4.4 and 6.2).
void Engine::responses_ended(Connection &up, Reason why) {
    Exchange *exchange = exchanges_.get(up.exchange);
    if (exchange == nullptr)
        close_connection(up, Reason::peer_closed);
    else if (exchange->state == ExchangeState::answered)
        end_answered(*exchange, Reason::none);
    else if (why != Reason::none)
        fail_attempt(*exchange, why, up.tls != nullptr && up.tls->session->refused_certificate());
    else if (exchange->response_body && exchange->response.framing == http1::Framing::until_close)
        finish_response(*exchange, {});
    else
        fail_attempt(*exchange, Reason::upstream_closed_early, false);
}

/// The verdict lets a held response through.
void Engine::pass_held(Exchange &exchange) {
    exchange.passed = true;
    Connection *up = upstream_of(exchange);
    if (exchange.held_head != nullptr) {
        pass_held_stream(exchange);
    } else if (up != nullptr && !up->http2) {
        exchange.response.reset();
        set_state(exchange, ExchangeState::active);
        forward_pending(exchange);
        schedule(*up);
    } else {
        reply_reason(exchange, Reason::upstream_reset);
    }
}

} // namespace weft
