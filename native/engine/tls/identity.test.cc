// SPDX-License-Identifier: Apache-2.0
#include "engine/test/testing.hpp"
#include "engine/tls/certificates-under-test.hpp"
#include "engine/tls/spiffe-id.hpp"

using namespace weft::tls;

namespace {

IdentityFault fault_of(IdentityText text, int64_t now = test_now) {
    IdentityProblem problem;
    const auto identity = Identity::create(text, now, problem);
    CHECK_EQUAL(identity == nullptr, problem.fault != IdentityFault::none);
    CHECK_EQUAL(identity == nullptr, !problem.message.empty());
    CHECK(text.key.empty());
    return problem.fault;
}

IdentityFault fault_of_leaf(const Mesh &mesh, const CertificateOptions &options) {
    return fault_of(text_of(make_certificate(&mesh.root, options), mesh.root, shop_id));
}

} // namespace

CASE("a fitting identity is taken, and its key text overwritten") {
    const Mesh mesh;
    IdentityText text = text_of(mesh.shop, mesh.root, shop_id);
    text.generation = 7;
    const char *memory = text.key.data();
    const size_t size = text.key.size();
    IdentityProblem problem;
    const auto identity = Identity::create(text, test_now, problem);
    CHECK(identity != nullptr);
    CHECK_EQUAL(identity->spiffe_id(), shop_id);
    CHECK_EQUAL(identity->trust_domain(), "mesh.example");
    CHECK_EQUAL(identity->generation(), 7U);
    CHECK_EQUAL(identity->not_after(), test_now + 3600);
    CHECK_EQUAL(std::string_view(memory + 1, size - 1).find_first_not_of('\0'), std::string_view::npos);
}

CASE("a key that is not the certificate's is refused") {
    const Mesh mesh;
    IdentityText text = text_of(mesh.shop, mesh.root, shop_id);
    text.key = mesh.cart.key_pem();
    CHECK_EQUAL(fault_of(text), IdentityFault::key_mismatch);
}

CASE("texts that are not PEM are refused, each by its name") {
    const Mesh mesh;
    const IdentityText good = text_of(mesh.shop, mesh.root, shop_id);
    IdentityText text = good;
    text.certificate = "";
    CHECK_EQUAL(fault_of(text), IdentityFault::malformed_certificate);
    text = good;
    text.certificate.replace(60, 4, "!!!!");
    CHECK_EQUAL(fault_of(text), IdentityFault::malformed_certificate);
    text = good;
    for (int i = 0; i < 8; ++i) {
        text.certificate += good.certificate;
    }
    CHECK_EQUAL(fault_of(text), IdentityFault::malformed_certificate);
    text = good;
    text.key = "nothing";
    CHECK_EQUAL(fault_of(text), IdentityFault::malformed_key);
    text = good;
    text.trust = "nothing";
    CHECK_EQUAL(fault_of(text), IdentityFault::malformed_trust);
    text = good;
    text.trust = text.certificate; // a leaf is no authority
    CHECK_EQUAL(fault_of(text), IdentityFault::malformed_trust);
    text = good;
    text.spiffe_id = "https://mesh.example/x";
    CHECK_EQUAL(fault_of(text), IdentityFault::malformed_spiffe_id);
}

CASE("an encrypted key is refused without asking for a passphrase") {
    const Mesh mesh;
    IdentityText text = text_of(mesh.shop, mesh.root, shop_id);
    text.key = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"
               "00112233445566778899AABBCCDDEEFF\n\nAAAA\n-----END EC PRIVATE KEY-----\n";
    CHECK_EQUAL(fault_of(text), IdentityFault::malformed_key);
}

CASE("another curve than P-256 is refused") {
    const Mesh mesh;
    CHECK_EQUAL(fault_of_leaf(mesh, {.group = "P-384"}), IdentityFault::key_refused);
}

CASE("a chain that does not lead to the bundle is refused") {
    const Mesh mesh;
    const Credential other = make_authority();
    CHECK_EQUAL(fault_of(text_of(mesh.shop, other, shop_id)), IdentityFault::untrusted);
}

CASE("an intermediate is followed, and may be the trust anchor itself") {
    const Credential root = make_authority();
    const Credential intermediate = make_authority(&root);
    const Credential leaf = make_certificate(&intermediate, {});
    IdentityText text = text_of(leaf, root, shop_id);
    CHECK_EQUAL(fault_of(text), IdentityFault::untrusted);
    text = text_of(leaf, root, shop_id);
    text.certificate += intermediate.certificate_pem();
    CHECK_EQUAL(fault_of(text), IdentityFault::none);
    CHECK_EQUAL(fault_of(text_of(leaf, intermediate, shop_id)), IdentityFault::none);
}

CASE("a bundle of two roots takes certificates of both") {
    const Mesh before;
    const Mesh after;
    IdentityText text = text_of(before.shop, after.root, shop_id);
    text.trust += before.root.certificate_pem();
    CHECK_EQUAL(fault_of(text), IdentityFault::none);
}

CASE("dates are held against the time that was given") {
    const Mesh mesh;
    CHECK_EQUAL(fault_of(text_of(mesh.shop, mesh.root, shop_id), test_now + 3601), IdentityFault::expired);
    CHECK_EQUAL(fault_of(text_of(mesh.shop, mesh.root, shop_id), test_now - 61), IdentityFault::expired);
}

CASE("the name must be exactly one URI, and ours") {
    const Mesh mesh;
    const std::string good = std::string{"URI:"} + shop_id;
    CHECK_EQUAL(fault_of_leaf(mesh, {.names = ""}), IdentityFault::wrong_identity);
    CHECK_EQUAL(fault_of_leaf(mesh, {.names = "DNS:front.shop"}), IdentityFault::wrong_identity);
    CHECK_EQUAL(fault_of_leaf(mesh, {.names = good + ",URI:" + cart_id}), IdentityFault::wrong_identity);
    CHECK_EQUAL(fault_of_leaf(mesh, {.names = good + "," + good}), IdentityFault::wrong_identity);
    CHECK_EQUAL(fault_of_leaf(mesh, {.names = std::string{"URI:"} + cart_id}), IdentityFault::wrong_identity);
    CHECK_EQUAL(fault_of_leaf(mesh, {.names = good + ",DNS:front.shop"}), IdentityFault::none);
}

CASE("a leaf must serve both purposes and be no authority") {
    const Mesh mesh;
    const IdentityFault wrong = IdentityFault::wrong_purpose;
    CHECK_EQUAL(fault_of_leaf(mesh, {.extended_usage = "serverAuth"}), wrong);
    CHECK_EQUAL(fault_of_leaf(mesh, {.extended_usage = "clientAuth"}), wrong);
    CHECK_EQUAL(fault_of_leaf(mesh, {.extended_usage = "codeSigning"}), wrong);
    CHECK_EQUAL(fault_of_leaf(mesh, {.extended_usage = ""}), wrong);
    CHECK_EQUAL(fault_of_leaf(mesh, {.usage = ""}), wrong);
    CHECK_EQUAL(fault_of_leaf(mesh, {.usage = "critical,digitalSignature,keyCertSign", .authority = true}),
                wrong);
}

CASE("SPIFFE ids are read strictly") {
    CHECK(is_spiffe_id("spiffe://a/b"));
    CHECK(is_spiffe_id("spiffe://mesh-1.example/ns/Shop_1/sa/x.y"));
    for (const char *bad : {"", "spiffe://", "spiffe://a", "spiffe://a/", "spiffe:///b", "spiffe://A/b",
                            "SPIFFE://a/b", "spiffe://a/b/", "spiffe://a//b", "spiffe://a/./b",
                            "spiffe://a/../b", "spiffe://a:1/b", "spiffe://u@a/b", "spiffe://a/b?c",
                            "spiffe://a/b#c", "spiffe://a/%62", "spiffe://a/b c", "http://a/b"}) {
        CHECK(!is_spiffe_id(bad));
    }
    CHECK(!is_spiffe_id(std::string_view{"spiffe://a/b\0c", 14}));
    CHECK(!is_spiffe_id("spiffe://" + std::string(256, 'a') + "/b"));
    CHECK(!is_spiffe_id("spiffe://a/" + std::string(2048, 'b')));
    CHECK_EQUAL(trust_domain_of("spiffe://mesh.example/ns/x"), "mesh.example");
}
