// SPDX-License-Identifier: Apache-2.0
// A chunked body whole and cut gives the same content, and chunked anew it gives it again.
#include "engine/http1/chunked-body.hpp"
#include "engine/http1/fuzz-input.hpp"
#include <string>

using namespace weft::http1;
using weft::Reason;
using Kind = ChunkedDecoder::Kind;

namespace {

struct Decoded {
    Kind kind = Kind::need_more;
    std::string content;
    std::string trailers;
    bool operator==(const Decoded &) const = default;
};

/// Takes every step that `input` allows; returns how much of it was consumed.
size_t decode(ChunkedDecoder &decoder, Bytes input, const Limits &limits, Decoded &out) {
    size_t consumed = 0;
    while (true) {
        const std::vector<uint8_t> exact(input.begin() + static_cast<std::ptrdiff_t>(consumed), input.end());
        const ChunkedDecoder::Step step = decoder.next(exact, limits);
        require(step.consumed <= exact.size());
        consumed += step.consumed;
        const std::string part{reinterpret_cast<const char *>(step.part.data()), step.part.size()};
        out.kind = step.kind;
        if (step.kind != Kind::data) {
            require((step.why != Reason::none) == (step.kind == Kind::refused));
            out.trailers = step.kind == Kind::complete ? part : "";
            return consumed;
        }
        out.content += part;
    }
}

std::string encode(const Decoded &decoded) {
    std::string text;
    if (!decoded.content.empty()) {
        std::array<uint8_t, chunk_header_bytes> header{};
        const size_t size = write_chunk_header(decoded.content.size(), header);
        text.assign(reinterpret_cast<const char *>(header.data()), size);
        text += decoded.content;
        text += chunk_end;
    }
    std::string last(last_chunk_bytes(bytes_of(decoded.trailers)), ' ');
    require(write_last_chunk(bytes_of(decoded.trailers),
                             {reinterpret_cast<uint8_t *>(last.data()), last.size()}) == last.size());
    return text + last;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const Limits limits{
        .chunk_extension_bytes = 32, .extensions_bytes = 64, .trailer_bytes = 256, .trailer_fields = 4};
    const CutInput input{data, size};
    ChunkedDecoder one;
    ChunkedDecoder two;
    Decoded whole;
    Decoded cut;
    decode(one, input.whole(), limits, whole);
    const size_t used = decode(two, input.first(), limits, cut);
    if (cut.kind == Kind::need_more) {
        decode(two, input.whole().subspan(used), limits, cut);
    }
    require(cut == whole);
    if (whole.kind == Kind::complete) {
        ChunkedDecoder three;
        Decoded again;
        const std::string text = encode(whole);
        require(decode(three, bytes_of(text), limits, again) == text.size());
        require(again == whole);
    }
    return 0;
}
