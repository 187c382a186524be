// SPDX-License-Identifier: Apache-2.0
// Pooled memory of one engine, and the two ways it is used: a queue of bytes to send and a contiguous inbox.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <sys/uio.h>
#include <vector>

namespace weft {

/// A piece of pooled memory; the bytes follow the header.
struct Block {
    Block *next = nullptr;
    uint32_t begin = 0;
    uint32_t end = 0;
    uint32_t capacity = 0;
    uint32_t size_class = 0;

    char *data() { return reinterpret_cast<char *>(this + 1); }
    const char *data() const { return reinterpret_cast<const char *>(this + 1); }
    uint32_t size() const { return end - begin; }
    uint32_t room() const { return capacity - end; }
    std::string_view view() const { return {data() + begin, size()}; }
};

/// Blocks of three sizes. Keeps what is given back, up to a bound, so that a steady load allocates nothing.
class BlockPool {
public:
    static constexpr std::array<uint32_t, 3> sizes = {4096, 16384, 65536};
    static constexpr uint32_t largest = sizes.back();

    BlockPool() = default;
    BlockPool(const BlockPool &) = delete;
    BlockPool &operator=(const BlockPool &) = delete;
    ~BlockPool();

    /// The smallest block that holds `bytes`; at most `largest`.
    Block *take(size_t bytes);
    void give(Block *block);
    /// Blocks that are out; 0 when nothing is leaked.
    size_t out() const { return out_; }

private:
    static constexpr size_t kept_bytes = size_t{8} << 20; // per size
    std::array<std::vector<Block *>, 3> free_;
    size_t out_ = 0;
};

/// First in, first out; bytes that wait to be written.
class ByteQueue {
public:
    size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    void append(BlockPool &pool, std::string_view bytes);
    /// Fills up to `count` vectors from the front; returns how many.
    int vectors(iovec *out, int count) const;
    void consume(BlockPool &pool, size_t bytes);
    /// Copies from the front into `room` and consumes that; returns how many bytes.
    size_t take(BlockPool &pool, std::span<uint8_t> room);
    void clear(BlockPool &pool);
    /// Calls visit(string_view) for each piece, front to back.
    template <class Visit> void each(Visit visit) const {
        for (Block *block = head_; block != nullptr; block = block->next)
            visit(block->view());
    }

private:
    Block *head_ = nullptr;
    Block *tail_ = nullptr;
    size_t size_ = 0;
};

/// Bytes that were read and not yet understood, contiguous. Holds memory only while it holds bytes.
class Inbox {
public:
    std::string_view view() const { return block_ == nullptr ? std::string_view{} : block_->view(); }
    size_t size() const { return block_ == nullptr ? 0 : block_->size(); }
    /// Makes room for at least one more byte where `limit` bytes in all are not reached; the free range
    /// behind the end.
    iovec space(BlockPool &pool, size_t limit);
    void grew(size_t bytes) { block_->end += static_cast<uint32_t>(bytes); }
    /// `bytes` must fit: at most BlockPool::largest in all.
    void append(BlockPool &pool, std::string_view bytes);
    void consume(BlockPool &pool, size_t bytes);
    void clear(BlockPool &pool);
    /// After space() that was not used.
    void give_back_if_empty(BlockPool &pool) {
        if (size() == 0)
            clear(pool);
    }

private:
    void reserve(BlockPool &pool, size_t more);
    Block *block_ = nullptr;
};

} // namespace weft
