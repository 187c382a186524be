// SPDX-License-Identifier: Apache-2.0
// Tells from a connection's first bytes whether an agent of the mesh speaks TLS on it.
#pragma once
#include "engine/tls/alpn.hpp"
#include <cstddef>
#include <span>

namespace weft::tls {

/// An agent's ClientHello has about 300 bytes; with fewer bytes than this, the answer may be `needs_more`.
inline constexpr size_t max_sniffed_bytes = 4096;

enum class Sniff : uint8_t {
    /// What is here could still become an agent's ClientHello.
    needs_more,
    /// `offered` holds at least one protocol of ours.
    weft_client_hello,
    /// A ClientHello of somebody else, or one that is malformed, cut into records, or too long.
    other_tls,
    not_tls,
};

struct Sniffed {
    Sniff kind = Sniff::needs_more;
    AlpnSet offered;
};

/// Looks at the first bytes of a connection (RFC 8446 sections 4.1.2 and 5.1). The answer does not depend on
/// how they were cut: once it is not `needs_more`, more bytes do not change it.
Sniffed sniff_client_hello(std::span<const uint8_t> first);

} // namespace weft::tls
