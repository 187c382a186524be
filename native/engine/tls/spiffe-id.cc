// SPDX-License-Identifier: Apache-2.0
#include "engine/tls/spiffe-id.hpp"
#include <algorithm>

namespace weft::tls {

namespace {

constexpr std::string_view scheme = "spiffe://";

bool is_trust_domain_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool is_segment_character(char c) {
    return is_trust_domain_character(c) || (c >= 'A' && c <= 'Z');
}

bool is_segment(std::string_view text) {
    return !text.empty() && text != "." && text != ".." && std::ranges::all_of(text, is_segment_character);
}

} // namespace

bool is_spiffe_id(std::string_view text) {
    if (text.size() > max_spiffe_id_bytes || !text.starts_with(scheme)) {
        return false;
    }
    text.remove_prefix(scheme.size());
    const size_t slash = text.find('/');
    if (slash == 0 || slash > 255 || slash == std::string_view::npos ||
        !std::ranges::all_of(text.substr(0, slash), is_trust_domain_character)) {
        return false;
    }
    for (text.remove_prefix(slash + 1);;) {
        const size_t end = text.find('/');
        if (!is_segment(text.substr(0, end))) {
            return false;
        }
        if (end == std::string_view::npos) {
            return true;
        }
        text.remove_prefix(end + 1);
    }
}

bool is_system_id(std::string_view spiffe_id) {
    spiffe_id.remove_prefix(scheme.size() + trust_domain_of(spiffe_id).size());
    return spiffe_id.starts_with("/weft/");
}

std::string_view trust_domain_of(std::string_view spiffe_id) {
    spiffe_id.remove_prefix(scheme.size());
    return spiffe_id.substr(0, spiffe_id.find('/'));
}

} // namespace weft::tls
