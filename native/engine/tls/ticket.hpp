// SPDX-License-Identifier: Apache-2.0
// Resumption (RFC 8446 section 2.2): what stands for a certificate that was proved a short while ago.
#pragma once
#include "engine/tls/openssl-handles.hpp"
#include <array>
#include <cstddef>
#include <cstdint>

namespace weft::tls {

/// How long after the proof of its key a peer may come back without it, in seconds.
inline constexpr int64_t ticket_seconds = 600;
/// How long an identity encrypts its tickets by the same keys, in seconds.
inline constexpr int64_t ticket_key_seconds = 1800;

/// Client: larger ones are not kept. Ours hold a certificate and take about 1 KiB.
inline constexpr size_t max_ticket_bytes = 3072;

/// Client: what a server gave, for one further connection. (The ticket that a resumed connection gives ends
/// when its predecessor would have.)
struct Ticket {
    OwnedTlsSession session;
    /// Its end, in seconds since 1970: at most `ticket_seconds` after the last full handshake, and not after
    /// the end of either side's certificates.
    int64_t not_after = 0;
    /// As Session::peer_not_after of the connection that it came by.
    int64_t peer_not_after = 0;

    explicit operator bool() const { return session != nullptr; }
};

/// Server: where a ticket that it gives may be used, besides towards the same identity.
struct TicketScope {
    /// Grows when the caller wants all tickets of before to be void.
    uint64_t epoch = 0;
    /// The client's address, and the port that it called.
    std::array<uint8_t, 16> client{};
    uint16_t port = 0;
};

/// Server: what became of the ticket that a client offered. All but `taken` lead to a full handshake.
enum class TicketFate : uint8_t {
    none,
    taken,
    /// Of keys that are gone, too old, of another epoch, or its certificate would not be accepted now.
    outdated,
    /// From another address, or towards another port, than it was given for: honest clients do not do that.
    misplaced,
};

} // namespace weft::tls
