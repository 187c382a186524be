// SPDX-License-Identifier: Apache-2.0
// First bytes that tell TLS of the mesh from all else; none of them is ever lost.
#include "engine/test/secure-under-test.hpp"

namespace weft::testing {
namespace {

struct Sniffing : SecureMesh {
    explicit Sniffing(const EngineLimits &limits = {}) : SecureMesh(limits) {
        accept_by = Action::sniff;
        use = Action::tunnel;
    }
};

CASE("a ClientHello in pieces becomes TLS") {
    Sniffing test({.sniff_timeout_ms = 60'000});
    auto wire = test.connect_to(test.cart_port);
    Peer &raw = *wire;
    auto session =
        tls::Session::connect(test.mesh.shop_identity(), {tls::Alpn::tcp}, tls::cart_id, tls::test_now);
    std::array<uint8_t, 4096> room;
    const tls::Sent hello = session->send({}, room);
    for (size_t at = 0; at < hello.produced; at += 20) {
        raw.send({reinterpret_cast<char *>(room.data()) + at, std::min<size_t>(20, hello.produced - at)});
        test.settle();
    }
    SecurePeer client(std::move(wire), std::move(session));
    CHECK(test.until([&] { return !test.secured.empty(); }));
    CHECK_EQUAL(test.secured[0].first, tls::shop_id);
    client.send("hello");
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("hello"); }));
    CHECK_EQUAL(test.sniffed, 0U);
}

CASE("a ClientHello that came in time is TLS, however late it is looked at") {
    Sniffing test({.sniff_timeout_ms = 60'000});
    auto wire = test.connect_to(test.cart_port);
    test.settle();
    SecurePeer client(std::move(wire), tls::Session::connect(test.mesh.shop_identity(), {tls::Alpn::tcp},
                                                             tls::cart_id, tls::test_now));
    test.advance(61'000);
    CHECK(test.until([&] { return !test.secured.empty() || test.sniffed > 0; }));
    CHECK_EQUAL(test.sniffed, 0U);
}

CASE("plaintext is passed on from its first byte") {
    Sniffing test;
    auto client = test.connect_to(test.cart_port);
    client->send("GET / HTTP/1.1\r\n");
    auto app = test.accept();
    CHECK(test.until([&] { return app->received == "GET / HTTP/1.1\r\n"; }));
    CHECK_EQUAL(test.sniffed, 1U);
    client->finish();
    CHECK(test.until([&] { return app->ended; }));
}

CASE("plaintext HTTP is understood after it was looked at") {
    Sniffing test;
    test.use = Action::http;
    auto client = test.connect_to(test.cart_port);
    client->send("G");
    CHECK(test.until([&] { return test.sniffed == 1; }));
    client->send("ET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("GET /a HTTP/1.1\r\n"); }));
}

CASE("TLS of somebody else is plaintext to us, and arrives as it came") {
    Sniffing test;
    const std::string hello = std::string("\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03", 11);
    auto client = test.connect_to(test.cart_port);
    client->send(hello);
    auto app = test.accept();
    CHECK(test.until([&] { return app->received == hello; }));
    CHECK_EQUAL(test.sniffed, 1U);
}

CASE("silence becomes plaintext after the time that the verdict gives, and the server may speak first") {
    Sniffing test;
    test.on_decide = [&](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row) {
            test.answer(row);
            test.engine->batch().verdicts.deadline_ms[row] = 70'000;
        }
        return true;
    };
    auto client = test.connect_to(test.cart_port);
    test.settle();
    test.advance(50'000);
    test.settle();
    CHECK_EQUAL(test.sniffed, 0U);
    test.advance(21'000);
    auto app = test.accept();
    app->send("220 ready");
    CHECK(test.until([&] { return client->has("220 ready"); }));
    CHECK_EQUAL(test.sniffed, 1U);
}

CASE("the beginning of a ClientHello that goes no further is plaintext after a while, and kept") {
    Sniffing test({.sniff_timeout_ms = 60'000});
    auto client = test.connect_to(test.cart_port);
    client->send("\x16\x03\x01");
    test.settle();
    CHECK_EQUAL(test.sniffed, 0U);
    test.advance(61'000);
    auto app = test.accept();
    CHECK(test.until([&] { return app->received == "\x16\x03\x01"; }));
}

CASE("an end before anything was said is passed on, and a reset ends it") {
    Sniffing test;
    auto client = test.connect_to(test.cart_port);
    client->finish();
    auto app = test.accept();
    CHECK(test.until([&] { return app->ended; }));
    CHECK_EQUAL(test.sniffed, 1U);
    auto second = test.connect_to(test.cart_port);
    second->reset();
    CHECK(test.until([&] { return test.count(CompletionKind::connection) == 1; }));
    CHECK_EQUAL(test.last(CompletionKind::connection)->reason, Reason::downstream_reset);
    CHECK_EQUAL(test.sniffed, 1U);
}

CASE("a ClientHello of the mesh for a workload without an identity is refused") {
    Sniffing test;
    test.engine->remove_identity(2, Reason::tls_no_identity, 0);
    SecurePeer client(
        test.connect_to(test.cart_port),
        tls::Session::connect(test.mesh.shop_identity(), {tls::Alpn::tcp}, tls::cart_id, tls::test_now));
    CHECK(test.until([&] { return client.wire().was_reset; }));
    CHECK(test.until([&] { return test.last(CompletionKind::connection) != nullptr; }));
    CHECK_EQUAL(test.last(CompletionKind::connection)->reason, Reason::tls_no_identity);
}

} // namespace
} // namespace weft::testing
