// SPDX-License-Identifier: Apache-2.0
// A session's streams in slots that are used again; a handle is index and generation. Private to this
// library.
#pragma once
#include "engine/http2/session.hpp"
#include <deque>
#include <limits>
#include <vector>

namespace weft::http2 {

struct Stream {
    uint32_t generation = 1;
    int32_t id = 0;
    /// The request's.
    http1::Method method = http1::Method::other;
    bool used = false;
    /// The handler knows it.
    bool announced = false;
    /// The head that is not interim came (server: the request's).
    bool head_done = false;
    bool responded = false;
    bool peer_ended = false;
    /// Our END_STREAM was sent.
    bool own_ended = false;
    /// Server: what is left of the request is not wanted.
    bool rest_refused = false;
    bool peer_reset = false;
    /// We reset it, by `reset` or because of what came.
    bool own_reset = false;
    Reason why = Reason::none;
    /// Content that was announced, or that there may be none; -1 where unknown.
    int64_t expected = -1;
    int64_t received = 0;
    /// Received and not credited.
    size_t uncredited = 0;
};

class StreamTable {
public:
    explicit StreamTable(uint32_t capacity) : capacity_(capacity) {}

    /// Null where all slots are in use.
    Stream *open(StreamRef &ref) {
        if (open_ == capacity_) {
            return nullptr;
        }
        if (free_.empty()) {
            free_.push_back(static_cast<uint32_t>(slots_.size()));
            slots_.emplace_back();
        }
        const uint32_t index = free_.back();
        free_.pop_back();
        Stream &stream = slots_[index];
        const uint32_t generation = stream.generation;
        stream = {};
        stream.generation = generation;
        stream.used = true;
        open_ += 1;
        ref = {index, generation};
        return &stream;
    }

    /// Null where the handle is stale.
    Stream *find(StreamRef ref) {
        const bool known = ref.index < slots_.size() && slots_[ref.index].generation == ref.generation;
        return known && slots_[ref.index].used ? &slots_[ref.index] : nullptr;
    }

    void close(StreamRef ref) {
        Stream &stream = slots_[ref.index];
        stream.used = false;
        stream.generation =
            stream.generation == std::numeric_limits<uint32_t>::max() ? 1 : stream.generation + 1;
        free_.push_back(ref.index);
        open_ -= 1;
    }

    uint32_t open_count() const { return open_; }

    /// Any open stream, or none.
    StreamRef any() const {
        for (uint32_t i = 0; open_ > 0 && i < slots_.size(); ++i) {
            if (slots_[i].used) {
                return {i, slots_[i].generation};
            }
        }
        return {};
    }

private:
    uint32_t capacity_;
    uint32_t open_ = 0;
    /// A deque: a handler may open a stream while another one's slot is being worked on.
    std::deque<Stream> slots_;
    std::vector<uint32_t> free_;
};

/// A handle as nghttp2's per-stream user data: a number, not a pointer.
inline void *pack(StreamRef ref) {
    static_assert(sizeof(void *) == sizeof(uint64_t));
    return reinterpret_cast<void *>((static_cast<uint64_t>(ref.generation) << 32) | ref.index);
}
inline StreamRef unpack(const void *data) {
    const auto bits = reinterpret_cast<uint64_t>(data);
    return {static_cast<uint32_t>(bits), static_cast<uint32_t>(bits >> 32)};
}

} // namespace weft::http2
