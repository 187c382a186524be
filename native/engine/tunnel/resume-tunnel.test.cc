// SPDX-License-Identifier: Apache-2.0
// Opaque connections that resume the TLS of an earlier one, and when they must not.
#include "engine/test/secure-under-test.hpp"
#include <algorithm>
#include <sys/socket.h>

namespace weft::testing {
namespace {

/// Both ends of this many handshakes.
constexpr uint64_t none = 0;
constexpr uint64_t both = 2;

struct Tunnel : SecureMesh {
    Tunnel() { use = Action::tunnel; }

    /// One opaque connection from beginning to end; how many of its two handshakes were resumed.
    uint64_t pass() {
        const uint64_t before = resumed();
        auto client = connect();
        auto app = accept();
        client->send("there");
        CHECK(until([&] { return app->has("there"); }));
        app->send("back");
        CHECK(until([&] { return client->has("back"); }));
        client->finish();
        CHECK(until([&] { return app->ended; }));
        app->finish();
        CHECK(until([&] { return client->ended; }));
        forget(*client);
        forget(*app);
        return resumed() - before;
    }

    bool ended_outbound(Reason reason) const {
        return std::any_of(completions.begin(), completions.end(), [&](const Completion &each) {
            return each.kind == CompletionKind::connection && each.direction == Direction::outbound &&
                   each.reason == reason;
        });
    }
    uint64_t resumed() { return engine->stats().resumed_as_client + engine->stats().resumed_as_server; }
    size_t tickets() { return engine->stats().tickets; }

    /// A caller of cart's that is no engine, and comes from 10.9.9.`last`.
    std::unique_ptr<SecurePeer> call_from(uint8_t last, const tls::Ticket &ticket) {
        int pair[2];
        CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
        Address source = *Address::parse("10.9.9.1", 4000);
        source.ip[15] = last;
        CHECK(engine->add_connection(2, Direction::inbound, pair[1], source,
                                     *Address::parse("10.9.9.200", 6379)));
        auto wire = std::make_unique<Peer>(pair[0]);
        watch(*wire);
        auto session = tls::Session::connect(mesh.shop_identity(), {tls::Alpn::tcp}, tls::cart_id,
                                             unix_seconds(), {}, ticket);
        return std::make_unique<SecurePeer>(std::move(wire), std::move(session));
    }

    /// What `caller` was given, after an orderly end.
    tls::Ticket finish(SecurePeer &caller) {
        auto app = accept();
        caller.send("there");
        CHECK(until([&] { return app->has("there"); }));
        app->send("back");
        CHECK(until([&] { return caller.has("back"); }));
        tls::Ticket ticket = caller.take_ticket();
        caller.finish();
        app->finish();
        CHECK(until([&] { return caller.session().state() == tls::SessionState::closed; }));
        forget(caller.wire());
        forget(*app);
        return ticket;
    }
};

CASE("the second opaque connection resumes the first one's TLS, and proves the same identity") {
    Tunnel test;
    CHECK_EQUAL(test.pass(), none);
    CHECK_EQUAL(test.tickets(), 1U);
    CHECK_EQUAL(test.pass(), both);
    CHECK_EQUAL(test.pass(), both);
    CHECK_EQUAL(test.tickets(), 1U); // each is used once
    CHECK_EQUAL(test.secured.size(), 3U);
    for (const auto &[peer, alpn] : test.secured) {
        CHECK_EQUAL(peer, tls::shop_id);
        CHECK_EQUAL(alpn, tls::Alpn::tcp);
    }
    const EngineStats stats = test.engine->stats();
    CHECK_EQUAL(stats.client_handshakes + stats.server_handshakes, 6U);
    CHECK_EQUAL(stats.outdated_tickets + stats.misplaced_tickets, 0U);
}

CASE("connections side by side use a ticket each") {
    Tunnel test;
    std::vector<std::unique_ptr<Peer>> peers;
    const auto open = [&](int count) {
        for (int i = 0; i < count; ++i) {
            peers.push_back(test.connect());
            peers.push_back(test.accept());
            peers.back()->send("hello");
            CHECK(test.until([&] { return peers[peers.size() - 2]->has("hello"); }));
        }
    };
    open(4);
    CHECK_EQUAL(test.resumed(), 4U * 2 - 2); // each found the ticket of the one before
    CHECK_EQUAL(test.tickets(), 1U);
}

CASE("a ticket ends with its time, and so do those that it led to") {
    Tunnel test;
    CHECK_EQUAL(test.pass(), none);
    for (int minute = 1; minute < 10; ++minute) {
        test.advance(60'000);
        CHECK_EQUAL(test.pass(), both);
    }
    test.advance(60'000);
    CHECK_EQUAL(test.pass(), none);
    CHECK_EQUAL(test.pass(), both);
}

CASE("no ticket outlives the identity of either side") {
    Tunnel test;
    test.pass();
    CHECK(test.identify_shop());
    CHECK_EQUAL(test.tickets(), 0U);
    CHECK_EQUAL(test.pass(), none);
    CHECK_EQUAL(test.pass(), both);
    CHECK(test.identify_cart()); // its keys are gone; the client does not know
    CHECK_EQUAL(test.pass(), none);
    CHECK_EQUAL(test.engine->stats().outdated_tickets, 1U);
    CHECK_EQUAL(test.pass(), both);
    test.engine->remove_identity(1, Reason::tls_no_identity, 1000);
    CHECK_EQUAL(test.tickets(), 0U);
}

CASE("no ticket outlives a change of policies, at the client or at the server") {
    Tunnel test;
    auto first = test.call_from(1, {});
    const tls::Ticket ticket = test.finish(*first);
    test.pass();
    test.engine->forget_tickets();
    CHECK_EQUAL(test.tickets(), 0U);
    CHECK_EQUAL(test.pass(), none);
    auto again = test.call_from(1, ticket);
    CHECK(test.finish(*again));
    CHECK(!again->session().resumed());
    CHECK_EQUAL(test.engine->stats().outdated_tickets, 1U);
}

CASE("no ticket outlives its endpoint, nor the identity that this must prove") {
    Tunnel test;
    test.pass();
    test.engine->remove_endpoint(to_cart);
    CHECK_EQUAL(test.tickets(), 0U);
    test.serve_cart();
    CHECK_EQUAL(test.pass(), none);
    test.serve_cart(); // the same again
    CHECK_EQUAL(test.pass(), both);
    Endpoint moved;
    moved.address = *Address::parse("127.0.0.1", test.cart_port);
    moved.destination = 10;
    moved.identity = tls::cart_id;
    test.engine->set_endpoint(to_cart, moved);
    CHECK_EQUAL(test.tickets(), 0U);
    CHECK_EQUAL(test.pass(), none);
    test.serve_cart(tls::shop_id);
    CHECK_EQUAL(test.tickets(), 0U);
    auto client = test.connect();
    CHECK(test.until([&] { return client->was_reset; }));
    CHECK(test.until([&] { return test.ended_outbound(Reason::tls_wrong_identity); }));
}

CASE("a workload that leaves takes its tickets along, and those that still come are not kept") {
    Tunnel test;
    test.pass();
    CHECK_EQUAL(test.tickets(), 1U);
    auto client = test.connect();
    // Both ends have done their handshake, and what cart's says waits to be read.
    CHECK(test.until([&] { return test.secured.size() == 2; }));
    test.engine->remove_workload(1, 5'000);
    auto app = test.accept();
    app->send("late");
    CHECK(test.until([&] { return client->has("late"); }));
    CHECK_EQUAL(test.tickets(), 0U);
}

CASE("a ticket that was stolen is not taken from another address, and is counted") {
    Tunnel test;
    auto owner = test.call_from(1, {});
    const tls::Ticket ticket = test.finish(*owner);
    CHECK(ticket);
    auto thief = test.call_from(2, ticket);
    test.finish(*thief);
    CHECK(!thief->session().resumed());
    CHECK_EQUAL(test.engine->stats().misplaced_tickets, 1U);
    CHECK_EQUAL(test.resumed(), 0U);
    auto again = test.call_from(1, ticket);
    test.finish(*again);
    CHECK(again->session().resumed());
}

CASE("shared connections are not resumed") {
    SecureMesh test;
    auto client = test.connect();
    auto app = test.deliver(*client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    app->send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    CHECK(test.until([&] { return client->has("ok"); }));
    CHECK_EQUAL(test.engine->stats().tickets, 0U);
}

tls::Ticket ticket_until(int64_t end) {
    tls::Ticket ticket;
    ticket.session.reset(SSL_SESSION_new());
    ticket.not_after = end;
    return ticket;
}

CASE("the cache holds so many, so many of one key, and none whose time is over") {
    TicketCache cache;
    const auto key = [](uint32_t destination) { return PoolKey{.destination = destination, .address = {}}; };
    for (uint32_t i = 0; i < TicketCache::most + 10; ++i)
        cache.give(key(i), ticket_until(100), 0);
    CHECK_EQUAL(cache.size(), TicketCache::most);
    CHECK(!cache.take(key(9), 0)); // what came first went first
    CHECK(cache.take(key(10), 0));
    CHECK(!cache.take(key(10), 0));
    CHECK(!cache.take(key(11), 100));
    cache.give(key(1), ticket_until(200), 100);
    CHECK_EQUAL(cache.size(), 1U);
    for (int64_t end = 300; end < 320; ++end)
        cache.give(key(2), ticket_until(end), 100);
    CHECK_EQUAL(cache.size(), 1 + TicketCache::most_of_one);
    for (int64_t end = 319; end > 319 - int64_t{TicketCache::most_of_one}; --end)
        CHECK_EQUAL(cache.take(key(2), 100).not_after, end);
    CHECK(!cache.take(key(2), 100));
    cache.remove_if([&](const PoolKey &each) { return each == key(1); });
    CHECK_EQUAL(cache.size(), 0U);
}

} // namespace
} // namespace weft::testing
