// SPDX-License-Identifier: Apache-2.0
// What nghttp2 tells us, and what it becomes for the handler.
#include "engine/http2/session-state.hpp"
#include <algorithm>
#include <array>

namespace weft::http2 {

using http1::Framing;

namespace {

bool ends_stream(const nghttp2_frame_hd &header) {
    return (header.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

bool is_empty(const nghttp2_frame_hd &header) {
    return header.length == 0 && !ends_stream(header);
}

/// What a GOAWAY names that says only that a further one will follow.
constexpr int32_t any_stream = 0x7fffffff;

/// What our PING carries.
constexpr std::array<uint8_t, 8> drain_ping{'d', 'r', 'a', 'i', 'n', 'i', 'n', 'g'};

} // namespace

int Session::State::fail(Reason why, uint32_t error_code) {
    if (failure == Reason::none) {
        failure = why;
        nghttp2_session_terminate_session(session, error_code);
    }
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int Session::State::count(Nuisance what) {
    const Reason why = guard.count(what, now_ms);
    return why == Reason::none ? 0 : fail(why, NGHTTP2_ENHANCE_YOUR_CALM);
}

void Session::State::refuse(Stream &stream, Reason why) {
    if (stream.why == Reason::none) {
        stream.why = why;
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_PROTOCOL_ERROR);
    }
}

void Session::State::refuse_rest(Stream &stream) {
    if (stream.rest_refused && stream.own_ended && !stream.peer_ended && !stream.own_reset &&
        stream.why == Reason::none) {
        stream.own_reset = true;
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_NO_ERROR);
    }
}

Stream *Session::State::find(int32_t id, StreamRef &ref) {
    ref = unpack(nghttp2_session_get_stream_user_data(session, id));
    return streams.find(ref);
}

Reason Session::State::judge(const FrameHead &head) {
    const bool ends = (head.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (head.type) {
    case NGHTTP2_HEADERS:
        return unended.headers(head.stream, ends) ? Reason::none : Reason::http2_protocol_error;
    case NGHTTP2_DATA:
        if (!unended.data(head.stream, ends)) {
            return Reason::http2_protocol_error;
        }
        return head.length == 0 && !ends ? guard.count(Nuisance::idle_frame, now_ms) : Reason::none;
    case NGHTTP2_RST_STREAM:
        unended.reset(head.stream);
        return Reason::none;
    default:
        return Reason::none;
    }
}

int Session::State::begin_frame(const nghttp2_frame_hd &header) {
    if (failure != Reason::none) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    switch (header.type) {
    case NGHTTP2_PUSH_PROMISE:
        return fail(Reason::http2_protocol_error, NGHTTP2_PROTOCOL_ERROR);
    case NGHTTP2_HEADERS:
        continuations = 0;
        return 0;
    case NGHTTP2_CONTINUATION:
        continuations += 1;
        return continuations > limits.continuations
                   ? fail(Reason::http2_continuation_flood, NGHTTP2_ENHANCE_YOUR_CALM)
                   : 0;
    case NGHTTP2_DATA:
        return role == Role::client && is_empty(header) ? count(Nuisance::idle_frame) : 0;
    case NGHTTP2_RST_STREAM:
        return count(Nuisance::reset);
    case NGHTTP2_PING:
        return count(Nuisance::ping);
    case NGHTTP2_SETTINGS:
        return count(Nuisance::settings);
    case NGHTTP2_WINDOW_UPDATE:
        return count(Nuisance::window_update);
    case NGHTTP2_PRIORITY:
        // RFC 9113 section 6.3; nghttp2 looks at none of them after SETTINGS_NO_RFC7540_PRIORITIES.
        return header.stream_id == 0 ? fail(Reason::http2_protocol_error, NGHTTP2_PROTOCOL_ERROR)
                                     : count(Nuisance::idle_frame);
    default:
        return 0;
    }
}

int Session::State::begin_headers(const nghttp2_frame &frame) {
    block.begin(limits);
    if (role == Role::client || frame.headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    StreamRef ref;
    Stream *const stream = streams.open(ref);
    if (stream == nullptr) {
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame.hd.stream_id, NGHTTP2_REFUSED_STREAM);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    stream->id = frame.hd.stream_id;
    nghttp2_session_set_stream_user_data(session, frame.hd.stream_id, pack(ref));
    return 0;
}

int Session::State::take_header(const nghttp2_frame &frame, std::string_view name, std::string_view value) {
    StreamRef ref;
    Stream *const stream = find(frame.hd.stream_id, ref);
    if (stream == nullptr) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    if (const Reason why = block.add(name, value); why != Reason::none) {
        refuse(*stream, why);
    }
    return stream->why == Reason::none ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

void Session::State::take_request(StreamRef ref, Stream &stream, bool end) {
    http1::RequestHead &head = request;
    head.reset();
    if (const Reason why = block.finish_request(end, head); why != Reason::none) {
        return refuse(stream, why);
    }
    stream.head_done = true;
    stream.announced = true;
    stream.method = head.method;
    const bool tunnel = head.method == http1::Method::CONNECT;
    stream.expected = head.framing == Framing::length ? static_cast<int64_t>(head.content_length)
                      : end || (head.framing == Framing::none && !tunnel) ? 0
                                                                          : -1;
    handler.on_request(ref, block.text(), head);
}

void Session::State::take_response(StreamRef ref, Stream &stream, bool end) {
    http1::ResponseHead &head = response;
    head.reset();
    if (const Reason why = block.finish_response(end, stream.method, head); why != Reason::none) {
        return refuse(stream, why);
    }
    stream.head_done = !head.interim;
    if (stream.head_done) {
        stream.expected = head.framing == Framing::length ? static_cast<int64_t>(head.content_length)
                          : head.framing == Framing::none && !head.tunnel ? 0
                                                                          : -1;
    }
    handler.on_response(ref, block.text(), head);
}

void Session::State::take_end(StreamRef ref, Stream &stream, Bytes trailers) {
    if (stream.expected >= 0 && stream.received != stream.expected) {
        return refuse(stream, Reason::http2_length_mismatch);
    }
    stream.peer_ended = true;
    handler.on_end(ref, trailers);
}

void Session::State::take_head(StreamRef ref, Stream &stream, bool end) {
    if (stream.head_done) {
        const Reason why = end ? block.finish_trailers() : Reason::http2_bad_trailer;
        return why != Reason::none ? refuse(stream, why) : take_end(ref, stream, block.lines());
    }
    role == Role::server ? take_request(ref, stream, end) : take_response(ref, stream, end);
    if (end && stream.why == Reason::none) {
        take_end(ref, stream, {});
    }
}

int Session::State::take_frame(const nghttp2_frame &frame) {
    if (frame.hd.type == NGHTTP2_GOAWAY) {
        handler.on_goaway(frame.goaway.error_code);
        return 0;
    }
    if (frame.hd.type == NGHTTP2_PING) {
        if (drain_asked && (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0 &&
            std::ranges::equal(frame.ping.opaque_data, drain_ping)) {
            drain_asked = false;
            handler.on_drain_seen();
        }
        return 0;
    }
    StreamRef ref;
    Stream *const stream = find(frame.hd.stream_id, ref);
    if (stream == nullptr) {
        return 0;
    }
    if (frame.hd.type == NGHTTP2_RST_STREAM) {
        stream->peer_reset = true;
    }
    if (stream->why != Reason::none || stream->own_reset) {
        return 0;
    }
    if (frame.hd.type == NGHTTP2_HEADERS) {
        take_head(ref, *stream, ends_stream(frame.hd));
    } else if (frame.hd.type == NGHTTP2_DATA && ends_stream(frame.hd) && stream->head_done) {
        take_end(ref, *stream, {});
    }
    return 0;
}

int Session::State::take_data(int32_t id, Bytes content) {
    // The connection's window is given back at once: only the stream's own window waits for its reader.
    if (nghttp2_session_consume_connection(session, content.size()) != 0) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    StreamRef ref;
    Stream *const stream = find(id, ref);
    if (stream == nullptr || stream->why != Reason::none || stream->own_reset) {
        return 0;
    }
    if (!stream->head_done) {
        refuse(*stream, Reason::http2_bad_response);
        return 0;
    }
    stream->received += static_cast<int64_t>(content.size());
    if (stream->expected >= 0 && stream->received > stream->expected) {
        refuse(*stream, Reason::http2_length_mismatch);
        return 0;
    }
    stream->uncredited += content.size();
    handler.on_data(ref, content);
    return 0;
}

int Session::State::frame_sent(const nghttp2_frame &frame) {
    StreamRef ref;
    Stream *const stream = find(frame.hd.stream_id, ref);
    switch (frame.hd.type) {
    case NGHTTP2_DATA:
        guard.sent_data();
        [[fallthrough]];
    case NGHTTP2_HEADERS:
        if (stream != nullptr) {
            stream->own_ended = stream->own_ended || ends_stream(frame.hd);
            refuse_rest(*stream);
        }
        return 0;
    case NGHTTP2_RST_STREAM:
        if (stream == nullptr || !stream->own_reset) {
            count(Nuisance::reset);
        }
        // Refused by us or by nghttp2 itself, which tells of it here alone.
        if (stream == nullptr && role == Role::server &&
            frame.rst_stream.error_code == NGHTTP2_REFUSED_STREAM) {
            handler.on_refused(Reason::http2_stream_limit);
        }
        return 0;
    case NGHTTP2_GOAWAY:
        // Not before: nghttp2 lets a PING overtake what waits, and its answer would prove nothing.
        if (frame.goaway.last_stream_id == any_stream) {
            drain_asked = nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, drain_ping.data()) == 0;
        }
        if (frame.goaway.error_code != NGHTTP2_NO_ERROR && failure == Reason::none) {
            failure = Reason::http2_protocol_error;
        }
        return 0;
    default:
        return 0;
    }
}

Reason Session::State::close_reason(const Stream &stream, uint32_t error_code) const {
    if (stream.why != Reason::none || stream.own_reset) {
        return stream.why;
    }
    if (error_code == NGHTTP2_NO_ERROR && stream.peer_ended) {
        return Reason::none;
    }
    if (role == Role::server && stream.own_ended && stream.peer_reset) {
        return Reason::none; // it has the whole answer, and may stop its request
    }
    if (error_code == NGHTTP2_REFUSED_STREAM) {
        return Reason::http2_refused_stream;
    }
    if (failure != Reason::none) {
        return failure;
    }
    if (stream.peer_reset) {
        return role == Role::server ? Reason::downstream_reset : Reason::upstream_reset;
    }
    return Reason::http2_protocol_error;
}

int Session::State::close_stream(int32_t id, uint32_t error_code) {
    StreamRef ref;
    const Stream *const stream = find(id, ref);
    if (stream == nullptr) {
        return 0;
    }
    const Reason why = close_reason(*stream, error_code);
    const bool announced = stream->announced;
    streams.close(ref);
    if (why == Reason::none) {
        guard.ended_well();
    }
    announced ? handler.on_closed(ref, why, error_code) : handler.on_refused(why);
    return 0;
}

ssize_t Session::State::fill(int32_t id, std::span<uint8_t> room, uint32_t &flags) {
    StreamRef ref;
    Stream *const stream = find(id, ref);
    if (stream == nullptr) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    const Pulled pulled = handler.pull(ref, room);
    if (pulled.size == 0 && !pulled.end) {
        return NGHTTP2_ERR_DEFERRED;
    }
    flags |= pulled.end ? NGHTTP2_DATA_FLAG_EOF : NGHTTP2_DATA_FLAG_NONE;
    if (pulled.end && !pulled.trailers.empty()) {
        if (!list.set_trailers(pulled.trailers)) {
            stream->why = Reason::http2_bad_trailer;
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
        flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (nghttp2_submit_trailer(session, id, list.data(), list.size()) != 0) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
    }
    return static_cast<ssize_t>(pulled.size);
}

} // namespace weft::http2
