// SPDX-License-Identifier: Apache-2.0
// Floods through the whole engine: each ends its connection with a reason of its own, costs a bounded number
// of rows, and leaves others alone.
#include "engine/test/http2-peer-under-test.hpp"

namespace weft::testing {
namespace {

using http2::RawClient;

const RawClient::Headers request = {
    {":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}};
const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string ok_head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

/// Sends frames until the connection ends, and checks why; a neighbour's request passes afterwards.
template <class Frame> void expect_end(Reason why, Frame frame, size_t most_rows = 1) {
    EngineUnderTest test;
    forward_by_http2(test);
    Http2Peer neighbour(test, test.connect(), http2::Role::client);
    const auto first = neighbour.request(get);
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 1; }));
    const uint64_t rows = test.engine->stats().rows;
    auto attacker = test.connect();
    attacker->send(RawClient::preface());
    uint32_t sent = 0;
    CHECK(test.until([&] {
        for (int i = 0; i < 50 && sent < 3000; ++i)
            attacker->send(frame(sent++));
        return test.count(CompletionKind::connection) == 1 || attacker->ended || attacker->was_reset;
    }));
    attacker->close();
    CHECK(test.until([&] { return test.count(CompletionKind::connection) == 1; }));
    CHECK_EQUAL(test.last(CompletionKind::connection)->reason, why);
    CHECK(test.engine->stats().rows - rows <= most_rows);
    CHECK(app.respond(app.side.order[0], ok_head, "ok"));
    CHECK(test.until([&] { return neighbour.at(first).closed; }));
    CHECK_EQUAL(neighbour.at(first).content, "ok");
}

CASE("rapid reset") {
    RawClient raw;
    expect_end(
        Reason::http2_reset_flood,
        [&](uint32_t count) {
            const uint32_t stream = 1 + 2 * count;
            return raw.headers(stream, request) +
                   RawClient::frame(NGHTTP2_RST_STREAM, 0, stream, std::string("\0\0\0\x8", 4));
        },
        600);
}

CASE("streams that make us reset them") {
    RawClient raw;
    RawClient::Headers bad = request;
    bad.push_back({"connection", "close"});
    expect_end(Reason::http2_reset_flood, [&](uint32_t count) { return raw.headers(1 + 2 * count, bad); });
}

CASE("PING") {
    expect_end(Reason::http2_ping_flood,
               [](uint32_t) { return RawClient::frame(NGHTTP2_PING, 0, 0, "12345678"); });
}

CASE("SETTINGS") {
    expect_end(Reason::http2_settings_flood,
               [](uint32_t) { return RawClient::frame(NGHTTP2_SETTINGS, 0, 0, ""); });
}

CASE("empty DATA, PRIORITY and WINDOW_UPDATE") {
    RawClient raw;
    RawClient::Headers post = request;
    post[0].second = "POST";
    expect_end(
        Reason::http2_frame_flood,
        [&](uint32_t count) {
            return count == 0 ? raw.headers(1, post, false) : RawClient::frame(NGHTTP2_DATA, 0, 1, "");
        },
        2);
    expect_end(Reason::http2_frame_flood, [](uint32_t) {
        return RawClient::frame(NGHTTP2_PRIORITY, 0, 1, std::string("\0\0\0\0\0", 5));
    });
    expect_end(Reason::http2_frame_flood, [](uint32_t) {
        return RawClient::frame(NGHTTP2_WINDOW_UPDATE, 0, 0, std::string("\0\0\0\1", 4));
    });
}

CASE("CONTINUATION") {
    expect_end(Reason::http2_continuation_flood, [](uint32_t count) {
        // Literal fields without indexing: each frame is a small one, and the block never ends.
        const std::string field("\0\1a\1b", 5);
        return RawClient::frame(count == 0 ? NGHTTP2_HEADERS : NGHTTP2_CONTINUATION, 0, 1, field);
    });
}

CASE("HPACK: a small block that decodes to a large one") {
    EngineUnderTest test;
    auto attacker = test.connect();
    attacker->send(RawClient::preface());
    RawClient raw;
    RawClient::Headers bomb = request;
    bomb.push_back({"x", std::string(3000, 'x')});
    for (int i = 0; i < 60; ++i)
        bomb.push_back(bomb.back()); // a byte each, once it stands in the table
    attacker->send(raw.headers(1, bomb));
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 1; }));
    CHECK_EQUAL(test.last(CompletionKind::request)->reason, Reason::http2_head_too_large);
    CHECK_EQUAL(test.engine->stats().rows, 1U);
    CHECK(test.engine->stats().buffered_bytes <= 16 * 1024);
}

CASE("more streams than are allowed are refused one by one") {
    EngineLimits limits;
    limits.http2.concurrent_streams = 4;
    EngineUnderTest test(limits);
    forward_by_http2(test);
    auto attacker = test.connect();
    attacker->send(RawClient::preface());
    RawClient raw;
    for (uint32_t i = 0; i < 10; ++i)
        attacker->send(raw.headers(1 + 2 * i, request));
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 6; }));
    CHECK_EQUAL(test.last(CompletionKind::request)->reason, Reason::http2_stream_limit);
    CHECK_EQUAL(test.engine->stats().exchanges, 4U);
}

CASE("bytes that are no frames end the connection by name") {
    expect_end(Reason::http2_protocol_error, [](uint32_t) { return std::string(100, '\xff'); });
    EngineUnderTest test;
    auto client = test.connect();
    client->send("PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n"); // not the preface: HTTP/1, and no good one
    CHECK(test.until([&] { return client->has("HTTP/1.1 505") || client->has("HTTP/1.1 400"); }));
}

CASE("a preface that comes byte by byte is one, and what begins like it may still be HTTP/1") {
    EngineUnderTest test;
    auto client = test.connect();
    for (const char each : RawClient::preface()) {
        client->send({&each, 1});
        test.settle();
    }
    CHECK(test.until([&] { return client->received.size() > 9 && client->received[3] == NGHTTP2_SETTINGS; }));
    auto other = test.connect();
    other->send("PR");
    test.settle();
    other->send("OPFIND /a HTTP/1.1\r\nHost: a\r\n\r\n");
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("PROPFIND /a HTTP/1.1\r\n"); }));
    auto silent = test.connect();
    silent->send("PRI");
    test.settle();
    test.advance(31'000);
    CHECK(test.until([&] { return silent->ended || silent->was_reset; }));
}

} // namespace
} // namespace weft::testing
