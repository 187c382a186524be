// SPDX-License-Identifier: Apache-2.0
// Which streams a client has opened and not ended: it may send HEADERS and DATA on no others (RFC 9113
// section 5.1). nghttp2 forgets a closed stream and ignores what still comes for it; that is right only where
// we closed it first and the client could not know yet.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::http2 {

class UnendedStreams {
public:
    /// Of more streams than `capacity` the oldest are forgotten, and what comes on those is let through.
    explicit UnendedStreams(size_t capacity) : capacity_{capacity} {}

    /// HEADERS began on a stream; `ends`: with END_STREAM. False where the client had ended it.
    bool headers(int32_t id, bool ends) {
        if (id <= highest_ || id % 2 == 0) {
            return data(id, ends);
        }
        highest_ = id;
        if (!ends) {
            add(id);
        }
        return true;
    }

    /// DATA began. What no client may ever send (on a stream that is idle, or not its own) is nghttp2's to
    /// refuse.
    bool data(int32_t id, bool ends) {
        if (id <= forgotten_ || id > highest_ || id % 2 == 0) {
            return true;
        }
        const auto found = std::lower_bound(ids_.begin(), ids_.end(), id);
        const bool known = found != ids_.end() && *found == id;
        if (known && ends) {
            ids_.erase(found);
        }
        return known;
    }

    /// RST_STREAM came.
    void reset(int32_t id) { data(id, true); }

    /// Stream 1 of `Upgrade: h2c` was whole before HTTP/2 began.
    void upgraded() { highest_ = 1; }

private:
    void add(int32_t id) {
        if (ids_.size() == capacity_) {
            forgotten_ = ids_.front();
            ids_.erase(ids_.begin());
        }
        ids_.push_back(id);
    }

    size_t capacity_;
    /// Ascending, as they were opened.
    std::vector<int32_t> ids_;
    int32_t highest_ = 0;
    int32_t forgotten_ = 0;
};

} // namespace weft::http2
