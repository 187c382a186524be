// SPDX-License-Identifier: Apache-2.0
// Things that the configuration defines once as bytes and verdicts name by a small id: edits, replies, status
// sets.
#pragma once
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace weft {

/// HTTP statuses.
using StatusSet = std::bitset<600>;

/// Ids 1 to 65535. A released id is free again once nothing in flight uses it.
template <class T> class DefinitionTable {
public:
    /// Nothing where all ids are taken.
    std::optional<uint16_t> define(T value) {
        size_t id = 1;
        if (!free_.empty()) {
            id = free_.back();
            free_.pop_back();
        } else {
            if (entries_.empty())
                entries_.emplace_back(); // id 0 is "none"
            if (entries_.size() > UINT16_MAX)
                return std::nullopt;
            id = entries_.size();
            entries_.emplace_back();
        }
        entries_[id].value = std::make_unique<T>(std::move(value));
        entries_[id].released = false;
        return static_cast<uint16_t>(id);
    }

    /// nullptr where the id is not defined (or 0).
    const T *get(uint16_t id) const { return id < entries_.size() ? entries_[id].value.get() : nullptr; }
    /// Like get, for a new use: a released id can only be used on by those that already hold it.
    const T *find(uint16_t id) const {
        return get(id) != nullptr && !entries_[id].released ? get(id) : nullptr;
    }

    void hold(uint16_t id) {
        if (id != 0)
            ++entries_[id].users;
    }

    void drop(uint16_t id) {
        if (id != 0 && --entries_[id].users == 0 && entries_[id].released)
            erase(id);
    }

    /// False where the id is not defined.
    bool release(uint16_t id) {
        if (find(id) == nullptr)
            return false;
        entries_[id].released = true;
        if (entries_[id].users == 0)
            erase(id);
        return true;
    }

private:
    struct Entry {
        std::unique_ptr<T> value;
        uint32_t users = 0;
        bool released = false;
    };

    void erase(uint16_t id) {
        entries_[id].value.reset();
        free_.push_back(id);
    }

    std::vector<Entry> entries_;
    std::vector<uint16_t> free_;
};

} // namespace weft
