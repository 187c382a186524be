// SPDX-License-Identifier: Apache-2.0
// gRPC: refusals that its clients understand, and statuses that the account carries.
#include "engine/exchange/grpc.hpp"
#include "engine/test/http2-peer-under-test.hpp"

namespace weft::testing {
namespace {

const std::string call = "POST /shop.Cart/Add HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc+proto\r\n"
                         "TE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string chunked =
    "HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n";

CASE("a refusal is a response of 200 that is all head, by either protocol; the account keeps the mesh's "
     "status") {
    EngineUnderTest test;
    test.on_decide = [&](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row) {
            test.engine->batch().verdicts.action[row] =
                static_cast<uint8_t>(test.engine->batch().rows.kind[row] == 0 ? Action::http : Action::reply);
            test.engine->batch().verdicts.reason[row] = static_cast<uint16_t>(Reason::policy_denied);
        }
        return true;
    };
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto stream = client.request(call, "message", false);
    CHECK(test.until([&] { return client.at(stream).closed; }));
    CHECK_EQUAL(client.at(stream).response.status, 200);
    CHECK_EQUAL(client.field(stream, "content-type"), "application/grpc");
    CHECK_EQUAL(client.field(stream, "grpc-status"), "7");
    CHECK_EQUAL(client.field(stream, "grpc-message"), "weft: policy_denied");
    CHECK_EQUAL(client.field(stream, "x-weft-reason"), "policy_denied");
    CHECK_EQUAL(client.at(stream).content, "");
    auto first = test.connect();
    first->send(
        "POST /a/b HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web\r\nContent-Length: 0\r\n\r\n");
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 2; }));
    CHECK(first->received.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(first->has("grpc-status: 7\r\n"));
    CHECK_EQUAL(test.last(CompletionKind::request)->status, 403);
    CHECK_EQUAL(test.last(CompletionKind::request)->grpc_status, 7);
    CHECK_EQUAL(test.last(CompletionKind::request)->reason, Reason::policy_denied);
}

CASE("a registered reply is mapped by its status, and its body becomes the message") {
    EngineUnderTest test;
    http1::Reply reply;
    http1::Reply::compile({.status = 429, .headers = {{"x-a", "b"}}, .body = "50% too\nmuch"}, reply);
    const uint16_t id = *test.engine->replies().define(std::move(reply));
    test.on_decide = [&](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row) {
            test.engine->batch().verdicts.action[row] =
                static_cast<uint8_t>(test.engine->batch().rows.kind[row] == 0 ? Action::http : Action::reply);
            test.engine->batch().verdicts.reply[row] = id;
        }
        return true;
    };
    Http2Peer client(test, test.connect(), http2::Role::client);
    const auto stream = client.request(call, "", true);
    CHECK(test.until([&] { return client.at(stream).closed; }));
    CHECK_EQUAL(client.field(stream, "grpc-status"), "14");
    CHECK_EQUAL(client.field(stream, "grpc-message"), "50%25 too%0Amuch");
    test.engine->replies().release(id);
}

CASE("the status is read from trailers and from a response that is all head, by either protocol") {
    EngineUnderTest test;
    const auto status = [&](size_t requests) {
        CHECK(test.until([&] { return test.count(CompletionKind::request) == requests; }));
        const Completion *attempt = test.last(CompletionKind::attempt);
        CHECK_EQUAL(attempt->grpc_status, test.last(CompletionKind::request)->grpc_status);
        return test.last(CompletionKind::request)->grpc_status;
    };
    Http2Peer client(test, test.connect(), http2::Role::client);
    client.request(call, "m");
    auto app = test.accept();
    CHECK(test.until([&] { return app->received.ends_with("0\r\n\r\n"); }));
    app->send(chunked + "1\r\nm\r\n0\r\nGrpc-Status: 5\r\n\r\n");
    CHECK_EQUAL(status(1), 5);
    client.request(call, "m");
    app->received.clear();
    CHECK(test.until([&] { return app->received.ends_with("0\r\n\r\n"); }));
    app->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nGrpc-Status: 9\r\n\r\n");
    CHECK_EQUAL(status(2), 9);
    forward_by_http2(test);
    const auto third = client.request(call, "m");
    Http2Peer server(test, test.accept(), http2::Role::server);
    CHECK(test.until([&] { return server.side.order.size() == 1 && server.side.last().ended; }));
    CHECK(server.respond(server.side.order[0], chunked, "m", true, "grpc-status: 0\r\n"));
    CHECK_EQUAL(status(3), 0);
    CHECK_EQUAL(client.at(third).trailers, "grpc-status: 0\r\n");
    client.request(call, "m");
    CHECK(test.until([&] { return server.side.order.size() == 2 && server.side.last().ended; }));
    CHECK(server.respond(server.side.order[1],
                         "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nGrpc-Status: 16\r\n\r\n"));
    CHECK_EQUAL(status(4), 16);
    client.request("GET / HTTP/1.1\r\nHost: a\r\n\r\n"); // no call: its fields mean nothing
    CHECK(test.until([&] { return server.side.order.size() == 3; }));
    CHECK(server.respond(server.side.order[2],
                         "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nGrpc-Status: 16\r\n\r\n"));
    CHECK_EQUAL(status(5), no_grpc_status);
}

CASE("statuses that are no numbers are none") {
    const auto read = [](std::string_view lines) { return grpc::status_in(http1::bytes_of(lines)); };
    CHECK_EQUAL(read("a: b\r\ngrpc-status: 13\r\n"), 13);
    CHECK_EQUAL(read("grpc-status: x\r\n"), no_grpc_status);
    CHECK_EQUAL(read("grpc-status: -1\r\n"), no_grpc_status);
    CHECK_EQUAL(read("grpc-status: 99999\r\n"), no_grpc_status);
    CHECK_EQUAL(read("grpc-status: \r\n"), no_grpc_status);
    CHECK_EQUAL(read(""), no_grpc_status);
    CHECK_EQUAL(grpc::status_for(Reason::request_timeout, 504), 4);
    CHECK_EQUAL(grpc::status_for(Reason::none, 401), 16);
    CHECK_EQUAL(grpc::status_for(Reason::none, 418), 2);
}

} // namespace
} // namespace weft::testing
