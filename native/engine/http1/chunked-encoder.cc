// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/chunked-body.hpp"
#include <bit>
#include <cstring>

namespace weft::http1 {

size_t write_chunk_header(uint64_t size, std::span<uint8_t, chunk_header_bytes> out) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto count = static_cast<size_t>((std::bit_width(size | 1) + 3) / 4);
    for (size_t i = 0; i < count; ++i) {
        out[count - 1 - i] = static_cast<uint8_t>(digits[(size >> (4 * i)) & 15]);
    }
    out[count] = '\r';
    out[count + 1] = '\n';
    return count + 2;
}

size_t write_last_chunk(Bytes trailers, std::span<uint8_t> out) {
    const size_t size = last_chunk_bytes(trailers);
    if (out.size() < size) {
        return 0;
    }
    std::memcpy(out.data(), "0\r\n", 3);
    if (!trailers.empty()) {
        std::memcpy(out.data() + 3, trailers.data(), trailers.size());
    }
    std::memcpy(out.data() + 3 + trailers.size(), "\r\n", 2);
    return size;
}

} // namespace weft::http1
