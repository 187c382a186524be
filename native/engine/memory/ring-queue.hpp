// SPDX-License-Identifier: Apache-2.0
// First in, first out, in one growing ring: no allocation once it has seen its peak.
#pragma once
#include <cstddef>
#include <vector>

namespace weft {

template <class T> class RingQueue {
public:
    bool empty() const { return size_ == 0; }
    size_t size() const { return size_; }

    void push(const T &value) {
        if (size_ == slots_.size())
            grow();
        slots_[(first_ + size_++) & (slots_.size() - 1)] = value;
    }

    T pop() {
        T value = slots_[first_];
        first_ = (first_ + 1) & (slots_.size() - 1);
        --size_;
        return value;
    }

    const T &front() const { return slots_[first_]; }
    void clear() { first_ = size_ = 0; }

private:
    void grow() {
        std::vector<T> larger(slots_.empty() ? 16 : slots_.size() * 2);
        for (size_t i = 0; i < size_; ++i)
            larger[i] = slots_[(first_ + i) & (slots_.size() - 1)];
        slots_.swap(larger);
        first_ = 0;
    }

    std::vector<T> slots_;
    size_t first_ = 0;
    size_t size_ = 0;
};

} // namespace weft
