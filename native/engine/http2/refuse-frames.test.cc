// SPDX-License-Identifier: Apache-2.0
// What a hostile client or server sends, and the rule that stops it.
#include "engine/http2/session-under-test.hpp"

namespace weft::http2 {
namespace {

using namespace std::string_literals;
using Headers = RawClient::Headers;

const Headers plain = {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}};

Headers with(Headers headers, const Headers &more) {
    headers.insert(headers.end(), more.begin(), more.end());
    return headers;
}

/// A server that hears raw bytes.
struct Target {
    Recorder side;
    Session session;
    RawClient raw;
    uint64_t now = 0;

    explicit Target(const Limits &limits = {}) : session(Role::server, limits, side) {
        side.session = &session;
        feed(RawClient::preface());
        drain();
    }
    Reason feed(const std::string &bytes) { return session.receive(http1::bytes_of(bytes), now); }
    std::string drain() {
        std::string all;
        std::array<uint8_t, 4096> room;
        for (size_t size = session.send(room); size > 0; size = session.send(room)) {
            all += string_of({room.data(), size});
        }
        return all;
    }
};

void check_refused(const std::string &frames_of_stream_1, Reason why, Target &target) {
    target.feed(frames_of_stream_1);
    target.drain();
    const Reason seen = !target.side.refused.empty() ? target.side.refused[0]
                        : !target.side.order.empty() ? target.side.last().why
                                                     : Reason::none;
    CHECK_EQUAL(seen, why);
    CHECK_EQUAL(target.session.streams(), 0u);
    // The connection lives on.
    target.feed(target.raw.headers(3, plain));
    CHECK_EQUAL(target.session.failure(), Reason::none);
    CHECK_EQUAL(target.session.streams(), 1u);
}

void check_head(const Headers &headers, Reason why) {
    Target target;
    check_refused(target.raw.headers(1, headers), why, target);
    if (!target.side.refused.empty()) {
        CHECK_EQUAL(target.side.order.size(), 1u);
    }
}

CASE("pseudo header fields come once, first, all, and are what they should be") {
    const std::pair<std::string, std::string> method{":method", "GET"};
    const std::pair<std::string, std::string> scheme{":scheme", "http"};
    const std::pair<std::string, std::string> path{":path", "/"};
    const std::pair<std::string, std::string> authority{":authority", "a"};
    for (const Headers &headers :
         {Headers{scheme, path, authority},
          Headers{method, path, authority},
          Headers{method, scheme, authority},
          Headers{method, scheme, path},
          Headers{method, method, scheme, path, authority},
          Headers{method, scheme, path, path, authority},
          Headers{method, scheme, path, authority, authority},
          Headers{method, scheme, path, {"a", "b"}, authority},
          Headers{method, scheme, {":path", ""}, authority},
          Headers{method, scheme, {":path", "x"}, authority},
          Headers{method, scheme, {":path", "*"}, authority},
          Headers{method, scheme, {":path", "/a#b"}, authority},
          Headers{method, {":scheme", "ftp"}, path, authority},
          Headers{{":method", "get"}, scheme, path, authority},
          Headers{{":method", ""}, scheme, path, authority},
          Headers{method, scheme, path, {":authority", "u@a"}},
          Headers{method, scheme, path, {":authority", ""}},
          Headers{method, scheme, path, authority, {":status", "200"}},
          Headers{method, scheme, path, authority, {":x", "y"}},
          Headers{{":method", "CONNECT"}, scheme, path, {":authority", "a:1"}},
          Headers{{":method", "CONNECT"}, authority},
          Headers{{":method", "CONNECT"}, {":protocol", "websocket"}, scheme, path, authority}}) {
        Target target;
        target.feed(target.raw.headers(1, headers));
        target.drain();
        CHECK_EQUAL(target.side.order.size(), 0u);
        CHECK_EQUAL(target.side.refused.size(), 1u);
        const Reason why = target.side.refused.empty() ? Reason::none : target.side.refused[0];
        CHECK(why == Reason::http2_bad_head || why == Reason::http2_bad_field);
        CHECK_EQUAL(target.session.failure(), Reason::none);
    }
}

CASE("CR, LF, NUL, spaces, upper case and connection-specific fields never pass to HTTP/1") {
    for (const auto &[name, value] : Headers{{"a", "b\r\nx: y"},
                                             {"a", "b\nc"},
                                             {"a", "b\rc"},
                                             {"a", "b\0c"s},
                                             {"a", " b"},
                                             {"a", "b "},
                                             {"a", "\x01"},
                                             {"A", "b"},
                                             {"a b", "c"},
                                             {"a:", "c"},
                                             {"a\r\nb", "c"},
                                             {"", "c"},
                                             {"transfer-encoding", "chunked"},
                                             {"connection", "close"},
                                             {"keep-alive", "5"},
                                             {"proxy-connection", "x"},
                                             {"upgrade", "websocket"},
                                             {"http2-settings", "AA"},
                                             {"te", "gzip"},
                                             {"content_length", "5"},
                                             {"transfer_encoding", "chunked"}}) {
        check_head(with(plain, {{name, value}}), Reason::http2_bad_field);
    }
    for (const char *path : {"/a b", "/a\r\nX: y", "/\x7f", "/\xc3\xa9"}) {
        Target target;
        target.feed(target.raw.headers(
            1, {{":method", "GET"}, {":scheme", "http"}, {":path", path}, {":authority", "a"}}));
        target.drain();
        CHECK_EQUAL(target.side.order.size(), 0u);
        CHECK_EQUAL(target.side.refused.size(), 1u);
    }
}

CASE("Host equals :authority, or stands for it") {
    check_head(with(plain, {{"host", "b"}}), Reason::http2_host_mismatch);
    check_head(with(plain, {{"host", "a"}, {"host", "a"}}), Reason::http2_host_mismatch);
    Target target;
    target.feed(target.raw.headers(1, with(plain, {{"host", "A"}})));
    CHECK_EQUAL(target.side.last().request.authority.text(target.side.last().text()), "A");
    target.feed(
        target.raw.headers(3, {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "b"}}));
    CHECK_EQUAL(target.side.order.size(), 2u);
    CHECK_EQUAL(target.side.last().request.authority.text(target.side.last().text()), "b");
}

CASE("Content-Length equals the content") {
    check_head(with(plain, {{"content-length", "5"}}), Reason::http2_length_mismatch);
    const auto data = [](const std::string &content, bool end) {
        return RawClient::frame(0, end ? 1 : 0, 1, content);
    };
    for (const std::string &frames : {data("1234", true), data("123456", true), data("123456", false),
                                      data("", true), data("12345", false) + data("6", true)}) {
        Target target;
        check_refused(target.raw.headers(1, with(plain, {{"content-length", "5"}}), false) + frames,
                      Reason::http2_length_mismatch, target);
    }
    for (const char *length : {"+5", "5,5", "05", "99999999999999999999", "x"}) {
        Target target;
        target.feed(target.raw.headers(1, with(plain, {{"content-length", length}}), false));
        target.drain();
        CHECK_EQUAL(target.side.order.size(), 0u);
        CHECK_EQUAL(target.side.refused.size(), 1u);
    }
    Target target;
    target.feed(target.raw.headers(1, with(plain, {{"content-length", "5"}}), false) + data("12", false) +
                data("345", true));
    CHECK(target.side.last().ended);
}

CASE("cookies are joined for the next hop") {
    Target target;
    target.feed(target.raw.headers(
        1, with(plain, {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}, {"cookie", "c"}})));
    const auto &seen = target.side.last();
    CHECK_EQUAL(seen.request.fields.count, 2u);
    CHECK_EQUAL(seen.request.fields.find(http1::FieldId::cookie)->value.text(seen.text()), "a=1; b=2; c");
}

CASE("trailers forge nothing") {
    for (const char *name : {"content-length", "host", "authorization", "cookie", "x-forwarded-for",
                             "x-weft-identity", ":path"}) {
        Target target;
        target.feed(target.raw.headers(1, plain, false) + target.raw.headers(1, {{name, "5"}}, true));
        target.drain();
        CHECK(!target.side.last().ended);
        CHECK(target.side.last().closed);
        CHECK(target.side.last().why == Reason::http2_bad_trailer ||
              target.side.last().why == Reason::http2_bad_field ||
              target.side.last().why == Reason::http2_bad_head);
    }
}

CASE("a head has bounds, also one that is small on the wire") {
    Limits small;
    small.head_bytes = 4096;
    Target tight{small};
    check_refused(tight.raw.headers(1, with(plain, {{"a", std::string(4096, 'x')}})),
                  Reason::http2_head_too_large, tight);
    check_head(with(plain, Headers(101, {"a", "b"})), Reason::http2_head_too_large);
    check_head({{":method", "GET"},
                {":scheme", "http"},
                {":path", "/" + std::string(20'000, 'a')},
                {":authority", "a"}},
               Reason::http1_target_too_long);
    // One 2,000-byte entry in the table, then 10,000 references to it of one byte each.
    Target target;
    target.feed(target.raw.headers(1, with(plain, {{"bomb", std::string(2000, 'x')}})));
    std::string block = "\x82\x86\x84\x01\x01"
                        "a";
    block += std::string(10'000, '\xbe');
    target.feed(RawClient::frame(1, 5, 3, block));
    target.drain();
    CHECK_EQUAL(target.side.refused.size(), 1u);
    CHECK_EQUAL(target.side.refused[0], Reason::http2_head_too_large);
    CHECK_EQUAL(target.session.failure(), Reason::none);
}

bool says_enhance_your_calm(const std::string &bytes) {
    const std::string code{"\0\0\0\x0b", 4};
    for (size_t at = 0; at + 9 <= bytes.size();) {
        const auto byte = [&](size_t i) {
            return static_cast<size_t>(static_cast<unsigned char>(bytes[at + i]));
        };
        const size_t length = byte(0) << 16 | byte(1) << 8 | byte(2);
        if (byte(3) == NGHTTP2_GOAWAY && bytes.substr(at + 13, 4) == code) {
            return true;
        }
        at += 9 + length;
    }
    return false;
}

/// Feeds frames until the session fails; it must do so with `why`, a GOAWAY, and within `most` of them.
template <typename Next> void check_flood(Target &target, Reason why, int most, Next next) {
    int fed = 0;
    std::string sent;
    while (target.session.failure() == Reason::none && fed <= most) {
        target.feed(next(fed++));
        sent += target.drain();
    }
    sent += target.drain();
    CHECK_EQUAL(target.session.failure(), why);
    CHECK(says_enhance_your_calm(sent));
    CHECK(target.session.finished());
    CHECK_EQUAL(target.feed(RawClient::frame(6, 0, 0, "12345678")), why);
}

CASE("a rapid reset ends the connection, cancelling some calls does not") {
    Target target;
    check_flood(target, Reason::http2_reset_flood, 600, [&](int i) {
        const auto id = static_cast<uint32_t>(2 * i + 1);
        return target.raw.headers(id, plain) + RawClient::frame(3, 0, id, "\0\0\0\x08"s);
    });
    Target busy;
    for (uint32_t i = 0; i < 3000; ++i) {
        const uint32_t id = 2 * i + 1;
        busy.feed(busy.raw.headers(id, plain));
        if (i % 3 == 0) {
            busy.feed(RawClient::frame(3, 0, id, "\0\0\0\x08"s));
        } else {
            CHECK(busy.session.reply(busy.side.order.back(), {.status = 200}));
        }
        busy.drain();
    }
    CHECK_EQUAL(busy.session.failure(), Reason::none);
}

CASE("streams that make us reset them count as resets") {
    Target target;
    check_flood(target, Reason::http2_reset_flood, 600, [&](int i) {
        return target.raw.headers(static_cast<uint32_t>(2 * i + 1), with(plain, {{"connection", "x"}}));
    });
}

CASE("resets are forgiven with time") {
    Target target;
    for (uint32_t i = 0; i < 2000; ++i) {
        target.now += 100;
        target.feed(target.raw.headers(2 * i + 1, plain) + RawClient::frame(3, 0, 2 * i + 1, "\0\0\0\x08"s));
        target.drain();
    }
    CHECK_EQUAL(target.session.failure(), Reason::none);
}

CASE("endless CONTINUATION ends the connection") {
    Target target;
    target.feed(RawClient::frame(1, 0, 1, target.raw.block(plain)));
    check_flood(target, Reason::http2_continuation_flood, 20, [](int) {
        return RawClient::frame(9, 0, 1,
                                "\x40\x01"
                                "a\x01"
                                "b");
    });
}

CASE("floods of PING, SETTINGS, PRIORITY, empty DATA and WINDOW_UPDATE end the connection") {
    const auto flood = [](Reason why, const std::string &frame) {
        Target target;
        target.feed(target.raw.headers(1, plain, false));
        check_flood(target, why, 2000, [&](int) { return frame; });
        if (target.session.failure() == Reason::none) {
            weft::testing::fail(__FILE__, __LINE__,
                                "frame type " + std::to_string(static_cast<unsigned char>(frame[3])));
        }
    };
    flood(Reason::http2_ping_flood, RawClient::frame(6, 0, 0, "12345678"));
    flood(Reason::http2_settings_flood, RawClient::frame(4, 0, 0, ""));
    flood(Reason::http2_frame_flood, RawClient::frame(2, 0, 1, "\0\0\0\0\x10"s));
    flood(Reason::http2_frame_flood, RawClient::frame(0, 0, 1, ""));
    flood(Reason::http2_frame_flood, RawClient::frame(8, 0, 0, "\0\0\0\x01"s));
}

CASE("a peer that reads nothing cannot make us queue without bound") {
    Limits limits;
    limits.floods.pings = 1'000'000;
    Target target{limits};
    int fed = 0;
    while (target.session.failure() == Reason::none && fed < 100'000) {
        target.feed(RawClient::frame(6, 0, 0, "12345678"));
        fed += 1;
    }
    CHECK_EQUAL(target.session.failure(), Reason::http2_frame_flood);
    CHECK(fed < 200);
}

CASE("more streams than allowed are refused, not queued") {
    Limits limits;
    limits.concurrent_streams = 3;
    Target target{limits};
    for (uint32_t i = 0; i < 10; ++i) {
        target.feed(target.raw.headers(2 * i + 1, plain));
    }
    target.drain();
    CHECK_EQUAL(target.session.streams(), 3u);
    CHECK_EQUAL(target.side.order.size(), 3u);
    CHECK_EQUAL(target.session.failure(), Reason::none);
}

CASE("bytes that are no HTTP/2 end the connection") {
    for (const std::string &bytes :
         {"GET / HTTP/1.1\r\nHost: a\r\n\r\n"s, std::string(64, '\0'), std::string(64, '\xff')}) {
        Recorder side;
        Session session{Role::server, {}, side};
        side.session = &session;
        CHECK_EQUAL(session.receive(http1::bytes_of(bytes), 0), Reason::http2_protocol_error);
    }
    Target target;
    target.feed(RawClient::frame(0, 0, 1, "x"));
    target.drain();
    CHECK_EQUAL(target.session.failure(), Reason::http2_protocol_error);
    CHECK(target.session.finished());
}

/// Answers what was asked last, and sends the answer.
void answer(Target &target) {
    const http1::LocalReply reply{.status = 204};
    CHECK_EQUAL(target.session.reply(target.side.order.back(), reply), true);
    target.drain();
}

CASE("nothing follows the end of a stream, whether it was answered or not") {
    const std::string data = RawClient::frame(NGHTTP2_DATA, 0, 1, "x");
    for (const bool answered : {false, true}) {
        for (const bool again : {false, true}) {
            Target target;
            target.feed(target.raw.headers(1, plain));
            if (answered) {
                answer(target);
            }
            CHECK_EQUAL(target.feed(again ? target.raw.headers(1, plain) : data),
                        Reason::http2_protocol_error);
        }
    }
    for (const bool ended : {false, true}) { // by RST_STREAM; by the last of its DATA
        Target target;
        target.feed(target.raw.headers(1, plain, false));
        target.feed(ended ? RawClient::frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, "x")
                          : RawClient::frame(NGHTTP2_RST_STREAM, 0, 1, "\0\0\0\x8"s));
        CHECK_EQUAL(target.session.failure(), Reason::none);
        CHECK_EQUAL(target.feed(data), Reason::http2_protocol_error);
    }
}

CASE("a stream that was passed by cannot be opened any more") {
    Target target;
    target.feed(target.raw.headers(5, plain));
    CHECK_EQUAL(target.feed(target.raw.headers(3, plain)), Reason::http2_protocol_error);
}

CASE("what was under way when we ended a stream is let through") {
    Target target;
    target.feed(target.raw.headers(1, plain, false));
    target.session.refuse_rest(target.side.order.back());
    answer(target);
    CHECK_EQUAL(target.session.streams(), 0u);
    const std::string data = RawClient::frame(NGHTTP2_DATA, 0, 1, "x");
    CHECK_EQUAL(target.feed(data + data), Reason::none);
    CHECK_EQUAL(target.feed(target.raw.headers(1, {{"x-a", "b"}})), Reason::none); // trailers end it
    CHECK_EQUAL(target.feed(data), Reason::http2_protocol_error);
}

CASE("streams beyond the limit may go on sending too; of many the oldest are forgotten") {
    Target target{{.concurrent_streams = 2}};
    for (uint32_t id = 1; id <= 21; id += 2) {
        CHECK_EQUAL(target.feed(target.raw.headers(id, plain, false)), Reason::none);
    }
    for (uint32_t id = 1; id <= 21; id += 2) {
        CHECK_EQUAL(target.feed(RawClient::frame(NGHTTP2_DATA, 0, id, "x")), Reason::none);
    }
}

CASE("a priority of the connection itself ends it") {
    Target target;
    CHECK_EQUAL(target.feed(RawClient::frame(NGHTTP2_PRIORITY, 0, 0, std::string(5, '\0'))),
                Reason::http2_protocol_error);
}

CASE("a server's malformed answers are refused") {
    for (const Headers &headers :
         {Headers{{":status", "101"}}, Headers{{":status", "99"}}, Headers{{":status", "600"}},
          Headers{{":status", "2000"}}, Headers{{":status", "20x"}}, Headers{{"a", "b"}},
          Headers{{":status", "200"}, {"connection", "close"}},
          Headers{{":status", "200"}, {"transfer-encoding", "chunked"}},
          Headers{{":status", "200"}, {"a", "b\nc"}}, Headers{{":status", "200"}, {":path", "/"}},
          Headers{{":status", "200"}, {"content-length", "5"}},
          Headers{{":status", "204"}, {"content-length", "5"}}, Headers{{":status", "100"}},
          Headers{{":status", "200"}, {"content-length", "0"}, {"content-length", "0"}}}) {
        Recorder side;
        Session session{Role::client, {}, side};
        side.session = &session;
        RawClient raw;
        session.receive(http1::bytes_of(RawClient::frame(4, 0, 0, "")), 0);
        http1::RequestHead head;
        const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        Reason why = Reason::none;
        CHECK(Pair::http1_parse(text, head));
        const StreamRef stream = session.request(http1::bytes_of(text), head, {}, false, why);
        std::vector<uint8_t> room(1 << 16);
        session.send(room);
        session.receive(http1::bytes_of(raw.headers(1, headers)), 0);
        session.send(room);
        CHECK(side.at(stream).closed);
        CHECK(!side.at(stream).ended);
        CHECK(side.at(stream).why != Reason::none);
        CHECK_EQUAL(session.failure(), Reason::none);
    }
}

CASE("a pushed stream ends the connection") {
    Recorder side;
    Session session{Role::client, {}, side};
    RawClient raw;
    session.receive(http1::bytes_of(RawClient::frame(4, 0, 0, "")), 0);
    CHECK_EQUAL(
        session.receive(http1::bytes_of(RawClient::frame(5, 4, 1, "\0\0\0\x02"s + raw.block(plain))), 0),
        Reason::http2_protocol_error);
}

} // namespace
} // namespace weft::http2
