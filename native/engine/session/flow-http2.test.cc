// SPDX-License-Identifier: Apache-2.0
// Flow control end to end: what a slow reader holds, that it holds nobody else, and that all is accounted.
#include "engine/test/http2-peer-under-test.hpp"

namespace weft::testing {
namespace {

const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string ok_head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
constexpr size_t large = size_t{8} << 20;
/// Two windows (one here, one at the peer), two queues, and the sockets between them.
constexpr size_t in_flight = 1'000'000;

CASE("a client that does not read one stream stalls that stream at the endpoint, and no other") {
    EngineUnderTest test;
    forward_by_http2(test);
    http2::Limits client_limits;
    Http2Peer client(test, test.connect(), http2::Role::client, client_limits);
    client.side.credits = false; // nothing of the stalled stream is given back
    const auto stalled = client.request(get);
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 1; }));
    const auto there = app.side.order[0];
    CHECK(app.respond(there, chunked, std::string(large, 's')));
    CHECK(test.until([&] { return client.at(stalled).content.size() == client_limits.stream_window; }));
    client.side.credits = true;
    size_t done = 0;
    for (int i = 0; i < 99; ++i)
        client.request("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(test.until([&] { return app.side.order.size() == 100; }));
    for (size_t i = 1; i < 100; ++i)
        CHECK(app.respond(app.side.order[i], chunked, std::string(200'000, 'x')));
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 99; }));
    for (const Completion &each : test.completions)
        done += each.kind == CompletionKind::request ? each.bytes_sent : 0;
    CHECK_EQUAL(done, size_t{99} * 200'000); // all of theirs, while the stalled one stood still
    CHECK_EQUAL(client.at(stalled).content.size(), client_limits.stream_window);
    CHECK(app.at(there).left() > large - in_flight);
    CHECK(test.engine->stats().buffered_bytes < 400'000);
    client.session.credit(stalled, client.at(stalled).content.size());
    CHECK(test.until([&] { return client.at(stalled).content.size() == large; }));
}

CASE("an endpoint that does not read one stream stalls that stream at the client, and no other") {
    EngineUnderTest test;
    forward_by_http2(test);
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto stalled = client.request(post, std::string(large, 's'));
    Http2Peer app(test, test.accept(), http2::Role::server);
    app.side.credits = false;
    CHECK(test.until([&] { return app.side.order.size() == 1 && app.side.last().content.size() == 65'535; }));
    test.settle();
    CHECK(client.at(stalled).left() > large - in_flight);
    app.side.credits = true;
    for (int i = 0; i < 20; ++i)
        client.request(post, std::string(300'000, 'x'));
    CHECK(test.until([&] {
        size_t ended = 0;
        for (size_t i = 1; i < app.side.order.size(); ++i)
            ended += app.at(app.side.order[i]).ended ? 1 : 0;
        return ended == 20;
    }));
    app.session.credit(app.side.order[0], 65'535);
    CHECK(test.until([&] { return app.at(app.side.order[0]).ended; }));
    CHECK_EQUAL(app.at(app.side.order[0]).content.size(), large);
}

CASE("an HTTP/1 side that does not read stops an HTTP/2 side, and the other way round") {
    EngineUnderTest test;
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto up = client.request(post, std::string(large * 2, 'u'));
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("\r\n\r\n"); }));
    app->stop_reading(true);
    test.settle();
    test.settle();
    CHECK(client.at(up).left() > 0);
    app->stop_reading(false);
    CHECK(test.until([&] { return app->received.ends_with("0\r\n\r\n"); }));
    client.side.credits = false;
    app->send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(large * 4) + "\r\n\r\n");
    app->send(std::string(large * 4, 'd'));
    CHECK(test.until([&] { return client.at(up).content.size() == 65'535; }));
    test.settle();
    CHECK(test.engine->stats().buffered_bytes < 500'000);
    client.side.credits = true;
    client.session.credit(up, 65'535);
    CHECK(test.until([&] { return client.at(up).closed; }));
    CHECK_EQUAL(client.at(up).content.size(), large * 4);

    forward_by_http2(test);
    auto first = test.connect();
    first->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    first->stop_reading(true);
    Http2Peer server(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return server.side.order.size() == 1; }));
    CHECK(server.respond(server.side.order[0], chunked, std::string(large * 4, 'd')));
    test.settle();
    test.settle();
    CHECK(server.at(server.side.order[0]).left() > 0);
    first->stop_reading(false);
    CHECK(test.until([&] { return first->received.ends_with("\r\n0\r\n\r\n"); }));
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 2; }));
    CHECK_EQUAL(test.last(CompletionKind::request)->bytes_sent, large * 4);
}

CASE("content that comes before the verdict waits within the stream's window, and is accounted") {
    EngineUnderTest test;
    test.on_decide = [&](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row)
            test.engine->batch().verdicts.action[row] =
                static_cast<uint8_t>(test.engine->batch().rows.kind[row] == 0 ? Action::http : Action::park);
        return true;
    };
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto stream = client.request(post, std::string(large, 'p'));
    CHECK(test.until([&] { return test.engine->stats().buffered_bytes > 65'535; }));
    test.settle();
    CHECK(test.engine->stats().buffered_bytes < 65'535 + 64 * 1024);
    test.advance(6000);
    CHECK(test.until([&] { return client.at(stream).closed; }));
    CHECK_EQUAL(client.at(stream).response.status, 503);
    CHECK(test.until([&] { return test.engine->stats().buffered_bytes <= 16 * 1024; })); // the session's own
}

CASE("a workload at its buffer limit gets no new streams, and those it has go on") {
    EngineUnderTest test;
    test.engine->set_workload(
        1, {.connections = 0, .pending_requests = 0, .buffered_bytes = 100'000, .cpu_share = 0});
    forward_by_http2(test);
    Http2Peer client(test, test.connect(), http2::Role::client);
    client.side.credits = false;
    const auto one = client.request(get);
    const auto two = client.request(get);
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 2; }));
    for (const auto there : app.side.order)
        CHECK(app.respond(there, chunked, std::string(300'000, 'x')));
    CHECK(test.until([&] { return test.engine->stats().buffered_bytes >= 100'000; }));
    const auto refused = client.request(get);
    CHECK(test.until([&] { return client.at(refused).closed; }));
    CHECK_EQUAL(client.field(refused, "x-weft-reason"), "buffer_limit");
    client.side.credits = true;
    client.session.credit(one, 65'535);
    client.session.credit(two, 65'535);
    CHECK(test.until([&] { return client.at(one).closed && client.at(two).closed; }));
    CHECK_EQUAL(client.at(two).content.size(), size_t{300'000});
}

CASE("pending streams are bounded for a workload") {
    EngineUnderTest test;
    test.engine->set_workload(1,
                              {.connections = 0, .pending_requests = 3, .buffered_bytes = 0, .cpu_share = 0});
    forward_by_http2(test);
    test.fill_stock = false;
    Http2Peer client(test, test.connect(), http2::Role::client);
    std::vector<http2::StreamRef> streams;
    for (int i = 0; i < 5; ++i)
        streams.push_back(client.request(get));
    CHECK(test.until([&] { return client.at(streams[3]).closed && client.at(streams[4]).closed; }));
    CHECK_EQUAL(client.field(streams[4], "x-weft-reason"), "pending_limit");
    test.advance(6000);
    CHECK(test.until([&] { return client.at(streams[0]).closed; }));
    CHECK_EQUAL(client.field(streams[0], "x-weft-reason"), "socket_stock_empty");
}

} // namespace
} // namespace weft::testing
