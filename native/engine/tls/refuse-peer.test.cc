// SPDX-License-Identifier: Apache-2.0
// Peers that must not get in, each by the name of its refusal.
#include "engine/tls/session-under-test.hpp"

using namespace weft::tls;
using weft::Reason;

namespace {

/// What our server says of a client.
Reason serve(const Mesh &mesh, const RawPeer::Options &options) {
    const auto server = Session::accept(mesh.cart_identity(), {Alpn::tcp}, test_now);
    RawPeer client{Side::client, options};
    shake_hands(*server, client);
    CHECK_EQUAL(server->state() == SessionState::failed, server->why() != Reason::none);
    if (server->why() == Reason::none) {
        CHECK_EQUAL(server->peer(), shop_id);
    } else {
        CHECK(server->peer().empty());
        CHECK(SSL_is_init_finished(client.ssl()) == 0 || SSL_get_shutdown(client.ssl()) != 0);
    }
    return server->why();
}

/// What our client says of a server.
Reason dial(const Mesh &mesh, const RawPeer::Options &options) {
    const auto client = Session::connect(mesh.shop_identity(), {Alpn::tcp}, cart_id, test_now);
    RawPeer server{Side::server, options};
    shake_hands(*client, server);
    CHECK_EQUAL(client->state() == SessionState::failed, client->why() != Reason::none);
    return client->why();
}

Reason serve_leaf(const Mesh &mesh, const CertificateOptions &options) {
    const Credential leaf = make_certificate(&mesh.root, options);
    return serve(mesh, {.credential = &leaf});
}

Reason dial_leaf(const Mesh &mesh, CertificateOptions options) {
    if (options.names == CertificateOptions{}.names) {
        options.names = std::string{"URI:"} + cart_id;
    }
    const Credential leaf = make_certificate(&mesh.root, options);
    return dial(mesh, {.credential = &leaf});
}

} // namespace

CASE("the raw peer gets in where nothing is wrong, so that the refusals below mean something") {
    const Mesh mesh;
    CHECK_EQUAL(serve(mesh, {.credential = &mesh.shop}), Reason::none);
    CHECK_EQUAL(dial(mesh, {.credential = &mesh.cart}), Reason::none);
}

CASE("a client without certificate is refused") {
    const Mesh mesh;
    CHECK_EQUAL(serve(mesh, {}), Reason::tls_no_client_certificate);
}

CASE("self-made certificates and other roots are refused") {
    const Mesh mesh;
    const Mesh other;
    const Credential self = make_certificate(nullptr, {});
    CHECK_EQUAL(serve(mesh, {.credential = &self}), Reason::tls_untrusted_certificate);
    CHECK_EQUAL(serve(mesh, {.credential = &other.shop}), Reason::tls_untrusted_certificate);
    CHECK_EQUAL(serve(mesh, {.credential = &other.shop, .chain = {&other.root}}),
                Reason::tls_untrusted_certificate);
    CHECK_EQUAL(dial(mesh, {.credential = &other.cart, .chain = {&other.root}}),
                Reason::tls_untrusted_certificate);
}

CASE("a workload's certificate issues nothing") {
    const Mesh mesh;
    const Credential forged = make_certificate(&mesh.cart, {});
    CHECK_EQUAL(serve(mesh, {.credential = &forged, .chain = {&mesh.cart}}),
                Reason::tls_untrusted_certificate);
    const Credential signer =
        make_certificate(&mesh.root, {.usage = "critical,keyCertSign,digitalSignature"});
    const Credential second = make_certificate(&signer, {});
    CHECK_EQUAL(serve(mesh, {.credential = &second, .chain = {&signer}}), Reason::tls_untrusted_certificate);
}

CASE("expired and not yet valid certificates are refused") {
    const Mesh mesh;
    for (const CertificateOptions &options :
         {CertificateOptions{.not_after = test_now - 1}, CertificateOptions{.not_before = test_now + 1}}) {
        CHECK_EQUAL(serve_leaf(mesh, options), Reason::tls_expired_certificate);
        CHECK_EQUAL(dial_leaf(mesh, options), Reason::tls_expired_certificate);
    }
}

CASE("another trust domain, no SAN, two SANs and odd URIs are refused") {
    const Mesh mesh;
    const std::string good = std::string{"URI:"} + shop_id;
    for (const std::string &names :
         {std::string{"URI:spiffe://other.example/ns/shop/sa/front"}, std::string{}, std::string{"DNS:front"},
          good + ",URI:" + cart_id, std::string{"URI:spiffe://mesh.example/ns/shop/../sa"},
          std::string{"URI:https://mesh.example/ns/shop"}}) {
        CHECK_EQUAL(serve_leaf(mesh, {.names = names}), Reason::tls_wrong_identity);
        CHECK_EQUAL(dial_leaf(mesh, {.names = names}), Reason::tls_wrong_identity);
    }
}

CASE("a node's certificate and the controller's are no workload's") {
    const Mesh mesh;
    for (const char *names :
         {"URI:spiffe://mesh.example/weft/node/node-a", "URI:spiffe://mesh.example/weft/controller"}) {
        CHECK_EQUAL(serve_leaf(mesh, {.names = names}), Reason::tls_wrong_identity);
        CHECK_EQUAL(dial_leaf(mesh, {.names = names}), Reason::tls_wrong_identity);
    }
    CHECK_EQUAL(
        serve_leaf(mesh, {.names = "URI:spiffe://mesh.example/weft/node/a", .extended_usage = "clientAuth"}),
        Reason::tls_wrong_identity);
}

CASE("a client takes only the workload that it dialled") {
    const Mesh mesh;
    CHECK_EQUAL(dial_leaf(mesh, {.names = "URI:spiffe://mesh.example/ns/shop/sa/cart2"}),
                Reason::tls_wrong_identity);
}

CASE("wrong extended key usage is refused on both sides") {
    const Mesh mesh;
    for (const char *usage : {"codeSigning", ""}) {
        CHECK_EQUAL(serve_leaf(mesh, {.extended_usage = usage}), Reason::tls_wrong_purpose);
        CHECK_EQUAL(dial_leaf(mesh, {.extended_usage = usage}), Reason::tls_wrong_purpose);
    }
    CHECK_EQUAL(serve_leaf(mesh, {.extended_usage = "serverAuth"}), Reason::tls_wrong_purpose);
    CHECK_EQUAL(dial_leaf(mesh, {.extended_usage = "clientAuth"}), Reason::tls_wrong_purpose);
    CHECK_EQUAL(serve_leaf(mesh, {.usage = "critical,keyEncipherment"}), Reason::tls_wrong_purpose);
}

CASE("an authority's certificate is no workload's") {
    const Mesh mesh;
    CHECK_EQUAL(serve_leaf(mesh, {.usage = "critical,digitalSignature,keyCertSign", .authority = true}),
                Reason::tls_wrong_purpose);
}

CASE("TLS 1.2 and older are refused on both sides") {
    const Mesh mesh;
    for (const int version : {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION}) {
        CHECK_EQUAL(serve(mesh, {.credential = &mesh.shop, .version = version}), Reason::tls_version_refused);
        CHECK_EQUAL(dial(mesh, {.credential = &mesh.cart, .version = version}), Reason::tls_version_refused);
    }
}

CASE("null ciphers are refused") {
    const Mesh mesh;
    CHECK_EQUAL(serve(mesh, {.credential = &mesh.shop, .version = TLS1_2_VERSION, .ciphers = "eNULL"}),
                Reason::tls_version_refused);
}

CASE("a client that offers no protocol, or none of the port's, is refused") {
    const Mesh mesh;
    for (const std::string_view alpn : {std::string_view{}, std::string_view{"\x02h2"},
                                        std::string_view{"\x07weft/h1"}, std::string_view{"\x08weft/TCP"}}) {
        CHECK_EQUAL(serve(mesh, {.credential = &mesh.shop, .alpn = alpn}), Reason::tls_alpn_refused);
    }
}

CASE("a server that chooses none, or one that was not offered, is refused") {
    const Mesh mesh;
    CHECK_EQUAL(dial(mesh, {.credential = &mesh.cart, .alpn = ""}), Reason::tls_alpn_refused);
    CHECK(dial(mesh, {.credential = &mesh.cart, .alpn = "\x07weft/h2"}) != Reason::none);
}

CASE("an SNI that lies changes nothing") {
    const Mesh mesh;
    CHECK_EQUAL(serve(mesh, {.credential = &mesh.shop, .server_name = "cart.other.example"}), Reason::none);
}

CASE("a server that refuses our certificate is heard after our handshake is done") {
    const Mesh mesh;
    const Mesh other;
    const auto client = Session::connect(mesh.shop_identity(), {Alpn::tcp}, cart_id, test_now);
    IdentityText text = text_of(mesh.cart, mesh.root, cart_id);
    IdentityProblem problem;
    const auto half = Identity::create(text, test_now, problem);
    const auto stranger = Session::connect(other.shop_identity(), {Alpn::tcp}, cart_id, test_now);
    const auto server = Session::accept(half, {Alpn::tcp}, test_now);
    shake_hands(*stranger, *server);
    CHECK_EQUAL(stranger->why(), Reason::tls_untrusted_certificate);
    CHECK_EQUAL(server->why(), Reason::tls_peer_refused);
    const auto expects_tcp = Session::accept(half, {Alpn::http2}, test_now);
    shake_hands(*client, *expects_tcp);
    CHECK_EQUAL(expects_tcp->why(), Reason::tls_alpn_refused);
    CHECK_EQUAL(client->why(), Reason::tls_alpn_refused);
}

CASE("bytes that are no TLS are refused") {
    const Mesh mesh;
    for (const std::string_view text : {std::string_view{"GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
                                        std::string_view{"\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9},
                                        std::string_view{"\x17\x03\x03\xff\xff", 5}}) {
        const auto server = Session::accept(mesh.cart_identity(), {Alpn::tcp}, test_now);
        give(*server, text);
        CHECK_EQUAL(server->why(), Reason::tls_handshake_failed);
        CHECK(*server->detail() != '\0');
    }
}

CASE("a handshake longer than its limit is refused") {
    const Mesh mesh;
    const auto server =
        Session::accept(mesh.cart_identity(), {Alpn::tcp}, test_now, {.handshake_bytes = 100});
    RawPeer client{Side::client, {.credential = &mesh.shop}};
    give(*server, client.exchange(""));
    CHECK_EQUAL(server->why(), Reason::tls_handshake_failed);
}
