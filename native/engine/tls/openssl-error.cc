// SPDX-License-Identifier: Apache-2.0
#include "engine/tls/openssl-error.hpp"
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace weft::tls {

namespace {

Reason reason_of_alert(int alert, bool handshaking) {
    switch (handshaking ? alert : -1) {
    case SSL_AD_PROTOCOL_VERSION:
        return Reason::tls_version_refused;
    case SSL_AD_NO_APPLICATION_PROTOCOL:
        return Reason::tls_alpn_refused;
    default:
        return Reason::tls_peer_refused;
    }
}

Reason reason_of(int code, Reason otherwise) {
    switch (code) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return Reason::tls_no_client_certificate;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_BAD_PROTOCOL_VERSION_NUMBER:
        return Reason::tls_version_refused;
    case SSL_R_NO_APPLICATION_PROTOCOL:
        return Reason::tls_alpn_refused;
    default:
        return otherwise;
    }
}

} // namespace

OpensslError take_openssl_error(bool handshaking) {
    OpensslError result{.why = handshaking ? Reason::tls_handshake_failed : Reason::tls_record_failed,
                        .detail = "no error told"};
    const unsigned long error = ERR_peek_error();
    if (error != 0 && ERR_GET_LIB(error) == ERR_LIB_SSL) {
        const int code = ERR_GET_REASON(error);
        const bool alerted = code >= SSL_AD_REASON_OFFSET && code < SSL_AD_REASON_OFFSET + 256;
        result.alert = alerted ? code - SSL_AD_REASON_OFFSET : -1;
        result.why = alerted ? reason_of_alert(result.alert, handshaking) : reason_of(code, result.why);
    }
    if (const char *text = error == 0 ? nullptr : ERR_reason_error_string(error)) {
        result.detail = text;
    }
    ERR_clear_error();
    return result;
}

} // namespace weft::tls
