// SPDX-License-Identifier: Apache-2.0
// Numbers for the SPIFFE ids that endpoints must prove, so that the keys of pools stay small and equal ids
// share connections.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>

namespace weft {

class PeerNumbers {
public:
    /// 1 and up; 0 for no id. A number is given once: an id that comes back gets another.
    uint32_t hold(const std::string &id) {
        if (id.empty())
            return 0;
        Entry &entry = entries_[id];
        if (entry.users++ == 0)
            entry.number = next_++;
        return entry.number;
    }

    void drop(const std::string &id) {
        const auto found = entries_.find(id);
        if (found != entries_.end() && --found->second.users == 0)
            entries_.erase(found);
    }

private:
    struct Entry {
        uint32_t number = 0;
        uint32_t users = 0;
    };

    std::unordered_map<std::string, Entry> entries_;
    uint32_t next_ = 1;
};

} // namespace weft
