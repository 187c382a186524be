// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/forward-fields.hpp"
#include "engine/http1/head-sink.hpp"
#include "engine/http1/write-head.hpp"
#include <charconv>

namespace weft::http1 {
namespace {

/// Content whose end the client can see without counting: chunks, or the end of the connection.
Framing framing_for(const ResponseHead &head, Version client) {
    const bool open_ended = head.framing == Framing::chunked || head.framing == Framing::until_close;
    if (!open_ended) {
        return head.framing;
    }
    return client == Version::http11 ? Framing::chunked : Framing::until_close;
}

void put_status_line(uint16_t status, std::string_view phrase, HeadSink &sink) {
    sink.put("HTTP/1.1 ");
    sink.put_number(status);
    sink.put(" ");
    sink.put(phrase);
    sink.put("\r\n");
}

/// RFC 9112 section 9.3: what the client must be told of this connection's life.
void put_persistence(bool close, Version client, HeadSink &sink) {
    if (close) {
        sink.put("Connection: close\r\n");
    } else if (client == Version::http10) {
        sink.put("Connection: keep-alive\r\n");
    }
}

void put_connection(Bytes input, const ResponseHead &head, const ResponseRewrite &rewrite,
                    const Written &written, HeadSink &sink) {
    if (written.framing == Framing::chunked) {
        sink.put("Transfer-Encoding: chunked\r\n");
    } else if (head.ended && written.framing == Framing::length &&
               head.fields.find(FieldId::content_length) == nullptr) {
        sink.put("Content-Length: 0\r\n");
    }
    const Field *const upgrade = head.fields.find(FieldId::upgrade);
    if (head.status == 101 && upgrade != nullptr) {
        sink.put("Connection: Upgrade\r\nUpgrade: ");
        sink.put(upgrade->value.in(input));
        sink.put("\r\n");
    } else if (!head.interim && !head.tunnel) {
        put_persistence(written.close, rewrite.client_version, sink);
    }
}

} // namespace

void HeadSink::put_number(uint64_t value) {
    std::array<char, 20> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    put(digits.data(), static_cast<size_t>(end - digits.data()));
}

size_t response_head_bound(const ResponseHead &head, const ResponseRewrite &rewrite) {
    const size_t edit = rewrite.edit == nullptr ? 0 : rewrite.edit->lines().size();
    return head.length + head.fields.count + edit + rewrite.extra.size() + own_bytes;
}

Written write_response_head(Bytes input, const ResponseHead &head, const ResponseRewrite &rewrite,
                            std::span<uint8_t> out) {
    ExtraLines extra;
    if (!extra.read(rewrite.extra)) {
        return {.why = Reason::decide_failed};
    }
    if (head.interim && rewrite.client_version == Version::http10) {
        return {};
    }
    Written written;
    written.framing = framing_for(head, rewrite.client_version);
    written.close = written.framing == Framing::until_close || !rewrite.keep_alive;
    HeadSink sink{out};
    put_status_line(head.status, head.reason_phrase.text(input), sink);
    copy_fields(
        input, head.fields, sink,
        [&](const Field &field) {
            return decide_response_field(field, field.name.text(input), head, written.framing, rewrite,
                                         extra);
        },
        [](const Field &) {});
    put_connection(input, head, rewrite, written, sink);
    sink.put(rewrite.edit == nullptr ? std::string_view{} : rewrite.edit->lines());
    sink.put(rewrite.extra);
    sink.put("\r\n");
    if (sink.overflowed()) {
        return {.why = Reason::decide_failed};
    }
    written.size = sink.size();
    return written;
}

size_t local_reply_bound(const LocalReply &reply) {
    return reply.lines.size() + reply.body.size() + reply.extra.size() + reply.date.size() + own_bytes;
}

Written write_local_reply(const LocalReply &reply, std::span<uint8_t> out) {
    if (reply.status < 200 || reply.status > 599 || !are_field_lines(reply.extra)) {
        return {.why = Reason::decide_failed};
    }
    const bool bodiless = reply.status == 204 || reply.status == 304;
    HeadSink sink{out};
    put_status_line(reply.status, reason_phrase(reply.status), sink);
    if (!reply.date.empty()) {
        sink.put("Date: ");
        sink.put(reply.date);
        sink.put("\r\n");
    }
    sink.put(reply.lines);
    sink.put(reply.extra);
    if (!bodiless) {
        sink.put("Content-Length: ");
        sink.put_number(reply.body.size());
        sink.put("\r\n");
    }
    put_persistence(!reply.keep_alive, reply.client_version, sink);
    sink.put("\r\n");
    if (!bodiless && reply.method != Method::HEAD) {
        sink.put(reply.body);
    }
    if (sink.overflowed()) {
        return {.why = Reason::decide_failed};
    }
    return {sink.size(), Reason::none, bodiless ? Framing::none : Framing::length, !reply.keep_alive};
}

} // namespace weft::http1
