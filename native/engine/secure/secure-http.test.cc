// SPDX-License-Identifier: Apache-2.0
// HTTP between two workloads by TLS: both sides of it are engines.
#include "engine/test/secure-under-test.hpp"

namespace weft::testing {
namespace {

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: cart\r\n\r\n";
constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

CASE("a request goes through both sides of TLS, each of which knows the other") {
    SecureMesh test;
    auto client = test.connect();
    client->send("GET /a HTTP/1.1\r\nHost: cart\r\nX-Weft-Peer: me\r\nX-Forwarded-Client-Cert: me\r\n\r\n");
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("GET /a HTTP/1.1\r\n") && app->has("\r\n\r\n"); }));
    CHECK(!app->has("me"));
    app->send(ok);
    CHECK(test.until([&] { return client->has("\r\n\r\nok"); }));
    CHECK_EQUAL(test.secured.size(), 1U);
    CHECK_EQUAL(test.secured[0].first, tls::shop_id);
    CHECK_EQUAL(test.secured[0].second, tls::Alpn::http2);
    const EngineStats stats = test.engine->stats();
    CHECK_EQUAL(stats.client_handshakes, 1U);
    CHECK_EQUAL(stats.server_handshakes, 1U);
    CHECK_EQUAL(stats.failed_handshakes, 0U);
    CHECK_EQUAL(stats.tls_sessions, 2U);
    size_t shown = 0;
    test.engine->visit_connections([&](const ConnectionInfo &info) {
        if (info.direction != Direction::inbound)
            return;
        ++shown;
        CHECK(info.tls);
        CHECK_EQUAL(info.peer, tls::shop_id);
        CHECK_EQUAL(std::string(info.protocol), "http2");
    });
    CHECK_EQUAL(shown, 1U);
}

CASE("further requests use the connection that is there") {
    SecureMesh test;
    auto client = test.connect();
    client->send(get);
    auto app = test.accept();
    for (int i = 0; i < 20; ++i) {
        CHECK(test.until([&] { return app->has("\r\n\r\n"); }));
        app->received.clear();
        app->send(ok);
        CHECK(test.until([&] { return client->has("\r\n\r\nok"); }));
        client->received.clear();
        client->send(get);
    }
    CHECK_EQUAL(test.engine->stats().client_handshakes, 1U);
}

CASE("large bodies arrive whole both ways, with a length and in chunks") {
    SecureMesh test;
    std::string body;
    while (body.size() < 3'000'000)
        body += std::to_string(body.size());
    auto client = test.connect();
    client->send("POST /p HTTP/1.1\r\nHost: cart\r\nContent-Length: " + std::to_string(body.size()) +
                 "\r\n\r\n" + body);
    auto app = test.accept();
    CHECK(test.until([&] { return app->received.size() > body.size() && app->received.ends_with(body); }));
    std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (size_t at = 0; at < body.size(); at += 777) {
        const std::string part = body.substr(at, 777);
        char size[16];
        std::snprintf(size, sizeof size, "%zx\r\n", part.size());
        chunked += size + part + "\r\n";
    }
    app->send(chunked + "0\r\n\r\n");
    CHECK(test.until([&] { return client->received.ends_with("\r\n0\r\n\r\n"); }));
    std::string seen = client->received.substr(client->received.find("\r\n\r\n") + 4);
    std::string content;
    while (!seen.empty()) {
        const size_t size = std::stoul(seen, nullptr, 16);
        const size_t start = seen.find("\r\n") + 2;
        content += seen.substr(start, size);
        seen.erase(0, start + size + 2);
    }
    CHECK(content == body);
}

CASE("a response that ends with its connection ends with close_notify, and one that is cut does not") {
    SecureMesh test;
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    app->send("HTTP/1.1 200 OK\r\n\r\nall of it");
    app->finish();
    CHECK(test.until([&] { return client->has("all of it"); }));
    CHECK(test.until([&] { return client->has("0\r\n\r\n"); })); // chunked towards an HTTP/1.1 client

    auto second = test.connect();
    auto other = test.deliver(*second, get);
    other->send("HTTP/1.1 200 OK\r\n\r\npart");
    CHECK(test.until([&] { return second->has("part"); }));
    other->reset();
    CHECK(test.until([&] { return second->was_reset || second->ended; }));
    CHECK(!second->has("0\r\n\r\n"));
}

CASE("an upgrade goes by HTTP/1.1, and is a tunnel inside TLS") {
    SecureMesh test;
    auto client = test.connect();
    auto app = test.deliver(
        *client, "GET /chat HTTP/1.1\r\nHost: cart\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    app->send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhello");
    CHECK(test.until([&] { return client->has("hello"); }));
    CHECK_EQUAL(test.secured[0].second, tls::Alpn::http1);
    client->send("and back");
    CHECK(test.until([&] { return app->has("and back"); }));
    client->finish();
    CHECK(test.until([&] { return app->ended; }));
    app->finish();
    CHECK(test.until([&] { return client->ended; }));
}

CASE("an endpoint that proves to be another is not spoken to, and nothing was sent") {
    SecureMesh test;
    test.serve_cart("spiffe://mesh.example/ns/shop/sa/other");
    test.forward_flags = verdict_flag::ask_on_connect_failure;
    auto client = test.connect();
    client->send(get);
    CHECK(test.until([&] { return client->has("x-weft-reason: tls_wrong_identity"); }));
    CHECK(client->has("HTTP/1.1 503"));
    CHECK_EQUAL(test.failures.size(), 1U);
    CHECK_EQUAL(test.failures[0].first, Reason::tls_wrong_identity);
    CHECK((test.failures[0].second & row_flag::not_sent) != 0);
    CHECK(test.try_accept() == nullptr);
    CHECK(test.until([&] { return test.engine->stats().failed_handshakes == 2; })); // on both sides
}

CASE("without an identity nothing is dialled by TLS") {
    SecureMesh test;
    CHECK(test.engine->remove_identity(1, Reason::tls_no_identity, 0));
    test.forward_flags = verdict_flag::ask_on_connect_failure;
    auto client = test.connect();
    client->send(get);
    CHECK(test.until([&] { return client->has("x-weft-reason: tls_no_identity"); }));
    CHECK_EQUAL(test.failures[0].first, Reason::tls_no_identity);
    CHECK((test.failures[0].second & row_flag::not_sent) != 0);
    CHECK_EQUAL(test.engine->stats().tls_sessions, 0U);
}

CASE("without an identity nothing is accepted by TLS") {
    SecureMesh test;
    CHECK(test.engine->remove_identity(2, Reason::tls_no_identity, 0));
    auto client = test.connect_to(test.cart_port);
    CHECK(test.until([&] { return client->was_reset; }));
    CHECK(test.until([&] { return test.last(CompletionKind::connection) != nullptr; }));
    CHECK_EQUAL(test.last(CompletionKind::connection)->reason, Reason::tls_no_identity);
}

// The client is done with its handshake, and has sent its request, before the server looks at its
// certificate.
CASE("a server that refuses the client's certificate has taken nothing, and the row says so") {
    SecureMesh test;
    const tls::Credential stranger = tls::make_authority();
    const tls::Credential leaf = tls::make_certificate(&stranger, {});
    tls::IdentityText text = tls::text_of(leaf, stranger, tls::shop_id);
    text.trust += test.mesh.root.certificate_pem();
    tls::IdentityProblem problem;
    CHECK(test.engine->set_identity(1, text, problem));
    CHECK(problem.fault == tls::IdentityFault::none);
    test.forward_flags = verdict_flag::ask_on_connect_failure;
    auto client = test.connect();
    client->send(get);
    CHECK(test.until([&] { return client->has("x-weft-reason: tls_peer_refused"); }));
    CHECK_EQUAL(test.failures.size(), 1U);
    CHECK((test.failures[0].second & row_flag::not_sent) != 0);
    CHECK_EQUAL(test.engine->stats().client_handshakes, 1U);
    CHECK_EQUAL(test.engine->stats().server_handshakes, 0U);
    CHECK(test.try_accept() == nullptr);
    CHECK(test.until([&] { return test.last(CompletionKind::connection) != nullptr; }));
    CHECK_EQUAL(test.last(CompletionKind::connection)->reason, Reason::tls_untrusted_certificate);
}

CASE("an alert of another kind proves nothing about the request") {
    SecureMesh test;
    Endpoint foreign;
    foreign.address = *Address::parse("127.0.0.1", test.app_port);
    foreign.destination = 9;
    foreign.identity = tls::cart_id;
    test.engine->set_endpoint(to_cart, foreign);
    test.forward_flags = verdict_flag::ask_on_response | verdict_flag::ask_on_connect_failure;
    auto client = test.connect();
    client->send("GET /a HTTP/1.1\r\nHost: cart\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    SecurePeer server(test.accept(),
                      tls::Session::accept(test.mesh.cart_identity(), {tls::Alpn::http1}, tls::test_now));
    CHECK(test.until([&] { return server.has("GET /a"); }));
    server.wire().send(std::string("\x17\x03\x03\x00\x20", 5) +
                       std::string(32, 'x')); // no record of this key
    CHECK(test.until([&] { return !test.failures.empty(); }));
    CHECK_EQUAL(test.failures[0].first, Reason::tls_record_failed);
    CHECK((test.failures[0].second & row_flag::not_sent) == 0);
}

CASE("plaintext where TLS is demanded is closed, and reaches nobody") {
    SecureMesh test;
    auto client = test.connect_to(test.cart_port);
    client->send(get);
    CHECK(test.until([&] { return client->was_reset; }));
    CHECK(test.until([&] { return test.last(CompletionKind::connection) != nullptr; }));
    CHECK_EQUAL(test.last(CompletionKind::connection)->reason, Reason::plaintext_refused);
    CHECK(client->received.empty());
    CHECK(test.try_accept() == nullptr);
}

CASE("verdicts of TLS where they make no sense fail closed") {
    SecureMesh test;
    test.use = Action::secure; // outbound; and a second time inbound
    auto client = test.connect();
    CHECK(test.until([&] { return client->was_reset; }));
    SecurePeer peer(
        test.connect_to(test.cart_port),
        tls::Session::connect(test.mesh.shop_identity(), {tls::Alpn::http1}, tls::cart_id, tls::test_now));
    CHECK(test.until([&] { return peer.wire().was_reset; }));
    CHECK(test.until([&] { return test.count(CompletionKind::connection) == 2; }));
    for (const Completion &completion : test.completions)
        CHECK_EQUAL(completion.reason, Reason::decide_failed);
}

} // namespace
} // namespace weft::testing
