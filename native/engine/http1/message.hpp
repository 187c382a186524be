// SPDX-License-Identifier: Apache-2.0
// What an HTTP/1.x message head is once it was parsed. Offsets point into the caller's buffer, so a head
// stays valid when the buffer moves. Nothing here allocates; a head is about 3 KiB, so keep one per exchange,
// not per connection, and `reset` it instead of making a new one.
#pragma once
#include "engine/reasons.hpp"
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weft::http1 {

using Bytes = std::span<const uint8_t>;

/// A part of the caller's buffer.
struct Span {
    uint32_t offset = 0;
    uint32_t length = 0;

    Bytes in(Bytes buffer) const { return buffer.subspan(offset, length); }
    std::string_view text(Bytes buffer) const {
        return {reinterpret_cast<const char *>(buffer.data()) + offset, length};
    }
    bool empty() const { return length == 0; }
};

inline Bytes bytes_of(std::string_view text) {
    return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

/// Same values as `Method` in native/engine.ts. Methods are case-sensitive (RFC 9110 section 9.1).
enum class Method : uint8_t {
    other = 0,
    GET = 1,
    HEAD = 2,
    POST = 3,
    PUT = 4,
    DELETE = 5,
    CONNECT = 6,
    OPTIONS = 7,
    TRACE = 8,
    PATCH = 9,
};

enum class Version : uint8_t { http10, http11 };

/// RFC 9112 section 3.2.
enum class TargetForm : uint8_t { origin, absolute, authority, asterisk };

/// Where a message's content ends (RFC 9112 section 6.3). Requests are never `until_close`.
enum class Framing : uint8_t { none, length, chunked, until_close };

/// Fields that the engine itself must know, and those that Connection may not remove or trailers may not
/// carry. The order is that of `field_name`; what each one may do stands in field-table.cc.
enum class FieldId : uint8_t {
    unknown,
    connection,
    content_length,
    expect,
    host,
    http2_settings,
    keep_alive,
    proxy_connection,
    te,
    trailer,
    transfer_encoding,
    upgrade,
    accept,
    accept_encoding,
    age,
    authorization,
    cache_control,
    content_encoding,
    content_range,
    content_type,
    cookie,
    date,
    etag,
    expires,
    forwarded,
    if_match,
    if_modified_since,
    if_none_match,
    if_range,
    if_unmodified_since,
    last_modified,
    location,
    max_forwards,
    origin,
    pragma,
    proxy_authenticate,
    proxy_authorization,
    range,
    referer,
    retry_after,
    server,
    set_cookie,
    traceparent,
    tracestate,
    user_agent,
    vary,
    via,
    www_authenticate,
    x_forwarded_client_cert,
    x_forwarded_for,
    x_forwarded_host,
    x_forwarded_proto,
    x_real_ip,
    x_request_id,
    count
};
static_assert(static_cast<int>(FieldId::count) <= 64, "Fields::known has one bit for each");

/// One field line. The value is without the white space around it and may be empty; it never holds CR, LF or
/// NUL.
struct Field {
    Span name;
    Span value;
    /// `hash_name` of the name: equal for names that differ in case only.
    uint32_t hash = 0;
    FieldId id = FieldId::unknown;
    /// For this hop only: Connection, what it nominates, and the fields that always are (RFC 9110
    /// section 7.6.1).
    bool hop_by_hop = false;
    /// It came as `name: value CRLF` with that one space, so its line may be copied as it stands.
    bool canonical = false;
};

inline constexpr size_t max_fields = 128;

/// Upper bounds. `head_bytes` also bounds what a caller must be able to hold contiguously.
struct Limits {
    /// Whole head with its empty line; at most 1 MiB.
    uint32_t head_bytes = 64 * 1024;
    /// At most `max_fields`.
    uint32_t head_fields = 100;
    uint32_t target_bytes = 16 * 1024;
    /// One chunk-size line's extension; the extension is dropped.
    uint32_t chunk_extension_bytes = 256;
    /// Chunk extensions of one whole body: small chunks with large extensions are an attack.
    uint32_t extensions_bytes = 16 * 1024;
    /// Whole trailer section with its empty line; a caller must be able to hold it contiguously.
    uint32_t trailer_bytes = 8 * 1024;
    uint32_t trailer_fields = 32;
};

/// Where an unfinished head stands; private to the parser.
struct Progress {
    uint32_t line = 0;
    uint32_t searched = 0;
    bool start_line_done = false;
};

/// Field lines in the order in which they came. Only the first `count` items mean anything.
struct Fields {
    uint64_t known = 0;
    uint32_t count = 0;
    std::array<Field, max_fields> items;

    bool has(FieldId id) const { return (known >> static_cast<unsigned>(id)) & 1; }
    /// First field with that id, or null.
    const Field *find(FieldId id) const;
    /// First field of any name (compared without case) at or after index `from`, or null.
    const Field *find(Bytes buffer, std::string_view name, uint32_t from = 0) const;
    /// Assignment that copies only the fields there are.
    void copy(const Fields &from);
    std::span<const Field> all() const { return {items.data(), count}; }
};

/// A request's head. Give the parser a fresh or `reset` one, and the same one again until it says complete.
struct RequestHead {
    Fields fields;
    Progress progress;
    /// Bytes up to and with the empty line (and an empty line before the request line): the content starts
    /// here.
    uint32_t length = 0;
    Span method_text;
    /// As it stands on the request line.
    Span target;
    /// Origin form: the target. Absolute form: without scheme and authority; `/` where that is empty.
    /// Asterisk form:
    /// `*`. Authority form: empty.
    Span path;
    /// Host, and the target's authority, which are equal. Empty only for HTTP/1.0 without Host in origin
    /// form.
    Span authority;
    /// Protocol that the client wants to change to; only where `upgrade`.
    Span upgrade_token;
    /// Only where `framing` is length.
    uint64_t content_length = 0;
    Method method = Method::other;
    TargetForm form = TargetForm::origin;
    Version version = Version::http11;
    Framing framing = Framing::none;
    /// The client can take another response on this connection.
    bool keep_alive = false;
    /// Upgrade and `Connection: upgrade` with one protocol that the mesh may tunnel (not h2c, HTTP/*, TLS/*),
    /// no body.
    bool upgrade = false;
    /// Upgrade to `h2c` with one HTTP2-Settings field, both nominated by Connection, and no body (RFC 7540
    /// section 3.2). Nothing of it is forwarded.
    bool offers_http2 = false;
    /// The client waits for 100 (Continue) before it sends the content.
    bool expect_continue = false;
    /// `TE: trailers`.
    bool accepts_trailers = false;
    /// The path (before `?`) holds no `%`, `;`, backslash, `//` or `/.`: it already is its normal form.
    bool plain_path = false;

    void reset();
    /// Assignment that copies only the fields there are.
    void copy(const RequestHead &from);
};

/// What decides how a response is framed.
struct ResponseContext {
    Method method = Method::other;
    /// The protocol that was asked for in the forwarded request; empty: none, so 101 is refused.
    std::string_view upgrade_token;
};

/// A response's head; see `RequestHead` for how it is used.
struct ResponseHead {
    Fields fields;
    Progress progress;
    uint32_t length = 0;
    /// May be empty.
    Span reason_phrase;
    uint64_t content_length = 0;
    /// 100 to 599.
    uint16_t status = 0;
    Version version = Version::http11;
    Framing framing = Framing::none;
    /// The server takes another request on this connection once the content was read.
    bool keep_alive = false;
    /// 1xx but 101: another head follows.
    bool interim = false;
    /// 101 that was asked for, or 2xx to CONNECT: bytes after this head belong to the tunnel.
    bool tunnel = false;
    /// HTTP/2: the stream ended with this head; not even trailers follow.
    bool ended = false;
    /// Where the parser refused with http1_bad_response: which rule it was, for the log.
    Reason detail = Reason::none;

    void reset();
    /// As for a request.
    void copy(const ResponseHead &from);
};

/// 32-bit hash that ignores ASCII case; equal names have equal hashes, so compare with `same_name` after it.
uint32_t hash_name(std::string_view name);
bool same_name(std::string_view a, std::string_view b);
/// `unknown` where the name is none of ours.
FieldId find_field_id(std::string_view name);
/// Lower case; empty for `unknown`.
std::string_view field_name(FieldId id);
/// `GET` and so on; `other` where it is none of ours.
Method find_method(std::string_view name);
/// The phrase for a status (RFC 9110 section 15); empty where it has none.
std::string_view reason_phrase(uint16_t status);

} // namespace weft::http1
