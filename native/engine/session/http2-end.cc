// SPDX-License-Identifier: Apache-2.0
#include "engine/session/http2-end.hpp"
#include "engine/engine.hpp"

namespace weft {

Http2End::Http2End(Engine &engine, Handle connection, http2::Role role, const http2::Limits &limits)
    : session(role, limits, *this), engine_(engine), connection_(connection),
      upstream_(role == http2::Role::client) {}

void Http2End::link(http2::StreamRef stream, Handle exchange) {
    if (stream.index >= exchanges_.size())
        exchanges_.resize(stream.index + 1);
    exchanges_[stream.index] = exchange;
}

void Http2End::on_request(http2::StreamRef stream, http1::Bytes text, const http1::RequestHead &head) {
    if (Connection *down = engine_.connections_.get(connection_))
        engine_.stream_request(*down, stream, text, head);
}

void Http2End::on_response(http2::StreamRef stream, http1::Bytes text, const http1::ResponseHead &head) {
    if (Exchange *exchange = engine_.exchanges_.get(exchange_of(stream)))
        engine_.stream_response(*exchange, text, head);
}

void Http2End::on_data(http2::StreamRef stream, http1::Bytes content) {
    Exchange *exchange = engine_.exchanges_.get(exchange_of(stream));
    if (exchange == nullptr)
        return;
    const std::string_view part{reinterpret_cast<const char *>(content.data()), content.size()};
    if (upstream_)
        engine_.stream_response_content(*exchange, part);
    else
        engine_.stream_request_content(*exchange, part);
}

void Http2End::on_end(http2::StreamRef stream, http1::Bytes trailers) {
    Exchange *exchange = engine_.exchanges_.get(exchange_of(stream));
    if (exchange == nullptr)
        return;
    if (upstream_)
        engine_.stream_response_ended(*exchange, trailers);
    else
        engine_.stream_request_ended(*exchange, trailers);
}

http2::Pulled Http2End::pull(http2::StreamRef stream, std::span<uint8_t> room) {
    Exchange *exchange = engine_.exchanges_.get(exchange_of(stream));
    if (exchange == nullptr)
        return {};
    if (upstream_)
        return engine_.pull_request(*exchange, room);
    return engine_.pull_response(*exchange, room);
}

void Http2End::on_closed(http2::StreamRef stream, Reason why, uint32_t) {
    Exchange *exchange = engine_.exchanges_.get(exchange_of(stream));
    if (stream.index < exchanges_.size())
        unlink(stream);
    if (Connection *connection = engine_.connections_.get(connection_))
        engine_.stream_closed(*connection, exchange, why);
}

void Http2End::on_refused(Reason why) {
    if (Connection *connection = engine_.connections_.get(connection_))
        engine_.stream_refused(*connection, why);
}

void Http2End::on_goaway(uint32_t) {
    if (Connection *connection = engine_.connections_.get(connection_))
        engine_.session_goaway(*connection);
}

void Http2End::on_drain_seen() {
    if (Connection *connection = engine_.connections_.get(connection_))
        engine_.tell_last_stream(*connection);
}

} // namespace weft
