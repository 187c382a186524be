// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/field-table.hpp"
#include "engine/http1/parse-fields.hpp"
#include "engine/http1/scan.hpp"
#include <cstring>

namespace weft::http1 {
namespace {

/// A whole status line: `line` ends with its LF. The space before an empty reason phrase may be missing, as
/// many servers leave it out and nothing else could be meant.
Reason read_status_line(std::string_view line, uint32_t offset, ResponseHead &head) {
    const bool http11 = line.substr(0, 9) == "HTTP/1.1 ";
    if (!http11 && line.substr(0, 9) != "HTTP/1.0 ") {
        return line.substr(0, 5) == "HTTP/" ? Reason::http1_bad_version : Reason::http1_not_http;
    }
    if (line.size() < 14) {
        return Reason::http1_bad_response;
    }
    unsigned status = 0;
    for (const char c : line.substr(9, 3)) {
        if (c < '0' || c > '9') {
            return Reason::http1_bad_response;
        }
        status = status * 10 + static_cast<unsigned>(c - '0');
    }
    if (line[line.size() - 2] != '\r') {
        return Reason::http1_bare_line_feed;
    }
    std::string_view phrase = line.substr(12, line.size() - 14);
    if (status < 100 || status > 599 || (!phrase.empty() && phrase.front() != ' ')) {
        return Reason::http1_bad_response;
    }
    phrase.remove_prefix(phrase.empty() ? 0 : 1);
    const auto *const begin = reinterpret_cast<const uint8_t *>(phrase.data());
    if (skip_value(begin, begin + phrase.size()) != begin + phrase.size()) {
        return Reason::http1_bad_response;
    }
    head.version = http11 ? Version::http11 : Version::http10;
    head.status = static_cast<uint16_t>(status);
    head.reason_phrase = {offset + static_cast<uint32_t>(phrase.data() - line.data()),
                          static_cast<uint32_t>(phrase.size())};
    return Reason::none;
}

Parse parse_start(Bytes input, ResponseHead &head, Reason &why) {
    if (!has_whole_line(input, head.progress)) {
        return Parse::need_more;
    }
    const auto *const feed = static_cast<const uint8_t *>(std::memchr(input.data(), '\n', input.size()));
    const size_t size = static_cast<size_t>(feed - input.data()) + 1;
    why = read_status_line({reinterpret_cast<const char *>(input.data()), size}, 0, head);
    if (why != Reason::none) {
        return Parse::refused;
    }
    head.progress = {static_cast<uint32_t>(size), static_cast<uint32_t>(size), true};
    return Parse::complete;
}

/// RFC 9112 section 6.3, without its tolerance: what could be read in two ways is refused.
Reason read_framing(const Semantics &semantics, Method method, ResponseHead &head) {
    const bool success = head.status >= 200 && head.status < 300;
    if (semantics.chunked && head.version == Version::http10) {
        return Reason::http1_bad_transfer_encoding;
    }
    if (head.status < 200 || head.status == 204) {
        if (semantics.chunked || semantics.content_length > 0) {
            return Reason::http1_content_forbidden;
        }
        head.framing = Framing::none;
    } else if ((method == Method::CONNECT && success) || method == Method::HEAD || head.status == 304) {
        head.framing = Framing::none;
        head.content_length = semantics.content_length;
    } else {
        head.framing = semantics.chunked      ? Framing::chunked
                       : semantics.has_length ? Framing::length
                                              : Framing::until_close;
        head.content_length = semantics.content_length;
    }
    return Reason::none;
}

Reason check_upgrade(Bytes input, const ResponseContext &context, const Semantics &semantics) {
    const bool asked = !context.upgrade_token.empty() && semantics.upgrades == 1 &&
                       semantics.connection_upgrade &&
                       same_name(semantics.upgrade.text(input), context.upgrade_token);
    return asked ? Reason::none : Reason::http1_upgrade_refused;
}

Reason check_response(Bytes input, const ResponseContext &context, ResponseHead &head) {
    Semantics semantics;
    if (const Reason why = read_semantics(input, head.fields, semantics); why != Reason::none) {
        return why;
    }
    if (const Reason why = read_framing(semantics, context.method, head); why != Reason::none) {
        return why;
    }
    if (head.status == 101) {
        if (const Reason why = check_upgrade(input, context, semantics); why != Reason::none) {
            return why;
        }
    }
    const bool success = head.status >= 200 && head.status < 300;
    head.interim = head.status < 200 && head.status != 101;
    head.tunnel = head.status == 101 || (context.method == Method::CONNECT && success);
    const bool persistent = !semantics.close && (head.version == Version::http11 || semantics.keep_alive);
    head.keep_alive = persistent && head.framing != Framing::until_close && !head.tunnel;
    return Reason::none;
}

Parse refuse(ResponseHead &head, Reason detail, Reason &why) {
    head.detail = detail;
    why = detail == Reason::http1_upgrade_refused ? detail : Reason::http1_bad_response;
    return Parse::refused;
}

} // namespace

Parse parse_response_head(Bytes input, const ResponseContext &context, const Limits &limits,
                          ResponseHead &head, Reason &why) {
    const Bytes view = within_limit(input, limits);
    Reason detail = Reason::none;
    Parse parsed = Parse::complete;
    if (!head.progress.start_line_done) {
        parsed = parse_start(view, head, detail);
    }
    if (parsed == Parse::complete) {
        parsed = parse_fields(view, limits.head_fields, head.fields, head.progress, detail);
    }
    if (parsed == Parse::need_more && view.size() < input.size()) {
        return refuse(head, Reason::http1_head_too_large, why);
    }
    why = Reason::none;
    if (parsed == Parse::need_more) {
        return parsed;
    }
    if (parsed == Parse::complete) {
        head.length = head.progress.line;
        detail = check_response(view, context, head);
    }
    return detail == Reason::none ? Parse::complete : refuse(head, detail, why);
}

} // namespace weft::http1
