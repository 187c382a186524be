// SPDX-License-Identifier: Apache-2.0
// Handshakes that fail, take too long, vanish, or come in crowds.
#include "engine/test/secure-under-test.hpp"
#include "engine/tls/session-under-test.hpp"

namespace weft::testing {
namespace {

std::string first_flight(const SecureMesh &test) {
    auto session =
        tls::Session::connect(test.mesh.shop_identity(), {tls::Alpn::http1}, tls::cart_id, tls::test_now);
    return tls::take(*session);
}

CASE("a client without a protocol of the mesh is told so by an alert") {
    SecureMesh test;
    auto wire = test.connect_to(test.cart_port);
    tls::RawPeer client(tls::Side::client, {.credential = &test.mesh.shop, .alpn = "\x08http/1.1"});
    wire->send(client.exchange(""));
    CHECK(test.until([&] { return wire->ended; }));
    CHECK_EQUAL(wire->received, std::string("\x15\x03\x03\x00\x02\x02\x78", 7)); // no_application_protocol
    wire->finish();
    CHECK(test.until([&] { return test.last(CompletionKind::connection) != nullptr; }));
    CHECK_EQUAL(test.last(CompletionKind::connection)->reason, Reason::tls_alpn_refused);
    CHECK_EQUAL(test.engine->stats().failed_handshakes, 1U);
}

CASE("a client without a certificate is refused by name") {
    SecureMesh test;
    auto wire = test.connect_to(test.cart_port);
    tls::RawPeer client(tls::Side::client, {.alpn = "\x07weft/h1"});
    wire->send(client.exchange(""));
    CHECK(test.until([&] {
        const std::string back = client.exchange(wire->received);
        wire->received.clear();
        wire->send(back);
        return wire->ended;
    }));
    wire->finish();
    CHECK(test.until([&] { return test.last(CompletionKind::connection) != nullptr; }));
    CHECK_EQUAL(test.last(CompletionKind::connection)->reason, Reason::tls_no_client_certificate);
    CHECK(test.secured.empty());
}

CASE("a handshake that does not go on ends after its time, on either side") {
    SecureMesh test({.tls_handshake_timeout_ms = 60'000});
    auto silent = test.connect_to(test.cart_port);
    silent->send(first_flight(test).substr(0, 50));
    Endpoint mute;
    mute.address = *Address::parse("127.0.0.1", test.app_port);
    mute.destination = 8;
    mute.identity = tls::cart_id;
    test.engine->set_endpoint(to_cart, mute);
    auto client = test.connect();
    client->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    auto server = test.accept();
    CHECK(test.until([&] { return !server->received.empty(); })); // a ClientHello, never answered
    test.advance(45'000);
    test.settle();
    CHECK_EQUAL(test.engine->stats().failed_handshakes, 0U);
    test.advance(16'000);
    CHECK(test.until([&] { return silent->was_reset && client->has("tls_handshake_timeout"); }));
    CHECK(client->has("HTTP/1.1 503"));
    CHECK_EQUAL(test.engine->stats().failed_handshakes, 2U);
}

CASE("clients that vanish inside their handshake leave nothing behind") {
    SecureMesh test;
    const std::string hello = first_flight(test);
    std::vector<std::unique_ptr<Peer>> clients;
    for (size_t i = 0; i < 120; ++i) {
        clients.push_back(test.connect_to(test.cart_port));
        clients.back()->send(hello.substr(0, i % 3 == 0 ? hello.size() : i));
        if (i % 4 == 0)
            test.settle();
        i % 2 == 0 ? clients.back()->reset() : clients.back()->close();
    }
    CHECK(test.until([&] { return test.count(CompletionKind::connection) == 120; }));
    CHECK_EQUAL(test.engine->stats().tls_sessions, 0U);
    CHECK_EQUAL(test.engine->stats().server_handshakes, 0U);
}

CASE("servers that vanish inside a handshake fail the attempt, and leave nothing behind") {
    SecureMesh test;
    Endpoint cruel;
    cruel.address = *Address::parse("127.0.0.1", test.app_port);
    cruel.destination = 8;
    cruel.identity = tls::cart_id;
    test.engine->set_endpoint(to_cart, cruel);
    for (int i = 0; i < 20; ++i) {
        auto client = test.connect();
        client->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        auto server = test.accept();
        CHECK(test.until([&] { return !server->received.empty(); }));
        i % 2 == 0 ? server->reset() : server->close();
        CHECK(test.until([&] { return client->has("\r\n\r\n"); }));
        CHECK(client->has(i % 2 == 0 ? "upstream_reset" : "tls_handshake_failed"));
        test.forget(*client);
        test.forget(*server);
    }
    CHECK_EQUAL(test.engine->stats().tls_sessions, 0U);
}

CASE("a turn works on so many handshakes, and on each workload's in its turn") {
    SecureMesh test({.turn_handshakes = 1});
    test.engine->add_workload(3, {});
    const uint16_t quiet_port = test.listen_for(3, Direction::inbound);
    CHECK(test.identify(3, test.mesh.cart, tls::cart_id));
    std::vector<std::unique_ptr<Peer>> crowd;
    const std::string hello = first_flight(test);
    for (int i = 0; i < 40; ++i) {
        crowd.push_back(test.connect_to(test.cart_port));
        crowd.back()->send(hello);
    }
    auto quiet = test.connect_to(quiet_port);
    quiet->send(hello);
    CHECK(test.until([&] { return !quiet->received.empty(); }));
    size_t served = 0;
    for (const auto &client : crowd)
        served += client->received.empty() ? 0 : 1;
    CHECK(served < 10);
    CHECK(test.until([&] {
        served = 0;
        for (const auto &client : crowd)
            served += client->received.empty() ? 0 : 1;
        return served == crowd.size();
    }));
}

/// The reasons of connections that ended, on the inbound side.
size_t ended_for(const SecureMesh &test, Reason reason) {
    size_t found = 0;
    for (const Completion &completion : test.completions)
        found += completion.kind == CompletionKind::connection && completion.reason == reason ? 1 : 0;
    return found;
}

CASE("who begins handshakes and does not end them loses the oldest one, and keeps nobody else out") {
    SecureMesh test({.tls_handshakes = 8});
    test.use = Action::tunnel;
    const std::string hello = first_flight(test);
    std::vector<std::unique_ptr<Peer>> idlers;
    for (size_t i = 0; i < 20; ++i) {
        idlers.push_back(test.connect_to(test.cart_port));
        idlers.back()->send(hello);
        CHECK(test.until([&] { return !idlers.back()->received.empty(); }));
    }
    CHECK_EQUAL(test.engine->stats().tls_sessions, 20U); // each has a second
    test.advance(1'000);
    auto client = test.connect();
    auto app = test.accept();
    client->send("there");
    CHECK(test.until([&] { return app->has("there"); }));
    CHECK(test.until([&] { return ended_for(test, Reason::tls_handshake_limit) == 13; }));
    for (size_t i = 0; i < 20; ++i)
        CHECK(test.until([&] { return idlers[i]->was_reset == (i < 13); }));
    CHECK_EQUAL(test.engine->stats().tls_sessions, 7U + 2U);
}

CASE("a crowd of honest callers is served whole, however few handshakes may be under way") {
    SecureMesh test({.turn_handshakes = 4, .tls_handshakes = 16});
    test.use = Action::tunnel;
    std::vector<std::unique_ptr<Peer>> crowd;
    for (size_t i = 0; i < 150; ++i)
        crowd.push_back(test.connect());
    CHECK(test.until([&] { return test.engine->stats().server_handshakes == 150; }));
    CHECK_EQUAL(test.engine->stats().failed_handshakes, 0U);
}

CASE("TLS connections over the workload's limit are refused by name, and their memory is told") {
    SecureMesh test({.tls_sessions = 3});
    test.use = Action::tunnel;
    std::vector<std::unique_ptr<Peer>> clients;
    for (size_t i = 0; i < 3; ++i) {
        clients.push_back(test.connect());
        clients.push_back(test.accept());
    }
    CHECK_EQUAL(test.engine->stats().tls_sessions, 6U); // of two workloads
    CHECK_EQUAL(test.engine->stats().tls_bytes, 6 * tls::Session::memory_bytes);
    auto refused = test.connect();
    CHECK(test.until([&] { return refused->was_reset; }));
    CHECK(test.until([&] { return ended_for(test, Reason::tls_session_limit) > 0; }));
    CHECK(test.until([&] { return test.engine->stats().connections == 6; }));
    const size_t before = ended_for(test, Reason::tls_session_limit);
    auto stranger = test.connect_to(test.cart_port);
    stranger->send(first_flight(test));
    CHECK(test.until([&] { return stranger->was_reset; }));
    CHECK(test.until([&] { return ended_for(test, Reason::tls_session_limit) == before + 1; }));
    clients[0]->reset();
    CHECK(test.until([&] { return test.engine->stats().tls_sessions == 4; }));
    clients.push_back(test.connect());
    clients.push_back(test.accept());
    CHECK_EQUAL(test.engine->stats().tls_sessions, 6U);
}

} // namespace
} // namespace weft::testing
