// SPDX-License-Identifier: Apache-2.0
// What a certificate of the mesh must be: an X.509-SVID (X509-SVID, sections 2 to 5) that chains to the trust
// bundle.
#pragma once
#include "engine/reasons.hpp"
#include "engine/tls/openssl-handles.hpp"
#include <string>
#include <string_view>

namespace weft::tls {

/// Which side of TLS shows the certificate.
enum class Side : uint8_t { server, client };

struct Verdict {
    Reason why = Reason::none;
    /// Says more; lives for ever.
    const char *detail = "";
    /// The one URI name of the leaf, where it has been read.
    std::string spiffe_id;

    bool accepted() const { return why == Reason::none; }
};

/// Verifies the leaf and chain that `verification` was set up with, for `side`: chain to the store, dates,
/// purpose, and exactly one URI name that is a SPIFFE id in `trust_domain`. Sets the verification's error, so
/// that the peer is sent the right alert.
Verdict verify_certificate(X509_STORE_CTX *verification, Side side, std::string_view trust_domain);

/// What the leaf says on its own: version, purposes, key usage, name. No chain and no dates.
Verdict check_leaf(X509 *leaf, Side side, std::string_view trust_domain);

/// When a certificate ends, in seconds since 1970; INT64_MIN where the date cannot be read.
int64_t not_after(const X509 *certificate);

} // namespace weft::tls
