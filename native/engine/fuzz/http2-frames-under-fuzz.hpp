// SPDX-License-Identifier: Apache-2.0
// Frames of HTTP/2 by hand, mostly sound, for fuzzers of a whole engine.
#pragma once
#include <array>
#include <fuzzer/FuzzedDataProvider.h>
#include <string>

namespace weft::testing {

inline std::string http2_frame(uint8_t type, uint8_t flags, uint32_t stream, const std::string &payload) {
    std::string out;
    for (const size_t byte : {payload.size() >> 16, payload.size() >> 8, payload.size()})
        out += static_cast<char>(byte & 0xff);
    out += static_cast<char>(type);
    out += static_cast<char>(flags);
    for (const int shift : {24, 16, 8, 0})
        out += static_cast<char>((stream >> shift) & 0xff);
    return out + payload;
}

inline std::string http2_preface() {
    return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + http2_frame(4, 0, 0, "");
}

/// A header block from the static table and literals that are not indexed (RFC 7541), so that it means the
/// same whatever came before.
inline std::string http2_block(FuzzedDataProvider &data, bool request) {
    // :method GET, :scheme http, :path /, :authority a
    const std::string get("\x82\x86\x84\x01\x01"
                          "a",
                          6);
    const std::string post("\x83\x86\x84\x01\x01"
                           "a",
                           6);
    constexpr std::array<uint8_t, 4> statuses = {0x88, 0x89, 0x8b, 0x8e}; // 200, 204, 304, 500
    std::string block = request ? (data.ConsumeBool() ? get : post)
                                : std::string(1, static_cast<char>(data.PickValueInArray(statuses)));
    switch (data.ConsumeIntegralInRange(0, 7)) {
    case 0:
        block += std::string("\x0f\x0d\x01"
                             "5",
                             4); // content-length: 5
        break;
    case 1:
        block += std::string("\x00\x02te\x08trailers", 13);
        break;
    case 2:
        block += std::string("\x0f\x10\x10"
                             "application/grpc",
                             19); // content-type
        break;
    case 3:
        block += data.ConsumeRandomLengthString(20);
        break;
    default:
        break;
    }
    return block;
}

/// One frame of a client (`request`) or of a server, on one of a few streams.
inline std::string http2_frame(FuzzedDataProvider &data, bool request) {
    const uint32_t stream = 1 + 2 * data.ConsumeIntegralInRange(0U, 7U);
    const uint8_t end = data.ConsumeBool() ? 1 : 0;
    switch (data.ConsumeIntegralInRange(0, 13)) {
    case 0:
        return http2_preface();
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
        return http2_frame(1, static_cast<uint8_t>(4 | end), stream, http2_block(data, request));
    case 6:
    case 7:
    case 8:
        return http2_frame(0, end, stream, std::string(data.ConsumeIntegralInRange<size_t>(0, 9000), 'd'));
    case 9:
        return http2_frame(3, 0, stream, {0, 0, 0, static_cast<char>(data.ConsumeIntegralInRange(0, 13))});
    case 10:
        return http2_frame(8, 0, data.ConsumeBool() ? stream : 0, std::string("\0\0\x20\0", 4));
    case 11:
        return http2_frame(7, 0, 0,
                           std::string("\0\0\0", 3) + static_cast<char>(stream) + std::string(4, '\0'));
    case 12: // trailers
        return http2_frame(1, 5, stream, std::string("\x00\x0bgrpc-status\x01\x30", 15));
    default:
        return http2_frame(data.ConsumeIntegral<uint8_t>(), data.ConsumeIntegral<uint8_t>(), stream,
                           data.ConsumeRandomLengthString(20));
    }
}

} // namespace weft::testing
