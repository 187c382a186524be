// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/forward-fields.hpp"
#include "engine/http1/head-sink.hpp"
#include "engine/http1/write-head.hpp"

namespace weft::http1 {
namespace {

void put_target(Bytes input, const RequestHead &head, const RequestRewrite &rewrite, Bytes authority,
                HeadSink &sink) {
    if (head.form == TargetForm::authority) {
        sink.put(authority);
        return;
    }
    const Bytes path = rewrite.path.empty() ? head.path.in(input) : rewrite.path;
    if (head.form == TargetForm::absolute) {
        sink.put("http://");
        sink.put(authority);
        if (path[0] == '*') {
            return; // RFC 9112 section 3.2.4: the empty path of OPTIONS means `*`.
        }
    }
    sink.put(path);
}

void put_connection(Bytes input, const RequestHead &head, const RequestRewrite &rewrite, HeadSink &sink) {
    if (head.framing == Framing::chunked) {
        sink.put("Transfer-Encoding: chunked\r\n");
    }
    if (head.upgrade && rewrite.upgrade) {
        sink.put("Connection: Upgrade\r\nUpgrade: ");
        sink.put(head.upgrade_token.in(input));
        sink.put("\r\n");
    } else if (head.accepts_trailers) {
        sink.put("TE: trailers\r\nConnection: TE\r\n");
    }
}

} // namespace

size_t request_head_bound(const RequestHead &head, const RequestRewrite &rewrite) {
    const size_t edit = rewrite.edit == nullptr ? 0 : rewrite.edit->lines().size();
    return head.length + head.fields.count + rewrite.path.size() + 2 * rewrite.authority.size() +
           head.authority.length + rewrite.fallback_authority.size() + edit + rewrite.extra.size() +
           own_bytes;
}

Written write_request_head(Bytes input, const RequestHead &head, const RequestRewrite &rewrite,
                           std::span<uint8_t> out) {
    ExtraLines extra;
    if (!is_sound_rewrite(head, rewrite) || !extra.read(rewrite.extra)) {
        return {.why = Reason::decide_failed};
    }
    const Bytes authority = forwarded_authority(input, head, rewrite);
    if (authority.empty()) {
        return {.why = Reason::http1_missing_host};
    }
    HeadSink sink{out};
    sink.put(head.method_text.in(input));
    sink.put(" ");
    put_target(input, head, rewrite, authority, sink);
    sink.put(" HTTP/1.1\r\n");
    const auto put_host = [&](std::string_view name) {
        sink.put(name);
        sink.put(": ");
        sink.put(authority);
        sink.put("\r\n");
    };
    if (!head.fields.has(FieldId::host)) {
        put_host("Host");
    }
    copy_fields(
        input, head.fields, sink,
        [&](const Field &field) {
            return decide_request_field(field, field.name.text(input), head, rewrite, extra);
        },
        [&](const Field &field) { put_host(field.name.text(input)); });
    put_connection(input, head, rewrite, sink);
    sink.put(rewrite.edit == nullptr ? std::string_view{} : rewrite.edit->lines());
    sink.put(rewrite.extra);
    sink.put("\r\n");
    if (sink.overflowed()) {
        return {.why = Reason::decide_failed};
    }
    return {sink.size(), Reason::none, head.framing, false};
}

} // namespace weft::http1
