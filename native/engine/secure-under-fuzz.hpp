// SPDX-License-Identifier: Apache-2.0
// What fuzzers of engines that speak TLS have in common: identities that are made once, and sockets.
#pragma once
#include "engine/engine-under-test.hpp"
#include "engine/tls/certificates-under-test.hpp"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace weft::testing {

/// Made once: a key costs more than an input, and so does what is made of its certificate.
struct SharedIdentities {
    tls::Mesh mesh;
    std::shared_ptr<const tls::Identity> shop = mesh.shop_identity();
    std::shared_ptr<const tls::Identity> cart = mesh.cart_identity();
};

inline const SharedIdentities &shared_identities() {
    static const SharedIdentities made;
    return made;
}

inline void must(bool ok, const char *what) {
    if (ok)
        return;
    std::fprintf(stderr, "%s\n", what);
    __builtin_trap();
}

/// Two connected sockets: the fuzzer's, and the one that the engine is given.
inline std::pair<int, int> socket_pair() {
    int pair[2];
    must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
    return {pair[0], pair[1]};
}

/// A listener on loopback.
class Listener {
public:
    Listener() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        const linger now{1, 0}; // inherited: no TIME_WAIT is left behind, however many inputs there are
        ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        must(::bind(descriptor_, reinterpret_cast<sockaddr *>(&address), size) == 0 &&
                 ::listen(descriptor_, 8) == 0 &&
                 ::getsockname(descriptor_, reinterpret_cast<sockaddr *>(&address), &size) == 0,
             "listening");
        port_ = ntohs(address.sin_port);
    }
    ~Listener() { ::close(descriptor_); }
    Listener(const Listener &) = delete;
    Listener &operator=(const Listener &) = delete;

    /// -1: nobody has come.
    int accept() const { return ::accept4(descriptor_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); }
    /// As an endpoint; `identity`: what it must prove, empty for plaintext.
    Endpoint endpoint(uint32_t destination, const char *identity) const {
        Endpoint made;
        made.address = *Address::parse("127.0.0.1", port_);
        made.destination = destination;
        made.identity = identity;
        return made;
    }

private:
    int descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    uint16_t port_ = 0;
};

} // namespace weft::testing
