// SPDX-License-Identifier: Apache-2.0
// What endpoints gave to shorten the next handshake with them. The key names the source's identity and its
// generation, the endpoint's, and its address, so that a ticket never serves another workload or another
// peer.
#pragma once
#include "engine/dial/upstream-pool.hpp"
#include "engine/tls/ticket.hpp"
#include <list>

namespace weft {

class TicketCache {
public:
    /// The one that came last, which is not given again; none where there is none that still holds.
    tls::Ticket take(const PoolKey &key, int64_t now);
    /// Makes room by dropping what came first.
    void give(const PoolKey &key, tls::Ticket ticket, int64_t now);

    template <class Match> void remove_if(Match match) {
        for (auto list = by_key_.begin(); list != by_key_.end();) {
            if (!match(list->first)) {
                ++list;
                continue;
            }
            for (const Place place : list->second)
                order_.erase(place);
            list = by_key_.erase(list);
        }
    }

    void clear() {
        by_key_.clear();
        order_.clear();
    }
    size_t size() const { return order_.size(); }

    /// About 7 KiB each.
    static constexpr size_t most = 2048;
    /// As many as a client that opens connections side by side can use.
    static constexpr size_t most_of_one = 16;

private:
    struct Entry {
        PoolKey key;
        tls::Ticket ticket;
    };
    using Place = std::list<Entry>::iterator;

    void drop_first_of(const PoolKey &key);

    std::list<Entry> order_; // as they came
    std::unordered_map<PoolKey, std::vector<Place>, PoolKeyHash> by_key_;
};

} // namespace weft
