// SPDX-License-Identifier: Apache-2.0
// Follows a connection from frame to frame (RFC 9113 section 4.1): nghttp2 does not tell of frames that it
// ignores.
#pragma once
#include "engine/http1/message.hpp"
#include <algorithm>
#include <array>
#include <cstring>

namespace weft::http2 {

struct FrameHead {
    uint32_t length = 0;
    uint8_t type = 0;
    uint8_t flags = 0;
    int32_t stream = 0;
};

class FrameHeads {
public:
    /// `skip`: bytes before the first frame, the client's preface.
    explicit FrameHeads(size_t skip) : skip_{skip} {}

    /// Calls `visit` for each head that is complete, until it returns false. How much of `input` lies before
    /// the frame that it refused, else all of it.
    template <class Visit> size_t follow(http1::Bytes input, Visit visit) {
        size_t at = 0;
        while (at < input.size()) {
            if (skip_ > 0) {
                const size_t part = std::min(skip_, input.size() - at);
                skip_ -= part;
                at += part;
                continue;
            }
            const size_t begin = at - std::min(at, have_);
            const size_t part = std::min(bytes_.size() - have_, input.size() - at);
            std::memcpy(bytes_.data() + have_, input.data() + at, part);
            have_ += part;
            at += part;
            if (have_ < bytes_.size()) {
                break;
            }
            const FrameHead head = read();
            have_ = 0;
            skip_ = head.length;
            if (!visit(head)) {
                return begin;
            }
        }
        return input.size();
    }

private:
    FrameHead read() const {
        const auto byte = [this](size_t i) { return static_cast<uint32_t>(bytes_[i]); };
        return {.length = byte(0) << 16 | byte(1) << 8 | byte(2),
                .type = bytes_[3],
                .flags = bytes_[4],
                .stream =
                    static_cast<int32_t>((byte(5) & 0x7f) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8))};
    }

    size_t skip_;
    std::array<uint8_t, 9> bytes_{};
    size_t have_ = 0;
};

} // namespace weft::http2
