// SPDX-License-Identifier: Apache-2.0
#include "engine/tls/session-under-test.hpp"

using namespace weft::tls;
using weft::Reason;

namespace {

std::string sample(size_t size) {
    std::string text(size, '\0');
    for (size_t i = 0; i < size; ++i) {
        text[i] = static_cast<char>(i * 31 + i / 251);
    }
    return text;
}

/// One record that holds nothing but a KeyUpdate that wants an answer.
std::string key_update(RawPeer &peer) {
    SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(peer.ssl());
    return peer.written();
}

} // namespace

CASE("both ends learn who the other is, and the protocol") {
    const Mesh mesh;
    const Pair pair{mesh, {Alpn::http1, Alpn::http2}};
    CHECK_EQUAL(pair.client->state(), SessionState::open);
    CHECK_EQUAL(pair.server->state(), SessionState::open);
    CHECK_EQUAL(pair.client->peer(), cart_id);
    CHECK_EQUAL(pair.server->peer(), shop_id);
    CHECK_EQUAL(pair.client->peer_not_after(), test_now + 3600);
    CHECK_EQUAL(pair.client->alpn(), Alpn::http2);
    CHECK_EQUAL(pair.server->alpn(), Alpn::http2);
    CHECK_EQUAL(std::string_view{pair.server->version()}, "TLSv1.3");
    CHECK_EQUAL(std::string_view{pair.server->cipher()}, "TLS_AES_128_GCM_SHA256");
    CHECK_EQUAL(pair.server->identity().spiffe_id(), cart_id);
}

CASE("an identity that was replaced serves its sessions until they end") {
    const Mesh mesh;
    auto identity = mesh.cart_identity();
    const std::weak_ptr<const Identity> watched = identity;
    auto server = Session::accept(std::move(identity), {Alpn::tcp}, test_now);
    const auto client = Session::connect(mesh.shop_identity(), {Alpn::tcp}, cart_id, test_now);
    shake_hands(*client, *server);
    CHECK_EQUAL(give(*client, take(*server, "still here")), "still here");
    CHECK(!watched.expired());
    server = nullptr;
    CHECK(watched.expired());
}

CASE("every way to cut the stream gives the same handshake and the same plaintext") {
    const Mesh mesh;
    const std::string there = sample(40'000);
    const std::string back = sample(17'000);
    for (const size_t step : {1, 2, 3, 4, 5, 6, 7, 21, 22, 23, 100, 1459, 16'405, 16'406, 16'407}) {
        const auto client = Session::connect(mesh.shop_identity(), {Alpn::tcp}, cart_id, test_now);
        const auto server = Session::accept(mesh.cart_identity(), {Alpn::tcp}, test_now);
        shake_hands(*client, *server, step);
        CHECK_EQUAL(server->state(), SessionState::open);
        CHECK(give(*server, take(*client, there), step, step + 1) == there);
        CHECK(give(*client, take(*server, back), step, 1 + step / 2) == back);
    }
}

CASE("every single cut of a short stream gives the same result") {
    const Mesh mesh;
    const std::string text = sample(60);
    Pair pair{mesh};
    for (size_t at = 0; at <= text.size() + Session::record_overhead; ++at) {
        const std::string cipher = take(*pair.client, text);
        const std::string first = give(*pair.server, std::string_view{cipher}.substr(0, at));
        CHECK(first + give(*pair.server, std::string_view{cipher}.substr(at)) == text);
    }
}

CASE("plaintext waits inside where the room is short") {
    const Mesh mesh;
    Pair pair{mesh};
    const std::string cipher = take(*pair.client, sample(300));
    std::array<uint8_t, 100> room;
    Received got = pair.server->receive(bytes_of(cipher), room);
    CHECK_EQUAL(got.consumed, cipher.size());
    CHECK_EQUAL(got.produced, 100U);
    CHECK(got.more);
    got = pair.server->receive({}, room);
    CHECK(got.more);
    got = pair.server->receive({}, room);
    CHECK_EQUAL(got.produced, 100U);
    CHECK(!got.more);
    CHECK_EQUAL(pair.server->receive({}, room).produced, 0U);
}

CASE("one call takes a bounded number of records") {
    const Mesh mesh;
    Pair pair{mesh, {Alpn::tcp}, {.records_per_call = 10}};
    std::string cipher;
    for (int i = 0; i < 25; ++i) {
        cipher += take(*pair.client, "x");
    }
    std::array<uint8_t, 100> room;
    const Received got = pair.server->receive(bytes_of(cipher), room);
    CHECK_EQUAL(got.produced, 10U);
    CHECK_EQUAL(got.consumed, cipher.size() / 25 * 10);
    CHECK(got.more);
    CHECK_EQUAL(give(*pair.server, std::string_view{cipher}.substr(got.consumed)).size(), 15U);
}

CASE("send fills the room that it has, record by record") {
    const Mesh mesh;
    Pair pair{mesh};
    const std::string text = sample(40'000);
    std::vector<uint8_t> room(2 * Session::record_bytes + 100);
    const Sent sent = pair.client->send(bytes_of(text), room);
    CHECK_EQUAL(sent.consumed, 2 * Session::record_plaintext);
    CHECK_EQUAL(sent.produced, 2 * Session::record_bytes);
    const Sent little =
        pair.client->send(bytes_of(text), std::span{room}.first(Session::record_overhead + 5));
    CHECK_EQUAL(little.consumed, 5U);
    CHECK_EQUAL(little.produced, Session::record_overhead + 5);
    CHECK_EQUAL(pair.client->send(bytes_of(text), std::span{room}.first(Session::record_overhead)).produced,
                0U);
}

CASE("close_notify ends one direction, and the other goes on") {
    const Mesh mesh;
    Pair pair{mesh};
    pair.client->close();
    CHECK_EQUAL(pair.client->state(), SessionState::self_closed);
    CHECK(pair.client->wants_send());
    give(*pair.server, take(*pair.client));
    CHECK_EQUAL(pair.server->state(), SessionState::peer_closed);
    CHECK_EQUAL(take(*pair.client, "late"), "");
    CHECK_EQUAL(give(*pair.client, take(*pair.server, "and yet")), "and yet");
    pair.server->wire_ended();
    CHECK_EQUAL(pair.server->state(), SessionState::peer_closed);
    pair.server->close();
    CHECK_EQUAL(pair.server->state(), SessionState::closed);
    give(*pair.client, take(*pair.server));
    CHECK_EQUAL(pair.client->state(), SessionState::closed);
    pair.client->wire_ended();
    CHECK_EQUAL(pair.client->why(), Reason::none);
}

CASE("content before close_notify is delivered, and nothing behind it is") {
    const Mesh mesh;
    Pair pair{mesh};
    std::string cipher = take(*pair.client, "last words");
    pair.client->close();
    cipher += take(*pair.client);
    cipher += "anything at all";
    CHECK_EQUAL(give(*pair.server, cipher), "last words");
    CHECK_EQUAL(pair.server->state(), SessionState::peer_closed);
}

CASE("a truncated stream is told from an orderly end") {
    const Mesh mesh;
    Pair pair{mesh};
    const std::string cipher = take(*pair.client, sample(1000));
    give(*pair.server, std::string_view{cipher}.substr(0, 500));
    pair.server->wire_ended();
    CHECK_EQUAL(pair.server->state(), SessionState::failed);
    CHECK_EQUAL(pair.server->why(), Reason::tls_truncated);

    Pair between_records{mesh};
    CHECK_EQUAL(give(*between_records.server, take(*between_records.client, "all")), "all");
    between_records.server->wire_ended();
    CHECK_EQUAL(between_records.server->why(), Reason::tls_truncated);

    const auto early = Session::accept(mesh.cart_identity(), {Alpn::tcp}, test_now);
    early->wire_ended();
    CHECK_EQUAL(early->why(), Reason::tls_handshake_failed);
}

CASE("a record that was tampered with fails, whichever byte it was, and gives no plaintext") {
    const Mesh mesh;
    for (const size_t at : {0, 1, 3, 4, 5, 10, 40, 80}) {
        Pair pair{mesh};
        std::string cipher = take(*pair.client, sample(64));
        cipher[at] = static_cast<char>(cipher[at] ^ 1);
        const std::string plain = give(*pair.server, cipher + take(*pair.client, sample(1000)));
        CHECK_EQUAL(plain, "");
        CHECK_EQUAL(pair.server->why(), Reason::tls_record_failed);
        CHECK(pair.server->wants_send()); // an alert
        give(*pair.client, take(*pair.server));
        CHECK_EQUAL(pair.client->why(), Reason::tls_peer_refused);
    }
}

CASE("records that are repeated or come in another order fail") {
    const Mesh mesh;
    Pair pair{mesh};
    const std::string first = take(*pair.client, "first");
    const std::string second = take(*pair.client, "second");
    CHECK_EQUAL(give(*pair.server, first), "first");
    CHECK_EQUAL(give(*pair.server, first), "");
    CHECK_EQUAL(pair.server->why(), Reason::tls_record_failed);
    Pair other{mesh};
    take(*other.client, "first");
    CHECK_EQUAL(give(*other.server, take(*other.client, "second")), "");
    CHECK_EQUAL(other.server->why(), Reason::tls_record_failed);
}

CASE("a failed session takes and gives nothing more, and leaves no error behind") {
    const Mesh mesh;
    Pair pair{mesh};
    give(*pair.server, std::string_view{"\x17\x03\x03\xff\xff", 5});
    CHECK_EQUAL(pair.server->why(), Reason::tls_record_failed);
    CHECK(!take(*pair.server).empty());
    CHECK_EQUAL(take(*pair.server, "text"), "");
    CHECK_EQUAL(give(*pair.server, take(*pair.client, "text")), "");
    pair.server->close();
    pair.server->wire_ended();
    CHECK_EQUAL(pair.server->why(), Reason::tls_record_failed);
    CHECK_EQUAL(ERR_peek_error(), 0UL);
}

CASE("key updates are answered, and a flood of them is refused") {
    const Mesh mesh;
    const auto server = Session::accept(mesh.cart_identity(), {Alpn::tcp}, test_now);
    RawPeer client{Side::client, {.credential = &mesh.shop}};
    shake_hands(*server, client);
    for (int i = 0; i < 16; ++i) {
        give(*server, key_update(client));
        CHECK_EQUAL(server->state(), SessionState::open);
        const std::string answer = take(*server, "x");
        CHECK(answer.size() > Session::record_overhead + 1);
        client.exchange(answer);
    }
    give(*server, key_update(client));
    CHECK_EQUAL(server->why(), Reason::tls_record_failed);
}
