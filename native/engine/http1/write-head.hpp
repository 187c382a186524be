// SPDX-License-Identifier: Apache-2.0
// Writes forwarded heads and local replies. Framing, Connection and Upgrade are always written anew, never
// copied.
//
// Ask for the bound, reserve that many bytes in your sink, write: the writer never needs more than the bound,
// and checks it. No allocation, no state.
#pragma once
#include "engine/http1/edit.hpp"
#include "engine/http1/message.hpp"

namespace weft::http1 {

/// What the verdict changes on a forwarded request.
struct RequestRewrite {
    /// New path and query (`is_path`); empty leaves it. Keeps the target's form; authority form has no path.
    Bytes path{};
    /// New authority (`is_authority`): Host, and the target's where it has one; empty leaves it.
    Bytes authority{};
    /// Host where the request has none (HTTP/1.0) and `authority` is empty: the original destination.
    Bytes fallback_authority{};
    const Edit *edit = nullptr;
    /// Further lines, each `name: value CRLF`; they replace the request's fields of the same names.
    Bytes extra{};
    /// False: the upgrade that the client wants is not passed on.
    bool upgrade = true;
};

/// What the verdict changes on a forwarded response, and what its client can take.
struct ResponseRewrite {
    const Edit *edit = nullptr;
    /// As in `RequestRewrite`.
    Bytes extra{};
    Version client_version = Version::http11;
    /// The client's `keep_alive`, and the engine does not want to close (draining, closeAfter).
    bool keep_alive = true;
};

struct Written {
    /// Bytes written. 0 with `why` none: an interim response that an HTTP/1.0 client must not see; send
    /// nothing.
    size_t size = 0;
    /// decide_failed: path, authority or extra lines are malformed (a defect in the decision);
    /// http1_missing_host: no authority from anywhere. Nothing was written then.
    Reason why = Reason::none;
    /// How the content must be sent: length (as in the head), chunked (write it with chunked-body.hpp) or
    /// until_close. A response that its server ends by closing becomes chunked for an HTTP/1.1 client.
    Framing framing = Framing::none;
    /// This connection must be closed behind the content. Of no meaning for requests and interim responses.
    bool close = false;
};

/// Bytes that the forwarded request head needs at most.
size_t request_head_bound(const RequestHead &head, const RequestRewrite &rewrite);
/// Writes the forwarded request as HTTP/1.1. `input` is the buffer that `head` points into.
Written write_request_head(Bytes input, const RequestHead &head, const RequestRewrite &rewrite,
                           std::span<uint8_t> out);

size_t response_head_bound(const ResponseHead &head, const ResponseRewrite &rewrite);
Written write_response_head(Bytes input, const ResponseHead &head, const ResponseRewrite &rewrite,
                            std::span<uint8_t> out);

/// A reply that the engine itself gives: a registered one, or just a status for a refusal.
struct LocalReply {
    uint16_t status = 500;
    /// Registered header lines and body (`Reply`).
    std::string_view lines{};
    std::string_view body{};
    /// Further lines as in `RequestRewrite`; they are added, not replaced.
    Bytes extra{};
    /// Date line's value (IMF-fixdate); empty: no Date.
    std::string_view date{};
    Version client_version = Version::http11;
    /// HEAD: the length is told and the body left out. CONNECT: nothing special, a refusal has a body.
    Method method = Method::other;
    bool keep_alive = false;
};

size_t local_reply_bound(const LocalReply &reply);
/// Writes head and body.
Written write_local_reply(const LocalReply &reply, std::span<uint8_t> out);

} // namespace weft::http1
