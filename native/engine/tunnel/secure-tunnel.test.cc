// SPDX-License-Identifier: Apache-2.0
// Opaque bytes by TLS: one TLS connection for each TCP connection, ends and all.
#include "engine/test/secure-under-test.hpp"

namespace weft::testing {
namespace {

/// A tunnel between two workloads: client → shop's engine ⇒ cart's engine → app.
struct Tunnel : SecureMesh {
    explicit Tunnel(const EngineLimits &limits = {}) : SecureMesh(limits) { use = Action::tunnel; }
};

/// A foreign TLS client of cart's inbound side.
SecurePeer foreign_client(SecureMesh &test) {
    return {test.connect_to(test.cart_port),
            tls::Session::connect(test.mesh.shop_identity(), {tls::Alpn::tcp}, tls::cart_id, tls::test_now)};
}

CASE("bytes of both ways arrive, whoever speaks first") {
    Tunnel test;
    auto client = test.connect();
    auto app = test.accept();
    app->send("server first");
    CHECK(test.until([&] { return client->has("server first"); }));
    client->send("and an answer");
    CHECK(test.until([&] { return app->has("and an answer"); }));
    CHECK_EQUAL(test.secured[0].second, tls::Alpn::tcp);
    CHECK_EQUAL(test.secured[0].first, tls::shop_id);
}

CASE("each side's end is told by close_notify while the other goes on") {
    Tunnel test;
    auto client = test.connect();
    auto app = test.accept();
    client->send("the question");
    client->finish();
    CHECK(test.until([&] { return app->ended; }));
    CHECK_EQUAL(app->received, "the question");
    const std::string answer(2'000'000, 'a');
    app->send(answer);
    CHECK(test.until([&] { return client->received.size() == answer.size(); }));
    CHECK(!client->ended);
    app->finish();
    CHECK(test.until([&] { return client->ended; }));
    CHECK(test.until([&] { return test.count(CompletionKind::connection) == 2; }));
    for (const Completion &completion : test.completions) {
        CHECK(completion.reason == Reason::none || completion.reason == Reason::peer_closed);
        if (completion.kind == CompletionKind::connection) {
            CHECK_EQUAL(completion.bytes_received, 12U);
            CHECK_EQUAL(completion.bytes_sent, answer.size());
        }
    }
}

CASE("the other way round: the server ends first") {
    Tunnel test;
    auto client = test.connect();
    auto app = test.accept();
    app->send("bye");
    app->finish();
    CHECK(test.until([&] { return client->ended; }));
    CHECK_EQUAL(client->received, "bye");
    client->send("still here");
    CHECK(test.until([&] { return app->has("still here"); }));
    client->finish();
    CHECK(test.until([&] { return app->ended; }));
}

CASE("a reset of either end is a reset at the other") {
    Tunnel test;
    auto client = test.connect();
    auto app = test.accept();
    client->send("x");
    CHECK(test.until([&] { return app->has("x"); }));
    app->reset();
    CHECK(test.until([&] { return client->was_reset; }));

    auto second = test.connect();
    auto other = test.accept();
    second->send("x");
    CHECK(test.until([&] { return other->has("x"); }));
    second->reset();
    CHECK(test.until([&] { return other->was_reset; }));
}

CASE("a stream that ends without close_notify is cut, and said to be") {
    Tunnel test;
    SecurePeer client = foreign_client(test);
    auto app = test.accept();
    client.send("half a sentence");
    CHECK(test.until([&] { return app->has("half a sentence"); }));
    client.wire().finish(); // FIN alone
    CHECK(test.until([&] { return app->was_reset; }));
    CHECK(!app->ended);
    CHECK(test.until([&] { return test.last(CompletionKind::connection) != nullptr; }));
    CHECK_EQUAL(test.last(CompletionKind::connection)->reason, Reason::tls_truncated);
}

CASE("close_notify without FIN is an end, and the answer to it comes") {
    Tunnel test;
    SecurePeer client = foreign_client(test);
    auto app = test.accept();
    client.send("question");
    client.finish();
    CHECK(test.until([&] { return app->ended; }));
    app->send("answer");
    app->finish();
    CHECK(test.until([&] { return client.has("answer"); }));
    CHECK(test.until(
        [&] { return client.session().state() == tls::SessionState::closed && client.wire().ended; }));
}

CASE("a record that was altered ends the connection by name") {
    Tunnel test;
    SecurePeer client = foreign_client(test);
    auto app = test.accept();
    client.send("fine");
    CHECK(test.until([&] { return app->has("fine"); }));
    client.wire().send(std::string("\x17\x03\x03\x00\x30", 5) + std::string(48, 'x'));
    CHECK(test.until([&] { return app->was_reset; }));
    CHECK(test.until([&] { return test.last(CompletionKind::connection) != nullptr; }));
    CHECK_EQUAL(test.last(CompletionKind::connection)->reason, Reason::tls_record_failed);
    CHECK_EQUAL(app->received, "fine");
}

CASE("much of both ways at once arrives whole through small buffers") {
    Tunnel test({.buffer_bytes = 4096, .turn_bytes = 8192});
    std::string there;
    std::string back;
    while (there.size() < 1'500'000) {
        there += std::to_string(there.size());
        back += std::to_string(back.size() * 7);
    }
    auto client = test.connect();
    auto app = test.accept();
    client->send(there);
    client->finish();
    app->send(back);
    app->finish();
    CHECK(test.until([&] { return client->ended && app->ended; }));
    CHECK(client->received == back);
    CHECK(app->received == there);
}

CASE("a reader that stops does not make the engine hold more than its buffers") {
    Tunnel test;
    auto client = test.connect();
    auto app = test.accept();
    app->stop_reading(true);
    const std::string much(20'000'000, 'm');
    client->send(much);
    test.settle();
    for (int i = 0; i < 20; ++i)
        test.settle();
    CHECK(test.engine->stats().buffered_bytes < 1'000'000);
    app->stop_reading(false);
    client->finish();
    CHECK(test.until([&] { return app->ended; }));
    CHECK_EQUAL(app->received.size(), much.size());
}

CASE("an endpoint that is another, or none, costs the client its connection by name") {
    Tunnel test;
    test.serve_cart("spiffe://mesh.example/ns/shop/sa/other");
    auto client = test.connect();
    CHECK(test.until([&] { return client->was_reset; }));
    test.engine->remove_identity(1, Reason::tls_no_identity, 0);
    auto second = test.connect();
    CHECK(test.until([&] { return second->was_reset; }));
    CHECK(test.until([&] { return test.count(CompletionKind::connection) >= 3; }));
    std::vector<Reason> reasons;
    for (const Completion &completion : test.completions)
        if (completion.kind == CompletionKind::connection && completion.direction == Direction::outbound)
            reasons.push_back(completion.reason);
    CHECK_EQUAL(reasons.size(), 2U);
    CHECK(reasons == std::vector({Reason::tls_wrong_identity, Reason::tls_no_identity}));
}

} // namespace
} // namespace weft::testing
