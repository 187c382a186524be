// SPDX-License-Identifier: Apache-2.0
// What the engine knows of field names, and how it finds them. Private to this library.
#pragma once
#include "engine/http1/message.hpp"
#include <bit>
#include <cstring>
#include <type_traits>

namespace weft::http1 {

/// Bits of `field_rules`.
enum : uint8_t {
    /// Never forwarded as it came: for this hop only.
    hop_rule = 1,
    /// Connection may not nominate it.
    keep_rule = 2,
    /// May not stand in a trailer section (RFC 9110 section 6.5.1).
    no_trailer_rule = 4,
    /// Nobody but the engine writes it.
    reserved_rule = 8,
    /// Refused when it comes with `_` for `-`: servers that map both to one name would take it for this one.
    guarded_rule = 16,
};

uint8_t field_rules(FieldId id);

/// True for a name like `Content_Length`, which some servers take for the guarded field.
bool imitates_guarded_field(std::string_view name);

/// A name by which agents tell something to each other and to applications, or one that servers take for it.
bool is_mesh_name(std::string_view name);

/// Whether a trailer section may hold it: nothing that forges (RFC 9110 section 6.5.1).
bool may_be_trailer(FieldId id, std::string_view name);

/// `get` is another method than GET, but not to every server: it must not slip past a rule about GET.
bool imitates_known_method(std::string_view method);

namespace detail {

constexpr uint64_t load(const char *at, int bytes) {
    if (std::is_constant_evaluated() || std::endian::native != std::endian::little) {
        uint64_t value = 0;
        for (int i = 0; i < bytes; ++i) {
            value |= static_cast<uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
        }
        return value;
    }
    if (bytes == 8) {
        uint64_t value = 0;
        std::memcpy(&value, at, 8);
        return value;
    }
    uint32_t value = 0;
    std::memcpy(&value, at, 4);
    return value;
}

/// First and last bytes of a name, which may overlap.
struct Ends {
    uint64_t head;
    uint64_t tail;
};

constexpr Ends load_ends(const char *at, size_t size) {
    if (size >= 8) {
        return {load(at, 8), load(at + size - 8, 8)};
    }
    if (size >= 4) {
        return {load(at, 4), load(at + size - 4, 4)};
    }
    uint64_t all = 0;
    for (size_t i = 0; i < size; ++i) {
        all |= static_cast<uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
    }
    return {all, 0};
}

/// Eight ASCII characters in lower case at once; bytes from 0x80 stay as they are.
constexpr uint64_t lower_case(uint64_t word) {
    constexpr uint64_t ones = 0x0101010101010101;
    const uint64_t low = word & (0x7f * ones);
    const uint64_t above_z = low + (0x7f - 'Z') * ones;
    const uint64_t from_a = low + (0x80 - 'A') * ones;
    const uint64_t upper = ~word & (from_a ^ above_z) & (0x80 * ones);
    return word | (upper >> 2);
}

} // namespace detail

constexpr uint32_t hash_name_of(const char *at, size_t size) {
    const auto [head, tail] = detail::load_ends(at, size);
    constexpr uint64_t fold = 0x2020202020202020;
    uint64_t hash = (head | fold) * 0x9e3779b97f4a7c15 + size;
    hash ^= (tail | fold) * 0xc2b2ae3d27d4eb4f;
    hash ^= hash >> 32;
    return static_cast<uint32_t>((hash * 0xff51afd7ed558ccd) >> 32);
}

/// `find_field_id` for a name whose hash is known.
FieldId find_field_id(std::string_view name, uint32_t hash);

} // namespace weft::http1
