// SPDX-License-Identifier: Apache-2.0
#include "engine/tls/session.hpp"
#include "engine/tls/openssl-error.hpp"
#include <algorithm>
#include <openssl/err.h>

namespace weft::tls {

Session::Session(std::shared_ptr<const Identity> identity, Side side, AlpnSet alpns, int64_t now,
                 const SessionLimits &limits)
    : identity_{std::move(identity)}, side_{side}, alpns_{alpns}, now_{now}, limits_{limits} {
    wire_.allow(limits.handshake_bytes);
}

std::unique_ptr<Session> Session::accept(std::shared_ptr<const Identity> identity, AlpnSet accepted,
                                         int64_t now, const SessionLimits &limits, const TicketScope &scope) {
    std::unique_ptr<Session> session{new Session{std::move(identity), Side::server, accepted, now, limits}};
    session->scope_ = scope;
    const bool started = session->identity_->renew_ticket_keys(now) && session->start({}, {});
    return started ? std::move(session) : nullptr;
}

std::unique_ptr<Session> Session::connect(std::shared_ptr<const Identity> identity, AlpnSet offered,
                                          std::string_view expected, int64_t now, const SessionLimits &limits,
                                          const Ticket &ticket) {
    std::unique_ptr<Session> session{new Session{std::move(identity), Side::client, offered, now, limits}};
    return session->start(expected, ticket) ? std::move(session) : nullptr;
}

bool Session::start(std::string_view expected, const Ticket &ticket) {
    ERR_clear_error();
    ssl_.reset(SSL_new(identity_->context()));
    BIO *bio = ssl_ == nullptr ? nullptr : BIO_new(identity_->wire());
    if (bio == nullptr || SSL_set_app_data(ssl_.get(), this) != 1) {
        BIO_free(bio);
        ERR_clear_error();
        return false;
    }
    BIO_set_data(bio, &wire_);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_msg_callback_arg(ssl_.get(), this);
    if (side_ == Side::server) {
        SSL_set_accept_state(ssl_.get());
        return true;
    }
    expected_ = expected;
    std::string names;
    for (const Alpn alpn : alpn_by_preference) {
        if (alpns_.has(alpn)) {
            names += static_cast<char>(name_of(alpn).size());
            names += name_of(alpn);
        }
    }
    if (SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char *>(names.data()),
                            static_cast<unsigned>(names.size())) != 0) {
        return false;
    }
    SSL_set_connect_state(ssl_.get());
    offer_ticket(ticket);
    shake_hands();
    return true;
}

void Session::fail(Reason why, const char *detail) {
    if (state_ != SessionState::failed) {
        state_ = SessionState::failed;
        verdict_.why = why;
        verdict_.detail = detail;
    }
}

/// A callback may have left a better name than OpenSSL has.
void Session::fail_by_openssl() {
    const OpensslError error = take_openssl_error(handshaking());
    alert_ = error.alert;
    if (verdict_.accepted()) {
        fail(error.why, error.detail);
    } else {
        fail(verdict_.why, verdict_.detail);
    }
}

void Session::shake_hands() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) {
        finish_handshake();
    } else if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) {
        fail_by_openssl();
    } else if (wire_.spent()) {
        fail(Reason::tls_handshake_failed, "the handshake is too long");
    }
}

Alpn Session::selected_alpn() const {
    const unsigned char *name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return alpn_named({reinterpret_cast<const char *>(name), size});
}

void Session::finish_handshake() {
    alpn_ = selected_alpn();
    const bool proved = SSL_session_reused(ssl_.get()) == 0 ? verified_ : finish_resumption();
    if (!alpns_.has(alpn_)) {
        fail(Reason::tls_alpn_refused, "the server chose no application protocol that was offered");
    } else if (SSL_version(ssl_.get()) != TLS1_3_VERSION || !proved || verdict_.spiffe_id.empty()) {
        fail(Reason::tls_handshake_failed, "the handshake ended without TLS 1.3 or a verified peer");
    } else {
        state_ = SessionState::open;
        wire_.allow(UINT64_MAX);
    }
}

/// One record at most; plaintext bytes.
size_t Session::read_record(std::span<uint8_t> plain) {
    ERR_clear_error();
    size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), plain.data(), plain.size(), &got);
    received_ += got;
    if (!verdict_.accepted()) { // by hear_message
        fail(verdict_.why, verdict_.detail);
        return 0;
    }
    if (result == 1) {
        return got;
    }
    switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
        break;
    case SSL_ERROR_ZERO_RETURN:
        state_ = state_ == SessionState::open ? SessionState::peer_closed : SessionState::closed;
        break;
    default:
        fail_by_openssl();
    }
    return 0;
}

Received Session::receive(Bytes cipher, std::span<uint8_t> plain) {
    Received result;
    wire_.offer(cipher);
    if (handshaking()) {
        shake_hands();
    }
    uint32_t records = 0;
    while (can_receive() && result.produced < plain.size()) {
        if (records++ == limits_.records_per_call) {
            result.more = true;
            break;
        }
        const size_t before = wire_.left().size();
        const size_t got = read_record(plain.subspan(result.produced));
        result.produced += got;
        if (got == 0 && wire_.left().size() == before) {
            break;
        }
    }
    // What follows a close_notify or a failure means nothing (RFC 8446 section 6.1).
    const bool over = !can_receive() && !handshaking();
    result.consumed = over ? cipher.size() : cipher.size() - wire_.left().size();
    result.more =
        can_receive() && (result.more || result.consumed < cipher.size() || SSL_pending(ssl_.get()) > 0);
    wire_.offer({});
    if (result.produced == 0 && !over) {
        SSL_free_buffers(ssl_.get()); // OpenSSL gives them back itself, but only behind content
    }
    return result;
}

Sent Session::send(Bytes plain, std::span<uint8_t> cipher) {
    Sent result{.consumed = 0, .produced = wire_.drain(cipher)};
    while (can_send() && !wire_.holds() && result.consumed < plain.size()) {
        const std::span<uint8_t> room = cipher.subspan(result.produced);
        size_t part = std::min(plain.size() - result.consumed, record_plaintext);
        if (room.size() < part + record_overhead) {
            // A record cut to the room is for callers with little of it; others come again with more.
            if (result.consumed > 0 || room.size() <= record_overhead) {
                break;
            }
            part = room.size() - record_overhead;
        }
        ERR_clear_error();
        wire_.lend(room);
        size_t written = 0;
        const int done = SSL_write_ex(ssl_.get(), plain.data() + result.consumed, part, &written);
        result.produced += wire_.take_back();
        if (done != 1) {
            fail_by_openssl();
            break;
        }
        result.consumed += written;
    }
    return result;
}

void Session::close() {
    if (!can_send()) {
        return;
    }
    ERR_clear_error();
    if (SSL_shutdown(ssl_.get()) < 0) {
        fail_by_openssl();
        return;
    }
    state_ = state_ == SessionState::open ? SessionState::self_closed : SessionState::closed;
}

bool Session::refused_certificate() const {
    switch (received_ == 0 ? alert_ : -1) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_CERTIFICATE_REQUIRED:
        return true;
    default:
        return false;
    }
}

void Session::wire_ended() {
    if (handshaking()) {
        fail(Reason::tls_handshake_failed, "the connection ended inside the handshake");
    } else if (can_receive()) {
        fail(Reason::tls_truncated, "the connection ended without close_notify");
    }
}

} // namespace weft::tls
