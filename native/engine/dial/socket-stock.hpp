// SPDX-License-Identifier: Apache-2.0
// Ready-made sockets of one workload and family, made in its namespace by capture; dials that found none wait
// here.
#pragma once
#include "engine/memory/ring-queue.hpp"
#include "engine/memory/slab.hpp"
#include <cstdint>

namespace weft {

class SocketStock {
public:
    SocketStock() = default;
    SocketStock(const SocketStock &) = delete;
    SocketStock &operator=(const SocketStock &) = delete;
    ~SocketStock() { clear(); }

    /// A socket, owned by the caller from now on; -1 where there is none.
    int take();
    /// Takes ownership.
    void add(int descriptor);
    void wait(Handle connection) { waiting_.push(connection); }
    /// Next one that waits, while sockets last; a null handle otherwise.
    Handle next_waiting();
    /// How many to ask for now; 0 where enough are here or on their way. Asks once until the answer came, or
    /// again after `ask_again_ms`.
    uint32_t missing(uint64_t now_ms);
    size_t size() const { return sockets_.size(); }
    /// Closes all; what waits is forgotten (its timer ends it).
    void clear();

private:
    static constexpr uint32_t least = 16;
    static constexpr uint32_t most = 256;
    static constexpr uint32_t most_at_once = 253; // SCM_MAX_FD: one message carries no more (unix(7))
    static constexpr uint64_t ask_again_ms = 1000;

    RingQueue<int> sockets_;
    RingQueue<Handle> waiting_;
    uint32_t target_ = least;
    uint32_t asked_ = 0;
    uint64_t asked_ms_ = 0;
};

} // namespace weft
