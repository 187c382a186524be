// SPDX-License-Identifier: Apache-2.0
#include "engine/tls/verify-certificate.hpp"
#include "engine/tls/spiffe-id.hpp"
#include <cstdint>
#include <limits>

namespace weft::tls {

namespace {

Verdict refuse(Reason why, const char *detail) {
    return {.why = why, .detail = detail, .spiffe_id = {}};
}

Reason reason_of(int error) {
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
        return Reason::tls_expired_certificate;
    case X509_V_ERR_INVALID_PURPOSE:
        return Reason::tls_wrong_purpose;
    default:
        return Reason::tls_untrusted_certificate;
    }
}

Verdict read_name(X509 *leaf, std::string_view trust_domain) {
    int critical = -1;
    const OwnedNames names{
        static_cast<GENERAL_NAMES *>(X509_get_ext_d2i(leaf, NID_subject_alt_name, &critical, nullptr))};
    if (names == nullptr) {
        return refuse(Reason::tls_wrong_identity,
                      critical == -1 ? "no subject alternative name" : "malformed subject alternative name");
    }
    const ASN1_IA5STRING *uri = nullptr;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_URI) {
            continue;
        }
        if (uri != nullptr) {
            return refuse(Reason::tls_wrong_identity, "more than one URI name");
        }
        uri = name->d.uniformResourceIdentifier;
    }
    if (uri == nullptr) {
        return refuse(Reason::tls_wrong_identity, "no URI name");
    }
    const std::string_view text{reinterpret_cast<const char *>(ASN1_STRING_get0_data(uri)),
                                static_cast<size_t>(ASN1_STRING_length(uri))};
    if (!is_spiffe_id(text)) {
        return refuse(Reason::tls_wrong_identity, "the URI name is not a SPIFFE id");
    }
    if (trust_domain_of(text) != trust_domain) {
        return refuse(Reason::tls_wrong_identity, "the identity is of another trust domain");
    }
    if (is_system_id(text)) {
        return refuse(Reason::tls_wrong_identity,
                      "the identity is a node's or the controller's, no workload's");
    }
    return {.why = Reason::none, .detail = "", .spiffe_id = std::string{text}};
}

/// OpenSSL accepts some issuers without basic constraints; this mesh does not.
bool issuers_are_authorities(X509_STORE_CTX *verification) {
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(verification);
    for (int i = 1; i < sk_X509_num(chain); ++i) {
        if (X509_check_ca(sk_X509_value(chain, i)) != 1) {
            return false;
        }
    }
    return true;
}

int error_of(Reason why) {
    switch (why) {
    case Reason::tls_wrong_purpose:
        return X509_V_ERR_INVALID_PURPOSE;
    case Reason::tls_untrusted_certificate:
        return X509_V_ERR_INVALID_CA;
    default:
        return X509_V_ERR_APPLICATION_VERIFICATION;
    }
}

} // namespace

Verdict check_leaf(X509 *leaf, Side side, std::string_view trust_domain) {
    const uint32_t flags = X509_get_extension_flags(leaf);
    if ((flags & EXFLAG_INVALID) != 0 || X509_get_version(leaf) != X509_VERSION_3) {
        return refuse(Reason::tls_untrusted_certificate, "malformed certificate");
    }
    if ((flags & EXFLAG_CA) != 0) {
        return refuse(Reason::tls_wrong_purpose, "the certificate is an authority's");
    }
    const uint32_t usage = X509_get_key_usage(leaf);
    if ((flags & EXFLAG_KUSAGE) == 0 || (usage & KU_DIGITAL_SIGNATURE) == 0 ||
        (usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0) {
        return refuse(Reason::tls_wrong_purpose,
                      "the key usage must be digitalSignature and sign nothing else");
    }
    // An absent extension would mean any purpose to OpenSSL.
    const uint32_t wanted = side == Side::server ? XKU_SSL_SERVER : XKU_SSL_CLIENT;
    if ((flags & EXFLAG_XKUSAGE) == 0 || (X509_get_extended_key_usage(leaf) & wanted) == 0) {
        return refuse(Reason::tls_wrong_purpose, side == Side::server ? "no extended key usage for servers"
                                                                      : "no extended key usage for clients");
    }
    return read_name(leaf, trust_domain);
}

Verdict verify_certificate(X509_STORE_CTX *verification, Side side, std::string_view trust_domain) {
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(verification);
    if (X509_VERIFY_PARAM_set_purpose(parameters, side == Side::server ? X509_PURPOSE_SSL_SERVER
                                                                       : X509_PURPOSE_SSL_CLIENT) != 1 ||
        X509_verify_cert(verification) != 1) {
        const int error = X509_STORE_CTX_get_error(verification);
        if (error == X509_V_OK) { // X509_verify_cert itself failed
            X509_STORE_CTX_set_error(verification, X509_V_ERR_UNSPECIFIED);
        }
        return refuse(reason_of(error), X509_verify_cert_error_string(error));
    }
    Verdict verdict = issuers_are_authorities(verification)
                          ? check_leaf(X509_STORE_CTX_get0_cert(verification), side, trust_domain)
                          : refuse(Reason::tls_untrusted_certificate, "an issuer is no authority");
    if (!verdict.accepted()) {
        X509_STORE_CTX_set_error(verification, error_of(verdict.why));
    }
    return verdict;
}

int64_t not_after(const X509 *certificate) {
    int days = 0;
    int seconds = 0;
    const Owned<ASN1_TIME, ASN1_TIME_free> epoch{ASN1_TIME_set(nullptr, 0)};
    if (epoch == nullptr ||
        ASN1_TIME_diff(&days, &seconds, epoch.get(), X509_get0_notAfter(certificate)) != 1) {
        return std::numeric_limits<int64_t>::min();
    }
    return int64_t{days} * 86'400 + seconds;
}

} // namespace weft::tls
