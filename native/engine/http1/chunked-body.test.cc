// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/chunked-body.hpp"
#include "engine/test/testing.hpp"

namespace weft::http1 {
namespace {

using namespace std::string_literals;
using Kind = ChunkedDecoder::Kind;

struct Decoded {
    Kind kind = Kind::need_more;
    Reason why = Reason::none;
    std::string content;
    std::string trailers;
    size_t consumed = 0;

    bool operator==(const Decoded &) const = default;
};

/// Feeds `text` in the pieces that `sizes` gives (the last one again and again), keeping what was not
/// consumed.
Decoded decode_in(std::string_view text, std::span<const size_t> sizes, const Limits &limits) {
    weft::testing::GuardedBytes memory{text.size() + 1};
    ChunkedDecoder decoder;
    Decoded out;
    size_t fed = 0;
    size_t piece = 0;
    while (true) {
        const Bytes input = memory.at_end(text.substr(out.consumed, fed - out.consumed));
        const ChunkedDecoder::Step step = decoder.next(input, limits);
        out.consumed += step.consumed;
        const std::string part{reinterpret_cast<const char *>(step.part.data()), step.part.size()};
        if (step.kind == Kind::data) {
            CHECK(!part.empty());
            out.content += part;
            continue;
        }
        out.kind = step.kind;
        out.why = step.why;
        if (step.kind == Kind::complete) {
            CHECK(decoder.complete());
            out.trailers = part;
        }
        if (step.kind != Kind::need_more || fed == text.size()) {
            out.consumed = step.kind == Kind::refused ? 0 : out.consumed;
            return out;
        }
        fed += std::min(sizes[piece], text.size() - fed);
        piece += piece + 1 < sizes.size() ? 1 : 0;
    }
}

Decoded decode(std::string_view text, const Limits &limits = {}) {
    const size_t all[] = {text.size()};
    const size_t one[] = {1};
    const Decoded whole = decode_in(text, all, limits);
    CHECK(decode_in(text, one, limits) == whole);
    for (size_t at = 1; at < text.size(); ++at) {
        const size_t cut[] = {at, text.size()};
        if (!(decode_in(text, cut, limits) == whole)) {
            weft::testing::fail(__FILE__, __LINE__,
                                "cut at " + std::to_string(at) + " of " + std::string(text));
        }
    }
    return whole;
}

void check_refused(const std::string &text, Reason why, const Limits &limits = {}) {
    const Decoded out = decode(text, limits);
    if (out.kind != Kind::refused || out.why != why) {
        weft::testing::fail(__FILE__, __LINE__, text + " was not refused");
    }
}

CASE("chunks are joined, extensions dropped, and what follows is left alone") {
    const Decoded out =
        decode("5\r\nhello\r\n00B;name;a=b;c=\"x;\\\"\ty\"\r\n big world!\r\n0\r\n\r\nGET / HTTP/1.1");
    CHECK_EQUAL(out.kind, Kind::complete);
    CHECK_EQUAL(out.content, "hello big world!");
    CHECK_EQUAL(out.trailers, "");
    CHECK_EQUAL(out.consumed, 53u);
}

CASE("an empty body and a last chunk with many zeros end") {
    CHECK_EQUAL(decode("0\r\n\r\n").kind, Kind::complete);
    CHECK_EQUAL(decode("000\r\n\r\n").kind, Kind::complete);
}

CASE("trailers are handed on as they stand") {
    const Decoded out = decode("1\r\nx\r\n0\r\nGrpc-Status: 0\r\nETag:  \"a\" \r\n\r\n");
    CHECK_EQUAL(out.kind, Kind::complete);
    CHECK_EQUAL(out.trailers, "Grpc-Status: 0\r\nETag:  \"a\" \r\n");
}

CASE("a size has one form") {
    for (const char *head : {"0x5\r\n",
                             " 5\r\n",
                             "5 \r\n",
                             "5\t\r\n",
                             "+5\r\n",
                             "-5\r\n",
                             "g\r\n",
                             "\r\n",
                             ";a\r\n",
                             "5\n",
                             "5\r\r\n",
                             "5\r5",
                             "20000000000000\r\n",
                             "ffffffffffffffff\r\n",
                             "10000000000000005\r\n",
                             "00000000000000005\r\n",
                             "5\x0b\r\n",
                             "5,5\r\n",
                             "5.\r\n",
                             "\xef\xbc\x95\r\n"}) {
        check_refused(head + "hello\r\n0\r\n\r\n"s, Reason::http1_bad_chunk);
    }
    check_refused("5\0\r\nhello"s, Reason::http1_bad_chunk);
}

CASE("chunk data ends with CRLF and nothing else") {
    for (const char *body :
         {"5\r\nhello0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello!\r\n0\r\n\r\n", "5\r\nhello\r\r\n"}) {
        check_refused(body, Reason::http1_bad_chunk);
    }
}

CASE("extensions follow their grammar and hold no line end") {
    for (const char *extension :
         {";", "; a", ";a =b", ";a= b", ";a=", ";a=;b", ";=b", ";a=\"x", ";a=\"x\"y", ";a=\"x\ny\"",
          ";a=\"x\\\n\"", ";a\n", ";a=b\rc", ";a=\"\x01\"", ";a;;b", ";a=b=c", ";a=\"\x7f\""}) {
        check_refused("1"s + extension + "\r\nx\r\n0\r\n\r\n", Reason::http1_bad_chunk);
    }
}

CASE("extensions are bounded, each and in all") {
    Limits limits;
    limits.chunk_extension_bytes = 4;
    limits.extensions_bytes = 9;
    CHECK_EQUAL(decode("1;abc\r\nx\r\n1;abc\r\nx\r\n0\r\n\r\n", limits).kind, Kind::complete);
    check_refused("1;abcd\r\nx\r\n0\r\n\r\n", Reason::http1_bad_chunk, limits);
    check_refused("1;abc\r\nx\r\n1;abc\r\nx\r\n1;abc\r\nx\r\n0\r\n\r\n", Reason::http1_bad_chunk, limits);
}

CASE("trailers forge nothing and are well-formed") {
    for (const char *line : {"Content-Length: 5\r\n",
                             "Transfer-Encoding: chunked\r\n",
                             "Host: b\r\n",
                             "Connection: close\r\n",
                             "Trailer: x\r\n",
                             "Authorization: x\r\n",
                             "Cookie: a\r\n",
                             "Set-Cookie: a\r\n",
                             "X-Forwarded-For: 1\r\n",
                             "X-Weft-Identity: x\r\n",
                             "x_weft_identity: x\r\n",
                             "Content-Type: x\r\n",
                             "Upgrade: x\r\n",
                             "content_length: 5\r\n",
                             "A : b\r\n",
                             "A: b\r\n c\r\n",
                             "A: b\n",
                             "A\r\n",
                             "A: \x01\r\n",
                             " A: b\r\n",
                             "Expect: 100-continue\r\n",
                             "TE: x\r\n",
                             "Cache-Control: no-store\r\n",
                             "\rX: y\r\n"}) {
        check_refused("0\r\n"s + line + "\r\n", Reason::http1_bad_trailer);
    }
    check_refused("0\r\n\n", Reason::http1_bad_trailer);
}

CASE("trailers are bounded in bytes and number") {
    Limits limits;
    limits.trailer_bytes = 12;
    limits.trailer_fields = 2;
    CHECK_EQUAL(decode("0\r\nA:1\r\nB:2\r\n\r\n", limits).kind, Kind::complete);
    check_refused("0\r\nA:1\r\nB:22\r\n\r\n", Reason::http1_bad_trailer, limits);
    check_refused("0\r\nA:" + std::string(20, 'x'), Reason::http1_bad_trailer, limits);
    limits.trailer_bytes = 100;
    check_refused("0\r\nA:1\r\nB:2\r\nC:3\r\n\r\n", Reason::http1_bad_trailer, limits);
}

CASE("what is unfinished waits") {
    for (const char *text : {"", "5", "5\r", "5\r\n", "5\r\nhel", "5\r\nhello", "5\r\nhello\r", "0\r\n",
                             "0\r\n\r", "0\r\nA: b", "0\r\nA: b\r\n", "0\r\nA: b\r\n\r", "1;a=\"b"}) {
        CHECK_EQUAL(decode(text).kind, Kind::need_more);
    }
}

CASE("what the encoder writes the decoder reads") {
    for (const uint64_t size : {uint64_t{1}, uint64_t{9}, uint64_t{10}, uint64_t{15}, uint64_t{16},
                                uint64_t{255}, uint64_t{4096}}) {
        std::array<uint8_t, chunk_header_bytes> header{};
        const size_t length = write_chunk_header(size, header);
        std::string text{reinterpret_cast<const char *>(header.data()), length};
        text += std::string(size, 'x');
        text += chunk_end;
        std::string last(last_chunk_bytes(bytes_of("A: b\r\n")), ' ');
        std::span<uint8_t> room{reinterpret_cast<uint8_t *>(last.data()), last.size()};
        CHECK_EQUAL(write_last_chunk(bytes_of("A: b\r\n"), room), last.size());
        CHECK_EQUAL(write_last_chunk(bytes_of("A: b\r\n"), room.first(room.size() - 1)), 0u);
        const size_t all[] = {text.size() + last.size()};
        const Decoded out = decode_in(text + last, all, {});
        CHECK_EQUAL(out.kind, Kind::complete);
        CHECK_EQUAL(out.content.size(), size);
        CHECK_EQUAL(out.trailers, "A: b\r\n");
    }
    std::array<uint8_t, chunk_header_bytes> header{};
    CHECK_EQUAL(write_chunk_header(~uint64_t{0}, header), chunk_header_bytes);
}

} // namespace
} // namespace weft::http1
