// SPDX-License-Identifier: Apache-2.0
// One HTTP/2 connection (RFC 9113), either side, over nghttp2: bytes in, bytes out, no sockets, no clock.
//
// Heads have the form of http1/message.hpp, their text laid out as field lines, so that a request that came
// by HTTP/2 goes on by HTTP/1 with http1/write-head.hpp, and the other way with `Session::request`. Streams
// are named by index and generation; no pointer to a stream leaves this library.
#pragma once
#include "engine/http1/write-head.hpp"
#include "engine/http2/flood-guard.hpp"
#include <memory>

namespace weft::http2 {

using http1::Bytes;

enum class Role : uint8_t { server, client };

/// Names a stream of one session until `Handler::on_closed`. A stale one is recognised and does nothing.
struct StreamRef {
    uint32_t index = 0;
    /// Never 0 for a stream that is or was.
    uint32_t generation = 0;

    bool operator==(const StreamRef &) const = default;
    explicit operator bool() const { return generation != 0; }
};

struct Limits {
    /// Streams that the peer may have open; also those that we open.
    uint32_t concurrent_streams = 128;
    /// Content of one stream that the peer may send before `Session::credit`: what a slow reader costs us at
    /// most.
    uint32_t stream_window = 65'535;
    /// Given back as soon as bytes arrive, so that no stream holds it; bounds what is in flight.
    uint32_t connection_window = 1024 * 1024;
    /// Decoded header block, 32 bytes added for each field (RFC 9113 section 6.5.2).
    uint32_t head_bytes = 64 * 1024;
    /// At most `http1::max_fields`.
    uint32_t head_fields = 100;
    uint32_t target_bytes = 16 * 1024;
    /// CONTINUATION frames of one header block.
    uint32_t continuations = 8;
    FloodLimits floods{};
};

/// What `Handler::pull` gives.
struct Pulled {
    size_t size = 0;
    /// Nothing follows.
    bool end = false;
    /// With `end`: field lines, each `name: value CRLF`; must stay valid until `pull` was left.
    Bytes trailers{};
};

/// Hears what happens. Called inside `receive` and `send`; may call everything of the session but those two.
class Handler {
public:
    virtual ~Handler() = default;
    /// Server: a request. `text` and `head` are valid inside the call; framing none: no content follows.
    virtual void on_request(StreamRef stream, Bytes text, const http1::RequestHead &head) = 0;
    /// Client: a response, after any number of interim ones. `text` and `head` are valid inside the call.
    virtual void on_response(StreamRef stream, Bytes text, const http1::ResponseHead &head) = 0;
    /// Content. Give the bytes back with `Session::credit` once they went on.
    virtual void on_data(StreamRef stream, Bytes content) = 0;
    /// The peer sent everything. `trailers` are checked field lines that may be forwarded as they stand.
    virtual void on_end(StreamRef stream, Bytes trailers) = 0;
    /// Fill `room` with content to send. Size 0 without `end`: nothing now, `Session::resume` when there is
    /// more.
    virtual Pulled pull(StreamRef stream, std::span<uint8_t> room) = 0;
    /// The stream is gone, and `stream` stale. `none`: both sides sent everything, or `reset` was called.
    virtual void on_closed(StreamRef stream, Reason why, uint32_t error_code) = 0;
    /// A stream was refused before anybody heard of it.
    virtual void on_refused(Reason why) = 0;
    /// The peer takes no new streams; those it did not take are closed with http2_refused_stream.
    virtual void on_goaway(uint32_t error_code) = 0;
    /// Server: the client has heard of `begin_drain`, and all that it sent before has arrived.
    virtual void on_drain_seen() = 0;
};

class Session {
public:
    /// `handler` must outlive the session. Throws std::bad_alloc.
    Session(Role role, const Limits &limits, Handler &handler);
    ~Session();
    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;

    /// Takes bytes of the peer. `now_ms` is any clock that does not go back. A reason other than none ends
    /// the session: send what `send` still gives (the GOAWAY), then close.
    Reason receive(Bytes input, uint64_t now_ms);
    /// Fills `room` with bytes for the peer; 0: nothing to send now.
    size_t send(std::span<uint8_t> room);
    /// Nothing more can happen: close the connection once `send` gave 0.
    bool finished() const;
    Reason failure() const;

    /// Client: opens a stream. `input` is what `head` points into. `has_content`: `pull` will be asked. Gives
    /// no stream where `why` is set: http2_stream_limit, decide_failed (malformed rewrite),
    /// http1_missing_host.
    StreamRef request(Bytes input, const http1::RequestHead &head, const http1::RequestRewrite &rewrite,
                      bool has_content, Reason &why);
    /// Server, before anything was received: the HTTP/1 request that asked for HTTP/2 is stream 1, and is
    /// whole (RFC 7540 section 3.2). `settings` is the value of its HTTP2-Settings field. No stream where
    /// that is malformed: the session is of no use then.
    StreamRef upgrade(std::string_view settings, http1::Method method);
    /// Server: answers, after any number of interim heads. False where the stream is gone or the rewrite
    /// malformed.
    bool respond(StreamRef stream, Bytes input, const http1::ResponseHead &head,
                 const http1::ResponseRewrite &rewrite, bool has_content);
    /// Server: answers with a reply of our own. Its body, where it is sent (not to HEAD), is pulled like any
    /// content.
    bool reply(StreamRef stream, const http1::LocalReply &reply);

    /// Server: the rest of the request is not wanted. Once the answer is complete it is refused without an
    /// error (RFC 9113 section 8.1); nothing where the request is complete.
    void refuse_rest(StreamRef stream);
    /// Whether our side of the stream has ended. True where the stream is gone.
    bool has_sent_all(StreamRef stream) const;

    /// There is something to pull again.
    void resume(StreamRef stream);
    /// So many bytes of this stream's content went on: the peer may send as many more.
    void credit(StreamRef stream, size_t size);
    /// Ends the stream with an error code (RFC 9113 section 7); `on_closed` follows with `why`. Nothing where
    /// both sides have sent everything.
    void reset(StreamRef stream, uint32_t error_code, Reason why = Reason::none);

    /// Tells the peer that no new streams are taken soon; those under way go on. Server: a PING follows, and
    /// `Handler::on_drain_seen` tells that it was answered; call `finish_drain` then (RFC 9113 section 6.8).
    void begin_drain();
    /// Names the last stream that was taken.
    void finish_drain();
    /// GOAWAY with this code; the session is finished once it was sent.
    void terminate(uint32_t error_code);

    /// The connection is gone: calls `on_closed` or `on_refused` for every stream. Only destroying it is
    /// allowed then. May be called inside `receive` or `send`, which then do no more.
    void abandon(Reason why);

    /// Streams that are open.
    uint32_t streams() const;
    /// Client: how many more streams may be opened now; 0 once the peer takes none.
    uint32_t free_streams() const;
    bool is_open(StreamRef stream) const;

    /// For this library's own files.
    struct State;

private:
    uint32_t allowed_streams() const;

    std::unique_ptr<State> state_;
};

/// File that nghttp2's functions come from in this process: Node's own program in the addon (then its version
/// is `process.versions.nghttp2`), Debian's library in tests. For the check at load. (Node does not export
/// nghttp2_version.) Empty where the loader does not know.
const char *library_file();

} // namespace weft::http2
