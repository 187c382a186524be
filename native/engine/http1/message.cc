// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/message.hpp"
#include "engine/http1/field-table.hpp"
#include <algorithm>

namespace weft::http1 {

const Field *Fields::find(FieldId id) const {
    if (!has(id)) {
        return nullptr;
    }
    for (const Field &field : all()) {
        if (field.id == id) {
            return &field;
        }
    }
    return nullptr;
}

const Field *Fields::find(Bytes buffer, std::string_view name, uint32_t from) const {
    const uint32_t hash = hash_name(name);
    for (uint32_t i = from; i < count; ++i) {
        if (items[i].hash == hash && same_name(items[i].name.text(buffer), name)) {
            return &items[i];
        }
    }
    return nullptr;
}

void Fields::copy(const Fields &from) {
    known = from.known;
    count = from.count;
    std::copy_n(from.items.begin(), from.count, items.begin());
}

void RequestHead::copy(const RequestHead &from) {
    fields.copy(from.fields);
    progress = from.progress;
    length = from.length;
    method_text = from.method_text;
    target = from.target;
    path = from.path;
    authority = from.authority;
    upgrade_token = from.upgrade_token;
    content_length = from.content_length;
    method = from.method;
    form = from.form;
    version = from.version;
    framing = from.framing;
    keep_alive = from.keep_alive;
    upgrade = from.upgrade;
    offers_http2 = from.offers_http2;
    expect_continue = from.expect_continue;
    accepts_trailers = from.accepts_trailers;
    plain_path = from.plain_path;
}

void ResponseHead::copy(const ResponseHead &from) {
    fields.copy(from.fields);
    progress = from.progress;
    length = from.length;
    reason_phrase = from.reason_phrase;
    content_length = from.content_length;
    status = from.status;
    version = from.version;
    framing = from.framing;
    keep_alive = from.keep_alive;
    interim = from.interim;
    tunnel = from.tunnel;
    ended = from.ended;
    detail = from.detail;
}

void RequestHead::reset() {
    fields.known = 0;
    fields.count = 0;
    progress = {};
    length = 0;
    method_text = target = path = authority = upgrade_token = {};
    content_length = 0;
    method = Method::other;
    form = TargetForm::origin;
    version = Version::http11;
    framing = Framing::none;
    keep_alive = upgrade = offers_http2 = expect_continue = accepts_trailers = plain_path = false;
}

void ResponseHead::reset() {
    fields.known = 0;
    fields.count = 0;
    progress = {};
    length = 0;
    reason_phrase = {};
    content_length = 0;
    status = 0;
    version = Version::http11;
    framing = Framing::none;
    keep_alive = interim = tunnel = ended = false;
    detail = Reason::none;
}

Method find_method(std::string_view name) {
    switch (name.size()) {
    case 3:
        return name == "GET" ? Method::GET : name == "PUT" ? Method::PUT : Method::other;
    case 4:
        return name == "POST" ? Method::POST : name == "HEAD" ? Method::HEAD : Method::other;
    case 5:
        return name == "PATCH" ? Method::PATCH : name == "TRACE" ? Method::TRACE : Method::other;
    case 6:
        return name == "DELETE" ? Method::DELETE : Method::other;
    case 7:
        return name == "OPTIONS" ? Method::OPTIONS : name == "CONNECT" ? Method::CONNECT : Method::other;
    default:
        return Method::other;
    }
}

bool imitates_known_method(std::string_view method) {
    for (const std::string_view known :
         {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}) {
        if (same_name(method, known)) {
            return true;
        }
    }
    return false;
}

} // namespace weft::http1
