// SPDX-License-Identifier: Apache-2.0
// The chunked transfer coding (RFC 9112 section 7.1), both ways.
#pragma once
#include "engine/http1/message.hpp"

namespace weft::http1 {

/// Takes a chunked body apart as it arrives. Sizes, ends and extensions are checked strictly; extensions are
/// dropped, so what is forwarded must be chunked anew.
class ChunkedDecoder {
public:
    enum class Kind : uint8_t {
        /// All of `input` that can be used was used; drop `consumed` bytes and call with more.
        need_more,
        /// `part` is content.
        data,
        /// The body ended. `part` is its trailer section: complete, checked field lines (without the empty
        /// line)
        /// that may be forwarded as they stand; mostly empty.
        complete,
        refused,
    };

    struct Step {
        Kind kind = Kind::need_more;
        /// Bytes of `input` that are done with, `part` among them.
        size_t consumed = 0;
        Bytes part;
        Reason why = Reason::none;
    };

    /// Takes the next step. After `data`, call again with `input` behind `consumed`. A trailer section is
    /// consumed only as a whole: keep up to `limits.trailer_bytes`. Do not call after `complete` or
    /// `refused`.
    Step next(Bytes input, const Limits &limits);

    bool complete() const { return state_ == State::done; }
    void reset() { *this = ChunkedDecoder{}; }

private:
    enum class State : uint8_t {
        size_first,
        size,
        extension_name_first,
        extension_name,
        extension_value_first,
        extension_value,
        quoted,
        quoted_pair,
        quoted_end,
        size_line_feed,
        data,
        data_return,
        data_line_feed,
        trailer,
        done,
        failed
    };

    bool take_byte(uint8_t byte, const Limits &limits);
    bool take_size(uint8_t byte);
    bool take_extension(uint8_t byte, const Limits &limits);
    bool end_of_part(uint8_t byte);
    Step take_trailer(Bytes input, size_t used, const Limits &limits);
    Step refuse(size_t used, Reason why);

    uint64_t left_ = 0;
    /// Trailer section only; counts from its start.
    Progress progress_;
    uint32_t trailers_ = 0;
    /// Digits of this chunk's size; bytes of its extension; extension bytes of the whole body.
    uint32_t digits_ = 0;
    uint32_t extension_ = 0;
    uint32_t extensions_ = 0;
    State state_ = State::size_first;
};

/// Longest chunk header.
inline constexpr size_t chunk_header_bytes = 18;
/// Stands after every chunk's data.
inline constexpr std::string_view chunk_end = "\r\n";
/// Last chunk where there is no trailer section.
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// Writes `size` in hexadecimal and CRLF; returns how many bytes. `size` must not be 0: that would end the
/// body.
size_t write_chunk_header(uint64_t size, std::span<uint8_t, chunk_header_bytes> out);

/// Bytes that `write_last_chunk` needs.
inline size_t last_chunk_bytes(Bytes trailers) {
    return last_chunk.size() + trailers.size();
}
/// Writes the last chunk with a trailer section as `ChunkedDecoder` gave it; returns how many bytes, 0 where
/// `out` is too small.
size_t write_last_chunk(Bytes trailers, std::span<uint8_t> out);

} // namespace weft::http1
