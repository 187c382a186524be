// SPDX-License-Identifier: Apache-2.0
// What the fields that govern framing and the connection say together (RFC 9110 sections 7.6, 7.8, 8.6, 10.1;
// RFC 9112 sections 6 and 9).
#include "engine/http1/field-table.hpp"
#include "engine/http1/parse-fields.hpp"

namespace weft::http1 {
namespace {

/// Options of one message: each may be compared with every field.
constexpr uint32_t max_options = 32;

/// Largest length that a double holds exactly, as TypeScript sees it.
constexpr uint64_t max_content_length = (uint64_t{1} << 53) - 1;

Reason read_content_length(std::string_view value, Semantics &out) {
    constexpr size_t most_digits = 16;
    const bool leading_zero = value.size() > 1 && value.front() == '0';
    if (out.has_length || value.empty() || value.size() > most_digits || leading_zero) {
        return Reason::http1_bad_content_length;
    }
    uint64_t length = 0;
    for (const char c : value) {
        if (c < '0' || c > '9') {
            return Reason::http1_bad_content_length;
        }
        length = length * 10 + static_cast<uint64_t>(c - '0');
    }
    if (length > max_content_length) {
        return Reason::http1_bad_content_length;
    }
    out.has_length = true;
    out.content_length = length;
    return Reason::none;
}

Reason read_transfer_encoding(std::string_view value, Semantics &out) {
    if (out.chunked || !same_name(value, "chunked")) {
        return Reason::http1_bad_transfer_encoding;
    }
    out.chunked = true;
    return Reason::none;
}

void nominate(Bytes input, Fields &fields, std::string_view name) {
    const uint32_t hash = hash_name(name);
    for (uint32_t i = 0; i < fields.count; ++i) {
        Field &field = fields.items[i];
        if (field.hash == hash && same_name(field.name.text(input), name)) {
            field.hop_by_hop = true;
        }
    }
}

Reason read_option(Bytes input, std::string_view option, Fields &fields, Semantics &out) {
    if (++out.options > max_options || !is_token(option)) {
        return Reason::http1_bad_connection_option;
    }
    if (same_name(option, "close")) {
        out.close = true;
        return Reason::none;
    }
    const FieldId id = find_field_id(option);
    out.keep_alive = out.keep_alive || id == FieldId::keep_alive;
    out.connection_upgrade = out.connection_upgrade || id == FieldId::upgrade;
    out.connection_http2_settings = out.connection_http2_settings || id == FieldId::http2_settings;
    if ((field_rules(id) & keep_rule) != 0) {
        return Reason::http1_bad_connection_option;
    }
    nominate(input, fields, option);
    return Reason::none;
}

Reason read_field(Bytes input, const Field &field, Fields &fields, Semantics &out) {
    const std::string_view value = field.value.text(input);
    switch (field.id) {
    case FieldId::connection:
        return for_each_element(
            value, [&](std::string_view option) { return read_option(input, option, fields, out); });
    case FieldId::content_length:
        return read_content_length(value, out);
    case FieldId::transfer_encoding:
        return read_transfer_encoding(value, out);
    case FieldId::expect:
        if (out.expect || !same_name(value, "100-continue")) {
            return Reason::http1_bad_expect;
        }
        out.expect = true;
        return Reason::none;
    case FieldId::host:
        out.hosts += 1;
        out.host = field.value;
        return Reason::none;
    case FieldId::upgrade:
        out.upgrades += 1;
        out.upgrade = field.value;
        return Reason::none;
    case FieldId::http2_settings:
        out.http2_settings += 1;
        return Reason::none;
    case FieldId::te:
        return for_each_element(value, [&](std::string_view coding) {
            out.accepts_trailers = out.accepts_trailers || same_name(coding, "trailers");
            return Reason::none;
        });
    default:
        return Reason::none;
    }
}

constexpr uint64_t bit(FieldId id) {
    return uint64_t{1} << static_cast<unsigned>(id);
}

constexpr uint64_t governing = bit(FieldId::connection) | bit(FieldId::content_length) |
                               bit(FieldId::transfer_encoding) | bit(FieldId::expect) | bit(FieldId::host) |
                               bit(FieldId::upgrade) | bit(FieldId::te) | bit(FieldId::http2_settings);

} // namespace

Reason read_semantics(Bytes input, Fields &fields, Semantics &out) {
    for (uint32_t i = 0; i < fields.count; ++i) {
        if ((governing & bit(fields.items[i].id)) == 0) {
            continue;
        }
        const Reason why = read_field(input, fields.items[i], fields, out);
        if (why != Reason::none) {
            return why;
        }
    }
    return out.has_length && out.chunked ? Reason::http1_length_and_encoding : Reason::none;
}

} // namespace weft::http1
