// SPDX-License-Identifier: Apache-2.0
// What a session is inside. session.cc holds what the engine calls, session-events.cc what nghttp2 calls.
#pragma once
#include "engine/http2/frame-heads.hpp"
#include "engine/http2/header-block.hpp"
#include "engine/http2/header-list.hpp"
#include "engine/http2/stream-table.hpp"
#include "engine/http2/unended-streams.hpp"
#include <nghttp2/nghttp2.h>

namespace weft::http2 {

struct Session::State {
    State(Role role_of, const Limits &limits_of, Handler &handler_of)
        : role(role_of), limits(limits_of), handler(handler_of), guard(limits_of.floods),
          streams(limits_of.concurrent_streams), unended(size_t{2} * limits_of.concurrent_streams) {}

    Role role;
    Limits limits;
    Handler &handler;
    nghttp2_session *session = nullptr;
    FloodGuard guard;
    StreamTable streams;
    /// Server: what the client sends, before nghttp2 looks at it.
    FrameHeads heads{NGHTTP2_CLIENT_MAGIC_LEN};
    UnendedStreams unended;
    HeaderBlock block;
    /// The head being told; large, so not made anew for each.
    http1::RequestHead request;
    http1::ResponseHead response;
    HeaderList list;
    uint64_t now_ms = 0;
    uint32_t continuations = 0;
    /// The connection may not go on; the first cause wins.
    Reason failure = Reason::none;
    /// A PING is behind the first GOAWAY of a drain, and was not answered yet.
    bool drain_asked = false;
    /// What nghttp2 gave to send and did not fit yet; valid until it is asked again.
    Bytes unsent;

    /// Queues the GOAWAY. Returns what a callback must return then.
    int fail(Reason why, uint32_t error_code);
    /// Counts a nuisance; 0, or what a callback must return.
    int count(Nuisance what);
    /// Resets a stream because of what came on it.
    void refuse(Stream &stream, Reason why);
    /// Server: resets a stream whose answer was sent, where the rest of the request is not wanted.
    void refuse_rest(Stream &stream);
    Stream *find(int32_t id, StreamRef &ref);

    /// Server: why the client may not send this frame now.
    Reason judge(const FrameHead &head);

    // Called by nghttp2, in this order for a stream.
    int begin_frame(const nghttp2_frame_hd &header);
    int begin_headers(const nghttp2_frame &frame);
    int take_header(const nghttp2_frame &frame, std::string_view name, std::string_view value);
    int take_data(int32_t id, Bytes content);
    int take_frame(const nghttp2_frame &frame);
    int frame_sent(const nghttp2_frame &frame);
    int close_stream(int32_t id, uint32_t error_code);
    ssize_t fill(int32_t id, std::span<uint8_t> room, uint32_t &flags);

    void take_head(StreamRef ref, Stream &stream, bool end);
    void take_request(StreamRef ref, Stream &stream, bool end);
    void take_response(StreamRef ref, Stream &stream, bool end);
    void take_end(StreamRef ref, Stream &stream, Bytes trailers);
    Reason close_reason(const Stream &stream, uint32_t error_code) const;
};

/// Registers the callbacks above; nghttp2 copies what it is given.
void set_callbacks(nghttp2_session_callbacks *callbacks);

/// Where `Session::State::fill` gets called.
nghttp2_data_provider data_provider();

} // namespace weft::http2
