// SPDX-License-Identifier: Apache-2.0
// An IP address and port as everything in weft carries it: 16 bytes in network order, IPv4 as v4-mapped.
#pragma once
#include "abi.h"
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/socket.h>

namespace weft {

enum class Family : uint8_t { v4 = 0, v6 = 1 };

struct Address {
    std::array<uint8_t, 16> ip{};
    uint16_t port = 0; // host order

    auto operator<=>(const Address &) const = default;

    Family family() const;
    /// `1.2.3.4:80`, `[::1]:80`.
    std::string text() const;
    /// Fills a socket address of the address's own family; returns its length.
    socklen_t to_sockaddr(sockaddr_storage &out) const;
    weft_address to_abi() const;

    static Address from_sockaddr(const sockaddr_storage &in);
    static Address from_abi(const weft_address &in);
    /// An IP address in text; nothing where it is none.
    static std::optional<Address> parse(const std::string &ip, uint16_t port);
};

} // namespace weft
