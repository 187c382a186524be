// SPDX-License-Identifier: Apache-2.0
#include "engine/secure/ticket-cache.hpp"

namespace weft {

tls::Ticket TicketCache::take(const PoolKey &key, int64_t now) {
    const auto list = by_key_.find(key);
    if (list == by_key_.end())
        return {};
    const Place last = list->second.back();
    tls::Ticket ticket = std::move(last->ticket);
    order_.erase(last);
    list->second.pop_back();
    if (list->second.empty())
        by_key_.erase(list);
    return now < ticket.not_after ? std::move(ticket) : tls::Ticket{};
}

void TicketCache::give(const PoolKey &key, tls::Ticket ticket, int64_t now) {
    // Those that came first end first, more or less; `take` looks at each.
    while (!order_.empty() && (order_.size() >= most || now >= order_.front().ticket.not_after))
        drop_first_of(PoolKey{order_.front().key});
    if (const auto list = by_key_.find(key); list != by_key_.end() && list->second.size() >= most_of_one)
        drop_first_of(key);
    order_.push_back({key, std::move(ticket)});
    by_key_[key].push_back(std::prev(order_.end()));
}

/// Of one key the first one in its list is the first one that came.
void TicketCache::drop_first_of(const PoolKey &key) {
    const auto list = by_key_.find(key);
    order_.erase(list->second.front());
    list->second.erase(list->second.begin());
    if (list->second.empty())
        by_key_.erase(list);
}

} // namespace weft
