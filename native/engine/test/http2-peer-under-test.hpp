// SPDX-License-Identifier: Apache-2.0
// A client or an application that speaks HTTP/2 over a connection of the test.
#pragma once
#include "engine/http2/session-under-test.hpp"
#include "engine/test/engine-under-test.hpp"

namespace weft::testing {

/// Every connection speaks HTTP, and every request goes to `endpoint` by HTTP/2.
inline void forward_by_http2(EngineUnderTest &test, uint32_t endpoint = 1) {
    test.on_decide = [&test, endpoint](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row)
            if (test.engine->batch().rows.kind[row] == static_cast<uint8_t>(RowKind::connection)) {
                test.engine->batch().verdicts.action[row] = static_cast<uint8_t>(Action::http);
            } else {
                test.forward_to(row, endpoint);
                test.engine->batch().verdicts.flags[row] = verdict_flag::http2;
            }
        return true;
    };
}

class Http2Peer {
public:
    Http2Peer(EngineUnderTest &test, std::unique_ptr<Peer> peer_of, http2::Role role,
              const http2::Limits &limits = {})
        : peer(std::move(peer_of)), session(role, limits, side) {
        side.session = &session;
        test.each_turn([this] { exchange(); });
        exchange();
    }

    /// What arrived goes into the session, what it has to say goes out.
    void exchange() {
        if (!peer->received.empty()) {
            std::string bytes;
            bytes.swap(peer->received);
            received += bytes.size();
            session.receive(http1::bytes_of(bytes), 0);
        }
        send();
    }

    /// Client: parses `text` as an HTTP/1 request and sends it as a stream.
    http2::StreamRef request(const std::string &text, const std::string &content = "", bool all = true,
                             const std::string &trailers = "") {
        http1::RequestHead head;
        Reason why = Reason::none;
        CHECK(http1::parse_request_head(http1::bytes_of(text), {}, head, why) == http1::Parse::complete);
        const bool has_content = head.framing != http1::Framing::none;
        const http2::StreamRef stream = session.request(http1::bytes_of(text), head, {}, has_content, why);
        CHECK_EQUAL(why, Reason::none);
        give(stream, content, all, trailers);
        return stream;
    }

    /// Application: answers a stream likewise.
    bool respond(http2::StreamRef stream, const std::string &text, const std::string &content = "",
                 bool all = true, const std::string &trailers = "") {
        http1::ResponseHead head;
        Reason why = Reason::none;
        const http1::ResponseContext context{side.at(stream).request.method, {}};
        CHECK(http1::parse_response_head(http1::bytes_of(text), context, {}, head, why) ==
              http1::Parse::complete);
        const bool has_content = head.framing != http1::Framing::none;
        const bool done = session.respond(stream, http1::bytes_of(text), head, {}, has_content);
        give(stream, content, all, trailers);
        return done;
    }

    /// Likewise, and the stream ends with the head.
    bool respond_whole(http2::StreamRef stream, const std::string &text) {
        http1::ResponseHead head;
        Reason why = Reason::none;
        const http1::ResponseContext context{side.at(stream).request.method, {}};
        CHECK(http1::parse_response_head(http1::bytes_of(text), context, {}, head, why) ==
              http1::Parse::complete);
        const bool done = session.respond(stream, http1::bytes_of(text), head, {}, false);
        send();
        return done;
    }

    /// More content of a stream.
    void give(http2::StreamRef stream, const std::string &content, bool all = true,
              const std::string &trailers = "") {
        auto &own = side.at(stream);
        own.to_send += content;
        own.send_all = all;
        own.trailers_to_send = trailers;
        session.resume(stream);
        send();
    }

    http2::Recorder::Exchange &at(http2::StreamRef stream) { return side.at(stream); }
    std::string head(http2::StreamRef stream) { return side.at(stream).head; }
    /// A field of the last head that came on the stream; empty where it has none.
    std::string field(http2::StreamRef stream, std::string_view name) {
        auto &seen = side.at(stream);
        const auto &fields = seen.request.fields.count > 0 ? seen.request.fields : seen.response.fields;
        const http1::Field *found = fields.find(seen.text(), name);
        return found == nullptr ? "" : std::string(found->value.text(seen.text()));
    }

    std::unique_ptr<Peer> peer;
    http2::Recorder side;
    http2::Session session;
    size_t received = 0;

private:
    void send() {
        std::array<uint8_t, 16384> room;
        while (const size_t size = session.send(room))
            peer->send({reinterpret_cast<char *>(room.data()), size});
    }
};

} // namespace weft::testing
