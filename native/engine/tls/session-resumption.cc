// SPDX-License-Identifier: Apache-2.0
// Tickets: a server's are encrypted by keys of its identity's SSL_CTX, so they end with its generation; a
// client's are handed to whoever holds the connection. Neither side takes one without looking at the peer's
// certificate in it again.
#include "engine/tls/session.hpp"
#include <algorithm>
#include <cstring>
#include <type_traits>

namespace weft::tls {

namespace {

/// What a server writes into its tickets.
struct Stamp {
    int64_t not_after = 0;
    int64_t peer_not_after = 0;
    uint64_t epoch = 0;
    std::array<uint8_t, 16> client{};
    uint64_t port = 0;
};
static_assert(std::has_unique_object_representations_v<Stamp>, "no byte of it is left unwritten");

bool read_stamp(SSL_SESSION *session, Stamp &stamp) {
    void *data = nullptr;
    size_t size = 0;
    if (SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1 || size != sizeof stamp) {
        return false;
    }
    std::memcpy(&stamp, data, sizeof stamp);
    return true;
}

constexpr unsigned char session_context[] = "weft";

} // namespace

bool Session::allow_tickets(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL |
                                                SSL_SESS_CACHE_NO_AUTO_CLEAR);
    SSL_CTX_set_timeout(context, static_cast<long>(ticket_seconds));
    SSL_CTX_sess_set_new_cb(context, hear_ticket);
    return SSL_CTX_set_session_id_context(context, session_context, sizeof session_context) == 1 &&
           SSL_CTX_set_session_ticket_cb(context, stamp_ticket, judge_ticket, nullptr) == 1;
}

/// Whether the certificate that was proved before would be accepted now.
bool Session::accept_again(X509 *leaf) {
    if (leaf == nullptr) {
        return false;
    }
    const Side peer = side_ == Side::server ? Side::client : Side::server;
    Verdict verdict = check_leaf(leaf, peer, identity_->trust_domain());
    if (!verdict.accepted() || tls::not_after(leaf) < now_ ||
        (peer == Side::server && verdict.spiffe_id != expected_)) {
        return false;
    }
    verdict_ = std::move(verdict);
    return true;
}

/// Client: offers `ticket` where it may still be used.
void Session::offer_ticket(const Ticket &ticket) {
    if (ticket && now_ < ticket.not_after && accept_again(SSL_SESSION_get0_peer(ticket.session.get())) &&
        SSL_set_session(ssl_.get(), ticket.session.get()) == 1) {
        ticket_not_after_ = ticket.not_after;
        peer_not_after_ = ticket.peer_not_after;
    }
    verdict_ = {}; // until the server has taken it
}

/// Either side, the handshake is done, by a ticket. The peer's certificate is the one of the ticket.
bool Session::finish_resumption() {
    resumed_ = true;
    return accept_again(SSL_get0_peer_certificate(ssl_.get())) && now_ < ticket_not_after_ &&
           now_ < peer_not_after_;
}

/// A full handshake was done: from here the time of tickets runs.
void Session::begin_ticket_time() {
    ticket_not_after_ = std::min({now_ + ticket_seconds, identity_->not_after(), peer_not_after_});
}

/// Server: a ticket is about to be encrypted.
int Session::stamp_ticket(SSL *ssl, void *) {
    const auto *self = static_cast<const Session *>(SSL_get_app_data(ssl));
    const Stamp stamp{self->ticket_not_after_, self->peer_not_after_, self->scope_.epoch, self->scope_.client,
                      self->scope_.port};
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), &stamp, sizeof stamp);
}

/// Server: a ticket was offered, and decrypted or not. One that is not taken leads to a full handshake, which
/// says by name what is wrong.
SSL_TICKET_RETURN Session::judge_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *, size_t,
                                        SSL_TICKET_STATUS status, void *) {
    auto *self = static_cast<Session *>(SSL_get_app_data(ssl));
    Stamp stamp;
    self->ticket_fate_ = TicketFate::outdated;
    if ((status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) || !read_stamp(session, stamp)) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    if (stamp.client != self->scope_.client || stamp.port != self->scope_.port) {
        self->ticket_fate_ = TicketFate::misplaced;
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    if (stamp.epoch != self->scope_.epoch || self->now_ >= stamp.not_after ||
        self->now_ >= stamp.peer_not_after || !self->accept_again(SSL_SESSION_get0_peer(session))) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    self->ticket_fate_ = TicketFate::taken;
    self->ticket_not_after_ = stamp.not_after;
    self->peer_not_after_ = stamp.peer_not_after;
    return SSL_TICKET_RETURN_USE_RENEW;
}

/// Client: a ticket came.
int Session::hear_ticket(SSL *ssl, SSL_SESSION *session) {
    auto *self = static_cast<Session *>(SSL_get_app_data(ssl));
    const unsigned char *bytes = nullptr;
    size_t size = 0;
    SSL_SESSION_get0_ticket(session, &bytes, &size);
    if (self->side_ != Side::client || SSL_SESSION_is_resumable(session) != 1 || size > max_ticket_bytes) {
        return 0;
    }
    self->ticket_ = {OwnedTlsSession{session}, self->ticket_not_after_, self->peer_not_after_};
    return 1; // it is ours now
}

} // namespace weft::tls
