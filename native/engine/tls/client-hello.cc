// SPDX-License-Identifier: Apache-2.0
#include "engine/tls/client-hello.hpp"
#include <optional>
#include <string_view>

namespace weft::tls {

namespace {

constexpr size_t record_header = 5;
constexpr size_t handshake_header = 4;
constexpr size_t version_and_random = 2 + 32;
constexpr size_t max_session_id = 32;
constexpr size_t alpn_extension = 16;
constexpr uint8_t client_hello = 1;

/// Takes fields off a text; once one is missing, everything is.
class Reader {
public:
    explicit Reader(std::span<const uint8_t> bytes) : bytes_{bytes} {}

    bool ok() const { return ok_; }
    bool at_end() const { return bytes_.empty(); }
    std::span<const uint8_t> take(size_t size) {
        ok_ = ok_ && size <= bytes_.size();
        if (!ok_) {
            return {};
        }
        const auto part = bytes_.first(size);
        bytes_ = bytes_.subspan(size);
        return part;
    }
    size_t number(size_t width) {
        size_t value = 0;
        for (const uint8_t byte : take(width)) {
            value = value << 8 | byte;
        }
        return value;
    }
    /// A vector with its length in front (RFC 8446 section 3.4).
    std::span<const uint8_t> vector(size_t width) { return take(number(width)); }

private:
    std::span<const uint8_t> bytes_;
    bool ok_ = true;
};

/// Nothing where the list is malformed.
std::optional<AlpnSet> read_protocols(std::span<const uint8_t> extension) {
    Reader outer{extension};
    Reader list{outer.vector(2)};
    if (!outer.ok() || !outer.at_end() || list.at_end()) {
        return std::nullopt;
    }
    AlpnSet offered;
    while (!list.at_end()) {
        const auto name = list.vector(1);
        if (!list.ok() || name.empty()) {
            return std::nullopt;
        }
        offered.add(alpn_named({reinterpret_cast<const char *>(name.data()), name.size()}));
    }
    return offered;
}

/// What a complete ClientHello offers; nothing where it is malformed or offers none of ours.
std::optional<AlpnSet> read_hello(std::span<const uint8_t> body) {
    Reader hello{body};
    hello.take(version_and_random);
    const auto session_id = hello.vector(1);
    const auto suites = hello.vector(2);
    const auto compressions = hello.vector(1);
    Reader extensions{hello.vector(2)};
    if (!hello.ok() || !hello.at_end() || session_id.size() > max_session_id || suites.empty() ||
        suites.size() % 2 != 0 || compressions.empty()) {
        return std::nullopt;
    }
    std::optional<AlpnSet> offered;
    while (!extensions.at_end()) {
        const size_t type = extensions.number(2);
        const auto content = extensions.vector(2);
        if (!extensions.ok() || (type == alpn_extension && offered.has_value())) {
            return std::nullopt;
        }
        if (type == alpn_extension && !(offered = read_protocols(content)).has_value()) {
            return std::nullopt;
        }
    }
    return offered.has_value() && !offered->empty() ? offered : std::nullopt;
}

/// Whether the first bytes, as far as they are here, are those of a handshake record.
bool starts_like_handshake(std::span<const uint8_t> first) {
    const auto is = [first](size_t at, uint8_t low, uint8_t high) {
        return at >= first.size() || (first[at] >= low && first[at] <= high);
    };
    return is(0, 22, 22) && is(1, 3, 3) && is(2, 0, 4);
}

} // namespace

Sniffed sniff_client_hello(std::span<const uint8_t> first) {
    if (!starts_like_handshake(first)) {
        return {.kind = Sniff::not_tls, .offered = {}};
    }
    if (first.size() < record_header) {
        return {};
    }
    const size_t record = size_t{first[3]} << 8 | first[4];
    if (record <= handshake_header || record > max_sniffed_bytes - record_header) {
        return {.kind = Sniff::other_tls, .offered = {}};
    }
    // Behind the length, so that the answer to the first 5 bytes stands.
    if (first.size() > record_header && first[record_header] != client_hello) {
        return {.kind = Sniff::not_tls, .offered = {}};
    }
    if (first.size() < record_header + handshake_header) {
        return {};
    }
    const size_t body = size_t{first[6]} << 16 | size_t{first[7]} << 8 | first[8];
    if (body != record - handshake_header) {
        return {.kind = Sniff::other_tls, .offered = {}};
    }
    if (first.size() < record_header + record) {
        return {};
    }
    const std::optional<AlpnSet> offered = read_hello(first.subspan(record_header + handshake_header, body));
    if (!offered.has_value()) {
        return {.kind = Sniff::other_tls, .offered = {}};
    }
    return {.kind = Sniff::weft_client_hello, .offered = *offered};
}

} // namespace weft::tls
