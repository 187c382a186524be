// SPDX-License-Identifier: Apache-2.0
// Two ends without a network: sessions, and an OpenSSL peer that does as badly as it is told.
#pragma once
#include "engine/test/testing.hpp"
#include "engine/tls/certificates-under-test.hpp"
#include "engine/tls/session.hpp"
#include <algorithm>
#include <array>
#include <openssl/err.h>

namespace weft::tls {

inline Bytes bytes_of(std::string_view text) {
    return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

/// All that `session` wants to send, `plain` encrypted among it.
inline std::string take(Session &session, std::string_view plain = {}) {
    std::string out;
    std::array<uint8_t, 20'000> room;
    for (;;) {
        const Sent sent = session.send(bytes_of(plain), room);
        out.append(reinterpret_cast<const char *>(room.data()), sent.produced);
        plain.remove_prefix(sent.consumed);
        if (sent.produced == 0) {
            return out;
        }
    }
}

/// Gives `cipher` to `session`, `step` bytes at a time; the plaintext that came of it.
inline std::string give(Session &session, std::string_view cipher, size_t step = SIZE_MAX,
                        size_t room_size = 4096) {
    std::string plain;
    std::vector<uint8_t> room(room_size);
    while (!cipher.empty()) {
        std::string_view part = cipher.substr(0, step);
        cipher.remove_prefix(part.size());
        for (bool more = true; more;) {
            const Received got = session.receive(bytes_of(part), room);
            plain.append(reinterpret_cast<const char *>(room.data()), got.produced);
            part.remove_prefix(got.consumed);
            more = got.more;
        }
        CHECK(part.empty());
    }
    return plain;
}

/// Carries bytes both ways until nobody has any, `step` bytes at a time.
inline void shake_hands(Session &client, Session &server, size_t step = SIZE_MAX) {
    for (bool moved = true; moved;) {
        const std::string there = take(client);
        give(server, there, step);
        const std::string back = take(server);
        give(client, back, step);
        moved = !there.empty() || !back.empty();
    }
}

/// Two sessions of a mesh after their handshake.
struct Pair {
    std::unique_ptr<Session> client;
    std::unique_ptr<Session> server;

    explicit Pair(const Mesh &mesh, AlpnSet offered = {Alpn::tcp}, const SessionLimits &limits = {})
        : client{Session::connect(mesh.shop_identity(), offered, cart_id, test_now, limits)},
          server{Session::accept(mesh.cart_identity(), {Alpn::http1, Alpn::tcp, Alpn::http2}, test_now,
                                 limits)} {
        shake_hands(*client, *server);
    }
};

/// OpenSSL without any of our checks.
class RawPeer {
public:
    struct Options {
        const Credential *credential = nullptr;
        std::string_view alpn = "\x08weft/tcp";
        int version = TLS1_3_VERSION;
        const char *ciphers = nullptr;
        const char *server_name = nullptr;
        /// Further certificates to show.
        std::vector<const Credential *> chain{};
    };

    RawPeer(Side side, const Options &options) : alpn_{options.alpn} {
        context_.reset(SSL_CTX_new(TLS_method()));
        SSL_CTX *context = context_.get();
        SSL_CTX_set_security_level(context, 0);
        SSL_CTX_set_max_proto_version(context, options.version);
        if (options.ciphers != nullptr) {
            SSL_CTX_set_cipher_list(context, options.ciphers);
        }
        if (options.credential != nullptr) {
            SSL_CTX_use_certificate(context, options.credential->certificate.get());
            SSL_CTX_use_PrivateKey(context, options.credential->key.get());
        }
        for (const Credential *each : options.chain) {
            SSL_CTX_add1_chain_cert(context, each->certificate.get());
        }
        SSL_CTX_set_verify(context, side == Side::server ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                           [](int, X509_STORE_CTX *) { return 1; });
        SSL_CTX_set_alpn_select_cb(context, choose, this);
        ssl_.reset(SSL_new(context));
        SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        if (side == Side::server) {
            SSL_set_accept_state(ssl_.get());
            return;
        }
        SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char *>(alpn_.data()),
                            static_cast<unsigned>(alpn_.size()));
        if (options.server_name != nullptr) {
            SSL_set_tlsext_host_name(ssl_.get(), options.server_name);
        }
        SSL_set_connect_state(ssl_.get());
    }

    SSL *ssl() { return ssl_.get(); }

    /// What it says to `input`.
    std::string exchange(std::string_view input) {
        BIO_write(SSL_get_rbio(ssl_.get()), input.data(), static_cast<int>(input.size()));
        if (SSL_do_handshake(ssl_.get()) == 1) {
            char plain[256];
            SSL_read(ssl_.get(), plain, sizeof plain);
        }
        ERR_clear_error();
        return written();
    }
    std::string written() {
        char *data = nullptr;
        const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &data);
        std::string out{data, static_cast<size_t>(size)};
        (void)BIO_reset(SSL_get_wbio(ssl_.get()));
        return out;
    }

private:
    /// A server that lies chooses what it was told, offered or not.
    static int choose(SSL *, const unsigned char **out, unsigned char *size, const unsigned char *,
                      unsigned int, void *self) {
        const std::string_view alpn = static_cast<RawPeer *>(self)->alpn_;
        if (alpn.empty()) {
            return SSL_TLSEXT_ERR_NOACK;
        }
        *out = reinterpret_cast<const unsigned char *>(alpn.data()) + 1;
        *size = static_cast<unsigned char>(alpn.size() - 1);
        return SSL_TLSEXT_ERR_OK;
    }

    std::string_view alpn_;
    OwnedContext context_;
    OwnedSsl ssl_;
};

/// Until neither says more.
inline void shake_hands(Session &session, RawPeer &peer) {
    std::string back = peer.exchange("");
    for (int round = 0; round < 10; ++round) {
        give(session, back);
        back = peer.exchange(take(session));
    }
}

} // namespace weft::tls
