// SPDX-License-Identifier: Apache-2.0
#include "engine/connection/address.hpp"
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>

namespace weft {
namespace {
constexpr std::array<uint8_t, 12> v4_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
} // namespace

Family Address::family() const {
    return std::memcmp(ip.data(), v4_prefix.data(), v4_prefix.size()) == 0 ? Family::v4 : Family::v6;
}

std::string Address::text() const {
    char buffer[INET6_ADDRSTRLEN] = "";
    std::string out;
    if (family() == Family::v4) {
        out = inet_ntop(AF_INET, ip.data() + 12, buffer, sizeof buffer);
    } else {
        out.append("[").append(inet_ntop(AF_INET6, ip.data(), buffer, sizeof buffer)).append("]");
    }
    return out.append(":").append(std::to_string(port));
}

socklen_t Address::to_sockaddr(sockaddr_storage &out) const {
    out = {};
    if (family() == Family::v4) {
        auto &in = reinterpret_cast<sockaddr_in &>(out);
        in.sin_family = AF_INET;
        in.sin_port = htons(port);
        std::memcpy(&in.sin_addr, ip.data() + 12, 4);
        return sizeof in;
    }
    auto &in = reinterpret_cast<sockaddr_in6 &>(out);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    std::memcpy(&in.sin6_addr, ip.data(), 16);
    return sizeof in;
}

weft_address Address::to_abi() const {
    weft_address out{};
    std::memcpy(out.ip, ip.data(), 16);
    out.port = port;
    return out;
}

Address Address::from_sockaddr(const sockaddr_storage &in) {
    Address out;
    if (in.ss_family == AF_INET) {
        const auto &v4 = reinterpret_cast<const sockaddr_in &>(in);
        std::memcpy(out.ip.data(), v4_prefix.data(), v4_prefix.size());
        std::memcpy(out.ip.data() + 12, &v4.sin_addr, 4);
        out.port = ntohs(v4.sin_port);
    } else if (in.ss_family == AF_INET6) {
        const auto &v6 = reinterpret_cast<const sockaddr_in6 &>(in);
        std::memcpy(out.ip.data(), &v6.sin6_addr, 16);
        out.port = ntohs(v6.sin6_port);
    }
    return out;
}

Address Address::from_abi(const weft_address &in) {
    Address out;
    std::memcpy(out.ip.data(), in.ip, 16);
    out.port = in.port;
    return out;
}

std::optional<Address> Address::parse(const std::string &ip, uint16_t port) {
    Address out;
    out.port = port;
    if (inet_pton(AF_INET6, ip.c_str(), out.ip.data()) == 1)
        return out;
    std::memcpy(out.ip.data(), v4_prefix.data(), v4_prefix.size());
    if (inet_pton(AF_INET, ip.c_str(), out.ip.data() + 12) == 1)
        return out;
    return std::nullopt;
}

} // namespace weft
