// SPDX-License-Identifier: Apache-2.0
// What one step of work wants to write to one connection, so that a head and the body behind it leave in one
// call. Borrowed pieces point into memory that stays as it is until the gather is flushed.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <sys/uio.h>

namespace weft {

class Gather {
public:
    static constexpr size_t max_vectors = 64;
    static constexpr size_t arena_bytes = size_t{160} << 10;

    bool empty() const { return bytes_ == 0; }
    size_t bytes() const { return bytes_; }
    /// Whether `vectors` more pieces and `copied` more bytes of its own memory fit.
    bool fits(size_t vectors, size_t copied) const {
        return count_ + vectors <= max_vectors && used_ + copied <= arena_bytes;
    }

    void borrow(std::string_view piece) {
        if (piece.empty())
            return;
        vectors_[count_++] = {const_cast<char *>(piece.data()), piece.size()};
        bytes_ += piece.size();
    }

    /// Memory to write a piece into; commit() says how much of it was used.
    std::span<uint8_t> reserve(size_t size) { return {arena_.get() + used_, size}; }
    void commit(size_t size) {
        borrow({reinterpret_cast<char *>(arena_.get()) + used_, size});
        used_ += size;
    }
    void copy(std::string_view piece) {
        std::memcpy(arena_.get() + used_, piece.data(), piece.size());
        commit(piece.size());
    }

    std::span<const iovec> vectors() const { return {vectors_.data(), count_}; }

    /// Makes one piece of a few small ones: copying them costs less than a call with several.
    void join() {
        if (count_ < 2 || bytes_ > join_bytes || !fits(0, bytes_))
            return;
        const std::span<uint8_t> whole = reserve(bytes_);
        size_t at = 0;
        for (const iovec &vector : vectors()) {
            std::memcpy(whole.data() + at, vector.iov_base, vector.iov_len);
            at += vector.iov_len;
        }
        used_ += bytes_;
        count_ = 1;
        vectors_[0] = {whole.data(), bytes_};
    }

    void clear() { count_ = bytes_ = used_ = 0; }

private:
    static constexpr size_t join_bytes = 4096;

    std::array<iovec, max_vectors> vectors_;
    size_t count_ = 0;
    size_t bytes_ = 0;
    size_t used_ = 0;
    std::unique_ptr<uint8_t[]> arena_ = std::make_unique<uint8_t[]>(arena_bytes);
};

} // namespace weft
