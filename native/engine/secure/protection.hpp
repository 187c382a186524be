// SPDX-License-Identifier: Apache-2.0
// A connection's TLS, from the moment that it is wanted until the connection ends. What is encrypted goes
// straight into the connection's outbox, so an empty outbox means for TLS too that everything was sent.
#pragma once
#include "engine/memory/block.hpp"
#include "engine/tls/session.hpp"
#include <memory>
#include <string>

namespace weft {

struct Protection {
    std::shared_ptr<const tls::Identity> identity;
    /// What to accept, or to offer.
    tls::AlpnSet alpns;
    /// upstream: the SPIFFE id that the endpoint must prove.
    std::string expected;
    /// Engine::ticket_epoch_ of its beginning.
    uint64_t epoch = 0;
    /// Made at its first step: that costs a key exchange, so it waits for its turn.
    std::unique_ptr<tls::Session> session{};
    /// Ciphertext that was read before there was room for its plaintext.
    Inbox held{};
    /// The session can give plaintext without another byte from the wire.
    bool more = false;
    /// It waits in its workload's queue of handshakes.
    bool queued = false;
    /// Of a caller: its handshake has begun, and is not done.
    bool unfinished = false;
    uint64_t begun_ms = 0;
    bool established = false;
    bool said_goodbye = false;

    /// The connection has something to read that no edge of epoll will tell.
    bool holds() const { return more || held.size() > 0; }
};

} // namespace weft
