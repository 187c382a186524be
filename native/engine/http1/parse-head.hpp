// SPDX-License-Identifier: Apache-2.0
// Strict, resumable parsing of HTTP/1.x heads (RFC 9110, RFC 9112). README.md lists what is done with every
// oddity.
#pragma once
#include "engine/http1/message.hpp"

namespace weft::http1 {

enum class Parse : uint8_t {
    /// The head is not complete; call again with more bytes behind the same ones.
    need_more,
    /// `head.length` bytes were the head.
    complete,
    /// `why` says which rule was broken; the bytes after it mean nothing any more, so the connection must
    /// end.
    refused,
};

/// Parses the request head at the start of `input`. `input` may grow, and may move, between calls; `head`
/// must stay. Every line is parsed once, when its end is here, so the result does not depend on how the bytes
/// were cut.
Parse parse_request_head(Bytes input, const Limits &limits, RequestHead &head, Reason &why);

/// Same for a response. Refuses with http1_bad_response (`head.detail` tells more) or http1_upgrade_refused.
Parse parse_response_head(Bytes input, const ResponseContext &context, const Limits &limits,
                          ResponseHead &head, Reason &why);

/// True for `host [":" port]` as this mesh accepts it: letters, digits, `-._~`, or an IPv6 address in
/// brackets; port 1 to 65535. No user information, percent signs, white space or 8-bit characters (RFC 3986
/// section 3.2).
bool is_authority(std::string_view text);
/// True for a path with an optional query, or `*`: starts with `/`, visible ASCII only, no `#`.
bool is_path(std::string_view text);
/// True for a token (RFC 9110 section 5.6.2).
bool is_token(std::string_view text);
/// True for a field value: no control character but tab, no white space at its ends. Empty is allowed.
bool is_field_value(std::string_view text);
/// True where the path before `?` holds no `%`, `;`, backslash, `//` or `/.`.
bool is_plain_path(std::string_view text);

} // namespace weft::http1
