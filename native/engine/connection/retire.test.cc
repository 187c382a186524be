// SPDX-License-Identifier: Apache-2.0
// Identities that are replaced, removed or run out under traffic; draining; requests that may not go on.
#include "engine/test/secure-under-test.hpp"

namespace weft::testing {
namespace {

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: cart\r\n\r\n";
constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// One request over `client`; false where it was not answered with 200.
bool ask(SecureMesh &test, Peer &client, std::vector<std::unique_ptr<Peer>> &apps) {
    client.received.clear();
    client.send(get);
    return test.until([&] {
        if (auto app = test.try_accept())
            apps.push_back(std::move(app));
        for (auto &app : apps)
            if (app->has("\r\n\r\n")) {
                app->received.clear();
                app->send(ok);
            }
        return client.has("\r\n\r\nok") || client.ended || client.was_reset;
    }) && client.has("HTTP/1.1 200");
}

CASE("an identity replaced under traffic costs no request, and its connections end when idle") {
    SecureMesh test;
    auto client = test.connect();
    std::vector<std::unique_ptr<Peer>> apps;
    for (int i = 0; i < 10; ++i) {
        CHECK(ask(test, *client, apps));
        CHECK(i % 2 == 0 ? test.identify_shop() : test.identify_cart());
        CHECK(ask(test, *client, apps));
    }
    CHECK_EQUAL(test.engine->stats().client_handshakes, 6U); // one more for each of the source's own
    CHECK_EQUAL(test.engine->stats().failed_handshakes, 0U);
    CHECK(test.until([&] { return test.engine->stats().tls_sessions == 2; }));
}

CASE("a request that runs while its identity is replaced ends well, and its connection is not kept") {
    SecureMesh test;
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    CHECK(test.identify_shop());
    app->send(ok);
    CHECK(test.until([&] { return client->has("\r\n\r\nok"); }));
    CHECK(test.until([&] { return test.engine->stats().tls_sessions == 0; }));
    CHECK(!client->ended);
}

CASE("an identity that does not fit is refused by name, and the one before stays") {
    SecureMesh test;
    tls::IdentityText text = tls::text_of(test.mesh.cart, test.mesh.root, tls::shop_id);
    tls::IdentityProblem problem;
    CHECK(test.engine->set_identity(1, text, problem));
    CHECK(problem.fault == tls::IdentityFault::wrong_identity);
    CHECK(text.key.empty());
    CHECK(!test.engine->set_identity(77, text, problem));
    auto client = test.connect();
    std::vector<std::unique_ptr<Peer>> apps;
    CHECK(ask(test, *client, apps));
}

CASE("a removed identity lets running requests finish within the grace, and cuts what is left") {
    SecureMesh test;
    auto quick = test.connect();
    auto slow = test.connect();
    auto first = test.deliver(*quick, get);
    auto second = test.deliver(*slow, get);
    CHECK(test.engine->remove_identity(2, Reason::tls_no_identity, 5'000));
    first->send(ok);
    CHECK(test.until([&] { return quick->has("\r\n\r\nok"); }));
    CHECK(test.until([&] { return test.engine->stats().tls_sessions == 2; })); // one connection's two ends
    CHECK(!slow->has("HTTP"));
    test.advance(5'100);
    CHECK(test.until([&] { return slow->has("HTTP/1.1 50"); }));
    CHECK(test.until([&] { return test.engine->stats().tls_sessions == 0; }));
    size_t cut = 0;
    for (const Completion &completion : test.completions)
        cut += completion.kind == CompletionKind::connection && completion.reason == Reason::tls_no_identity;
    CHECK_EQUAL(cut, 1U);
}

CASE("an idle connection of a removed identity ends at once") {
    SecureMesh test;
    auto client = test.connect();
    std::vector<std::unique_ptr<Peer>> apps;
    CHECK(ask(test, *client, apps));
    CHECK(test.engine->remove_identity(1, Reason::tls_no_identity, 60'000));
    CHECK(test.until([&] { return test.engine->stats().tls_sessions == 0; }));
    CHECK(!client->ended);
}

CASE("a tunnel ends with the first of both certificates") {
    SecureMesh test;
    test.use = Action::tunnel;
    const tls::Credential brief = tls::make_certificate(
        &test.mesh.root, {.names = std::string("URI:") + tls::shop_id, .not_after = tls::test_now + 100});
    CHECK(test.identify(1, brief, tls::shop_id));
    auto client = test.connect();
    auto app = test.accept();
    client->send("x");
    CHECK(test.until([&] { return app->has("x"); }));
    test.advance(85'000);
    client->send("y");
    CHECK(test.until([&] { return app->has("xy"); }));
    test.advance(16'000);
    CHECK(test.until([&] { return client->was_reset && app->was_reset; }));
    CHECK(test.until([&] { return test.count(CompletionKind::connection) == 2; }));
    for (const Completion &completion : test.completions)
        if (completion.kind == CompletionKind::connection)
            CHECK_EQUAL(completion.reason, Reason::tls_expired_certificate);
}

CASE("before a certificate ends its connections take no more requests, and none fails") {
    SecureMesh test;
    const tls::Credential brief = tls::make_certificate(
        &test.mesh.root, {.names = std::string("URI:") + tls::cart_id, .not_after = tls::test_now + 100});
    CHECK(test.identify(2, brief, tls::cart_id));
    auto client = test.connect();
    std::vector<std::unique_ptr<Peer>> apps;
    CHECK(ask(test, *client, apps));
    CHECK(test.identify_cart()); // rotated in time
    test.advance(91'000);        // of 100 s: a tenth is left
    test.settle();
    CHECK(ask(test, *client, apps));
    CHECK(test.until([&] { return test.engine->stats().tls_sessions == 2; }));
    CHECK_EQUAL(test.engine->stats().client_handshakes, 2U);
    test.advance(10'000);
    test.settle();
    CHECK(ask(test, *client, apps));
    for (const Completion &completion : test.completions)
        CHECK(completion.reason == Reason::none || completion.reason == Reason::peer_closed ||
              completion.reason == Reason::tls_expired_certificate);
    CHECK_EQUAL(test.engine->stats().failed_handshakes, 0U);
}

CASE("draining ends a plaintext client's connection behind its answer, and cuts it after the grace") {
    SecureMesh test;
    auto quick = test.connect();
    auto slow = test.connect();
    auto first = test.deliver(*quick, get);
    auto second = test.deliver(*slow, get);
    CHECK_EQUAL(test.engine->drain_connections(Reason::policy_denied, {.workload = 1, .tag = {}}, 3'000), 2U);
    first->send(ok);
    CHECK(test.until([&] { return quick->has("\r\n\r\nok") && quick->ended; }));
    CHECK(quick->has("Connection: close"));
    test.advance(3'100);
    CHECK(test.until([&] { return slow->was_reset; }));
}

CASE("a request that may not go on is answered where nothing was sent yet, and cut where something was") {
    SecureMesh test;
    test.on_decide = [&](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row) {
            test.answer(row);
            test.engine->batch().verdicts.tag[row] = 42;
        }
        return true;
    };
    auto waiting = test.connect();
    auto first = test.deliver(*waiting, get);
    auto streaming = test.connect();
    auto second = test.deliver(*streaming, get);
    second->send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome");
    CHECK(test.until([&] { return streaming->has("some"); }));
    CHECK_EQUAL(test.engine->end_requests(Reason::policy_denied, 41), 0U);
    CHECK_EQUAL(test.engine->end_requests(Reason::policy_denied, 42), 4U); // two requests, seen twice
    CHECK(test.until([&] { return waiting->has("HTTP/1.1 403") && streaming->was_reset; }));
    CHECK(waiting->has("x-weft-reason: policy_denied"));
    CHECK(test.until([&] { return test.last(CompletionKind::request) != nullptr; }));
    CHECK_EQUAL(test.last(CompletionKind::request)->reason, Reason::policy_denied);
}

} // namespace
} // namespace weft::testing
