// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/parse-fields.hpp"
#include "engine/http1/field-table.hpp"
#include "engine/http1/scan.hpp"
#include <cstring>

namespace weft::http1 {
namespace {

bool is_blank(uint8_t byte) {
    return byte == ' ' || byte == '\t';
}

/// Why the byte at `at`, which ended a name that no colon follows, is wrong there.
Reason explain_name_end(const uint8_t *at, const uint8_t *end) {
    const uint8_t *behind = at;
    while (behind != end && is_blank(*behind)) {
        ++behind;
    }
    const bool colon = behind != end && *behind == ':';
    return behind != at && colon ? Reason::http1_space_before_colon : Reason::http1_bad_field_name;
}

Reason explain_value_end(uint8_t byte) {
    return byte == '\r' || byte == '\n' ? Reason::http1_bare_line_feed : Reason::http1_bad_field_value;
}

/// The empty line, a fold, or a bare CR or LF: lines that begin with no name. `name` says that one can
/// follow.
Line parse_line_start(const uint8_t *at, const uint8_t *end, bool &name, Reason &why) {
    name = false;
    if (*at == '\r') {
        if (at + 1 == end) {
            return Line::incomplete;
        }
        why = Reason::http1_bare_line_feed;
        return at[1] == '\n' ? Line::end : Line::refused;
    }
    if (*at == '\n') {
        why = Reason::http1_bare_line_feed;
        return Line::refused;
    }
    if (is_blank(*at)) {
        why = Reason::http1_obsolete_fold;
        return Line::refused;
    }
    name = true;
    return Line::field;
}

/// Where the parts of a well-formed line lie; the value with the blanks behind it.
struct Parts {
    const uint8_t *base;
    const uint8_t *name;
    const uint8_t *colon;
    const uint8_t *value;
    const uint8_t *end;
};

void fill_field(const Parts &parts, Field &field) {
    const uint8_t *stop = parts.end;
    while (stop != parts.value && is_blank(stop[-1])) {
        --stop;
    }
    const std::string_view name{reinterpret_cast<const char *>(parts.name),
                                static_cast<size_t>(parts.colon - parts.name)};
    field.name = {static_cast<uint32_t>(parts.name - parts.base), static_cast<uint32_t>(name.size())};
    field.value = {static_cast<uint32_t>(parts.value - parts.base),
                   static_cast<uint32_t>(stop - parts.value)};
    field.hash = hash_name_of(name.data(), name.size());
    field.id = find_field_id(name, field.hash);
    field.hop_by_hop = (field_rules(field.id) & hop_rule) != 0;
    field.canonical = parts.value == parts.colon + 2 && parts.colon[1] == ' ' && stop == parts.end;
}

Line parse_line(Bytes input, uint32_t start, Field &field, uint32_t &next, Reason &why) {
    const uint8_t *const base = input.data();
    const uint8_t *const end = base + input.size();
    const uint8_t *at = base + start;
    bool named = false;
    const Line first = parse_line_start(at, end, named, why);
    if (!named) {
        next = start + 2;
        return first;
    }
    bool odd = false;
    const uint8_t *const colon = skip_token(at, end, odd);
    if (colon == end) {
        return Line::incomplete;
    }
    if (*colon != ':' || colon == at) {
        why = explain_name_end(colon, end);
        return Line::refused;
    }
    const uint8_t *value = colon + 1;
    while (value != end && is_blank(*value)) {
        ++value;
    }
    const uint8_t *const stop = skip_value(value, end);
    // Incomplete always means that the line's LF is not here yet: `has_whole_line` relies on it.
    if (stop == end || (*stop == '\r' && end - stop == 1)) {
        return Line::incomplete;
    }
    if (stop[0] != '\r' || stop[1] != '\n') {
        why = explain_value_end(*stop);
        return Line::refused;
    }
    next = static_cast<uint32_t>(stop - base) + 2;
    fill_field({base, at, colon, value, stop}, field);
    if (odd && imitates_guarded_field(field.name.text(input))) {
        why = Reason::http1_bad_field_name;
        return Line::refused;
    }
    return Line::field;
}

} // namespace

bool has_whole_line(Bytes input, Progress &progress) {
    const uint32_t from = progress.searched > progress.line ? progress.searched : progress.line;
    progress.searched = static_cast<uint32_t>(input.size());
    return from < input.size() && std::memchr(input.data() + from, '\n', input.size() - from) != nullptr;
}

Line parse_field_line(Bytes input, uint32_t at, Field &field, uint32_t &next, Reason &why) {
    if (at >= input.size()) {
        return Line::incomplete;
    }
    const Line line = parse_line(input, at, field, next, why);
    // A line is judged when its end is here, so that the cut of the bytes never changes the verdict.
    const bool judge =
        line != Line::refused || std::memchr(input.data() + at, '\n', input.size() - at) != nullptr;
    return judge ? line : Line::incomplete;
}

Parse parse_fields(Bytes input, uint32_t limit, Fields &fields, Progress &progress, Reason &why) {
    const uint32_t most = limit < max_fields ? limit : max_fields;
    if (progress.searched > progress.line && !has_whole_line(input, progress)) {
        return Parse::need_more;
    }
    Field one_too_many;
    while (true) {
        Field &field = fields.count < most ? fields.items[fields.count] : one_too_many;
        uint32_t next = 0;
        switch (parse_field_line(input, progress.line, field, next, why)) {
        case Line::incomplete:
            progress.searched = static_cast<uint32_t>(input.size());
            return Parse::need_more;
        case Line::refused:
            return Parse::refused;
        case Line::end:
            progress.line = next;
            return Parse::complete;
        case Line::field:
            if (fields.count >= most) {
                why = Reason::http1_too_many_fields;
                return Parse::refused;
            }
            fields.count += 1;
            fields.known |= uint64_t{1} << static_cast<unsigned>(field.id);
            progress.line = next;
            break;
        }
    }
}

} // namespace weft::http1
