// SPDX-License-Identifier: Apache-2.0
// The application protocols that agents speak to each other (RFC 7301).
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace weft::tls {

/// The numbers are those of the `alpn` column of a `secured` row.
enum class Alpn : uint8_t { none = 0, http1 = 1, tcp = 2, http2 = 3 };

/// Best first: what a server chooses where a client offers several.
inline constexpr std::array<Alpn, 3> alpn_by_preference = {Alpn::http2, Alpn::http1, Alpn::tcp};

constexpr std::string_view name_of(Alpn alpn) {
    switch (alpn) {
    case Alpn::none:
        return "";
    case Alpn::http1:
        return "weft/h1";
    case Alpn::tcp:
        return "weft/tcp";
    case Alpn::http2:
        return "weft/h2";
    }
    return "";
}

/// `none` where it is not one of ours.
constexpr Alpn alpn_named(std::string_view name) {
    for (const Alpn alpn : alpn_by_preference) {
        if (name == name_of(alpn)) {
            return alpn;
        }
    }
    return Alpn::none;
}

/// A set of application protocols.
class AlpnSet {
public:
    constexpr AlpnSet() = default;
    constexpr AlpnSet(std::initializer_list<Alpn> all) {
        for (const Alpn alpn : all) {
            add(alpn);
        }
    }
    constexpr void add(Alpn alpn) {
        if (alpn != Alpn::none) {
            bits_ = static_cast<uint8_t>(bits_ | bit(alpn));
        }
    }
    constexpr bool has(Alpn alpn) const { return (bits_ & bit(alpn)) != 0; }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr bool operator==(const AlpnSet &) const = default;

private:
    static constexpr uint8_t bit(Alpn alpn) {
        return alpn == Alpn::none ? uint8_t{0} : static_cast<uint8_t>(1U << static_cast<unsigned>(alpn));
    }
    uint8_t bits_ = 0;
};

} // namespace weft::tls
