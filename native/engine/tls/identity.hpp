// SPDX-License-Identifier: Apache-2.0
// One workload's identity of one generation: certificate, key, trust bundle, and the OpenSSL context that all
// its connections are made from.
#pragma once
#include "engine/tls/openssl-handles.hpp"
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace weft::tls {

/// As `identity` of setIdentity in native/engine.ts.
struct IdentityText {
    /// PEM: the leaf first, then its issuers.
    std::string certificate;
    /// PEM, not encrypted; ECDSA P-256. Overwritten by `Identity::create`, whatever comes of it.
    std::string key;
    /// PEM: the authorities that are trusted.
    std::string trust;
    std::string spiffe_id;
    uint32_t generation = 0;
};

enum class IdentityFault : uint8_t {
    none,
    malformed_certificate,
    malformed_key,
    malformed_trust,
    malformed_spiffe_id,
    /// The key is not the leaf's.
    key_mismatch,
    /// The key is no ECDSA P-256.
    key_refused,
    /// The chain does not lead to the bundle.
    untrusted,
    /// Expired or not yet valid.
    expired,
    /// Not exactly one URI name, or not `spiffe_id`.
    wrong_identity,
    /// It may not be used for servers and clients, or is an authority's.
    wrong_purpose,
    /// OpenSSL refused a setting, or memory is short.
    context_failed,
};

struct IdentityProblem {
    IdentityFault fault = IdentityFault::none;
    /// One sentence; holds no secret.
    std::string message;
};

/// Immutable, but for the keys of its tickets. Sessions share it; one that is replaced lives until its last
/// session ends. Used by one thread.
class Identity {
public:
    /// Null, and `problem` filled, where something does not fit. `now`: seconds since 1970.
    static std::shared_ptr<const Identity> create(IdentityText &text, int64_t now, IdentityProblem &problem);

    std::string_view spiffe_id() const { return spiffe_id_; }
    std::string_view trust_domain() const;
    uint32_t generation() const { return generation_; }
    /// The first end of a certificate in our chain, in seconds since 1970.
    int64_t not_after() const { return not_after_; }

    // For Session.
    /// Tickets of before `ticket_key_seconds` ago, or of a time that is yet to come, cannot be read any more.
    /// False where there is no randomness.
    bool renew_ticket_keys(int64_t now) const;
    SSL_CTX *context() const { return context_.get(); }
    const BIO_METHOD *wire() const { return wire_.get(); }

private:
    Identity() = default;

    std::string spiffe_id_;
    uint32_t generation_ = 0;
    int64_t not_after_ = 0;
    OwnedContext context_;
    /// When the present keys of tickets came, in seconds since 1970.
    mutable int64_t ticket_keys_since_ = 0;
    OwnedBioMethod wire_;
};

} // namespace weft::tls
