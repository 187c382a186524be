// SPDX-License-Identifier: Apache-2.0
// Field lines, and what the fields of a head mean together. Private to this library.
#pragma once
#include "engine/http1/parse-head.hpp"

namespace weft::http1 {

/// True where the line that starts at `progress.line` has its LF in `input`; else remembers how far it
/// looked, so that no byte is searched twice.
bool has_whole_line(Bytes input, Progress &progress);

/// Takes one line; `next` is the offset behind its end.
enum class Line : uint8_t { incomplete, field, end, refused };
Line parse_field_line(Bytes input, uint32_t at, Field &field, uint32_t &next, Reason &why);

/// Takes lines from `progress.line` on until the empty one, which it leaves `progress.line` behind.
Parse parse_fields(Bytes input, uint32_t limit, Fields &fields, Progress &progress, Reason &why);

/// The part of `input` that a head may take.
inline Bytes within_limit(Bytes input, const Limits &limits) {
    constexpr uint32_t most = 1024 * 1024;
    const size_t limit = limits.head_bytes < most ? limits.head_bytes : most;
    return input.first(input.size() < limit ? input.size() : limit);
}

/// What the fields that govern the connection say.
struct Semantics {
    Span host;
    uint64_t content_length = 0;
    Span upgrade;
    uint32_t hosts = 0;
    uint32_t upgrades = 0;
    uint32_t http2_settings = 0;
    uint32_t options = 0;
    bool has_length = false;
    bool chunked = false;
    bool expect = false;
    bool close = false;
    bool keep_alive = false;
    bool connection_upgrade = false;
    bool connection_http2_settings = false;
    bool accepts_trailers = false;
};

/// Reads those fields and marks the hop-by-hop ones.
Reason read_semantics(Bytes input, Fields &fields, Semantics &out);

/// Calls `take(std::string_view)` for each element of a comma-separated list, without white space; empty ones
/// are skipped (RFC 9110 section 5.6.1). Stops when `take` returns something but none.
template <typename Take> Reason for_each_element(std::string_view list, Take take) {
    while (!list.empty()) {
        const size_t comma = list.find(',');
        std::string_view element = list.substr(0, comma);
        while (!element.empty() && (element.front() == ' ' || element.front() == '\t')) {
            element.remove_prefix(1);
        }
        while (!element.empty() && (element.back() == ' ' || element.back() == '\t')) {
            element.remove_suffix(1);
        }
        if (!element.empty()) {
            const Reason why = take(element);
            if (why != Reason::none) {
                return why;
            }
        }
        list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    }
    return Reason::none;
}

} // namespace weft::http1
