// SPDX-License-Identifier: Apache-2.0
#include "engine/dial/upstream-pool.hpp"
#include <algorithm>
#include <cstring>

namespace weft {

size_t PoolKeyHash::operator()(const PoolKey &key) const {
    uint64_t halves[2];
    std::memcpy(halves, key.address.ip.data(), sizeof halves);
    uint64_t mix = halves[0] * 0x9e3779b97f4a7c15U;
    const auto add = [&mix](uint64_t value) {
        mix = (mix ^ value) * 0xff51afd7ed558ccdU;
        mix ^= mix >> 32;
    };
    add(halves[1]);
    add(uint64_t{key.workload} << 32 | key.destination);
    add(uint64_t{key.generation} << 32 | key.address.port);
    add(uint64_t{key.peer} << 32 | key.identity);
    return mix;
}

Handle UpstreamPool::take(const PoolKey &key) {
    const auto entry = entries_.find(key);
    if (entry == entries_.end() || entry->second.empty())
        return {};
    const Handle connection = entry->second.back();
    entry->second.pop_back();
    --idle_;
    return connection;
}

bool UpstreamPool::give(const PoolKey &key, Handle connection, size_t limit) {
    if (entries_.size() >= forget_at_)
        forget_empty();
    std::vector<Handle> &list = entries_[key];
    if (list.size() >= limit)
        return false;
    list.push_back(connection);
    ++idle_;
    return true;
}

void UpstreamPool::remove(const PoolKey &key, Handle connection) {
    const auto entry = entries_.find(key);
    if (entry == entries_.end())
        return;
    const auto found = std::find(entry->second.begin(), entry->second.end(), connection);
    if (found == entry->second.end())
        return;
    entry->second.erase(found);
    --idle_;
    if (entry->second.empty())
        entries_.erase(entry);
}

void UpstreamPool::forget_empty() {
    std::erase_if(entries_, [](const auto &entry) { return entry.second.empty(); });
    forget_at_ = std::max<size_t>(1024, entries_.size() * 2);
}

} // namespace weft
