// SPDX-License-Identifier: Apache-2.0
//
// Sockets in namespaces, without threads: the kernel completes handshakes by itself.
#pragma once

#include "abi.h"
#include "channel/packet-socket.hpp"
#include "loader/functional-test/check.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <sys/socket.h>

namespace weft::test {

// An address and port; IPv4 as v4-mapped.
struct Endpoint {
    std::array<uint8_t, 16> ip = {};
    uint16_t port = 0;
    bool operator==(const Endpoint &) const = default;
    bool isV4() const;
};

Endpoint at(const std::string &ip, uint16_t port);
Endpoint fromAbi(const weft_address &address);
weft_address toAbi(const Endpoint &endpoint);
std::string show(const Endpoint &endpoint);

// As a sockaddr for a socket of the family; for AF_INET6 an IPv4 endpoint becomes ::ffff:a.b.c.d.
socklen_t makeSocketAddress(int family, const Endpoint &endpoint, sockaddr_storage &storage);

// Blocking, with send and receive limits of a few seconds.
Descriptor openStream(int netns, int family, int protocol = 0);
// 0 or errno.
int connectTo(int fd, int family, const Endpoint &endpoint);
int bindTo(int fd, int family, const Endpoint &endpoint);
// A fresh socket of the endpoint's own family; `error` gets 0 or errno.
Descriptor dial(int netns, const Endpoint &endpoint, int &error);
// Checks that it connects.
Descriptor dial(int netns, const Endpoint &endpoint);

// The family is the endpoint's; `any6` listens on [::] for both.
Descriptor listenAt(int netns, const Endpoint &endpoint, bool any6 = false);
// Waits a little, fails if none comes. `peer` may be null: what accept() itself returned.
Descriptor acceptOn(int listener, Endpoint *peer = nullptr);
// Whether a connection waits now, or comes within a moment.
bool isWaiting(int listener, int timeout_ms = 0);

Endpoint peerOf(int fd);
Endpoint nameOf(int fd);

// Closes with a reset, so that nothing stays in TIME_WAIT.
void resetOnClose(int fd);

} // namespace weft::test
