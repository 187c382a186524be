// SPDX-License-Identifier: Apache-2.0
// HTTP/1 and HTTP/2 in all four combinations: what passes, and how it looks on the other side.
#include "engine/http2-peer-under-test.hpp"

namespace weft::testing {
namespace {

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: shop\r\n\r\n";
constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string ok_head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Every request goes to the application by HTTP/2.
void forward_by_http2(EngineUnderTest &test) {
    test.on_decide = [&test](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row)
            if (test.engine->batch().rows.kind[row] == static_cast<uint8_t>(RowKind::connection)) {
                test.engine->batch().verdicts.action[row] = static_cast<uint8_t>(Action::http);
            } else {
                test.forward_to(row);
                test.engine->batch().verdicts.flags[row] = verdict_flag::http2;
            }
        return true;
    };
}

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

} // namespace
} // namespace weft::testing
