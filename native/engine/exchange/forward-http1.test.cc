// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 through the engine: what is forwarded, how connections are kept, what both sides see.
#include "engine/test/engine-under-test.hpp"

namespace weft::testing {
namespace {

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: shop\r\n\r\n";
constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

CASE("a request reaches the endpoint and its response the client; the connection is used again") {
    EngineUnderTest test;
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    CHECK(app->received.starts_with("GET /a HTTP/1.1\r\n"));
    app->send(ok);
    CHECK(test.until([&] { return client->has("ok"); }));
    CHECK(client->received.starts_with("HTTP/1.1 200 OK\r\n"));

    auto second = test.connect();
    second->send("GET /b HTTP/1.1\r\nHost: shop\r\n\r\n");
    CHECK(test.until([&] { return app->has("/b"); }));
    app->send(ok);
    CHECK(test.until([&] { return second->has("ok") && test.count(CompletionKind::request) == 2; }));
    const Completion *done = test.last(CompletionKind::request);
    CHECK_EQUAL(done->status, 200);
    CHECK_EQUAL(done->attempt, 1);
    CHECK(done->reused);
    CHECK_EQUAL(done->bytes_sent, 2U);
    CHECK(done->total_us >= done->first_byte_us && done->first_byte_us >= done->decide_us);
    CHECK(test.try_accept() == nullptr);
}

CASE("one workload's idle connection never carries another workload's request") {
    EngineUnderTest test;
    test.engine->add_workload(2, {});
    const uint16_t other = test.listen_for(2, Direction::outbound);
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    app->send(ok);
    CHECK(test.until([&] { return client->has("ok"); }));
    auto stranger = test.connect_to(other);
    auto second = test.deliver(*stranger, get);
    second->send(ok);
    CHECK(test.until([&] { return stranger->has("ok"); }));
}

CASE("inbound, the application's connection belongs to one client connection") {
    EngineUnderTest test;
    const uint16_t inbound = test.listen_for(1, Direction::inbound);
    auto first = test.connect_to(inbound);
    auto app = test.deliver(*first, get);
    app->send(ok);
    CHECK(test.until([&] { return first->has("ok"); }));
    auto second = test.connect_to(inbound);
    second->send(get);
    auto other = test.accept();
    other->send(ok);
    CHECK(test.until([&] { return second->has("ok"); }));
    first->received.clear();
    first->send(get);
    CHECK(test.until([&] { return app->received.size() > get.size() * 2 - 10; }));
    app->send(ok);
    CHECK(test.until([&] { return first->has("ok"); }));
    first->close();
    CHECK(test.until([&] { return app->ended; }));
}

CASE("a body with a length arrives whole, whatever the pieces") {
    EngineUnderTest test;
    const std::string body(300'000, 'b');
    auto client = test.connect();
    client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n");
    client->send(body);
    auto app = test.accept();
    CHECK(test.until([&] { return app->received.size() >= body.size() && app->received.ends_with(body); }));
    app->send(ok);
    CHECK(test.until([&] { return client->has("ok") && test.count(CompletionKind::request) == 1; }));
    CHECK_EQUAL(test.last(CompletionKind::request)->bytes_received, body.size());
}

CASE("chunks and trailers pass both ways, extensions do not") {
    EngineUnderTest test;
    auto client = test.connect();
    client->send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n"
                 "4;x=y\r\nwiki\r\n3\r\nped\r\n0\r\nDigest: q\r\n\r\n");
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("Digest: q\r\n\r\n"); }));
    CHECK(app->has("4\r\nwiki\r\n"));
    CHECK(!app->has("x=y"));
    app->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    CHECK(test.until([&] { return client->has("3\r\nabc\r\n"); }));
    app->send("2\r\nde\r\n0\r\nSum: 5\r\n\r\n");
    CHECK(test.until([&] { return client->has("0\r\nSum: 5\r\n\r\n"); }));
}

CASE("pipelined requests are answered in order") {
    EngineUnderTest test;
    auto client = test.connect();
    client->send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 "
                 "HTTP/1.1\r\nHost: a\r\n\r\n");
    auto app = test.accept();
    for (const std::string_view path : {"/1", "/2", "/3"}) {
        CHECK(test.until([&] { return app->has(path); }));
        app->send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + std::string(path));
        CHECK(test.until([&] { return client->received.ends_with(path); }));
    }
    CHECK(client->received.find("/1") < client->received.find("/2"));
}

CASE("HEAD has a length and no body; the connection goes on") {
    EngineUnderTest test;
    auto client = test.connect();
    client->send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("HEAD"); }));
    app->send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
    CHECK(test.until([&] { return client->has("500\r\n"); }));
    client->send(get);
    CHECK(test.until([&] { return app->has("GET /a"); }));
}

CASE("100 (Continue) passes, and then the body") {
    EngineUnderTest test;
    auto client = test.connect();
    auto app = test.deliver(*client,
                            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    app->send("HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(test.until([&] { return client->has("100 Continue"); }));
    client->send("abc");
    CHECK(test.until([&] { return app->received.ends_with("abc"); }));
    app->send("HTTP/1.1 103 Early Hints\r\n\r\n" + std::string(ok));
    CHECK(test.until([&] { return client->has("ok"); }));
    CHECK(client->has("103"));
}

CASE("a response that ends with the connection becomes chunked, and its connection is not kept") {
    EngineUnderTest test;
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    app->send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it");
    app->finish();
    CHECK(test.until([&] { return client->has("0\r\n\r\n"); }));
    CHECK(client->has("all of it"));
    CHECK_EQUAL(test.engine->stats().pooled, 0U);
    client->send(get);
    CHECK(test.accept() != nullptr);
}

CASE("an HTTP/1.0 client gets plain bytes and the end of the connection") {
    EngineUnderTest test;
    auto client = test.connect();
    auto app = test.deliver(*client, "GET / HTTP/1.0\r\n\r\n");
    CHECK(app->has("GET / HTTP/1.1\r\n"));
    CHECK(app->has("127.0.0.1:" + std::to_string(test.port)));
    app->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    CHECK(test.until([&] { return client->ended; }));
    CHECK(client->received.ends_with("\r\n\r\nabc"));
}

CASE("a client that half-closes after its request still gets the response") {
    EngineUnderTest test;
    auto client = test.connect();
    client->send(get);
    client->finish();
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("\r\n\r\n"); }));
    app->send(ok);
    CHECK(test.until([&] { return client->ended; }));
    CHECK(client->has("ok"));
}

CASE("a malformed head is answered with its reason, and counted without a row") {
    EngineUnderTest test;
    auto client = test.connect();
    client->send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
    CHECK(test.until([&] { return client->ended && test.count(CompletionKind::request) == 1; }));
    CHECK(client->received.starts_with("HTTP/1.1 400 "));
    CHECK(client->has("x-weft-reason: http1_length_and_encoding\r\n"));
    CHECK(test.last(CompletionKind::request)->reason == Reason::http1_length_and_encoding);
    CHECK_EQUAL(test.last(CompletionKind::request)->request_tag, 0U);
}

CASE("bytes that no request asked for end an idle connection") {
    EngineUnderTest test;
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    app->send(std::string(ok) + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
    CHECK(test.until([&] { return client->has("ok") && (app->ended || app->was_reset); }));
    CHECK_EQUAL(test.engine->stats().pooled, 0U);
    CHECK(!client->has("poison"));
}

CASE("a malformed response becomes 502 with its reason") {
    EngineUnderTest test;
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    app->send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab");
    CHECK(test.until([&] { return client->has("\r\n\r\n"); }));
    CHECK(client->received.starts_with("HTTP/1.1 502 "));
    CHECK(client->has("http1_bad_response"));
}

CASE("a response cut short closes the client's connection, so that it is seen") {
    EngineUnderTest test;
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    app->send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
    CHECK(test.until([&] { return client->has("part"); }));
    app->close();
    CHECK(test.until([&] { return client->ended && test.count(CompletionKind::request) == 1; }));
    CHECK(test.last(CompletionKind::request)->reason == Reason::upstream_closed_early);
    CHECK_EQUAL(test.last(CompletionKind::request)->status, 200);
}

CASE("a client that resets takes its request to the endpoint with it") {
    EngineUnderTest test;
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    client->reset();
    CHECK(test.until(
        [&] { return (app->ended || app->was_reset) && test.count(CompletionKind::request) == 1; }));
    CHECK(test.last(CompletionKind::request)->reason == Reason::downstream_reset);
    CHECK_EQUAL(test.last(CompletionKind::request)->status, 0);
}

CASE("a client that leaves in the middle of a body is named so") {
    EngineUnderTest test;
    auto client = test.connect();
    client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("abc"); }));
    client->close();
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 1; }));
    CHECK(test.last(CompletionKind::request)->reason == Reason::downstream_closed_early);
}

} // namespace
} // namespace weft::testing
