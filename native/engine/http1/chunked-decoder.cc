// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/chunked-body.hpp"
#include "engine/http1/field-table.hpp"
#include "engine/http1/parse-fields.hpp"
#include "engine/http1/scan.hpp"

namespace weft::http1 {
namespace {

constexpr uint32_t max_size_digits = 16;
/// Largest chunk, as for Content-Length.
constexpr uint64_t max_chunk = (uint64_t{1} << 53) - 1;

uint64_t hex_value(uint8_t digit) {
    return digit <= '9' ? digit - uint64_t{'0'} : (digit | 0x20u) - uint64_t{'a'} + 10;
}

/// Text inside quotes but `"` and backslash (RFC 9110 section 5.6.4).
bool is_quotable(uint8_t byte) {
    return is_class(byte, value_character);
}

} // namespace

ChunkedDecoder::Step ChunkedDecoder::refuse(size_t used, Reason why) {
    state_ = State::failed;
    return {Kind::refused, used, {}, why};
}

/// `;` starts the next extension, CR ends the line.
bool ChunkedDecoder::end_of_part(uint8_t byte) {
    state_ = byte == ';' ? State::extension_name_first : State::size_line_feed;
    return byte == ';' || byte == '\r';
}

bool ChunkedDecoder::take_size(uint8_t byte) {
    if (is_class(byte, hex_character)) {
        left_ = left_ * 16 + hex_value(byte);
        state_ = State::size;
        return ++digits_ <= max_size_digits && left_ <= max_chunk;
    }
    return state_ == State::size && end_of_part(byte);
}

bool ChunkedDecoder::take_extension(uint8_t byte, const Limits &limits) {
    if (++extension_ > limits.chunk_extension_bytes || ++extensions_ > limits.extensions_bytes) {
        return false;
    }
    const bool token = is_class(byte, token_character);
    switch (state_) {
    case State::extension_name_first:
        state_ = State::extension_name;
        return token;
    case State::extension_name:
        if (byte == '=') {
            state_ = State::extension_value_first;
            return true;
        }
        return token || end_of_part(byte);
    case State::extension_value_first:
        state_ = byte == '"' ? State::quoted : State::extension_value;
        return byte == '"' || token;
    case State::extension_value:
        return token || end_of_part(byte);
    case State::quoted:
        state_ = byte == '"' ? State::quoted_end : byte == '\\' ? State::quoted_pair : State::quoted;
        return is_quotable(byte);
    case State::quoted_pair:
        state_ = State::quoted;
        return is_quotable(byte);
    default:
        return end_of_part(byte);
    }
}

/// Takes one byte that is no content.
bool ChunkedDecoder::take_byte(uint8_t byte, const Limits &limits) {
    switch (state_) {
    case State::size_first:
    case State::size:
        return take_size(byte);
    case State::size_line_feed:
        state_ = left_ == 0 ? State::trailer : State::data;
        digits_ = 0;
        extension_ = 0;
        return byte == '\n';
    case State::data_return:
        state_ = State::data_line_feed;
        return byte == '\r';
    case State::data_line_feed:
        state_ = State::size_first;
        return byte == '\n';
    default:
        return take_extension(byte, limits);
    }
}

ChunkedDecoder::Step ChunkedDecoder::take_trailer(Bytes input, size_t used, const Limits &limits) {
    const Bytes rest = input.subspan(used);
    const Bytes view = rest.first(rest.size() < limits.trailer_bytes ? rest.size() : limits.trailer_bytes);
    bool line_may_end = progress_.searched <= progress_.line || has_whole_line(view, progress_);
    while (line_may_end) {
        Field field;
        uint32_t next = 0;
        Reason why = Reason::none;
        switch (parse_field_line(view, progress_.line, field, next, why)) {
        case Line::incomplete:
            progress_.searched = static_cast<uint32_t>(view.size());
            line_may_end = false;
            break;
        case Line::refused:
            return refuse(used, Reason::http1_bad_trailer);
        case Line::end: {
            state_ = State::done;
            return {Kind::complete, used + next, view.first(progress_.line), Reason::none};
        }
        case Line::field:
            if (!may_be_trailer(field.id, field.name.text(view)) || ++trailers_ > limits.trailer_fields) {
                return refuse(used, Reason::http1_bad_trailer);
            }
            progress_.line = next;
            break;
        }
    }
    if (view.size() < rest.size()) {
        return refuse(used, Reason::http1_bad_trailer);
    }
    return {Kind::need_more, used, {}, Reason::none};
}

ChunkedDecoder::Step ChunkedDecoder::next(Bytes input, const Limits &limits) {
    size_t used = 0;
    while (state_ != State::done && state_ != State::failed) {
        if (state_ == State::trailer) {
            return take_trailer(input, used, limits);
        }
        if (used == input.size()) {
            return {Kind::need_more, used, {}, Reason::none};
        }
        if (state_ == State::data) {
            const size_t here = input.size() - used;
            const size_t size = left_ < here ? static_cast<size_t>(left_) : here;
            left_ -= size;
            state_ = left_ == 0 ? State::data_return : State::data;
            return {Kind::data, used + size, input.subspan(used, size), Reason::none};
        }
        if (!take_byte(input[used], limits)) {
            return refuse(used, Reason::http1_bad_chunk);
        }
        used += 1;
    }
    return refuse(0, Reason::http1_bad_chunk);
}

} // namespace weft::http1
