// SPDX-License-Identifier: Apache-2.0
#include "engine/tls/identity.hpp"
#include "engine/tls/read-pem.hpp"
#include "engine/tls/session.hpp"
#include "engine/tls/spiffe-id.hpp"
#include <algorithm>
#include <array>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <span>

namespace weft::tls {

namespace {

using Chain = std::vector<OwnedCertificate>;

/// Since OpenSSL 3.2; older ones have no certificate compression and ignore the bits.
constexpr uint64_t no_send_certificate_compression = uint64_t{1} << 32;
constexpr uint64_t no_receive_certificate_compression = uint64_t{1} << 33;
/// Longest chain between a leaf and its trust anchor.
constexpr int max_depth = 6;
constexpr long max_chain_bytes = 24 * 1024;

IdentityFault fault_of(Reason why) {
    switch (why) {
    case Reason::tls_expired_certificate:
        return IdentityFault::expired;
    case Reason::tls_wrong_identity:
        return IdentityFault::wrong_identity;
    case Reason::tls_wrong_purpose:
        return IdentityFault::wrong_purpose;
    default:
        return IdentityFault::untrusted;
    }
}

OwnedStore make_store(const Chain &trust) {
    OwnedStore store{X509_STORE_new()};
    if (store == nullptr || X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN) != 1) {
        return nullptr; // partial chains: the bundle may hold an intermediate alone
    }
    for (const OwnedCertificate &authority : trust) {
        if (X509_check_ca(authority.get()) != 1 || X509_STORE_add_cert(store.get(), authority.get()) != 1) {
            return nullptr;
        }
    }
    return store;
}

/// Whether peers would accept our chain, on both sides.
Verdict verify_own(const Chain &chain, X509_STORE *store, std::string_view trust_domain, int64_t now) {
    const Owned<STACK_OF(X509), [](STACK_OF(X509) * stack) { sk_X509_free(stack); }> issuers{
        sk_X509_new_null()};
    const OwnedVerification verification{X509_STORE_CTX_new()};
    bool ready = issuers != nullptr && verification != nullptr;
    for (const OwnedCertificate &issuer : std::span{chain}.subspan(1)) {
        ready = ready && sk_X509_push(issuers.get(), issuer.get()) > 0;
    }
    if (!ready || X509_STORE_CTX_init(verification.get(), store, chain.front().get(), issuers.get()) != 1) {
        return {.why = Reason::tls_untrusted_certificate, .detail = "out of memory", .spiffe_id = {}};
    }
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(verification.get());
    X509_VERIFY_PARAM_set_time(parameters, now);
    X509_VERIFY_PARAM_set_depth(parameters, max_depth);
    Verdict verdict = verify_certificate(verification.get(), Side::server, trust_domain);
    return verdict.accepted() ? check_leaf(chain.front().get(), Side::client, trust_domain) : verdict;
}

bool restrict_protocol(SSL_CTX *context) {
    SSL_CTX_clear_options(context, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | no_send_certificate_compression |
                                     no_receive_certificate_compression);
    SSL_CTX_set_verify_depth(context, max_depth);
    SSL_CTX_set_max_cert_list(context, max_chain_bytes);
    // A call ends after each record, so that `receive` can count them.
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
    return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                             "TLS_CHACHA20_POLY1305_SHA256") == 1 &&
           SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1 &&
           SSL_CTX_set1_sigalgs_list(context, "ECDSA+SHA256") == 1 &&
           SSL_CTX_set1_client_sigalgs_list(context, "ECDSA+SHA256") == 1 &&
           SSL_CTX_set_num_tickets(context, 0) == 1 && // until ALPN tells what the connection is for
           SSL_CTX_set_max_early_data(context, 0) == 1 && SSL_CTX_set_recv_max_early_data(context, 0) == 1;
}

OwnedContext make_context(const Chain &chain, EVP_PKEY *key, X509_STORE *store) {
    OwnedContext context{SSL_CTX_new(TLS_method())};
    bool ready = context != nullptr && restrict_protocol(context.get()) &&
                 SSL_CTX_use_certificate(context.get(), chain.front().get()) == 1 &&
                 SSL_CTX_use_PrivateKey(context.get(), key) == 1 &&
                 SSL_CTX_set1_verify_cert_store(context.get(), store) == 1;
    for (const OwnedCertificate &issuer : std::span{chain}.subspan(1)) {
        ready = ready && SSL_CTX_add1_chain_cert(context.get(), issuer.get()) == 1;
    }
    if (!ready) {
        return nullptr;
    }
    return Session::install(context.get()) ? std::move(context) : nullptr;
}

/// The caller's copy of the key does not outlive `create`.
struct Cleanse {
    std::string &text;
    ~Cleanse() {
        OPENSSL_cleanse(text.data(), text.size());
        text.clear();
    }
};

} // namespace

std::string_view Identity::trust_domain() const {
    return trust_domain_of(spiffe_id_);
}

bool Identity::renew_ticket_keys(int64_t now) const {
    if (now >= ticket_keys_since_ && now < ticket_keys_since_ + ticket_key_seconds) {
        return true;
    }
    // A name, a key for HMAC and a key for AES, as SSL_CTX makes them for itself.
    std::array<unsigned char, 80> keys;
    const bool renewed = RAND_priv_bytes(keys.data(), keys.size()) == 1 &&
                         SSL_CTX_set_tlsext_ticket_keys(context_.get(), keys.data(), keys.size()) == 1;
    OPENSSL_cleanse(keys.data(), keys.size());
    ticket_keys_since_ = renewed ? now : 0;
    ERR_clear_error();
    return renewed;
}

std::shared_ptr<const Identity> Identity::create(IdentityText &text, int64_t now, IdentityProblem &problem) {
    const Cleanse cleanse{text.key};
    const auto refuse = [&problem](IdentityFault fault, std::string message) {
        ERR_clear_error();
        problem = {fault, std::move(message)};
        return nullptr;
    };
    if (!is_spiffe_id(text.spiffe_id)) {
        return refuse(IdentityFault::malformed_spiffe_id, "the identity is not spiffe://<domain>/<path>");
    }
    const Chain chain = read_certificates(text.certificate, max_chain_certificates);
    if (chain.empty()) {
        return refuse(IdentityFault::malformed_certificate, "the certificate is not a PEM chain of 1 to 8");
    }
    const OwnedKey key = read_key(text.key);
    if (key == nullptr) {
        return refuse(IdentityFault::malformed_key, "the key is not an unencrypted PEM private key");
    }
    if (!is_p256(key.get())) {
        return refuse(IdentityFault::key_refused, "the key must be ECDSA P-256");
    }
    if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
        return refuse(IdentityFault::key_mismatch, "the key is not the certificate's");
    }
    const Chain trust = read_certificates(text.trust, max_trust_certificates);
    const OwnedStore store = trust.empty() ? nullptr : make_store(trust);
    if (store == nullptr) {
        return refuse(IdentityFault::malformed_trust, "the trust bundle is not PEM of 1 to 256 authorities");
    }
    const Verdict verdict = verify_own(chain, store.get(), trust_domain_of(text.spiffe_id), now);
    if (!verdict.accepted()) {
        return refuse(fault_of(verdict.why),
                      std::string{"peers would refuse the certificate: "} + verdict.detail);
    }
    if (verdict.spiffe_id != text.spiffe_id) {
        return refuse(IdentityFault::wrong_identity,
                      "the certificate names " + verdict.spiffe_id + ", not " + text.spiffe_id);
    }
    std::shared_ptr<Identity> identity{new Identity};
    identity->spiffe_id_ = text.spiffe_id;
    identity->generation_ = text.generation;
    identity->not_after_ = tls::not_after(chain.front().get());
    for (const OwnedCertificate &certificate : chain) {
        identity->not_after_ = std::min(identity->not_after_, tls::not_after(certificate.get()));
    }
    identity->wire_ = Wire::make_method();
    identity->context_ = make_context(chain, key.get(), store.get());
    if (identity->wire_ == nullptr || identity->context_ == nullptr) {
        return refuse(IdentityFault::context_failed, "OpenSSL refused a setting or had no memory");
    }
    return identity;
}

} // namespace weft::tls
