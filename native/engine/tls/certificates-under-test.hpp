// SPDX-License-Identifier: Apache-2.0
// Certificates that tests and fuzzers make for themselves, good ones and every kind of bad one.
#pragma once
#include "engine/tls/identity.hpp"
#include <string>
#include <vector>

namespace weft::tls {

/// The time that tests live at.
inline constexpr int64_t test_now = 1'800'000'000;
inline constexpr const char *shop_id = "spiffe://mesh.example/ns/shop/sa/front";
inline constexpr const char *cart_id = "spiffe://mesh.example/ns/shop/sa/cart";

/// A certificate with its key.
struct Credential {
    OwnedCertificate certificate;
    OwnedKey key;

    std::string certificate_pem() const;
    std::string key_pem() const;
};

struct CertificateOptions {
    /// Subject alternative names as openssl x509v3_config writes them; empty: no such extension.
    std::string names = std::string{"URI:"} + shop_id;
    int64_t not_before = test_now - 60;
    int64_t not_after = test_now + 3600;
    std::string extended_usage = "serverAuth,clientAuth";
    std::string usage = "critical,digitalSignature";
    bool authority = false;
    const char *group = "P-256";
};

/// Null `issuer`: signs itself.
Credential make_certificate(const Credential *issuer, const CertificateOptions &options);
Credential make_authority(const Credential *issuer = nullptr);

/// What setIdentity would be given for `leaf`, trusting `authority`.
IdentityText text_of(const Credential &leaf, const Credential &authority, std::string spiffe_id);

/// The mesh of most tests: one root and two workloads.
struct Mesh {
    Credential root = make_authority();
    Credential shop = make_certificate(&root, {});
    Credential cart = make_certificate(&root, {.names = std::string{"URI:"} + cart_id});

    /// Aborts where the identity is refused.
    std::shared_ptr<const Identity> identity_of(const Credential &leaf, const char *spiffe_id) const;
    std::shared_ptr<const Identity> shop_identity() const { return identity_of(shop, shop_id); }
    std::shared_ptr<const Identity> cart_identity() const { return identity_of(cart, cart_id); }
};

} // namespace weft::tls
