// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 from a client: one request at a time; bytes of the next ones wait.
#include "engine/engine.hpp"
#include "engine/exchange/grpc.hpp"
#include <algorithm>

namespace weft {
namespace {
// Until the verdict is there nothing of the body can go anywhere, so little of it is read along with a head.
constexpr size_t head_read_bytes = 16 * 1024;
} // namespace

bool Engine::wants_request_bytes(Connection &down, Exchange *exchange) {
    if (exchange == nullptr || exchange->state == ExchangeState::reading_head)
        return true;
    if (!takes_content(exchange->state) || exchange->request_done)
        return false;
    const bool attached = upstream_of(*exchange) != nullptr;
    down.stalled = attached && !has_request_room(*exchange);
    return attached && !down.stalled;
}

/// Reads and understands until there is no more, no room, or no budget.
void Engine::step_requests(Connection &down) {
    size_t budget = turn_bytes();
    while (down.state == ConnectionState::http1 && !down.close_wanted) {
        Exchange *exchange = exchanges_.get(down.exchange);
        if (!wants_request_bytes(down, exchange))
            return;
        if (down.inbox.size() > 0 && !down.need_more) {
            const size_t used = consume_requests(down, down.inbox.view());
            flush_gather();
            down.inbox.consume(blocks_, used);
            continue;
        }
        if (down.read_closed) {
            requests_ended(down);
            return;
        }
        if (!down.readable)
            return;
        if (budget == 0) {
            schedule(down);
            return;
        }
        const bool append = down.inbox.size() > 0;
        iovec space{read_area_.get(), exchange != nullptr ? size_t{BlockPool::largest} : head_read_bytes};
        if (append)
            space = down.inbox.space(blocks_, BlockPool::largest);
        const IoResult result = read_into(down, static_cast<char *>(space.iov_base),
                                          read_size(down, std::min(space.iov_len, budget)));
        budget -= std::min(budget, result.bytes);
        if (result.io == Io::again)
            return;
        if (result.io == Io::failed) {
            downstream_lost(down, result.why != Reason::none ? result.why : Reason::downstream_reset);
            return;
        }
        down.need_more = false;
        if (result.io == Io::end)
            continue;
        if (append) {
            down.inbox.grew(result.bytes);
            continue;
        }
        const size_t used = consume_requests(down, {read_area_.get(), result.bytes});
        flush_gather();
        if (down.state != ConnectionState::closed && down.state != ConnectionState::lingering)
            down.inbox.append(blocks_, {read_area_.get() + used, result.bytes - used});
    }
}

/// True where the first bytes begin HTTP/2's preface (RFC 9113 section 3.4), or may yet turn out to.
bool Engine::tells_http2(Connection &down, std::string_view bytes) {
    constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const size_t size = std::min(bytes.size(), preface.size());
    down.first_bytes = bytes.substr(0, size) == preface.substr(0, size);
    if (!down.first_bytes)
        return false;
    if (size == preface.size())
        begin_server_session(down);
    else
        down.need_more = true;
    return true;
}

/// Uses up what it can of `bytes`; returns how many. `need_more` says that the rest makes no sense yet.
size_t Engine::consume_requests(Connection &down, std::string_view bytes) {
    size_t used = 0;
    if (down.first_bytes && tells_http2(down, bytes))
        return 0;
    while (used < bytes.size() && down.state == ConnectionState::http1 && !down.close_wanted) {
        Exchange *exchange = exchanges_.get(down.exchange);
        if (exchange == nullptr)
            exchange = &begin_exchange(down);
        size_t step = 0;
        if (exchange->state == ExchangeState::reading_head)
            step = consume_request_head(down, *exchange, bytes.substr(used));
        else if (takes_content(exchange->state) && !exchange->request_done)
            step = forward_request_body(down, *exchange, bytes.substr(used));
        used += step;
        if (step == 0 || down.need_more)
            break;
    }
    return used;
}

size_t Engine::consume_request_head(Connection &down, Exchange &exchange, std::string_view bytes) {
    Reason why = Reason::none;
    switch (http1::parse_request_head(http1::bytes_of(bytes), limits_.http1, exchange.request, why)) {
    case http1::Parse::need_more:
        down.need_more = true;
        return 0;
    case http1::Parse::refused:
        exchange.close_downstream = true;
        reply_reason(exchange, why);
        return bytes.size();
    case http1::Parse::complete:
        break;
    }
    const http1::RequestHead &head = exchange.request;
    keep(exchange.head, http1::bytes_of(bytes.substr(0, head.length)));
    exchange.grpc = grpc::is_call(exchange.request, exchange.head_bytes());
    exchange.request_left = head.framing == http1::Framing::length ? head.content_length : 0;
    exchange.request_done = head.framing == http1::Framing::none ||
                            (head.framing == http1::Framing::length && head.content_length == 0);
    wheel_.cancel(down.timer);
    wheel_.set(down.timer, now_ms_ + limits_.idle_timeout_ms);
    if (head.offers_http2 && down.tls == nullptr && !draining_)
        upgrade_to_http2(down, exchange);
    ask(exchange);
    return head.length;
}

size_t Engine::forward_request_body(Connection &down, Exchange &exchange, std::string_view bytes) {
    if (upstream_of(exchange) == nullptr)
        return 0;
    if (exchange.request.framing == http1::Framing::chunked)
        return forward_request_chunks(down, exchange, bytes);
    const std::string_view part = bytes.substr(0, std::min<uint64_t>(bytes.size(), exchange.request_left));
    exchange.request_left -= part.size();
    exchange.request_done = exchange.request_left == 0;
    send_request_content(exchange, part);
    if (exchange.request_done)
        end_request_content(exchange);
    return part.size();
}

size_t Engine::forward_request_chunks(Connection &down, Exchange &exchange, std::string_view bytes) {
    size_t used = 0;
    for (;;) {
        const auto step = exchange.request_chunks.next(http1::bytes_of(bytes.substr(used)), limits_.http1);
        used += step.consumed;
        switch (step.kind) {
        case http1::ChunkedDecoder::Kind::need_more:
            down.need_more = true;
            return used;
        case http1::ChunkedDecoder::Kind::data:
            send_request_content(exchange,
                                 {reinterpret_cast<const char *>(step.part.data()), step.part.size()});
            break;
        case http1::ChunkedDecoder::Kind::complete:
            exchange.request_done = true;
            keep(exchange.request_trailers, step.part);
            end_request_content(exchange);
            return used;
        case http1::ChunkedDecoder::Kind::refused:
            exchange.close_downstream = true;
            give_up(exchange, step.why);
            return bytes.size();
        }
    }
}

/// The client has sent FIN and everything before it was understood.
void Engine::requests_ended(Connection &down) {
    Exchange *exchange = exchanges_.get(down.exchange);
    if (exchange == nullptr)
        close_connection(down, Reason::peer_closed);
    else
        abort_exchange(*exchange, Reason::downstream_closed_early, false);
}

/// The connection is free for another request.
void Engine::next_request(Connection &down) {
    down.need_more = false;
    if (is_draining_idle(down)) {
        close_connection(down, down.retiring ? down.retire_reason : Reason::draining);
        return;
    }
    wheel_.set(down.timer, now_ms_ + limits_.idle_timeout_ms);
    if (down.inbox.size() > 0 || down.readable)
        schedule(down);
}

} // namespace weft
