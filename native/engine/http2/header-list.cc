// SPDX-License-Identifier: Apache-2.0
#include "engine/http2/header-list.hpp"
#include "engine/http1/field-table.hpp"
#include "engine/http1/forward-fields.hpp"
#include "engine/http1/parse-fields.hpp"
#include <charconv>

namespace weft::http2 {
namespace {

using http1::ExtraLines;
using http1::Fate;
using http1::Field;
using http1::FieldId;

/// Room for what is added beyond the copied names.
constexpr size_t own_bytes = 128;

std::string_view text_of(Bytes bytes) {
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

/// Kept out of HPACK's table, where its presence could be guessed (RFC 7541 section 7.1).
bool is_secret(FieldId id) {
    return id == FieldId::authorization || id == FieldId::proxy_authorization || id == FieldId::cookie ||
           id == FieldId::set_cookie;
}

std::string_view edit_lines(const http1::Edit *edit) {
    return edit == nullptr ? std::string_view{} : edit->lines();
}

} // namespace

void HeaderList::begin(size_t name_bytes) {
    list_.clear();
    owned_.clear();
    owned_.reserve(name_bytes + own_bytes);
}

void HeaderList::add(std::string_view name, std::string_view value) {
    add(name, value, is_secret(http1::find_field_id(name)));
}

void HeaderList::add(std::string_view name, std::string_view value, bool secret) {
    const size_t at = owned_.size();
    for (const char c : name) {
        owned_.push_back(static_cast<uint8_t>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c));
    }
    // nghttp2 copies both and changes neither; its type has no const.
    auto *const bytes = const_cast<uint8_t *>(reinterpret_cast<const uint8_t *>(value.data()));
    list_.push_back({owned_.data() + at, bytes, name.size(), value.size(),
                     static_cast<uint8_t>(secret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE)});
}

void HeaderList::add_status(uint16_t status) {
    const size_t at = owned_.size();
    for (const int digit : {status / 100, status / 10 % 10, status % 10}) {
        owned_.push_back(static_cast<uint8_t>('0' + digit));
    }
    add(":status", {reinterpret_cast<const char *>(owned_.data()) + at, 3}, false);
}

bool HeaderList::add_lines(Bytes lines) {
    uint32_t at = 0;
    while (at < lines.size()) {
        Field field;
        Reason why = Reason::none;
        uint32_t next = 0;
        if (http1::parse_field_line(lines, at, field, next, why) != http1::Line::field) {
            return false;
        }
        add(field.name.text(lines), field.value.text(lines));
        at = next;
    }
    return true;
}

Reason HeaderList::set_request(Bytes input, const http1::RequestHead &head,
                               const http1::RequestRewrite &rewrite) {
    ExtraLines extra;
    if (!http1::is_sound_rewrite(head, rewrite) || !extra.read(rewrite.extra)) {
        return Reason::decide_failed;
    }
    const Bytes authority = http1::forwarded_authority(input, head, rewrite);
    if (authority.empty()) {
        return Reason::http1_missing_host;
    }
    const std::string_view edited = edit_lines(rewrite.edit);
    begin(head.length + edited.size() + rewrite.extra.size());
    add(":method", head.method_text.text(input), false);
    if (head.form != http1::TargetForm::authority) {
        add(":scheme", "http", false);
        add(":path", rewrite.path.empty() ? head.path.text(input) : text_of(rewrite.path), false);
    }
    add(":authority", text_of(authority), false);
    for (const Field &field : head.fields.all()) {
        const std::string_view name = field.name.text(input);
        const bool keep = http1::decide_request_field(field, name, head, rewrite, extra) == Fate::keep;
        if (keep && field.id != FieldId::host) {
            add(name, field.value.text(input), is_secret(field.id));
        }
    }
    if (head.accepts_trailers) {
        add("te", "trailers");
    }
    const bool sound = add_lines(http1::bytes_of(edited)) && add_lines(rewrite.extra);
    return sound ? Reason::none : Reason::decide_failed;
}

Reason HeaderList::set_response(Bytes input, const http1::ResponseHead &head,
                                const http1::ResponseRewrite &rewrite) {
    ExtraLines extra;
    if (!extra.read(rewrite.extra) || head.status == 101) {
        return Reason::decide_failed;
    }
    const std::string_view edited = edit_lines(rewrite.edit);
    begin(head.length + edited.size() + rewrite.extra.size());
    add_status(head.status);
    for (const Field &field : head.fields.all()) {
        const std::string_view name = field.name.text(input);
        if (http1::decide_response_field(field, name, head, head.framing, rewrite, extra) == Fate::keep) {
            add(name, field.value.text(input), is_secret(field.id));
        }
    }
    const bool sound = add_lines(http1::bytes_of(edited)) && add_lines(rewrite.extra);
    return sound ? Reason::none : Reason::decide_failed;
}

Reason HeaderList::set_reply(const http1::LocalReply &reply) {
    if (reply.status < 200 || reply.status > 599 || !http1::are_field_lines(reply.extra)) {
        return Reason::decide_failed;
    }
    begin(reply.lines.size() + reply.extra.size());
    add_status(reply.status);
    if (!reply.date.empty()) {
        add("date", reply.date);
    }
    if (reply.status != 204 && reply.status != 304) {
        std::array<char, 20> digits;
        const auto [end, error] =
            std::to_chars(digits.data(), digits.data() + digits.size(), reply.body.size());
        const size_t at = owned_.size();
        owned_.insert(owned_.end(), digits.data(), end);
        add("content-length",
            {reinterpret_cast<const char *>(owned_.data()) + at, static_cast<size_t>(end - digits.data())});
    }
    const bool sound = add_lines(http1::bytes_of(reply.lines)) && add_lines(reply.extra);
    return sound ? Reason::none : Reason::decide_failed;
}

bool HeaderList::set_trailers(Bytes lines) {
    begin(lines.size());
    uint32_t at = 0;
    while (at < lines.size()) {
        Field field;
        Reason why = Reason::none;
        uint32_t next = 0;
        const bool whole = http1::parse_field_line(lines, at, field, next, why) == http1::Line::field;
        if (!whole || !http1::may_be_trailer(field.id, field.name.text(lines))) {
            return false;
        }
        add(field.name.text(lines), field.value.text(lines));
        at = next;
    }
    return true;
}

} // namespace weft::http2
