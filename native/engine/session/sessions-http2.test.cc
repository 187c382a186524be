// SPDX-License-Identifier: Apache-2.0
// HTTP/2 connections as such: which requests share one, when another is opened, how they end.
#include "engine/test/http2-peer-under-test.hpp"

namespace weft::testing {
namespace {

const std::string get = "GET /a HTTP/1.1\r\nHost: shop\r\n\r\n";
const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string ok_head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

/// Asks again where nothing was sent, and tells of it in `not_sent`.
void retry_by_http2(EngineUnderTest &test, uint32_t &not_sent) {
    test.on_decide = [&test, &not_sent](uint32_t rows) {
        auto &batch = test.engine->batch();
        for (uint32_t row = 0; row < rows; ++row) {
            if (batch.rows.kind[row] == static_cast<uint8_t>(RowKind::connection)) {
                batch.verdicts.action[row] = static_cast<uint8_t>(Action::http);
                continue;
            }
            if (batch.rows.kind[row] == static_cast<uint8_t>(RowKind::attempt_failed))
                not_sent += (batch.rows.flags[row] & row_flag::not_sent) != 0 ? 1 : 0;
            test.forward_to(row);
            batch.verdicts.flags[row] = verdict_flag::http2 | verdict_flag::ask_on_connect_failure;
            batch.verdicts.buffer_bytes[row] = 1000;
        }
        return true;
    };
}

CASE("a client may ask for HTTP/2 by Upgrade: its request is the first stream") {
    EngineUnderTest test;
    auto peer = test.connect();
    const std::string upgrade = "GET /first HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                                "Upgrade: h2c\r\nHTTP2-Settings: ";
    peer->send(upgrade + "AAMAAABkAAQAAP__\r\n\r\n"); // 100 streams, windows of 65,535 bytes
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("\r\n\r\n"); }));
    CHECK_EQUAL(app->received, "GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string switching =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    CHECK(test.until([&] { return peer->received.size() > switching.size() + 9; }));
    CHECK(peer->received.starts_with(switching));
    http2::RawClient raw;
    peer->send(http2::RawClient::preface());
    app->send(ok_head + "ok");
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 1; }));
    const std::string data = http2::RawClient::frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, "ok");
    CHECK(test.until([&] { return peer->has(data); }));
    peer->send(
        raw.headers(3, {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/second"}}));
    CHECK(test.until([&] { return app->has("/second"); }));
    app->send(ok_head + "ok");
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 2; }));

    for (const std::string settings :
         {"AAM", "AAMAAABk=", "AAMAAAB", "!"}) { // then it is HTTP/1 that goes on
        auto other = test.connect();
        other->send(upgrade + settings + "\r\n\r\n");
        app->received.clear();
        CHECK(test.until([&] { return app->has("/first"); }));
        app->send(ok_head + "ok");
        CHECK(test.until([&] { return other->has("ok"); }));
        CHECK(other->received.starts_with("HTTP/1.1 200 OK\r\n"));
        test.forget(*other);
    }
}

CASE("streams of one client connection go to different endpoints") {
    EngineUnderTest test;
    Endpoint other;
    other.address = *Address::parse("127.0.0.1", test.app_port);
    other.destination = 8;
    test.engine->set_endpoint(2, other);
    uint32_t next = 0;
    test.on_decide = [&](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row)
            if (test.engine->batch().rows.kind[row] == 0) {
                test.engine->batch().verdicts.action[row] = static_cast<uint8_t>(Action::http);
            } else {
                test.forward_to(row, 1 + next++ % 2);
                test.engine->batch().verdicts.flags[row] = verdict_flag::http2;
            }
        return true;
    };
    Http2Peer client(test, test.connect(), http2::Role::client);
    for (int i = 0; i < 10; ++i)
        client.request(get);
    Http2Peer one(test, test.accept(), http2::Role::server);
    Http2Peer two(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return one.side.order.size() == 5 && two.side.order.size() == 5; }));
    CHECK_EQUAL(test.engine->stats().streams, 10U);
}

CASE("a further session is opened where the peer's streams are used up, and no more than the limit") {
    EngineLimits limits;
    limits.http2_sessions = 2;
    EngineUnderTest test(limits);
    forward_by_http2(test);
    http2::Limits few;
    few.concurrent_streams = 3;
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto first = client.request(get);
    Http2Peer one(test, test.accept(), http2::Role::server, few);
    CHECK(test.until([&] { return one.side.order.size() == 1; }));
    for (int i = 0; i < 3; ++i)
        client.request(get);
    Http2Peer two(test, test.accept(), http2::Role::server, few);
    CHECK(test.until([&] { return one.side.order.size() == 3 && two.side.order.size() == 1; }));
    for (int i = 0; i < 4; ++i)
        client.request(get);
    CHECK(test.until([&] { return two.side.order.size() == 3; }));
    test.settle();
    CHECK(test.try_accept() == nullptr);
    CHECK(one.respond(one.side.order[0], ok_head, "ok")); // makes room for one of the two that wait
    CHECK(test.until([&] { return one.side.order.size() == 4; }));
    CHECK(client.at(first).closed);
    for (Http2Peer *app : {&one, &two})
        for (size_t i = app == &one ? 1 : 0; i < app->side.order.size(); ++i)
            CHECK(app->respond(app->side.order[i], ok_head, "ok"));
    CHECK(test.until([&] { return one.side.order.size() + two.side.order.size() == 8; }));
    Http2Peer &last = one.side.order.size() == 5 ? one : two;
    CHECK(last.respond(last.side.order.back(), ok_head, "ok"));
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 8; }));
}

CASE("requests wait for one connection that is being opened, not for one each") {
    EngineUnderTest test;
    forward_by_http2(test);
    test.fill_stock = false;
    Http2Peer client(test, test.connect(), http2::Role::client);
    for (int i = 0; i < 20; ++i)
        client.request(get);
    CHECK(test.until([&] { return test.engine->stats().exchanges == 20; }));
    test.settle();
    test.fill_stock = true;
    test.stock_low(1, Family::v4, 4);
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 20; }));
    CHECK(test.try_accept() == nullptr);
}

CASE("a connect that fails fails all who waited, as not sent") {
    EngineUnderTest test;
    forward_by_http2(test, 2);
    Endpoint closed;
    closed.address = *Address::parse("127.0.0.1", 1);
    test.engine->set_endpoint(2, closed);
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto one = client.request(get);
    const auto two = client.request(get);
    CHECK(test.until([&] { return client.at(one).closed && client.at(two).closed; }));
    CHECK_EQUAL(client.at(one).response.status, 503);
    CHECK_EQUAL(client.field(two, "x-weft-reason"), "connect_refused");
}

CASE("a stream that the endpoint refuses is tried again, also after GOAWAY") {
    uint32_t not_sent = 0;
    EngineUnderTest test;
    retry_by_http2(test, not_sent);
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto one = client.request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", "abc");
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 1 && app.side.last().ended; }));
    app.session.reset(app.side.order[0], NGHTTP2_REFUSED_STREAM);
    CHECK(test.until([&] { return app.side.order.size() == 2 && app.side.last().ended; }));
    CHECK_EQUAL(not_sent, 1U);
    CHECK_EQUAL(app.side.last().content, "abc");
    app.session.finish_drain(); // this one goes on, later ones go elsewhere
    const auto two = client.request(get);
    Http2Peer second(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return second.side.order.size() == 1; }));
    CHECK(app.respond(app.side.order[1], ok_head, "ok"));
    CHECK(second.respond(second.side.order[0], ok_head, "ok"));
    CHECK(test.until([&] { return client.at(one).closed && client.at(two).closed; }));
    CHECK_EQUAL(client.at(one).content, "ok");
    CHECK(test.until([&] { return app.peer->ended; }));
}

CASE("an endpoint's connection that is lost fails its streams alone") {
    EngineUnderTest test;
    forward_by_http2(test);
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto one = client.request(get);
    const auto two = client.request(post, "x", false);
    auto peer = test.accept();
    CHECK(test.until([&] { return peer->received.size() > 50; }));
    peer->close();
    CHECK(test.until([&] { return client.at(one).closed && client.at(two).closed; }));
    CHECK_EQUAL(client.at(one).response.status, 502);
    CHECK(client.field(two, "x-weft-reason").starts_with("upstream_"));
    const auto three = client.request(get);
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 1; }));
    CHECK(app.respond(app.side.order[0], ok_head, "ok"));
    CHECK(test.until([&] { return client.at(three).closed; }));
}

CASE("a client that resets a stream ends it at the endpoint, by either protocol") {
    EngineUnderTest test;
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto one = client.request(post, "x", false);
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("1\r\nx\r\n"); }));
    client.session.reset(one, NGHTTP2_CANCEL);
    CHECK(test.until([&] { return app->ended || app->was_reset; }));
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 1; }));
    CHECK_EQUAL(test.last(CompletionKind::request)->reason, Reason::downstream_reset);
    forward_by_http2(test);
    const auto two = client.request(post, "x", false);
    Http2Peer server(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return server.side.order.size() == 1; }));
    client.session.reset(two, NGHTTP2_CANCEL);
    CHECK(test.until([&] { return server.at(server.side.order[0]).closed; }));
    CHECK_EQUAL(server.at(server.side.order[0]).error_code, uint32_t{NGHTTP2_CANCEL});
    auto first = test.connect();
    first->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx");
    CHECK(test.until([&] { return server.side.order.size() == 2; }));
    first->reset();
    CHECK(test.until([&] { return server.at(server.side.order[1]).closed; }));
}

CASE("idle connections end: an endpoint's after the pool's time, a client's after its own") {
    EngineUnderTest test;
    forward_by_http2(test);
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto stream = client.request(get);
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 1; }));
    test.advance(31'000); // running streams hold it
    test.settle();
    CHECK(!app.peer->ended);
    CHECK(app.respond(app.side.order[0], ok_head, "ok"));
    CHECK(test.until([&] { return client.at(stream).closed; }));
    test.settle();
    test.advance(31'000);
    CHECK(test.until([&] { return app.peer->ended; }));
    CHECK(!client.peer->ended);
    test.advance(300'000);
    CHECK(test.until([&] { return client.side.goaway == NGHTTP2_NO_ERROR; }));
    test.settle();
    test.advance(5'100); // nghttp2 answers no PING once it was told to leave and has no stream
    CHECK(test.until([&] { return client.peer->ended; }));
    client.peer->close();
    CHECK(test.until([&] { return test.count(CompletionKind::connection) == 1; }));
    CHECK_EQUAL(test.last(CompletionKind::connection)->reason, Reason::idle_timeout);
}

CASE("a drain says GOAWAY, lets streams finish, and takes no new ones") {
    EngineUnderTest test;
    forward_by_http2(test);
    Http2Peer client(test, test.connect(), http2::Role::client);
    Http2Peer idle(test, test.connect(), http2::Role::client);
    const auto stream = client.request(get);
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 1; }));
    test.engine->drain();
    CHECK(test.until([&] { return client.side.goaway == 0 && idle.side.goaway == 0 && idle.peer->ended; }));
    CHECK(!test.engine->drained());
    CHECK(app.respond(app.side.order[0], ok_head, "ok"));
    CHECK(test.until([&] { return client.at(stream).closed && client.peer->ended; }));
    CHECK_EQUAL(client.at(stream).content, "ok");
    idle.peer->close();
    client.peer->close();
    CHECK(test.until([&] { return test.engine->drained(); }));
}

CASE("handed on, a session takes what its client sent before it heard of it, however late that is") {
    EngineUnderTest test;
    forward_by_http2(test);
    Http2Peer client(test, test.connect(), http2::Role::client);
    auto silent = test.connect();
    test.settle();
    client.peer->stop_reading(true); // a machine so busy that it hears nothing
    test.engine->hand_on();
    test.settle();
    test.advance(4900);
    test.settle();
    std::vector<http2::StreamRef> streams;
    for (int i = 0; i < 3; ++i)
        streams.push_back(client.request(get));
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 3; }));
    for (const auto there : app.side.order)
        CHECK(app.respond(there, ok_head, "ok"));
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 3; }));
    client.peer->stop_reading(false);
    CHECK(test.until([&] { return client.peer->ended && client.side.goaway == 0; }));
    for (const auto stream : streams)
        CHECK_EQUAL(client.at(stream).content, "ok");
    Http2Peer late(test, std::move(silent), http2::Role::client); // speaks only now
    CHECK(test.until([&] { return late.side.goaway == 0; }));
    test.settle();
    test.advance(5'100); // nghttp2 answers no PING once it was told to leave and has no stream
    CHECK(test.until([&] { return late.peer->ended; }));
    client.peer->close();
    late.peer->close();
    CHECK(test.until([&] { return test.engine->drained(); }));
}

CASE("a client that never answers the PING of a drain is told its last stream after five seconds") {
    EngineUnderTest test;
    auto client = test.connect();
    http2::RawClient raw;
    const http2::RawClient::Headers request = {
        {":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}};
    auto app = test.deliver(*client, http2::RawClient::preface() + raw.headers(1, request));
    const auto goaway = [](uint32_t last) {
        std::string payload(8, '\0');
        for (const int shift : {24, 16, 8, 0})
            payload[static_cast<size_t>(3 - shift / 8)] = static_cast<char>(last >> shift & 0xff);
        return http2::RawClient::frame(NGHTTP2_GOAWAY, 0, 0, payload);
    };
    test.engine->hand_on();
    CHECK(test.until([&] { return client->has(goaway(0x7fffffff)); }));
    auto second = test.deliver(*client, raw.headers(3, request));
    CHECK(!client->has(goaway(3)));
    test.advance(5100);
    CHECK(test.until([&] { return client->has(goaway(3)); }));
    for (auto *each : {app.get(), second.get()})
        each->send(ok_head + "ok");
    CHECK(test.until([&] { return client->ended; }));
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 2; }));
    client->close();
    CHECK(test.until([&] { return test.engine->drained(); }));
}

CASE("inbound, the application's session belongs to one client connection and ends with it") {
    EngineUnderTest test;
    forward_by_http2(test);
    const uint16_t inbound = test.listen_for(1, Direction::inbound);
    Http2Peer one(test, test.connect_to(inbound), http2::Role::client);
    one.request(get);
    one.request(get);
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 2; }));
    Http2Peer two(test, test.connect_to(inbound), http2::Role::client);
    two.request(get);
    Http2Peer other(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return other.side.order.size() == 1; }));
    one.peer->close();
    CHECK(test.until([&] { return app.peer->ended || app.peer->was_reset; }));
    CHECK(!other.peer->ended);
}

CASE("inbound, requests at the same time get HTTP/1 connections of their own, which are used again") {
    EngineUnderTest test;
    const uint16_t inbound = test.listen_for(1, Direction::inbound);
    Http2Peer client(test, test.connect_to(inbound), http2::Role::client);
    std::vector<std::unique_ptr<Peer>> apps;
    for (int round = 0; round < 3; ++round) {
        std::vector<http2::StreamRef> streams;
        for (int i = 0; i < 5; ++i)
            streams.push_back(client.request(get));
        while (apps.size() < 5)
            apps.push_back(test.accept());
        for (auto &app : apps) {
            CHECK(test.until([&] { return app->has("\r\n\r\n"); }));
            app->received.clear();
            app->send(ok_head + "ok");
        }
        for (const auto stream : streams)
            CHECK(test.until([&] { return client.at(stream).closed; }));
    }
    CHECK(test.try_accept() == nullptr);
    client.peer->close();
    for (auto &app : apps)
        CHECK(test.until([&] { return app->ended; }));
}

CASE("an endpoint or a workload that goes away takes no new streams, and lets old ones finish") {
    EngineUnderTest test;
    forward_by_http2(test);
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto one = client.request(get);
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 1; }));
    CHECK(test.engine->remove_endpoint(1));
    Endpoint again;
    again.address = *Address::parse("127.0.0.1", test.app_port);
    again.destination = 7;
    again.generation = 1;
    test.engine->set_endpoint(1, again);
    const auto two = client.request(get);
    Http2Peer second(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return second.side.order.size() == 1; }));
    CHECK(app.respond(app.side.order[0], ok_head, "ok"));
    CHECK(test.until([&] { return client.at(one).closed && app.peer->ended; }));
    CHECK(test.engine->remove_workload(1, 10'000));
    // One that was sent before the client heard of it is answered by name; it hears at once.
    const auto three = client.request(get);
    CHECK(test.until([&] { return client.at(three).closed; }));
    CHECK_EQUAL(client.field(three, "x-weft-reason"), "workload_withdrawn");
    CHECK_EQUAL(client.side.goaway, uint32_t{NGHTTP2_NO_ERROR});
    CHECK(second.respond(second.side.order[0], ok_head, "ok"));
    CHECK(test.until([&] { return client.at(two).closed && second.peer->ended && client.peer->ended; }));
}

CASE("a response that may be tried again is held, and passed on or replaced") {
    for (const bool pass : {true, false}) {
        EngineUnderTest test;
        StatusSet statuses;
        statuses.set(503);
        const uint16_t set = *test.engine->status_sets().define(statuses);
        test.on_decide = [&](uint32_t rows) {
            auto &batch = test.engine->batch();
            for (uint32_t row = 0; row < rows; ++row) {
                const auto kind = static_cast<RowKind>(batch.rows.kind[row]);
                test.forward_to(row);
                batch.verdicts.flags[row] = verdict_flag::http2 | verdict_flag::ask_on_response;
                batch.verdicts.retry_statuses[row] = set;
                if (kind == RowKind::connection || (kind == RowKind::attempt_failed && pass))
                    batch.verdicts.action[row] =
                        static_cast<uint8_t>(kind == RowKind::connection ? Action::http : Action::pass);
            }
            return true;
        };
        Http2Peer client(test, test.connect(), http2::Role::client);
        auto first = test.connect();
        first->send(get);
        const auto stream = client.request(get);
        Http2Peer app(test, test.accept(), http2::Role::server);
        CHECK(test.until([&] { return app.side.order.size() == 2; }));
        for (size_t i = 0; i < 2; ++i)
            CHECK(app.respond(app.side.order[i], "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n",
                              "busy", true, "sum: 4\r\n"));
        if (!pass) {
            CHECK(test.until([&] { return app.side.order.size() == 4; }));
            for (size_t i = 2; i < 4; ++i)
                CHECK(app.respond(app.side.order[i], ok_head, "ok"));
        }
        CHECK(test.until([&] { return test.count(CompletionKind::request) == 2; }));
        CHECK_EQUAL(client.at(stream).response.status, pass ? 503 : 200);
        CHECK_EQUAL(client.at(stream).content, pass ? "busy" : "ok");
        CHECK_EQUAL(client.at(stream).trailers, pass ? "sum: 4\r\n" : "");
        CHECK(first->has(pass ? "busy\r\n0\r\nsum: 4\r\n\r\n" : "\r\n\r\nok"));
        test.engine->status_sets().release(set);
    }
}

CASE("requests park, time out and reach deadlines as streams") {
    EngineUnderTest test;
    bool parks = true;
    test.on_decide = [&](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row)
            if (test.engine->batch().rows.kind[row] == 0) {
                test.engine->batch().verdicts.action[row] = static_cast<uint8_t>(Action::http);
            } else if (parks) {
                test.engine->batch().verdicts.action[row] = static_cast<uint8_t>(Action::park);
            } else {
                test.forward_to(row);
                test.engine->batch().verdicts.flags[row] = verdict_flag::http2;
                test.engine->batch().verdicts.deadline_ms[row] = 500;
            }
        return true;
    };
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto parked = client.request(post, "body", true);
    CHECK(test.until([&] { return test.engine->stats().parked == 1; }));
    test.advance(6000);
    CHECK(test.until([&] { return client.at(parked).closed; }));
    CHECK_EQUAL(client.field(parked, "x-weft-reason"), "park_timeout");
    parks = false;
    const auto late = client.request(get);
    const auto cut = client.request(get);
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 2; }));
    CHECK(app.respond(app.side.order[1], ok_head, "o", false));
    CHECK(test.until([&] { return client.at(cut).content == "o"; }));
    test.advance(600);
    CHECK(test.until([&] { return client.at(late).closed && client.at(cut).closed; }));
    CHECK_EQUAL(client.at(late).response.status, 504);
    CHECK(client.at(cut).why != Reason::none);
    CHECK(test.until([&] { return app.at(app.side.order[0]).closed && app.at(app.side.order[1]).closed; }));
}

} // namespace
} // namespace weft::testing
