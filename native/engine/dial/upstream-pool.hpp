// SPDX-License-Identifier: Apache-2.0
// Idle upstream connections, by whom they may serve. The key names the source workload: a connection that
// leaves from one pod's namespace never carries another pod's request.
#pragma once
#include "engine/connection/address.hpp"
#include "engine/memory/slab.hpp"
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace weft {

struct PoolKey {
    uint32_t workload = 0;
    uint32_t destination = 0;
    uint32_t generation = 0;
    /// Number of the SPIFFE id that the endpoint must prove; 0: plaintext.
    uint32_t peer = 0;
    /// Serial number of the source's identity; 0: plaintext.
    uint32_t identity = 0;
    Address address;

    bool operator==(const PoolKey &) const = default;
};

struct PoolKeyHash {
    size_t operator()(const PoolKey &key) const;
};

class UpstreamPool {
public:
    /// The connection that was given back last, or a null handle.
    Handle take(const PoolKey &key);
    /// False where the key already has `limit` idle connections.
    bool give(const PoolKey &key, Handle connection, size_t limit);
    void remove(const PoolKey &key, Handle connection);
    /// All of a key, in the order in which they were given; nullptr where there is none.
    const std::vector<Handle> *find(const PoolKey &key) const {
        const auto entry = entries_.find(key);
        return entry == entries_.end() ? nullptr : &entry->second;
    }
    size_t idle() const { return idle_; }

    /// Removes and visits the idle connections whose key `match` selects.
    template <class Match, class Visit> void remove_if(Match match, Visit visit) {
        std::vector<Handle> removed;
        for (auto entry = entries_.begin(); entry != entries_.end();) {
            if (!match(entry->first)) {
                ++entry;
                continue;
            }
            removed.insert(removed.end(), entry->second.begin(), entry->second.end());
            idle_ -= entry->second.size();
            entry = entries_.erase(entry);
        }
        for (Handle connection : removed)
            visit(connection);
    }

private:
    void forget_empty();

    // Empty lists stay, so that a steady load allocates nothing, until there are many of them.
    std::unordered_map<PoolKey, std::vector<Handle>, PoolKeyHash> entries_;
    size_t idle_ = 0;
    size_t forget_at_ = 1024;
};

} // namespace weft
