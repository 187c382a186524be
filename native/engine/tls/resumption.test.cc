// SPDX-License-Identifier: Apache-2.0
// When a peer may come back without proving its key again, and when not.
#include "engine/tls/session-under-test.hpp"

using namespace weft::tls;
using weft::Reason;

namespace {

/// A client and a server with identities that live from one connection to the next.
struct Neighbours {
    Mesh mesh;
    std::shared_ptr<const Identity> shop = mesh.shop_identity();
    std::shared_ptr<const Identity> cart = mesh.cart_identity();

    struct Result {
        bool resumed = false;
        TicketFate fate = TicketFate::none;
        Reason why = Reason::none;
        Ticket ticket;
    };

    struct How {
        int64_t now = test_now;
        TicketScope scope{};
        Alpn alpn = Alpn::tcp;
        const char *expected = cart_id;
    };

    Result connect(const Ticket &ticket) { return connect(ticket, How{}); }
    Result connect(const Ticket &ticket, const How &how) {
        const auto client = Session::connect(shop, {how.alpn}, how.expected, how.now, {}, ticket);
        const auto server =
            Session::accept(cart, {Alpn::tcp, Alpn::http1, Alpn::http2}, how.now, {}, how.scope);
        shake_hands(*client, *server);
        if (client->state() == SessionState::failed) {
            return {.fate = server->ticket_fate(), .why = client->why(), .ticket = {}};
        }
        CHECK_EQUAL(server->state(), SessionState::open);
        CHECK_EQUAL(client->resumed(), server->resumed());
        CHECK_EQUAL(server->resumed(), server->ticket_fate() == TicketFate::taken);
        CHECK_EQUAL(server->peer(), shop_id);
        CHECK_EQUAL(client->peer(), cart_id);
        CHECK_EQUAL(server->alpn(), how.alpn);
        CHECK_EQUAL(client->peer_not_after(), test_now + 3600);
        CHECK_EQUAL(server->peer_not_after(), test_now + 3600);
        CHECK_EQUAL(give(*server, take(*client, "ping")), "ping");
        CHECK_EQUAL(give(*client, take(*server, "pong")), "pong");
        Result result{
            .resumed = client->resumed(), .fate = server->ticket_fate(), .ticket = client->take_ticket()};
        client->close(); // OpenSSL takes a ticket back whose connection was cut
        return result;
    }
    Ticket first_ticket() { return connect({}).ticket; }
};

} // namespace

CASE("who was here comes back by a ticket, and by the next one again, never with early data") {
    Neighbours both;
    auto first = both.connect({});
    CHECK(!first.resumed);
    CHECK(first.ticket);
    CHECK_EQUAL(first.ticket.not_after, test_now + ticket_seconds);
    CHECK_EQUAL(SSL_SESSION_get_max_early_data(first.ticket.session.get()), 0U);
    auto second = both.connect(first.ticket, {.now = test_now + 100});
    CHECK(second.resumed);
    // Tickets in a row do not put off the next proof of the key.
    CHECK_EQUAL(second.ticket.not_after, test_now + ticket_seconds);
    CHECK(both.connect(second.ticket, {.now = test_now + ticket_seconds - 1}).resumed);
    CHECK(!both.connect(second.ticket, {.now = test_now + ticket_seconds}).resumed);
}

CASE("a ticket's time is the server's to judge too") {
    Neighbours both;
    Ticket ticket = both.first_ticket();
    ticket.not_after += 3000; // a client that does not keep to it
    const auto late = both.connect(ticket, {.now = test_now + ticket_seconds});
    CHECK(!late.resumed);
    CHECK_EQUAL(late.fate, TicketFate::outdated);
}

CASE("the keys of tickets are renewed while the identity stays") {
    Neighbours both;
    const int64_t late = test_now + ticket_key_seconds - 10;
    both.connect({});
    auto kept = both.connect({}, {.now = late});
    CHECK(both.connect(kept.ticket, {.now = late + 5}).resumed);
    kept = both.connect({}, {.now = late});
    const auto after = both.connect(kept.ticket, {.now = late + 10});
    CHECK(!after.resumed);
    CHECK_EQUAL(after.fate, TicketFate::outdated);
    CHECK(both.connect(after.ticket, {.now = late + 20}).resumed);
    // A clock that was put back does not make them last.
    CHECK(!both.connect(after.ticket, {.now = late - 100}).resumed);
}

CASE("shared connections have no tickets") {
    Neighbours both;
    CHECK(!both.connect({}, {.alpn = Alpn::http2}).ticket);
    CHECK(both.connect({}, {.alpn = Alpn::http1}).ticket);
}

CASE("tickets end with either side's certificate, and whoever comes then is told why not") {
    for (const bool own : {false, true}) {
        Neighbours both;
        const Credential brief =
            make_certificate(&both.mesh.root, {.names = std::string{"URI:"} + (own ? shop_id : cart_id),
                                               .not_after = test_now + 100});
        (own ? both.shop : both.cart) = both.mesh.identity_of(brief, own ? shop_id : cart_id);
        const auto client = Session::connect(both.shop, {Alpn::tcp}, cart_id, test_now);
        const auto server = Session::accept(both.cart, {Alpn::tcp}, test_now);
        shake_hands(*client, *server);
        give(*client, take(*server, "x"));
        Ticket ticket = client->take_ticket();
        client->close();
        CHECK_EQUAL(ticket.not_after, test_now + 100);
        ticket.not_after += 3000;
        ticket.peer_not_after += 3000;
        const auto late = Session::connect(both.shop, {Alpn::tcp}, cart_id, test_now + 101, {}, ticket);
        const auto asked = Session::accept(both.cart, {Alpn::tcp}, test_now + 101);
        shake_hands(*late, *asked);
        CHECK_EQUAL(asked->state(), SessionState::failed);
        CHECK(asked->why() == Reason::tls_expired_certificate ||
              late->why() == Reason::tls_expired_certificate);
    }
}

CASE("a new generation of the server's identity knows no ticket of the one before") {
    Neighbours both;
    const Ticket ticket = both.first_ticket();
    both.cart = both.mesh.cart_identity();
    const auto again = both.connect(ticket);
    CHECK(!again.resumed);
    CHECK(again.ticket);
}

CASE("a new epoch knows no ticket of the one before") {
    Neighbours both;
    const Ticket ticket = both.first_ticket();
    const auto later = both.connect(ticket, {.scope = {.epoch = 1}});
    CHECK(!later.resumed);
    CHECK_EQUAL(later.fate, TicketFate::outdated);
}

CASE("a ticket is good from the address and to the port that it was given for, and the others are told "
     "apart") {
    Neighbours both;
    TicketScope scope{.client = {10, 1, 2, 3}, .port = 8080};
    const auto first = both.connect({}, {.scope = scope});
    CHECK_EQUAL(first.fate, TicketFate::none);
    for (TicketScope other : {TicketScope{.client = {10, 1, 2, 4}, .port = 8080},
                              TicketScope{.client = {10, 1, 2, 3}, .port = 8081}}) {
        const auto moved = both.connect(first.ticket, {.scope = other});
        CHECK(!moved.resumed);
        CHECK_EQUAL(moved.fate, TicketFate::misplaced);
    }
    CHECK(both.connect(first.ticket, {.scope = scope}).resumed);
}

CASE("a client does not come back to somebody else than it asks for") {
    Neighbours both;
    const Ticket ticket = both.first_ticket();
    CHECK_EQUAL(both.connect(ticket, {.expected = shop_id}).why, Reason::tls_wrong_identity);
}

CASE("a stolen ticket is of no use from another address, and makes its user nobody else than it was given "
     "to") {
    Neighbours both;
    const Credential thief =
        make_certificate(&both.mesh.root, {.names = "URI:spiffe://mesh.example/ns/shop/sa/thief"});
    const Ticket stolen = both.first_ticket();
    const auto meet = [&](const TicketScope &scope) {
        const auto client =
            Session::connect(both.mesh.identity_of(thief, "spiffe://mesh.example/ns/shop/sa/thief"),
                             {Alpn::tcp}, cart_id, test_now, {}, stolen);
        const auto server = Session::accept(both.cart, {Alpn::tcp}, test_now, {}, scope);
        shake_hands(*client, *server);
        CHECK_EQUAL(server->state(), SessionState::open);
        return std::pair{server->resumed(), server->peer()};
    };
    const auto [elsewhere, own] = meet({.client = {1}});
    CHECK(!elsewhere);
    CHECK_EQUAL(own, "spiffe://mesh.example/ns/shop/sa/thief");
    const auto [same, owner] = meet({});
    CHECK(same);
    CHECK_EQUAL(owner, shop_id);
}

CASE("a ticket that was altered leads to a full handshake") {
    Neighbours both;
    const Ticket ticket = both.first_ticket();
    const unsigned char *bytes = nullptr;
    size_t size = 0;
    SSL_SESSION_get0_ticket(ticket.session.get(), &bytes, &size);
    CHECK(size > 100);
    for (const size_t at : {size_t{0}, size_t{20}, size / 2, size - 1}) {
        const_cast<unsigned char *>(bytes)[at] ^= 1;
        CHECK(!both.connect(ticket).resumed);
        const_cast<unsigned char *>(bytes)[at] ^= 1;
    }
    CHECK(both.connect(ticket).resumed);
}

CASE("a ticket that is larger than ours are is not kept") {
    Neighbours both;
    for (const size_t more : {size_t{100}, max_ticket_bytes}) {
        RawPeer server{Side::server, {.credential = &both.mesh.cart}};
        const std::string content(more, 'x');
        const auto enlarge = [](SSL *ssl, void *text) {
            const auto &bytes = *static_cast<const std::string *>(text);
            return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), bytes.data(), bytes.size());
        };
        SSL_CTX_set_session_ticket_cb(SSL_get_SSL_CTX(server.ssl()), enlarge, nullptr,
                                      const_cast<std::string *>(&content));
        const auto client = Session::connect(both.shop, {Alpn::tcp}, cart_id, test_now);
        shake_hands(*client, server);
        CHECK_EQUAL(client->state(), SessionState::open);
        CHECK_EQUAL(static_cast<bool>(client->take_ticket()), more == 100);
    }
}

CASE("a client that wants the old secret alone, without a new exchange of keys, does not get it") {
    Neighbours both;
    const auto meet = [&](SSL_SESSION *session) {
        RawPeer client{Side::client, {.credential = &both.mesh.shop}};
        SSL_set_options(client.ssl(), SSL_OP_ALLOW_NO_DHE_KEX);
        if (session != nullptr) {
            SSL_set_session(client.ssl(), session);
        }
        const auto server = Session::accept(both.cart, {Alpn::tcp}, test_now);
        shake_hands(*server, client);
        CHECK_EQUAL(server->state(), SessionState::open);
        EVP_PKEY *fresh = nullptr;
        SSL_get_peer_tmp_key(client.ssl(), &fresh);
        CHECK(OwnedKey{fresh} != nullptr); // resumed or not
        CHECK_EQUAL(server->resumed(), session != nullptr);
        SSL_shutdown(client.ssl());
        return OwnedTlsSession{SSL_get1_session(client.ssl())};
    };
    const OwnedTlsSession session = meet(nullptr);
    CHECK_EQUAL(SSL_SESSION_is_resumable(session.get()), 1);
    meet(session.get());
}
