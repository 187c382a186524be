// SPDX-License-Identifier: Apache-2.0
// Slots that are reused and never move. What crosses connections is a Handle, never a pointer: a handle goes
// stale the moment its slot is retired, and the memory stays readable until sweep(), so that a step of work
// that has just closed its own connection touches no freed memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace weft {

/// Names a slot of a Slab. Generation 0 names nothing.
struct Handle {
    uint32_t index = 0;
    uint32_t generation = 0;

    explicit operator bool() const { return generation != 0; }
    bool operator==(const Handle &) const = default;
};

/// T needs a default constructor, a member `Handle self` and reset(), which makes a used T as good as new.
template <class T> class Slab {
public:
    /// A fresh T in its own slot.
    T &acquire() {
        if (free_.empty())
            grow();
        const uint32_t index = free_.back();
        free_.pop_back();
        Slot &slot = at(index);
        slot.value.reset();
        slot.live = true;
        slot.value.self = {index, slot.generation};
        ++live_;
        return slot.value;
    }

    /// The thing that a handle names, or nullptr once it was retired.
    T *get(Handle handle) {
        if (handle.generation == 0 || handle.index >= size_)
            return nullptr;
        Slot &slot = at(handle.index);
        return slot.live && slot.generation == handle.generation ? &slot.value : nullptr;
    }

    /// Makes every handle to it stale now; the slot is reused after the next sweep().
    void retire(T &value) {
        Slot &slot = at(value.self.index);
        slot.live = false;
        if (++slot.generation == 0)
            slot.generation = 1;
        retired_.push_back(value.self.index);
        --live_;
    }

    void sweep() {
        free_.insert(free_.end(), retired_.begin(), retired_.end());
        retired_.clear();
    }

    /// Calls `visit` for every live value; it may retire the one it is given.
    template <class Visit> void each(Visit visit) {
        for (uint32_t index = 0; index < size_; ++index) {
            Slot &slot = at(index);
            if (slot.live)
                visit(slot.value);
        }
    }

    size_t live() const { return live_; }

private:
    static constexpr uint32_t chunk_slots = 64;

    struct Slot {
        T value{};
        uint32_t generation = 1;
        bool live = false;
    };

    Slot &at(uint32_t index) { return chunks_[index / chunk_slots][index % chunk_slots]; }

    void grow() {
        chunks_.push_back(std::make_unique<Slot[]>(chunk_slots));
        free_.reserve(size_ + chunk_slots);
        retired_.reserve(size_ + chunk_slots);
        for (uint32_t slot = chunk_slots; slot > 0; --slot)
            free_.push_back(size_ + slot - 1);
        size_ += chunk_slots;
    }

    std::vector<std::unique_ptr<Slot[]>> chunks_;
    std::vector<uint32_t> free_;
    std::vector<uint32_t> retired_;
    uint32_t size_ = 0;
    size_t live_ = 0;
};

} // namespace weft
