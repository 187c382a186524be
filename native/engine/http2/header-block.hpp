// SPDX-License-Identifier: Apache-2.0
// Collects one decoded header block as text with offsets, and makes a checked head of it. A session has one:
// header blocks never interleave (RFC 9113 section 4.3). Private to this library.
#pragma once
#include "engine/http1/parse-fields.hpp"
#include "engine/http2/session.hpp"
#include <vector>

namespace weft::http2 {

class HeaderBlock {
public:
    void begin(const Limits &limits);
    /// Takes one field in the order in which it came.
    Reason add(std::string_view name, std::string_view value);

    /// After the last field. `end`: the stream ended with this block.
    Reason finish_request(bool end, http1::RequestHead &head);
    /// `method` is the request's.
    Reason finish_response(bool end, http1::Method method, http1::ResponseHead &head);
    Reason finish_trailers() const;

    Bytes text() const { return text_; }
    /// The field lines alone.
    Bytes lines() const { return Bytes{text_}.subspan(lines_); }

private:
    Reason add_pseudo(std::string_view name, std::string_view value);
    http1::Span append(std::string_view text);
    void append_line(std::string_view name, std::string_view value, http1::Field &field);
    void join_cookies(http1::Fields &fields);
    Reason finish_target(http1::RequestHead &head) const;
    Reason finish_authority(const http1::Semantics &semantics, http1::RequestHead &head) const;
    static Reason finish_content(const http1::Semantics &semantics, bool end, http1::RequestHead &head);
    uint16_t status() const;

    std::vector<uint8_t> text_;
    http1::Fields fields_;
    http1::Span method_;
    http1::Span scheme_;
    http1::Span authority_;
    http1::Span path_;
    http1::Span status_;
    /// Where the field lines begin.
    size_t lines_ = 0;
    uint64_t size_ = 0;
    uint32_t max_bytes_ = 0;
    uint32_t max_fields_ = 0;
    uint32_t max_target_ = 0;
    bool forbidden_trailer_ = false;
};

} // namespace weft::http2
