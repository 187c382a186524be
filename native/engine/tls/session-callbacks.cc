// SPDX-License-Identifier: Apache-2.0
// What OpenSSL asks a session during its handshake, and tells it afterwards.
#include "engine/tls/session.hpp"
#include <algorithm>
#include <limits>
#include <openssl/err.h>

namespace weft::tls {

namespace {

/// Key updates and tickets that a peer may send, and one more for each MiB of content.
constexpr uint32_t late_messages_free = 16;

Session *session_of(SSL *ssl) {
    return static_cast<Session *>(SSL_get_app_data(ssl));
}

/// Of all certificates in a chain.
int64_t first_end(const STACK_OF(X509) * chain) {
    int64_t first = std::numeric_limits<int64_t>::max();
    for (int i = 0; i < sk_X509_num(chain); ++i) {
        first = std::min(first, not_after(sk_X509_value(chain, i)));
    }
    return first;
}

} // namespace

bool Session::install(SSL_CTX *context) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(context, verify_peer, nullptr);
    SSL_CTX_set_alpn_select_cb(context, select_alpn, nullptr);
    SSL_CTX_set_msg_callback(context, hear_message);
    return allow_tickets(context);
}

/// A client that offers none gets as far as its certificate, so that scanners, which never offer one, can
/// look at the rest; `select_alpn` is not asked then. (One that offers others is refused at once: RFC 7301
/// section 3.2.)
int Session::verify_peer(X509_STORE_CTX *verification, void *) {
    auto *ssl =
        static_cast<SSL *>(X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
    Session &self = *session_of(ssl);
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(verification), self.now_);
    const Side peer = self.side_ == Side::server ? Side::client : Side::server;
    Verdict verdict = verify_certificate(verification, peer, self.identity_->trust_domain());
    if (verdict.accepted() && peer == Side::server && verdict.spiffe_id != self.expected_) {
        verdict = {.why = Reason::tls_wrong_identity,
                   .detail = "the peer is another workload than the one expected",
                   .spiffe_id = {}};
        X509_STORE_CTX_set_error(verification, X509_V_ERR_APPLICATION_VERIFICATION);
    }
    if (verdict.accepted() && peer == Side::client && self.selected_alpn() == Alpn::none) {
        verdict = {.why = Reason::tls_alpn_refused,
                   .detail = "the client offers no application protocol",
                   .spiffe_id = {}};
        X509_STORE_CTX_set_error(verification, X509_V_ERR_APPLICATION_VERIFICATION);
    }
    self.verdict_ = std::move(verdict);
    if (!self.verdict_.accepted()) {
        return 0;
    }
    self.peer_not_after_ = first_end(X509_STORE_CTX_get0_chain(verification));
    self.verified_ = true;
    self.begin_ticket_time();
    return 1;
}

/// Tickets are for those connections that are not shared.
int Session::select_alpn(SSL *ssl, const unsigned char **out, unsigned char *size,
                         const unsigned char *offered, unsigned int offered_size, void *) {
    const AlpnSet accepted = session_of(ssl)->alpns_;
    for (const Alpn alpn : alpn_by_preference) {
        if (!accepted.has(alpn)) {
            continue;
        }
        const std::string_view wanted = name_of(alpn);
        for (size_t at = 0; at < offered_size; at += size_t{offered[at]} + 1) {
            const size_t length = std::min<size_t>(offered[at], offered_size - at - 1);
            if (wanted == std::string_view{reinterpret_cast<const char *>(offered) + at + 1, length}) {
                *out = offered + at + 1;
                *size = static_cast<unsigned char>(length);
                SSL_set_num_tickets(ssl, alpn == Alpn::http2 ? 0 : 1);
                return SSL_TLSEXT_ERR_OK;
            }
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// Each costs key derivations and maybe an answer, and OpenSSL counts none of them.
void Session::hear_message(int written, int, int type, const void *, size_t, SSL *, void *session) {
    auto *self = static_cast<Session *>(session);
    if (self == nullptr || written != 0 || type != SSL3_RT_HANDSHAKE || self->handshaking()) {
        return;
    }
    if (++self->late_messages_ > late_messages_free + (self->received_ >> 20) && self->verdict_.accepted()) {
        self->verdict_.why = Reason::tls_record_failed;
        self->verdict_.detail = "too many key updates or tickets";
    }
}

} // namespace weft::tls
