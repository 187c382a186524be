// SPDX-License-Identifier: Apache-2.0
// HTTP/1 and HTTP/2 in all four combinations: what passes, and how it looks on the other side.
#include "engine/test/http2-peer-under-test.hpp"

namespace weft::testing {
namespace {

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: shop\r\n\r\n";
constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string ok_head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

CASE("HTTP/2 to HTTP/1: a request and its response, by prior knowledge") {
    EngineUnderTest test;
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto stream = client.request(std::string(get));
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("\r\n\r\n"); }));
    CHECK(app->received.starts_with("GET /a HTTP/1.1\r\nHost: shop\r\n"));
    app->send(ok);
    CHECK(test.until([&] { return client.at(stream).closed; }));
    CHECK_EQUAL(client.at(stream).response.status, 200);
    CHECK_EQUAL(client.at(stream).content, "ok");
    CHECK_EQUAL(client.at(stream).why, Reason::none);
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 1; }));
    CHECK_EQUAL(test.last(CompletionKind::request)->status, 200);
    CHECK_EQUAL(test.last(CompletionKind::request)->bytes_sent, 2U);

    const auto second = client.request(std::string(get));
    CHECK(test.until([&] { return app->received.size() > get.size() * 2 - 10; }));
    app->send(ok);
    CHECK(test.until([&] { return client.at(second).closed; }));
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 2; }));
    CHECK(test.last(CompletionKind::request)->reused);
}

CASE("HTTP/1 to HTTP/2: a request and its response, and the session is used again") {
    EngineUnderTest test;
    forward_by_http2(test);
    auto client = test.connect();
    client->send(get);
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 1; }));
    const auto stream = app.side.order[0];
    CHECK_EQUAL(app.at(stream).request.path.text(app.at(stream).text()), "/a");
    CHECK_EQUAL(app.at(stream).request.authority.text(app.at(stream).text()), "shop");
    CHECK(app.respond(stream, ok_head, "ok"));
    CHECK(test.until([&] { return client->has("ok"); }));
    CHECK(client->received.starts_with("HTTP/1.1 200 OK\r\n"));
    auto second = test.connect();
    second->send(get);
    CHECK(test.until([&] { return app.side.order.size() == 2; }));
    CHECK(app.respond(app.side.order[1], ok_head, "ok"));
    CHECK(test.until([&] { return second->has("ok") && test.count(CompletionKind::request) == 2; }));
    CHECK(test.last(CompletionKind::request)->reused);
    CHECK(test.try_accept() == nullptr);
}

CASE("a response that is all head ends with it: for HTTP/2 on the same frame, for HTTP/1 by its length") {
    for (const std::string_view length : {"", "Content-Length: 0\r\n"}) {
        EngineUnderTest test;
        forward_by_http2(test);
        Http2Peer client(test, test.connect(), http2::Role::client);
        const auto stream = client.request(std::string(get));
        Http2Peer app(test, test.accept(), http2::Role::server);
        CHECK(test.until([&] { return app.side.order.size() == 1; }));
        const auto head = std::string("HTTP/1.1 200 OK\r\n").append(length).append("x-a: b\r\n\r\n");
        CHECK(app.respond_whole(app.side.order[0], head));
        CHECK(test.until([&] { return client.at(stream).closed; }));
        CHECK(client.at(stream).response.ended);
        auto plain = test.connect();
        plain->send(get);
        CHECK(test.until([&] { return app.side.order.size() == 2; }));
        CHECK(app.respond_whole(app.side.order[1], head));
        CHECK(test.until([&] { return plain->has("\r\n\r\n"); }));
        const std::string said = plain->received;
        CHECK(said.find("ength: 0\r\n") != std::string::npos);
        CHECK_EQUAL(said.find("ength: "), said.rfind("ength: "));
    }
}

CASE("HTTP/2 to HTTP/2: many streams share one connection each side") {
    EngineUnderTest test;
    forward_by_http2(test);
    Http2Peer client(test, test.connect(), http2::Role::client);
    std::vector<http2::StreamRef> streams;
    for (int i = 0; i < 50; ++i)
        streams.push_back(client.request("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n"));
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 50; }));
    for (const auto stream : app.side.order)
        app.respond(stream, chunked, std::string(app.at(stream).request.path.text(app.at(stream).text())));
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 50; }));
    for (int i = 0; i < 50; ++i)
        CHECK_EQUAL(client.at(streams[static_cast<size_t>(i)]).content, "/" + std::to_string(i));
    CHECK(test.try_accept() == nullptr);
}

CASE("HTTP/2 to HTTP/1: content and trailers stream both ways") {
    EngineUnderTest test;
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto stream = client.request(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n", "one", false);
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("3\r\none\r\n"); }));
    CHECK(app->has("Transfer-Encoding: chunked"));
    client.give(stream, "two", true, "digest: q\r\n");
    CHECK(test.until([&] { return app->has("3\r\ntwo\r\n0\r\ndigest: q\r\n\r\n"); }));
    app->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    CHECK(test.until([&] { return client.at(stream).content == "abc"; }));
    app->send("2\r\nde\r\n0\r\nSum: 5\r\n\r\n");
    CHECK(test.until([&] { return client.at(stream).closed; }));
    CHECK_EQUAL(client.at(stream).content, "abcde");
    CHECK_EQUAL(client.at(stream).trailers, "sum: 5\r\n");
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 1; }));
    CHECK_EQUAL(test.last(CompletionKind::request)->bytes_received, 6U);
    CHECK_EQUAL(test.last(CompletionKind::request)->bytes_sent, 5U);
}

CASE("HTTP/1 to HTTP/2: content and trailers stream both ways") {
    EngineUnderTest test;
    forward_by_http2(test);
    auto client = test.connect();
    client->send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 1 && app.side.last().content == "one"; }));
    const auto stream = app.side.order[0];
    client->send("3\r\ntwo\r\n0\r\nDigest: q\r\n\r\n");
    CHECK(test.until([&] { return app.at(stream).ended; }));
    CHECK_EQUAL(app.at(stream).content, "onetwo");
    CHECK_EQUAL(app.at(stream).trailers, "digest: q\r\n");
    CHECK(app.respond(stream, chunked, "abc", false));
    CHECK(test.until([&] { return client->has("3\r\nabc\r\n"); }));
    app.give(stream, "de", true, "sum: 5\r\n");
    CHECK(test.until([&] { return client->has("2\r\nde\r\n0\r\nsum: 5\r\n\r\n"); }));
    client->received.clear();
    client->send(get);
    CHECK(test.until([&] { return app.side.order.size() == 2; }));
    CHECK(app.respond(app.side.order[1], ok_head, "ok"));
    CHECK(test.until([&] { return client->has("ok"); }));
}

CASE("HTTP/2 to HTTP/2: content and trailers stream both ways") {
    EngineUnderTest test;
    forward_by_http2(test);
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto stream =
        client.request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "one", false);
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 1 && app.side.last().content == "one"; }));
    const auto there = app.side.order[0];
    CHECK(app.respond(there, chunked, "abc", false));
    CHECK(test.until([&] { return client.at(stream).content == "abc"; }));
    client.give(stream, "two", true, "digest: q\r\n");
    CHECK(test.until([&] { return app.at(there).ended; }));
    CHECK_EQUAL(app.at(there).content, "onetwo");
    CHECK_EQUAL(app.at(there).trailers, "digest: q\r\n");
    app.give(there, "de", true, "sum: 5\r\n");
    CHECK(test.until([&] { return client.at(stream).closed; }));
    CHECK_EQUAL(client.at(stream).content, "abcde");
    CHECK_EQUAL(client.at(stream).trailers, "sum: 5\r\n");
}

CASE("large bodies arrive whole in every combination") {
    const std::string body(700'000, 'b');
    for (const bool to_http2 : {false, true}) {
        EngineUnderTest test;
        if (to_http2)
            forward_by_http2(test);
        Http2Peer client(test, test.connect(), http2::Role::client);
        const auto stream =
            client.request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 700000\r\n\r\n", body);
        auto first = test.connect();
        first->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 700000\r\n\r\n");
        first->send(body);
        if (to_http2) {
            Http2Peer app(test, test.accept(), http2::Role::server);
            CHECK(test.until([&] {
                return app.side.order.size() == 2 && app.at(app.side.order[0]).ended &&
                       app.at(app.side.order[1]).ended;
            }));
            for (const auto there : app.side.order) {
                CHECK(app.at(there).content == body);
                CHECK(app.respond(there, chunked, body));
            }
            CHECK(test.until([&] { return test.count(CompletionKind::request) == 2; }));
            app.peer->close();
            test.settle();
        } else {
            auto one = test.accept();
            auto two = test.accept();
            for (auto *app : {one.get(), two.get()}) {
                CHECK(test.until([&] { return app->received.ends_with(body); }));
                app->send(chunked + "aae60\r\n" + body + "\r\n0\r\n\r\n");
            }
            CHECK(test.until([&] { return test.count(CompletionKind::request) == 2; }));
        }
        CHECK(client.at(stream).content == body);
        CHECK(first->received.ends_with("0\r\n\r\n"));
        CHECK_EQUAL(test.last(CompletionKind::request)->bytes_received, body.size());
        CHECK_EQUAL(test.last(CompletionKind::request)->bytes_sent, body.size());
    }
}

CASE("interim responses, HEAD, 204 and 304 pass with HTTP/2 on either side") {
    const std::string head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string early = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    EngineUnderTest test;
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto put = client.request(
        "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", "", false);
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("expect: 100-continue"); }));
    app->send("HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(test.until([&] { return client.at(put).response.status == 100; }));
    client.give(put, "abc");
    CHECK(test.until([&] { return app->received.ends_with("abc"); }));
    app->send(early);
    CHECK(test.until([&] { return client.at(put).response.status == 103; }));
    CHECK_EQUAL(client.field(put, "link"), "</a>");
    app->send(ok);
    CHECK(test.until([&] { return client.at(put).closed; }));
    CHECK_EQUAL(client.at(put).content, "ok");
    const auto probe = client.request(head);
    CHECK(test.until([&] { return app->has("HEAD /"); }));
    app->send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    CHECK(test.until([&] { return client.at(probe).closed; }));
    CHECK_EQUAL(client.field(probe, "content-length"), "9");

    forward_by_http2(test);
    auto first = test.connect();
    first->send(head);
    Http2Peer server(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return server.side.order.size() == 1; }));
    CHECK(server.respond(server.side.order[0], early));
    CHECK(server.respond(server.side.order[0], "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"));
    CHECK(test.until([&] { return first->has("content-length: 9\r\n") || first->has("Content-Length: 9"); }));
    CHECK(first->received.starts_with("HTTP/1.1 103 Early Hints\r\n"));
    for (const std::string status : {"204 No Content", "304 Not Modified"}) {
        first->received.clear();
        first->send(get);
        const size_t seen = server.side.order.size();
        CHECK(test.until([&] { return server.side.order.size() == seen + 1; }));
        CHECK(server.respond(server.side.order[seen], "HTTP/1.1 " + status + "\r\n\r\n"));
        CHECK(test.until([&] { return first->has(status) && first->has("\r\n\r\n"); }));
        CHECK(!first->has("chunked"));
    }
}

CASE("edits, rewrites and further lines apply to requests and responses by HTTP/2") {
    EngineUnderTest test;
    http1::Edit edit;
    http1::Edit::compile({.set = {{"x-set", "1"}}, .add = {}, .remove = {"accept"}}, edit);
    const uint16_t id = *test.engine->edits().define(std::move(edit));
    test.on_decide = [&](uint32_t rows) {
        auto &verdicts = test.engine->batch().verdicts;
        for (uint32_t row = 0; row < rows; ++row) {
            if (test.engine->batch().rows.kind[row] == static_cast<uint8_t>(RowKind::connection)) {
                verdicts.action[row] = static_cast<uint8_t>(Action::http);
                continue;
            }
            CHECK_EQUAL(test.engine->batch().rows.protocol[row], 2);
            test.forward_to(row);
            verdicts.flags[row] = verdict_flag::http2;
            verdicts.request_edit[row] = verdicts.response_edit[row] = id;
            verdicts.path_offset[row] = test.write_scratch("/new");
            verdicts.path_length[row] = 4;
            verdicts.host_offset[row] = test.write_scratch("other:1");
            verdicts.host_length[row] = 7;
            verdicts.extra_offset[row] = test.write_scratch("x-more: 2\r\n");
            verdicts.extra_length[row] = 11;
        }
        return true;
    };
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto stream = client.request("GET /old HTTP/1.1\r\nHost: a\r\nAccept: x\r\n\r\n");
    Http2Peer app(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return app.side.order.size() == 1; }));
    CHECK_EQUAL(app.side.last().head, "GEThttp/newother:1x-set: 1\r\nx-more: 2\r\n");
    CHECK(app.respond(app.side.order[0], "HTTP/1.1 204 x\r\nAccept: y\r\n\r\n"));
    CHECK(test.until([&] { return client.at(stream).closed; }));
    CHECK_EQUAL(client.field(stream, "x-set"), "1");
    CHECK_EQUAL(client.field(stream, "accept"), "");
    CHECK(test.engine->edits().release(id));
    CHECK(test.engine->edits().get(id) == nullptr);
}

CASE("local replies, HEAD among them, pass as streams") {
    EngineUnderTest test;
    test.on_decide = [&](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row) {
            const bool connection = test.engine->batch().rows.kind[row] == 0;
            test.engine->batch().verdicts.action[row] =
                static_cast<uint8_t>(connection ? Action::http : Action::reply);
            test.engine->batch().verdicts.reason[row] = static_cast<uint16_t>(Reason::policy_denied);
        }
        return true;
    };
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto stream = client.request(std::string(get));
    const auto head = client.request("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto post = client.request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                                     "never asked for", false);
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 3; }));
    CHECK(test.until([&] { return client.at(post).closed && client.at(stream).closed; }));
    CHECK_EQUAL(client.at(stream).response.status, 403);
    CHECK_EQUAL(client.field(stream, "x-weft-reason"), "policy_denied");
    CHECK_EQUAL(client.at(stream).content, "weft: policy_denied\n");
    CHECK_EQUAL(client.at(head).content, "");
    CHECK_EQUAL(client.field(head, "content-length"), "20");
    CHECK_EQUAL(client.at(post).response.status, 403);
    CHECK_EQUAL(test.last(CompletionKind::request)->reason, Reason::policy_denied);
    CHECK_EQUAL(test.last(CompletionKind::request)->status, 403);
    const auto again = client.request(std::string(get));
    CHECK(test.until([&] { return client.at(again).closed; }));
}

CASE("CONNECT by HTTP/2 is refused by name, an upgrade goes by HTTP/1 whatever the verdict wants") {
    EngineUnderTest test;
    forward_by_http2(test);
    Http2Peer client(test, test.connect(), http2::Role::client);
    http1::RequestHead head;
    const std::string text = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";
    Reason why = Reason::none;
    CHECK(http1::parse_request_head(http1::bytes_of(text), {}, head, why) == http1::Parse::complete);
    const auto stream = client.session.request(http1::bytes_of(text), head, {}, true, why);
    CHECK(test.until([&] { return client.at(stream).closed; }));
    CHECK_EQUAL(client.at(stream).response.status, 405);
    CHECK_EQUAL(client.field(stream, "x-weft-reason"), "connect_not_allowed");
    auto first = test.connect();
    first->send("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("Upgrade: websocket\r\n"); }));
    app->send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello");
    CHECK(test.until([&] { return first->has("hello"); }));
}

CASE("what HTTP/1 could not carry is refused before a row asks about it") {
    EngineUnderTest test;
    auto peer = test.connect();
    http2::RawClient raw;
    const http2::RawClient::Headers request = {
        {":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}};
    peer->send(http2::RawClient::preface());
    uint32_t stream = 1;
    for (const auto &[name, value] : {std::pair{"transfer-encoding", "chunked"},
                                      {"host", "b"},
                                      {"x", "a\r\nb: c"},
                                      {"connection", "close"},
                                      {"te", "gzip"},
                                      {"content-length", "4"}}) {
        auto headers = request;
        headers.push_back({name, value});
        peer->send(raw.headers(stream, headers));
        stream += 2;
    }
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 6; }));
    CHECK_EQUAL(test.engine->stats().rows, 1U); // the connection's own
    std::vector<Reason> reasons;
    for (const Completion &each : test.completions)
        if (each.kind == CompletionKind::request)
            reasons.push_back(each.reason);
    CHECK(reasons ==
          (std::vector{Reason::http2_bad_field, Reason::http2_host_mismatch, Reason::http2_bad_field,
                       Reason::http2_bad_field, Reason::http2_bad_field, Reason::http2_length_mismatch}));
}

CASE("a body shorter or longer than announced ends the stream on both sides") {
    EngineUnderTest test;
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto stream =
        client.request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", "short", false);
    auto app = test.accept();
    CHECK(test.until([&] { return app->received.ends_with("short"); }));
    client.give(stream, "", true);
    CHECK(test.until([&] { return client.at(stream).closed && (app->ended || app->was_reset); }));
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 1; }));
    CHECK_EQUAL(test.last(CompletionKind::request)->reason, Reason::http2_length_mismatch);

    forward_by_http2(test);
    auto first = test.connect();
    first->send(get);
    Http2Peer server(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return server.side.order.size() == 1; }));
    CHECK(server.respond(server.side.order[0], "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "short"));
    CHECK(test.until([&] { return first->ended || first->was_reset; }));
    CHECK(first->has("short"));
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 2; }));
    CHECK_EQUAL(test.last(CompletionKind::request)->reason, Reason::http2_bad_response);
}

} // namespace
} // namespace weft::testing
