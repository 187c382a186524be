// SPDX-License-Identifier: Apache-2.0
// Content on its way, whatever protocol either side speaks. Towards HTTP/1 it goes into the connection's
// outbox, towards HTTP/2 into a queue of the exchange that the stream pulls from. Who sends is stopped while
// that place is full: an HTTP/1 connection is not read, an HTTP/2 stream's window is not given back.
#include "engine/engine.hpp"
#include <cstring>

namespace weft {

/// Whether a queue of an exchange takes more: as for a connection's outbox.
bool Engine::has_room(const ByteQueue &queue, const Workload &workload) const {
    return workload.over_buffered() ? queue.empty() : queue.size() < limits_.buffer_bytes;
}

bool Engine::has_request_room(const Exchange &exchange) {
    const Connection *up = upstream_of(exchange);
    if (up == nullptr)
        return false;
    return exchange.up_stream ? has_room(exchange.outgoing, workload_of(*up)) : has_room(*up);
}

bool Engine::has_response_room(const Exchange &exchange) {
    const Connection &down = *downstream_of(exchange);
    return exchange.down_stream ? has_room(exchange.answer, workload_of(down)) : has_room(down);
}

/// The way to the endpoint has room again: the client may go on.
void Engine::wake_client(Exchange &exchange) {
    Connection &down = *downstream_of(exchange);
    if (exchange.down_stream) {
        if (exchange.request_uncredited > 0) {
            down.http2->session.credit(exchange.down_stream, exchange.request_uncredited);
            exchange.request_uncredited = 0;
            mark(down);
        }
    } else if (down.stalled) {
        down.stalled = false;
        schedule(down);
    }
}

/// The way to the client has room again: the endpoint may go on.
void Engine::wake_endpoint(Exchange &exchange) {
    Connection *up = upstream_of(exchange);
    if (up == nullptr)
        return;
    if (exchange.up_stream) {
        if (exchange.response_uncredited > 0) {
            up->http2->session.credit(exchange.up_stream, exchange.response_uncredited);
            exchange.response_uncredited = 0;
            mark(*up);
        }
    } else if (up->stalled) {
        up->stalled = false;
        schedule(*up);
    }
}

/// Keeps the counts of buffered bytes true for what the exchange itself holds. One over HTTP/1 alone holds
/// nothing that lasts.
void Engine::account(Exchange &exchange) {
    size_t now = exchange.pending.size() + exchange.outgoing.size() + exchange.answer.size();
    if (exchange.down_stream && exchange.head != nullptr)
        now += exchange.head->capacity;
    if (now == exchange.accounted)
        return;
    workload_of(*downstream_of(exchange)).buffered += now - exchange.accounted; // wraps to a subtraction
    buffered_ += now - exchange.accounted;
    exchange.accounted = now;
}

/// Content of the request goes to the endpoint that the exchange has.
void Engine::send_request_content(Exchange &exchange, std::string_view part) {
    if (part.empty())
        return;
    exchange.body_forwarded = true;
    exchange.received += part.size();
    if (exchange.state == ExchangeState::answered)
        wheel_.set(exchange.timer, now_ms_ + limits_.idle_timeout_ms);
    if (exchange.retain_limit > 0 && !exchange.retain_failed) {
        if (exchange.retained.size() + part.size() > exchange.retain_limit ||
            workload_of(*downstream_of(exchange)).over_buffered()) {
            exchange.retain_failed = true;
            exchange.retained.clear(blocks_);
        } else {
            exchange.retained.append(blocks_, part);
        }
    }
    write_request_content(exchange, part);
}

void Engine::write_request_content(Exchange &exchange, std::string_view part) {
    Connection &up = *upstream_of(exchange);
    if (exchange.up_stream) {
        exchange.outgoing.append(blocks_, part);
        account(exchange);
        up.http2->session.resume(exchange.up_stream);
        mark(up);
    } else {
        write_content(up, exchange.request.framing == http1::Framing::chunked, part);
    }
}

/// `part` must stay as it is until the gather is flushed.
void Engine::write_content(Connection &to, bool chunked, std::string_view part) {
    if (!chunked) {
        gather_to(to, 1, 0).borrow(part);
        return;
    }
    Gather &gather = gather_to(to, 3, http1::chunk_header_bytes + http1::chunk_end.size());
    gather.commit(http1::write_chunk_header(
        part.size(), gather.reserve(http1::chunk_header_bytes).first<http1::chunk_header_bytes>()));
    gather.borrow(part);
    gather.copy(http1::chunk_end);
}

void Engine::write_content_end(Connection &to, http1::Bytes trailers) {
    const size_t size = http1::last_chunk_bytes(trailers);
    Gather &gather = gather_to(to, 1, size);
    gather.commit(http1::write_last_chunk(trailers, gather.reserve(size)));
}

/// Tells the attempt that the request's content is whole, once.
void Engine::end_request_content(Exchange &exchange) {
    if (exchange.end_forwarded)
        return;
    exchange.end_forwarded = true;
    Connection &up = *upstream_of(exchange);
    if (exchange.up_stream) {
        up.http2->session.resume(exchange.up_stream);
        mark(up);
    } else if (exchange.request.framing == http1::Framing::chunked) {
        write_content_end(up, kept(exchange.request_trailers));
    }
    if (exchange.state == ExchangeState::answered)
        schedule(up); // this was all that it waited for
}

/// An attempt has its connection: what earlier ones were given, and what has arrived since, goes out.
void Engine::begin_request_content(Exchange &exchange) {
    exchange.retained.each([&](std::string_view piece) { write_request_content(exchange, piece); });
    forward_pending(exchange);
    Connection &down = *downstream_of(exchange);
    if (!exchange.down_stream && !exchange.request_done && down.inbox.size() > 0 && !down.need_more) {
        const size_t used = consume_requests(down, down.inbox.view());
        flush_gather();
        down.inbox.consume(blocks_, used);
        account(down);
    }
    flush_gather();
    if (!exchange.down_stream && !exchange.request_done)
        schedule(down);
}

/// Hands over what an HTTP/2 client has sent while nobody could take it.
void Engine::forward_pending(Exchange &exchange) {
    exchange.pending.each([&](std::string_view piece) { send_request_content(exchange, piece); });
    flush_gather();
    exchange.pending.clear(blocks_);
    account(exchange);
    if (exchange.request_done)
        end_request_content(exchange);
    if (exchange.down_stream && has_request_room(exchange))
        wake_client(exchange);
}

/// Content of the response goes to the client.
void Engine::send_response_content(Exchange &exchange, std::string_view part) {
    if (part.empty())
        return;
    Connection &down = *downstream_of(exchange);
    exchange.sent += part.size();
    if (exchange.down_stream) {
        exchange.answer.append(blocks_, part);
        account(exchange);
        down.http2->session.resume(exchange.down_stream);
        mark(down);
    } else {
        write_content(down, exchange.response_framing == http1::Framing::chunked, part);
    }
}

/// The endpoint's stream wants content.
http2::Pulled Engine::pull_request(Exchange &exchange, std::span<uint8_t> room) {
    const size_t size = exchange.outgoing.take(blocks_, room);
    account(exchange);
    if (has_request_room(exchange))
        wake_client(exchange);
    const bool end = exchange.outgoing.empty() && exchange.end_forwarded;
    return {size, end, end ? kept(exchange.request_trailers) : http1::Bytes{}};
}

/// The client's stream wants content.
http2::Pulled Engine::pull_response(Exchange &exchange, std::span<uint8_t> room) {
    const size_t size = exchange.answer.take(blocks_, room);
    account(exchange);
    if (has_response_room(exchange))
        wake_endpoint(exchange);
    const bool end = exchange.answer.empty() && exchange.response_whole;
    return {size, end, end ? kept(exchange.response_trailers) : http1::Bytes{}};
}

http1::Bytes Engine::kept(const Block *block) {
    return block == nullptr ? http1::Bytes{} : http1::bytes_of(block->view());
}

/// Copies bytes into a block of their own, in place of what it held; they must fit into one.
void Engine::keep(Block *&block, http1::Bytes bytes) {
    if (block != nullptr)
        blocks_.give(block);
    block = nullptr;
    if (bytes.empty())
        return;
    block = blocks_.take(bytes.size());
    std::memcpy(block->data(), bytes.data(), bytes.size());
    block->end = static_cast<uint32_t>(bytes.size());
}

} // namespace weft
