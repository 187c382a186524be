// SPDX-License-Identifier: Apache-2.0
#include "loader/functional-test/sockets.hpp"

#include "loader/namespace.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>

namespace weft::test {

namespace {

constexpr int timeout_seconds = 5;

Endpoint fromSocketAddress(const sockaddr_storage &storage) {
    Endpoint endpoint;
    if (storage.ss_family == AF_INET) {
        sockaddr_in address = {};
        memcpy(&address, &storage, sizeof address);
        endpoint.ip[10] = endpoint.ip[11] = 0xff;
        memcpy(endpoint.ip.data() + 12, &address.sin_addr, 4);
        endpoint.port = ntohs(address.sin_port);
    } else {
        sockaddr_in6 address = {};
        memcpy(&address, &storage, sizeof address);
        memcpy(endpoint.ip.data(), &address.sin6_addr, 16);
        endpoint.port = ntohs(address.sin6_port);
    }
    return endpoint;
}

using NameCall = int (*)(int, sockaddr *, socklen_t *);

Endpoint readName(int fd, NameCall call) {
    sockaddr_storage storage = {};
    socklen_t size = sizeof storage;
    CHECK(call(fd, reinterpret_cast<sockaddr *>(&storage), &size) == 0);
    return fromSocketAddress(storage);
}

} // namespace

bool Endpoint::isV4() const {
    return ip[10] == 0xff && ip[11] == 0xff && ip[0] == 0 && ip[1] == 0;
}

Endpoint at(const std::string &ip, uint16_t port) {
    Endpoint endpoint;
    endpoint.port = port;
    if (ip.find(':') != std::string::npos) {
        CHECK(inet_pton(AF_INET6, ip.c_str(), endpoint.ip.data()) == 1);
        return endpoint;
    }
    endpoint.ip[10] = endpoint.ip[11] = 0xff;
    CHECK(inet_pton(AF_INET, ip.c_str(), endpoint.ip.data() + 12) == 1);
    return endpoint;
}

Endpoint fromAbi(const weft_address &address) {
    Endpoint endpoint;
    memcpy(endpoint.ip.data(), address.ip, endpoint.ip.size());
    endpoint.port = address.port;
    return endpoint;
}

weft_address toAbi(const Endpoint &endpoint) {
    weft_address address = {};
    memcpy(address.ip, endpoint.ip.data(), endpoint.ip.size());
    address.port = endpoint.port;
    return address;
}

std::string show(const Endpoint &endpoint) {
    char text[INET6_ADDRSTRLEN] = {};
    if (endpoint.isV4())
        inet_ntop(AF_INET, endpoint.ip.data() + 12, text, sizeof text);
    else
        inet_ntop(AF_INET6, endpoint.ip.data(), text, sizeof text);
    return std::string(text) + " port " + std::to_string(endpoint.port);
}

socklen_t makeSocketAddress(int family, const Endpoint &endpoint, sockaddr_storage &storage) {
    storage = {};
    if (family == AF_INET) {
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_port = htons(endpoint.port);
        memcpy(&address.sin_addr, endpoint.ip.data() + 12, 4);
        memcpy(&storage, &address, sizeof address);
        return sizeof address;
    }
    sockaddr_in6 address = {};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(endpoint.port);
    memcpy(&address.sin6_addr, endpoint.ip.data(), 16);
    memcpy(&storage, &address, sizeof address);
    return sizeof address;
}

Descriptor openStream(int netns, int family, int protocol) {
    Descriptor fd;
    runInside(netns, [&] { fd = Descriptor(socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol)); });
    CHECK(fd);
    const timeval limit = {timeout_seconds, 0};
    CHECK(setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
    CHECK(setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    return fd;
}

int connectTo(int fd, int family, const Endpoint &endpoint) {
    sockaddr_storage storage;
    const socklen_t size = makeSocketAddress(family, endpoint, storage);
    return connect(fd, reinterpret_cast<const sockaddr *>(&storage), size) == 0 ? 0 : errno;
}

int bindTo(int fd, int family, const Endpoint &endpoint) {
    sockaddr_storage storage;
    const socklen_t size = makeSocketAddress(family, endpoint, storage);
    return bind(fd, reinterpret_cast<const sockaddr *>(&storage), size) == 0 ? 0 : errno;
}

Descriptor dial(int netns, const Endpoint &endpoint, int &error) {
    const int family = endpoint.isV4() ? AF_INET : AF_INET6;
    Descriptor fd = openStream(netns, family);
    error = connectTo(fd.get(), family, endpoint);
    return fd;
}

Descriptor dial(int netns, const Endpoint &endpoint) {
    int error = 0;
    Descriptor fd = dial(netns, endpoint, error);
    checkEqual(error, 0, "connect to " + show(endpoint));
    return fd;
}

Descriptor listenAt(int netns, const Endpoint &endpoint, bool any6) {
    const int family = endpoint.isV4() && !any6 ? AF_INET : AF_INET6;
    Descriptor fd = openStream(netns, family);
    const int on = 1;
    CHECK(setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    const Endpoint local = any6 ? at("::", endpoint.port) : endpoint;
    CHECK_EQUAL(bindTo(fd.get(), family, local), 0);
    CHECK(listen(fd.get(), 4096) == 0);
    return fd;
}

bool isWaiting(int listener, int timeout_ms) {
    pollfd waiting = {listener, POLLIN, 0};
    return poll(&waiting, 1, timeout_ms) > 0;
}

Descriptor acceptOn(int listener, Endpoint *peer) {
    CHECK(isWaiting(listener, timeout_seconds * 1000));
    sockaddr_storage storage = {};
    socklen_t size = sizeof storage;
    Descriptor fd(accept4(listener, reinterpret_cast<sockaddr *>(&storage), &size, SOCK_CLOEXEC));
    CHECK(fd);
    if (peer != nullptr)
        *peer = fromSocketAddress(storage);
    return fd;
}

Endpoint peerOf(int fd) {
    return readName(fd, getpeername);
}

Endpoint nameOf(int fd) {
    return readName(fd, getsockname);
}

void resetOnClose(int fd) {
    const linger at_once = {1, 0};
    CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
}

} // namespace weft::test
