// SPDX-License-Identifier: Apache-2.0
// One TLS 1.3 connection (RFC 8446), either side: ciphertext in, plaintext out, and back. No sockets, no
// clock.
#pragma once
#include "engine/reasons.hpp"
#include "engine/tls/alpn.hpp"
#include "engine/tls/identity.hpp"
#include "engine/tls/ticket.hpp"
#include "engine/tls/verify-certificate.hpp"
#include "engine/tls/wire.hpp"
#include <memory>
#include <span>
#include <string>

namespace weft::tls {

///   handshaking → open → peer_closed → closed
///                      → self_closed → closed
/// and from each but `closed` to `failed`.
enum class SessionState : uint8_t {
    handshaking,
    /// Both sides may send. A client is here before its server has looked at its certificate, so a refusal
    /// comes as `failed` with tls_peer_refused later, before any byte of the server's.
    open,
    /// The peer's close_notify came: it sends no more, we may.
    peer_closed,
    /// `close` was called: we send no more, the peer may.
    self_closed,
    closed,
    /// `why` and `detail` tell. What `send` still gives is the alert for the peer.
    failed,
};

struct SessionLimits {
    /// What the peer may send until the handshake is done.
    uint32_t handshake_bytes = 32 * 1024;
    /// Records that one call of `receive` takes at most.
    uint32_t records_per_call = 256;
};

struct Received {
    /// Of the ciphertext; offer the rest again.
    size_t consumed = 0;
    /// Plaintext written.
    size_t produced = 0;
    /// There is more to get without further bytes from the wire: the room was short, or the call long.
    bool more = false;
};

struct Sent {
    /// Of the plaintext; offer the rest again.
    size_t consumed = 0;
    /// Ciphertext written.
    size_t produced = 0;
};

class Session {
public:
    /// What a record adds to its plaintext: header, content type and tag.
    static constexpr size_t record_overhead = 5 + 1 + 16;
    static constexpr size_t record_plaintext = 16 * 1024;
    /// What a session takes of the process' memory, about: an open one, and one whose handshake is under way.
    /// Measured: README.md.
    static constexpr size_t memory_bytes = 25 * 1024;
    static constexpr size_t handshake_memory_bytes = 46 * 1024;
    /// Room for `send` that takes any record whole.
    static constexpr size_t record_bytes = record_plaintext + record_overhead;

    /// A server that takes one of `accepted`. `now`: seconds since 1970, what certificates' dates are held
    /// against. `scope`: tickets of another one are not taken. Null where memory is short.
    static std::unique_ptr<Session> accept(std::shared_ptr<const Identity> identity, AlpnSet accepted,
                                           int64_t now, const SessionLimits &limits = {},
                                           const TicketScope &scope = {});
    /// A client that offers `offered` to a peer that must prove to be `expected`, a SPIFFE id. Its first
    /// bytes wait in `send`. `ticket`: of an earlier connection by the same identity to the same peer, or
    /// none. Null where memory is short.
    static std::unique_ptr<Session> connect(std::shared_ptr<const Identity> identity, AlpnSet offered,
                                            std::string_view expected, int64_t now,
                                            const SessionLimits &limits = {}, const Ticket &ticket = {});

    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;
    ~Session() = default;

    /// Takes what came from the wire and gives plaintext. An empty `cipher` gives what is inside already.
    /// May leave something to `send` in any state.
    Received receive(Bytes cipher, std::span<uint8_t> plain);
    /// Gives what waits to be sent, then encrypts `plain`; in states that send no more, drops none of it:
    /// consumed is 0.
    Sent send(Bytes plain, std::span<uint8_t> cipher);
    /// Whether `send` with no plaintext would give something.
    bool wants_send() const { return wire_.holds(); }
    /// Says close_notify: nothing will be sent after what was given to `send`. Call `send` for its bytes.
    void close();
    /// The peer's FIN came: what it says depends on whether close_notify came before it.
    void wire_ended();

    SessionState state() const { return state_; }
    bool handshaking() const { return state_ == SessionState::handshaking; }
    bool can_receive() const { return state_ == SessionState::open || state_ == SessionState::self_closed; }
    bool can_send() const { return state_ == SessionState::open || state_ == SessionState::peer_closed; }
    Reason why() const { return verdict_.why; }
    /// Names OpenSSL's error or the rule that was broken; holds nothing of the peer's.
    const char *detail() const { return verdict_.detail; }
    /// The peer refused our certificate. Without post-handshake authentication it can say so only before it
    /// takes a byte of ours, so nothing of what was sent was processed.
    bool refused_certificate() const;

    // After the handshake.
    /// The SPIFFE id that the peer proved.
    const std::string &peer() const { return verdict_.spiffe_id; }
    /// First end of a certificate in the peer's chain, in seconds since 1970.
    int64_t peer_not_after() const { return peer_not_after_; }
    Alpn alpn() const { return alpn_; }
    /// By a ticket: the peer proved its key on an earlier connection.
    bool resumed() const { return resumed_; }
    /// Server, also while the handshake runs.
    TicketFate ticket_fate() const { return ticket_fate_; }
    /// Client: what came to shorten the next handshake, once.
    Ticket take_ticket() { return std::move(ticket_); }
    /// For logs: "TLSv1.3", and for example "TLS_AES_128_GCM_SHA256".
    const char *version() const { return SSL_get_version(ssl_.get()); }
    const char *cipher() const { return SSL_get_cipher_name(ssl_.get()); }
    const Identity &identity() const { return *identity_; }

    /// Makes every session of `context` verify its peer as this class promises. False where OpenSSL refused.
    /// For Identity.
    static bool install(SSL_CTX *context);

private:
    Session(std::shared_ptr<const Identity> identity, Side side, AlpnSet alpns, int64_t now,
            const SessionLimits &limits);
    bool start(std::string_view expected, const Ticket &ticket);
    void shake_hands();
    Alpn selected_alpn() const;
    void finish_handshake();
    size_t read_record(std::span<uint8_t> plain);
    void fail(Reason why, const char *detail);
    void fail_by_openssl();

    static bool allow_tickets(SSL_CTX *context);
    bool accept_again(X509 *leaf);
    void offer_ticket(const Ticket &ticket);
    bool finish_resumption();
    void begin_ticket_time();
    static int stamp_ticket(SSL *ssl, void *);
    static SSL_TICKET_RETURN judge_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                          size_t name_size, SSL_TICKET_STATUS status, void *);
    static int hear_ticket(SSL *ssl, SSL_SESSION *session);

    static int verify_peer(X509_STORE_CTX *verification, void *);
    static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *size,
                           const unsigned char *offered, unsigned int offered_size, void *);
    static void hear_message(int written, int version, int type, const void *bytes, size_t size, SSL *ssl,
                             void *session);

    std::shared_ptr<const Identity> identity_;
    Side side_;
    AlpnSet alpns_;
    SessionState state_ = SessionState::handshaking;
    Alpn alpn_ = Alpn::none;
    int64_t now_;
    int64_t peer_not_after_ = 0;
    /// Server: which tickets it gives and takes.
    TicketScope scope_;
    TicketFate ticket_fate_ = TicketFate::none;
    /// End of tickets that this connection gives or gave.
    int64_t ticket_not_after_ = 0;
    Ticket ticket_{};
    /// This handshake's certificate was verified.
    bool verified_ = false;
    bool resumed_ = false;
    SessionLimits limits_;
    std::string expected_;
    Verdict verdict_;
    int alert_ = -1;
    /// Handshake messages after the handshake, and plaintext received: the first need the second.
    uint32_t late_messages_ = 0;
    uint64_t received_ = 0;
    Wire wire_;
    OwnedSsl ssl_;
};

} // namespace weft::tls
