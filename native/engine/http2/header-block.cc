// SPDX-License-Identifier: Apache-2.0
#include "engine/http2/header-block.hpp"
#include "engine/http1/field-table.hpp"
#include "engine/http1/parse-fields.hpp"
#include "engine/http1/scan.hpp"
#include <algorithm>

namespace weft::http2 {

using http1::Field;
using http1::FieldId;
using http1::Framing;
using http1::Method;
using http1::Span;

namespace {

constexpr uint32_t field_overhead = 32;

constexpr size_t max_method_bytes = 32;

bool is_lower_case_token(std::string_view name) {
    const bool upper = std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    return !upper && http1::is_token(name);
}

/// RFC 9113 section 8.2.2: fields that speak of one HTTP/1 connection have no place here.
bool is_connection_specific(FieldId id, std::string_view value) {
    if (id == FieldId::te) {
        return value != "trailers";
    }
    return (http1::field_rules(id) & http1::hop_rule) != 0;
}

} // namespace

void HeaderBlock::begin(const Limits &limits) {
    text_.clear();
    fields_.known = 0;
    fields_.count = 0;
    method_ = scheme_ = authority_ = path_ = status_ = {};
    lines_ = 0;
    size_ = 0;
    max_bytes_ = limits.head_bytes;
    max_fields_ = std::min<uint32_t>(limits.head_fields, http1::max_fields);
    max_target_ = limits.target_bytes;
    forbidden_trailer_ = false;
}

Span HeaderBlock::append(std::string_view text) {
    const Span span{static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(text.size())};
    text_.insert(text_.end(), text.begin(), text.end());
    return span;
}

void HeaderBlock::append_line(std::string_view name, std::string_view value, Field &field) {
    const size_t at = text_.size();
    text_.resize(at + name.size() + value.size() + 4);
    uint8_t *out = text_.data() + at;
    out = std::copy(name.begin(), name.end(), out);
    *out++ = ':';
    *out++ = ' ';
    out = std::copy(value.begin(), value.end(), out);
    *out++ = '\r';
    *out = '\n';
    field.name = {static_cast<uint32_t>(at), static_cast<uint32_t>(name.size())};
    field.value = {static_cast<uint32_t>(at + name.size() + 2), static_cast<uint32_t>(value.size())};
}

Reason HeaderBlock::add_pseudo(std::string_view name, std::string_view value) {
    Span *const span = name == ":method"      ? &method_
                       : name == ":scheme"    ? &scheme_
                       : name == ":authority" ? &authority_
                       : name == ":path"      ? &path_
                       : name == ":status"    ? &status_
                                              : nullptr;
    // Each comes once, before every field; none may be empty, so an empty span is one that has not come.
    if (span == nullptr || !span->empty() || value.empty() || fields_.count > 0) {
        return Reason::http2_bad_head;
    }
    *span = append(value);
    lines_ = text_.size();
    return Reason::none;
}

Reason HeaderBlock::add(std::string_view name, std::string_view value) {
    size_ += name.size() + value.size() + field_overhead;
    if (size_ > max_bytes_) {
        return Reason::http2_head_too_large;
    }
    if (!name.empty() && name.front() == ':') {
        return add_pseudo(name, value);
    }
    if (!is_lower_case_token(name) || !http1::is_field_value(value) || http1::imitates_guarded_field(name)) {
        return Reason::http2_bad_field;
    }
    if (fields_.count == max_fields_) {
        return Reason::http2_head_too_large;
    }
    const uint32_t hash = http1::hash_name(name);
    const FieldId id = http1::find_field_id(name, hash);
    if (is_connection_specific(id, value)) {
        return Reason::http2_bad_field;
    }
    Field &field = fields_.items[fields_.count++];
    append_line(name, value, field);
    field.hash = hash;
    field.id = id;
    field.hop_by_hop = (http1::field_rules(id) & http1::hop_rule) != 0;
    field.canonical = true;
    fields_.known |= uint64_t{1} << static_cast<unsigned>(id);
    forbidden_trailer_ = forbidden_trailer_ || !http1::may_be_trailer(id, name);
    return Reason::none;
}

/// RFC 9113 section 8.2.3: one Cookie for whoever speaks another version.
void HeaderBlock::join_cookies(http1::Fields &fields) {
    const auto begin = fields.items.begin();
    const auto end = begin + fields.count;
    const auto is_cookie = [](const Field &field) { return field.id == FieldId::cookie; };
    if (!fields.has(FieldId::cookie) || std::count_if(begin, end, is_cookie) < 2) {
        return;
    }
    Field joined = *std::find_if(begin, end, is_cookie);
    joined.name = append("cookie");
    append(": ");
    joined.value = {static_cast<uint32_t>(text_.size()), 0};
    for (const Field &field : fields.all()) {
        if (is_cookie(field)) {
            append(joined.value.offset == text_.size() ? "" : "; ");
            const size_t at = text_.size();
            text_.resize(at + field.value.length);
            std::copy_n(text_.begin() + field.value.offset, field.value.length,
                        text_.begin() + static_cast<std::ptrdiff_t>(at));
        }
    }
    joined.value.length = static_cast<uint32_t>(text_.size()) - joined.value.offset;
    append("\r\n");
    const auto kept = std::remove_if(begin, end, is_cookie);
    fields.count = static_cast<uint32_t>(kept - begin) + 1;
    *kept = joined;
}

/// RFC 9113 sections 8.3.1 and 8.5.
Reason HeaderBlock::finish_target(http1::RequestHead &head) const {
    const std::string_view method = method_.text(text_);
    head.method_text = method_;
    head.method = http1::find_method(method);
    const bool connect = head.method == Method::CONNECT;
    const bool known = head.method != Method::other || !http1::imitates_known_method(method);
    const std::string_view scheme = scheme_.text(text_);
    const bool scheme_ok = connect ? scheme.empty() : scheme == "http" || scheme == "https";
    if (!http1::is_token(method) || method.size() > max_method_bytes || !known || !scheme_ok ||
        !status_.empty()) {
        return Reason::http2_bad_head;
    }
    const std::string_view path = path_.text(text_);
    if (path.size() > max_target_) {
        return Reason::http1_target_too_long;
    }
    const bool asterisk = path == "*";
    if (connect ? !path.empty() : !http1::is_path(path) || (asterisk && head.method != Method::OPTIONS)) {
        return Reason::http2_bad_head;
    }
    head.target = connect ? authority_ : path_;
    head.path = path_;
    head.form = connect    ? http1::TargetForm::authority
                : asterisk ? http1::TargetForm::asterisk
                           : http1::TargetForm::origin;
    head.plain_path = !connect && http1::is_plain_path(path);
    return Reason::none;
}

Reason HeaderBlock::finish_authority(const http1::Semantics &semantics, http1::RequestHead &head) const {
    const std::string_view host = semantics.host.text(text_);
    const bool both = semantics.hosts == 1 && !authority_.empty();
    if (semantics.hosts > 1 || (both && !http1::same_name(host, authority_.text(text_)))) {
        return Reason::http2_host_mismatch;
    }
    const bool connect = head.method == Method::CONNECT;
    // They differ in case at most; Host is what an HTTP/1 server will see.
    head.authority = semantics.hosts == 1 && !(connect && authority_.empty()) ? semantics.host : authority_;
    const std::string_view authority = head.authority.text(text_);
    if (!http1::is_authority(authority)) {
        return Reason::http2_bad_head;
    }
    const size_t colon = authority.rfind(':');
    const bool port = colon != std::string_view::npos && authority.back() != ']';
    return connect && !port ? Reason::http2_bad_head : Reason::none;
}

/// The content of CONNECT is the tunnel's, and has no length.
Reason HeaderBlock::finish_content(const http1::Semantics &semantics, bool end, http1::RequestHead &head) {
    const bool connect = head.method == Method::CONNECT;
    const bool content = !end && !connect;
    if (head.method == Method::TRACE && content) {
        return Reason::http1_content_forbidden;
    }
    if (semantics.has_length && !content && (connect || semantics.content_length > 0)) {
        return Reason::http2_length_mismatch;
    }
    head.framing = semantics.has_length ? Framing::length : content ? Framing::chunked : Framing::none;
    head.content_length = semantics.content_length;
    head.expect_continue = semantics.expect && content;
    head.accepts_trailers = semantics.accepts_trailers;
    return Reason::none;
}

Reason HeaderBlock::finish_request(bool end, http1::RequestHead &head) {
    join_cookies(fields_);
    head.fields.copy(fields_);
    http1::Semantics semantics;
    Reason why = http1::read_semantics(text_, head.fields, semantics);
    if (why == Reason::http1_bad_content_length) {
        return Reason::http2_length_mismatch;
    }
    why = why == Reason::none ? finish_target(head) : why;
    why = why == Reason::none ? finish_authority(semantics, head) : why;
    why = why == Reason::none ? finish_content(semantics, end, head) : why;
    head.version = http1::Version::http11;
    head.keep_alive = true;
    head.length = static_cast<uint32_t>(text_.size());
    return why;
}

/// Three digits, 100 to 599; 0 for anything else.
uint16_t HeaderBlock::status() const {
    const std::string_view digits = status_.text(text_);
    unsigned value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9' || digits.size() != 3) {
            return 0;
        }
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value >= 100 && value <= 599 ? static_cast<uint16_t>(value) : uint16_t{0};
}

Reason HeaderBlock::finish_response(bool end, Method method, http1::ResponseHead &head) {
    head.fields.copy(fields_);
    http1::Semantics semantics;
    if (http1::read_semantics(text_, head.fields, semantics) != Reason::none) {
        return Reason::http2_bad_response;
    }
    head.status = status();
    head.interim = head.status < 200;
    const bool request = !method_.empty() || !scheme_.empty() || !authority_.empty() || !path_.empty();
    // RFC 9113 sections 8.1 and 8.6: an interim response never ends the stream, and 101 does not exist.
    if (head.status == 0 || head.status == 101 || request || (head.interim && end)) {
        return Reason::http2_bad_response;
    }
    const bool success = head.status >= 200 && head.status < 300;
    head.tunnel = method == Method::CONNECT && success;
    const bool bodiless = head.interim || head.status == 204 || head.tunnel;
    const bool unsent = bodiless || method == Method::HEAD || head.status == 304;
    if (semantics.content_length > 0 && (bodiless || (end && !unsent))) {
        return bodiless ? Reason::http2_bad_response : Reason::http2_length_mismatch;
    }
    // A head that ends the stream has a length, 0, whether it says so or not.
    head.framing = unsent ? Framing::none : semantics.has_length || end ? Framing::length : Framing::chunked;
    head.ended = end;
    head.content_length = semantics.content_length;
    head.version = http1::Version::http11;
    head.keep_alive = true;
    head.reason_phrase = append(http1::reason_phrase(head.status));
    head.length = static_cast<uint32_t>(text_.size());
    return Reason::none;
}

Reason HeaderBlock::finish_trailers() const {
    const bool pseudo = lines_ > 0;
    return pseudo || forbidden_trailer_ ? Reason::http2_bad_trailer : Reason::none;
}

} // namespace weft::http2
