// SPDX-License-Identifier: Apache-2.0
// Answers that the engine gives itself.
#include "engine/engine.hpp"
#include "engine/exchange/grpc.hpp"

namespace weft {
namespace {
constexpr uint16_t unnamed_status = 503; // for reasons that usually have no answer, where one can be given

/// A gRPC client reads no other status than its own, and it stands in a response of 200 that is all head.
void as_grpc(http1::LocalReply &reply, Reason reason, uint8_t status, std::string &extra) {
    std::string_view message = reply.body;
    while (message.ends_with('\n') || message.ends_with('\r'))
        message.remove_suffix(1);
    if (message.empty())
        message = reason != Reason::none ? name_of(reason) : "refused by the mesh";
    grpc::write_status(status, message, extra);
    reply.status = 200;
    reply.lines = "content-type: application/grpc\r\n";
    reply.body = {};
    reply.extra = http1::bytes_of(extra);
}
} // namespace

void Engine::reply_reason(Exchange &exchange, Reason reason) {
    const uint16_t status = status_of(reason);
    const std::string text = std::string("weft: ").append(name_of(reason)).append("\n");
    http1::LocalReply reply;
    reply.status = status != 0 ? status : unnamed_status;
    reply.lines = "content-type: text/plain\r\n";
    reply.body = text;
    send_reply(exchange, reply, reason);
}

void Engine::reply_verdict(Exchange &exchange, const Verdict &verdict) {
    if (verdict.reply == 0 && !verdict.has_body && verdict.extra.empty()) {
        reply_reason(exchange, verdict.reason == Reason::none ? Reason::decide_failed : verdict.reason);
        return;
    }
    const http1::Reply *defined = replies_.find(verdict.reply);
    if ((verdict.reply != 0 && defined == nullptr) ||
        !http1::are_field_lines(http1::bytes_of(verdict.extra))) {
        reply_reason(exchange, Reason::decide_failed);
        return;
    }
    http1::LocalReply reply;
    reply.status = status_of(verdict.reason) != 0 ? status_of(verdict.reason) : 500;
    if (defined != nullptr) {
        reply.status = defined->status();
        reply.lines = defined->lines();
        reply.body = defined->body();
    }
    if (verdict.has_body)
        reply.body = verdict.body;
    reply.extra = http1::bytes_of(verdict.extra);
    exchange.close_downstream |= (verdict.flags & verdict_flag::close_after) != 0;
    send_reply(exchange, reply, verdict.reason);
}

/// Answers and ends the exchange. Where the rest of the request's body has arrived already it is skipped,
/// else the connection ends behind the answer.
void Engine::send_reply(Exchange &exchange, const http1::LocalReply &given, Reason reason) {
    Connection &down = *downstream_of(exchange);
    if (exchange.head_sent) {
        abort_exchange(exchange, reason, true);
        return;
    }
    detach_upstream(exchange, false);
    if (!exchange.down_stream && !exchange.request_done && exchange.head != nullptr &&
        exchange.request.framing == http1::Framing::length && !exchange.body_forwarded &&
        down.inbox.size() >= exchange.request_left) {
        down.inbox.consume(blocks_, exchange.request_left);
        exchange.request_done = true;
    }
    std::string extra;
    if (reason != Reason::none)
        extra.append("x-weft-reason: ").append(name_of(reason)).append("\r\n");
    extra.append(reinterpret_cast<const char *>(given.extra.data()), given.extra.size());
    http1::LocalReply reply = given;
    reply.extra = http1::bytes_of(extra);
    reply.client_version = exchange.request.version;
    reply.method = exchange.request.method;
    exchange.status = reply.status;
    if (exchange.grpc) {
        exchange.grpc_status = grpc::status_for(reason, reply.status);
        as_grpc(reply, reason, grpc::status_for(reason, reply.status), extra);
    }
    exchange.first_byte_us = now_us_;
    if (exchange.down_stream) {
        exchange.head_sent = true;
        exchange.sent += reply.body.size();
        reply_stream(exchange, reply, reason);
        return;
    }
    exchange.close_downstream |=
        !exchange.request_done || !exchange.request.keep_alive || draining_ || down.retiring;
    reply.keep_alive = !exchange.close_downstream;
    const size_t bound = http1::local_reply_bound(reply);
    if (bound > Gather::arena_bytes) { // a reply is small by definition; one that is not is a defect
        exchange.close_downstream = true;
        abort_exchange(exchange, Reason::decide_failed, true);
        return;
    }
    Gather &gather = gather_to(down, 1, bound);
    const http1::Written written = http1::write_local_reply(reply, gather.reserve(bound));
    gather.commit(written.size);
    exchange.head_sent = written.size > 0;
    exchange.sent += reply.body.size();
    exchange.close_downstream |= written.close || written.size == 0;
    finish_exchange(exchange, reason);
}

} // namespace weft
