// SPDX-License-Identifier: Apache-2.0
// Finds the end of tokens, targets and values 16 bytes at a time (SSE2 is part of x86-64); other machines and
// the last 15 bytes go through a table. Nothing is read at or behind `end`.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace weft::http1 {

/// Bits of `character_class`.
enum : uint8_t {
    token_character = 1,
    /// Letters, digits and `-`: what field names are made of in practice.
    plain_character = 2,
    /// Not a control character, or a tab.
    value_character = 4,
    /// Visible ASCII but `#`.
    target_character = 8,
    /// Unreserved (RFC 3986 section 2.3): what a host name may hold here.
    host_character = 16,
    digit_character = 32,
    hex_character = 64,
};

constexpr std::array<uint8_t, 256> make_character_classes() {
    std::array<uint8_t, 256> table{};
    for (unsigned c = 0; c < 256; ++c) {
        const bool digit = c >= '0' && c <= '9';
        const bool upper = c >= 'A' && c <= 'Z';
        const bool lower = c >= 'a' && c <= 'z';
        const bool plain = digit || upper || lower || c == '-';
        bool token = plain;
        for (const char mark : {'!', '#', '$', '%', '&', '\'', '*', '+', '.', '^', '_', '`', '|', '~'}) {
            token = token || c == static_cast<unsigned char>(mark);
        }
        uint8_t bits = 0;
        bits |= token ? token_character : 0;
        bits |= plain ? plain_character : 0;
        bits |= (c >= 0x20 && c != 0x7f) || c == '\t' ? value_character : 0;
        bits |= c > 0x20 && c < 0x7f && c != '#' ? target_character : 0;
        bits |= plain || c == '.' || c == '_' || c == '~' ? host_character : 0;
        bits |= digit ? digit_character : 0;
        bits |= digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ? hex_character : 0;
        table[c] = bits;
    }
    return table;
}
inline constexpr std::array<uint8_t, 256> character_class = make_character_classes();

inline bool is_class(uint8_t byte, uint8_t bits) {
    return (character_class[byte] & bits) != 0;
}

/// First byte that is not in the class, or `end`.
inline const uint8_t *skip_class(const uint8_t *at, const uint8_t *end, uint8_t bits) {
    while (at != end && is_class(*at, bits)) {
        ++at;
    }
    return at;
}

#if defined(__SSE2__)
inline __m128i load16(const uint8_t *at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i *>(at));
}

/// Bytes with `low` <= byte <= `low` + `width`, as unsigned numbers.
inline __m128i in_range(__m128i bytes, char low, char width) {
    const __m128i shifted = _mm_sub_epi8(bytes, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_min_epu8(shifted, _mm_set1_epi8(width)), shifted);
}

/// Index of the first byte whose mask is zero; 16 where there is none.
inline int first_outside(__m128i inside) {
    return std::countr_zero(~static_cast<unsigned>(_mm_movemask_epi8(inside)));
}
#endif

/// End of a token; `odd` is set where it holds more than letters, digits and `-`.
inline const uint8_t *skip_token(const uint8_t *at, const uint8_t *end, bool &odd) {
#if defined(__SSE2__)
    while (end - at >= 16) {
        const __m128i bytes = load16(at);
        const __m128i letters = in_range(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 25);
        const __m128i others =
            _mm_or_si128(in_range(bytes, '0', 9), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
        const int outside = first_outside(_mm_or_si128(letters, others));
        at += outside;
        if (outside < 16) {
            break;
        }
    }
#endif
    for (; at != end && is_class(*at, token_character); ++at) {
        odd = odd || !is_class(*at, plain_character);
    }
    return at;
}

/// First byte that is no `value_character`.
inline const uint8_t *skip_value(const uint8_t *at, const uint8_t *end) {
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        const __m128i bytes = load16(at);
        const __m128i control = in_range(bytes, 0, 0x1f);
        const __m128i bad =
            _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')), control),
                         _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(bad));
        if (mask != 0) {
            return at + std::countr_zero(mask);
        }
    }
#endif
    return skip_class(at, end, value_character);
}

/// First byte that is no `target_character`.
inline const uint8_t *skip_target(const uint8_t *at, const uint8_t *end) {
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        const __m128i bytes = load16(at);
        const __m128i good =
            _mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('#')), in_range(bytes, 0x21, 0x5d));
        const int outside = first_outside(good);
        if (outside < 16) {
            return at + outside;
        }
    }
#endif
    return skip_class(at, end, target_character);
}

} // namespace weft::http1
