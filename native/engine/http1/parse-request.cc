// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/field-table.hpp"
#include "engine/http1/parse-fields.hpp"
#include "engine/http1/scan.hpp"
#include <cstring>

namespace weft::http1 {
namespace {

constexpr size_t max_method_bytes = 32;

bool starts_with_http_version(std::string_view text) {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return text.size() >= 8 && text.substr(0, 5) == "HTTP/" && digit(text[5]) && text[6] == '.' &&
           digit(text[7]);
}

/// `rest` follows the target's space, up to and with its LF.
Reason read_version(std::string_view rest, Version &out) {
    if (!starts_with_http_version(rest)) {
        return Reason::http1_bad_request_line;
    }
    const std::string_view behind = rest.substr(8);
    if (behind != "\r\n") {
        const bool bare = !behind.empty() && (behind.front() == '\n' || behind.front() == '\r');
        return bare ? Reason::http1_bare_line_feed : Reason::http1_bad_request_line;
    }
    const std::string_view version = rest.substr(0, 8);
    out = version == "HTTP/1.1" ? Version::http11 : Version::http10;
    return version == "HTTP/1.1" || version == "HTTP/1.0" ? Reason::none : Reason::http1_bad_version;
}

Reason read_method(std::string_view text, RequestHead &head) {
    if (text.empty() || text.size() > max_method_bytes) {
        return Reason::http1_bad_request_line;
    }
    head.method = find_method(text);
    return head.method == Method::other && imitates_known_method(text) ? Reason::http1_bad_request_line
                                                                       : Reason::none;
}

Reason read_absolute_form(std::string_view target, RequestHead &head) {
    constexpr std::string_view scheme = "http://";
    if (target.size() <= scheme.size() || !same_name(target.substr(0, scheme.size()), scheme)) {
        return Reason::http1_bad_target;
    }
    const size_t slash = target.find_first_of("/?", scheme.size());
    const size_t authority_end = slash == std::string_view::npos ? target.size() : slash;
    head.authority = {head.target.offset + static_cast<uint32_t>(scheme.size()),
                      static_cast<uint32_t>(authority_end - scheme.size())};
    head.form = TargetForm::absolute;
    if (authority_end == target.size()) {
        // The empty path means `/`, and the scheme's last slash is one. For OPTIONS it would mean `*`.
        head.path = {head.target.offset + static_cast<uint32_t>(scheme.size()) - 1, 1};
        return head.method == Method::OPTIONS ? Reason::http1_bad_target : Reason::none;
    }
    head.path = {head.target.offset + static_cast<uint32_t>(slash),
                 static_cast<uint32_t>(target.size() - slash)};
    return target[slash] == '/' ? Reason::none : Reason::http1_bad_target;
}

/// RFC 9112 section 3.2: which form the target has, and whether its method may have it.
Reason read_target(std::string_view target, RequestHead &head) {
    if (head.method == Method::CONNECT) {
        head.form = TargetForm::authority;
        head.authority = head.target;
        const bool port =
            target.find(':', target.front() == '[' ? target.find(']') : 0) != std::string_view::npos;
        return port && is_authority(target) ? Reason::none : Reason::http1_bad_target;
    }
    if (target.front() == '/') {
        head.path = head.target;
        head.form = TargetForm::origin;
    } else if (target == "*") {
        head.path = head.target;
        head.form = TargetForm::asterisk;
        if (head.method != Method::OPTIONS) {
            return Reason::http1_bad_target;
        }
    } else if (const Reason why = read_absolute_form(target, head); why != Reason::none) {
        return why;
    }
    head.plain_path =
        is_plain_path({target.data() + (head.path.offset - head.target.offset), head.path.length});
    return Reason::none;
}

/// A whole request line: `line` ends with its LF.
Reason read_request_line(std::string_view line, uint32_t offset, const Limits &limits, RequestHead &head) {
    const auto *const begin = reinterpret_cast<const uint8_t *>(line.data());
    const uint8_t *const end = begin + line.size();
    bool odd = false;
    const uint8_t *const space = skip_token(begin, end, odd);
    head.method_text = {offset, static_cast<uint32_t>(space - begin)};
    if (*space != ' ') {
        return *space == '\n' ? Reason::http1_bare_line_feed : Reason::http1_bad_request_line;
    }
    if (const Reason why = read_method(line.substr(0, head.method_text.length), head); why != Reason::none) {
        return why;
    }
    const uint8_t *const target = space + 1;
    const uint8_t *const stop = skip_target(target, end);
    head.target = {offset + static_cast<uint32_t>(target - begin), static_cast<uint32_t>(stop - target)};
    if (head.target.length > limits.target_bytes) {
        return Reason::http1_target_too_long;
    }
    if (*stop != ' ' || stop == target) {
        return *stop == '#' || *stop >= 0x7f ? Reason::http1_bad_target : Reason::http1_bad_request_line;
    }
    const auto rest = line.substr(static_cast<size_t>(stop - begin) + 1);
    if (const Reason why = read_version(rest, head.version); why != Reason::none) {
        return why;
    }
    return read_target({reinterpret_cast<const char *>(target), head.target.length}, head);
}

/// Takes the request line, and one empty line before it (RFC 9112 section 2.2).
Parse parse_start(Bytes input, const Limits &limits, RequestHead &head, Reason &why) {
    Progress &progress = head.progress;
    if (input.empty()) {
        return Parse::need_more;
    }
    if (progress.line == 0 && input[0] == '\r') {
        if (input.size() == 1) {
            return Parse::need_more;
        }
        if (input[1] != '\n') {
            why = Reason::http1_not_http;
            return Parse::refused;
        }
        progress.line = 2;
    }
    if (progress.line == input.size()) {
        return Parse::need_more;
    }
    const uint8_t first = input[progress.line];
    if (!is_class(first, token_character)) {
        why = first == '\n'                         ? Reason::http1_bare_line_feed
              : progress.line == 2 && first == '\r' ? Reason::http1_bad_request_line
                                                    : Reason::http1_not_http;
        return Parse::refused;
    }
    if (!has_whole_line(input, progress)) {
        return Parse::need_more;
    }
    const auto *const begin = input.data() + progress.line;
    const auto *const feed =
        static_cast<const uint8_t *>(std::memchr(begin, '\n', input.size() - progress.line));
    const std::string_view line{reinterpret_cast<const char *>(begin), static_cast<size_t>(feed - begin) + 1};
    why = read_request_line(line, progress.line, limits, head);
    if (why != Reason::none) {
        return Parse::refused;
    }
    progress.line += static_cast<uint32_t>(line.size());
    progress.searched = progress.line;
    progress.start_line_done = true;
    return Parse::complete;
}

Reason check_host(Bytes input, const Semantics &semantics, RequestHead &head) {
    if (semantics.hosts > 1) {
        return Reason::http1_repeated_host;
    }
    if (semantics.hosts == 0) {
        if (head.version == Version::http11) {
            return Reason::http1_missing_host;
        }
        return head.authority.empty() || is_authority(head.authority.text(input)) ? Reason::none
                                                                                  : Reason::http1_bad_host;
    }
    const std::string_view host = semantics.host.text(input);
    const bool in_target = head.form == TargetForm::absolute || head.form == TargetForm::authority;
    if (!is_authority(host) || (in_target && !same_name(host, head.authority.text(input)))) {
        return Reason::http1_bad_host;
    }
    head.authority = semantics.host;
    return Reason::none;
}

/// One protocol that may be tunnelled. h2c would carry requests past every rule about requests, and TLS hides
/// them.
bool may_tunnel(std::string_view protocol) {
    const std::string_view name = protocol.substr(0, protocol.find('/'));
    const bool version = name.size() == protocol.size() || is_token(protocol.substr(name.size() + 1));
    return is_token(name) && version && !same_name(name, "h2c") && !same_name(name, "h2") &&
           !same_name(name, "http") && !same_name(name, "tls");
}

Reason read_framing(const Semantics &semantics, RequestHead &head) {
    if (semantics.chunked && head.version == Version::http10) {
        return Reason::http1_bad_transfer_encoding;
    }
    head.framing = semantics.chunked      ? Framing::chunked
                   : semantics.has_length ? Framing::length
                                          : Framing::none;
    head.content_length = semantics.content_length;
    const bool forbidden = head.method == Method::CONNECT || head.method == Method::TRACE;
    const bool content = semantics.chunked || semantics.content_length > 0;
    return forbidden && content ? Reason::http1_content_forbidden : Reason::none;
}

Reason check_request(Bytes input, RequestHead &head) {
    Semantics semantics;
    if (const Reason why = read_semantics(input, head.fields, semantics); why != Reason::none) {
        return why;
    }
    if (const Reason why = check_host(input, semantics, head); why != Reason::none) {
        return why;
    }
    if (const Reason why = read_framing(semantics, head); why != Reason::none) {
        return why;
    }
    const bool http11 = head.version == Version::http11;
    const bool content = head.framing == Framing::chunked || head.content_length > 0;
    head.keep_alive = !semantics.close && (http11 || semantics.keep_alive);
    head.accepts_trailers = semantics.accepts_trailers && http11;
    head.expect_continue = semantics.expect && http11 && content;
    const bool asks = semantics.upgrades == 1 && semantics.connection_upgrade && http11 && !content &&
                      head.method != Method::CONNECT;
    head.upgrade = asks && may_tunnel(semantics.upgrade.text(input));
    head.offers_http2 = asks && semantics.http2_settings == 1 && semantics.connection_http2_settings &&
                        same_name(semantics.upgrade.text(input), "h2c");
    head.upgrade_token = head.upgrade ? semantics.upgrade : Span{};
    return Reason::none;
}

} // namespace

Parse parse_request_head(Bytes input, const Limits &limits, RequestHead &head, Reason &why) {
    const Bytes view = within_limit(input, limits);
    Parse parsed = Parse::complete;
    if (!head.progress.start_line_done) {
        parsed = parse_start(view, limits, head, why);
    }
    if (parsed == Parse::complete) {
        parsed = parse_fields(view, limits.head_fields, head.fields, head.progress, why);
    }
    if (parsed == Parse::need_more && view.size() < input.size()) {
        why = head.progress.start_line_done ? Reason::http1_head_too_large : Reason::http1_target_too_long;
        return Parse::refused;
    }
    if (parsed != Parse::complete) {
        why = parsed == Parse::need_more ? Reason::none : why;
        return parsed;
    }
    head.length = head.progress.line;
    why = check_request(view, head);
    return why == Reason::none ? Parse::complete : Parse::refused;
}

} // namespace weft::http1
