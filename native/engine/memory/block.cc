// SPDX-License-Identifier: Apache-2.0
#include "engine/memory/block.hpp"
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace weft {

BlockPool::~BlockPool() {
    for (auto &list : free_)
        for (Block *block : list)
            std::free(block);
}

Block *BlockPool::take(size_t bytes) {
    uint32_t size_class = 0;
    while (size_class + 1 < sizes.size() && sizes[size_class] < bytes)
        ++size_class;
    ++out_;
    auto &list = free_[size_class];
    if (!list.empty()) {
        Block *block = list.back();
        list.pop_back();
        block->next = nullptr;
        block->begin = block->end = 0;
        return block;
    }
    void *memory = std::malloc(sizeof(Block) + sizes[size_class]);
    if (memory == nullptr)
        std::abort(); // out of memory: the process cannot serve anybody; capture keeps the listeners
    auto *block = new (memory) Block;
    block->capacity = sizes[size_class];
    block->size_class = size_class;
    return block;
}

void BlockPool::give(Block *block) {
    --out_;
    auto &list = free_[block->size_class];
    if (list.size() * block->capacity >= kept_bytes)
        std::free(block);
    else
        list.push_back(block);
}

void ByteQueue::append(BlockPool &pool, std::string_view bytes) {
    size_ += bytes.size();
    while (!bytes.empty()) {
        if (tail_ == nullptr || tail_->room() == 0) {
            Block *block = pool.take(bytes.size());
            (tail_ == nullptr ? head_ : tail_->next) = block;
            tail_ = block;
        }
        const size_t part = std::min<size_t>(bytes.size(), tail_->room());
        std::memcpy(tail_->data() + tail_->end, bytes.data(), part);
        tail_->end += static_cast<uint32_t>(part);
        bytes.remove_prefix(part);
    }
}

int ByteQueue::vectors(iovec *out, int count) const {
    int used = 0;
    for (Block *block = head_; block != nullptr && used < count; block = block->next)
        out[used++] = {block->data() + block->begin, block->size()};
    return used;
}

void ByteQueue::consume(BlockPool &pool, size_t bytes) {
    size_ -= bytes;
    while (head_ != nullptr && bytes >= head_->size()) {
        bytes -= head_->size();
        Block *done = head_;
        head_ = head_->next;
        pool.give(done);
    }
    if (head_ == nullptr)
        tail_ = nullptr;
    else
        head_->begin += static_cast<uint32_t>(bytes);
}

size_t ByteQueue::take(BlockPool &pool, std::span<uint8_t> room) {
    size_t taken = 0;
    while (head_ != nullptr && taken < room.size()) {
        const std::string_view piece = head_->view().substr(0, room.size() - taken);
        std::memcpy(room.data() + taken, piece.data(), piece.size());
        taken += piece.size();
        consume(pool, piece.size());
    }
    return taken;
}

void ByteQueue::clear(BlockPool &pool) {
    consume(pool, size_);
}

void Inbox::reserve(BlockPool &pool, size_t more) {
    if (block_ != nullptr && block_->room() >= more)
        return;
    const size_t held = size();
    if (block_ != nullptr && block_->capacity >= held + more) {
        std::memmove(block_->data(), block_->data() + block_->begin, held);
    } else {
        Block *larger = pool.take(held + more);
        if (block_ != nullptr) {
            std::memcpy(larger->data(), block_->data() + block_->begin, held);
            pool.give(block_);
        }
        block_ = larger;
    }
    block_->begin = 0;
    block_->end = static_cast<uint32_t>(held);
}

iovec Inbox::space(BlockPool &pool, size_t limit) {
    limit = std::min<size_t>(limit, BlockPool::largest);
    if (size() >= limit)
        return {nullptr, 0};
    if (block_ == nullptr || block_->room() == 0)
        reserve(pool, block_ == nullptr || block_->begin > 0 ? 1
                      : size() + 1 > limit / 2               ? limit - size()
                                                             : size() + 1);
    return {block_->data() + block_->end, std::min<size_t>(block_->room(), limit - size())};
}

void Inbox::append(BlockPool &pool, std::string_view bytes) {
    if (bytes.empty())
        return;
    reserve(pool, bytes.size());
    std::memcpy(block_->data() + block_->end, bytes.data(), bytes.size());
    block_->end += static_cast<uint32_t>(bytes.size());
}

void Inbox::consume(BlockPool &pool, size_t bytes) {
    if (block_ == nullptr)
        return;
    block_->begin += static_cast<uint32_t>(bytes);
    if (block_->begin == block_->end)
        clear(pool);
}

void Inbox::clear(BlockPool &pool) {
    if (block_ != nullptr)
        pool.give(block_);
    block_ = nullptr;
}

} // namespace weft
