// SPDX-License-Identifier: Apache-2.0
// Predicates over whole texts: what a name, a value, an authority or a path may be.
#include "engine/http1/parse-head.hpp"
#include "engine/http1/scan.hpp"

namespace weft::http1 {
namespace {

const uint8_t *begin_of(std::string_view text) {
    return reinterpret_cast<const uint8_t *>(text.data());
}
const uint8_t *end_of(std::string_view text) {
    return begin_of(text) + text.size();
}

bool is_port(std::string_view text) {
    if (text.empty() || text.size() > 5) {
        return false;
    }
    unsigned port = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') {
            return false;
        }
        port = port * 10 + static_cast<unsigned>(c - '0');
    }
    return port >= 1 && port <= 65535;
}

/// Hexadecimal digits, colons and dots: enough for a literal that is only compared and handed on.
bool is_ipv6_literal(std::string_view text) {
    if (text.size() < 2 || text.size() > 45) {
        return false;
    }
    unsigned colons = 0;
    for (const char c : text) {
        colons += c == ':' ? 1 : 0;
        if (c != ':' && c != '.' && !is_class(static_cast<uint8_t>(c), hex_character)) {
            return false;
        }
    }
    return colons >= 2;
}

} // namespace

bool is_token(std::string_view text) {
    bool odd = false;
    return !text.empty() && skip_token(begin_of(text), end_of(text), odd) == end_of(text);
}

bool is_field_value(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    if (!text.empty() && (blank(text.front()) || blank(text.back()))) {
        return false;
    }
    return skip_value(begin_of(text), end_of(text)) == end_of(text);
}

bool is_authority(std::string_view text) {
    constexpr size_t longest_host = 255;
    size_t host_end = 0;
    if (!text.empty() && text.front() == '[') {
        const size_t bracket = text.find(']');
        if (bracket == std::string_view::npos || !is_ipv6_literal(text.substr(1, bracket - 1))) {
            return false;
        }
        host_end = bracket + 1;
    } else {
        host_end =
            static_cast<size_t>(skip_class(begin_of(text), end_of(text), host_character) - begin_of(text));
    }
    if (host_end == 0 || host_end > longest_host) {
        return false;
    }
    return host_end == text.size() || (text[host_end] == ':' && is_port(text.substr(host_end + 1)));
}

bool is_path(std::string_view text) {
    if (text == "*") {
        return true;
    }
    return !text.empty() && text.front() == '/' && skip_target(begin_of(text), end_of(text)) == end_of(text);
}

bool is_plain_path(std::string_view text) {
    char before = 0;
    for (const char c : text) {
        switch (c) {
        case '?':
            return true;
        case '%':
        case ';':
        case '\\':
            return false;
        case '/':
        case '.':
            if (before == '/') {
                return false;
            }
            break;
        default:
            break;
        }
        before = c;
    }
    return true;
}

} // namespace weft::http1
