// SPDX-License-Identifier: Apache-2.0
// What the fuzzers share: an input's first two bytes say how it is cut, and a failed requirement is a crash.
#pragma once
#include "engine/http1/message.hpp"
#include <algorithm>
#include <cstdlib>
#include <vector>

namespace weft::http1 {

inline void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

/// Both parts lie in memory of exactly their size, so that AddressSanitizer sees every byte too many.
class CutInput {
public:
    CutInput(const uint8_t *data, size_t size) {
        choice_ = size > 0 ? data[0] : 0;
        const size_t at = size > 1 ? data[1] : 0;
        const size_t used = std::min<size_t>(size, 2);
        whole_.assign(data + used, data + size);
        first_.assign(whole_.begin(),
                      whole_.begin() + static_cast<std::ptrdiff_t>(std::min(at, whole_.size())));
        whole_.shrink_to_fit();
        first_.shrink_to_fit();
    }
    Bytes whole() const { return whole_; }
    Bytes first() const { return first_; }
    /// A free choice of 8 bits.
    uint8_t choice() const { return choice_; }

private:
    std::vector<uint8_t> whole_;
    std::vector<uint8_t> first_;
    uint8_t choice_ = 0;
};

} // namespace weft::http1
