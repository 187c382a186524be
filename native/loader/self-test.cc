// SPDX-License-Identifier: Apache-2.0
#include "loader/self-test.hpp"

#include "abi.h"
#include "loader/kernel-error.hpp"
#include "loader/namespace.hpp"
#include "loader/scratch-namespace.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>
#include <span>
#include <sys/socket.h>

namespace weft {

namespace {

// Deprecated 6to4 relay addresses (RFC 7526): nobody's, so that no enrolled pod's entry is touched.
constexpr const char *pod_address = "192.88.99.1";
constexpr const char *outside_address = "192.88.99.2";
constexpr const char *virtual_address = "192.88.99.3";
constexpr uint16_t service_port = 80;
constexpr int accept_timeout_ms = 2000;

using Ip = std::array<uint8_t, 16>;

Ip makeIp(const char *text) {
    Ip ip = {};
    ip[10] = ip[11] = 0xff;
    inet_pton(AF_INET, text, ip.data() + 12);
    return ip;
}

template <typename Value> std::span<const uint8_t> bytesOf(const Value &value) {
    return {reinterpret_cast<const uint8_t *>(&value), sizeof value};
}

// The map entries of the scratch pod; removed again at the end, however it ends.
class ScratchPod {
public:
    ScratchPod(KernelPrograms &kernel, int netns)
        : kernel_(kernel), cookie_(readNamespaceCookie(netns)), listeners_(makeListeners(netns)) {
        weft_pod pod = {};
        memcpy(pod.address4, ip_.data(), ip_.size());
        for (const Listener &listener : listeners_) {
            if (listener.kind == ListenerKind::outbound4)
                pod.outbound_port4 = listener.port;
            if (listener.kind == ListenerKind::inbound4)
                pod.inbound_port4 = listener.port;
        }
        const weft_destination destination = {WEFT_PROXY, 0};
        const uint64_t inbound = static_cast<uint64_t>(find(ListenerKind::inbound4));
        kernel_.update("destinations", bytesOf(prefix_), bytesOf(destination));
        kernel_.update("addresses", ip_, bytesOf(cookie_));
        kernel_.update("listeners", ip_, bytesOf(inbound));
        kernel_.update("pods", bytesOf(cookie_), bytesOf(pod));
    }
    ScratchPod(const ScratchPod &) = delete;
    ScratchPod &operator=(const ScratchPod &) = delete;
    ~ScratchPod() {
        kernel_.remove("pods", bytesOf(cookie_));
        kernel_.remove("listeners", ip_);
        kernel_.remove("addresses", ip_);
        kernel_.remove("destinations", bytesOf(prefix_));
    }

    int find(ListenerKind kind) const {
        for (const Listener &listener : listeners_)
            if (listener.kind == kind)
                return listener.fd.get();
        throw KernelError("self-test: a listener is missing", 0);
    }

private:
    static weft_prefix makePrefix() {
        weft_prefix prefix = {};
        prefix.bits = 128;
        memcpy(prefix.ip, makeIp(virtual_address).data(), sizeof prefix.ip);
        return prefix;
    }

    KernelPrograms &kernel_;
    uint64_t cookie_;
    std::vector<Listener> listeners_;
    Ip ip_ = makeIp(pod_address);
    weft_prefix prefix_ = makePrefix();
};

sockaddr_in makeSocketAddress(const char *ip, uint16_t port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, ip, &address.sin_addr);
    return address;
}

// Connects inside the namespace; `from` may be null.
Descriptor connectInside(int netns, const char *from, const char *to, const std::string &what) {
    Descriptor fd;
    runInside(netns, [&] { fd = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP)); });
    const timeval limit = {accept_timeout_ms / 1000, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (from != nullptr) {
        const sockaddr_in source = makeSocketAddress(from, 0);
        if (bind(fd.get(), reinterpret_cast<const sockaddr *>(&source), sizeof source) != 0)
            throw KernelError("self-test: cannot bind to " + std::string(from), errno);
    }
    const sockaddr_in target = makeSocketAddress(to, service_port);
    if (connect(fd.get(), reinterpret_cast<const sockaddr *>(&target), sizeof target) != 0)
        throw KernelError(
            "self-test: " + what + " failed", errno,
            "another program on the connect hooks may have changed the destination: see bpftool cgroup tree");
    return fd;
}

Descriptor acceptOne(int listener, const std::string &what) {
    pollfd waiting = {listener, POLLIN, 0};
    if (poll(&waiting, 1, accept_timeout_ms) <= 0)
        throw KernelError(
            "self-test: " + what + " did not reach the listener", 0,
            "another program on the hook may have taken it: see bpftool cgroup tree and bpftool net");
    Descriptor fd(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd)
        throw KernelError("self-test: cannot accept", errno);
    return fd;
}

using NameCall = int (*)(int, sockaddr *, socklen_t *);

void expectName(int fd, NameCall call, const char *ip, uint16_t port, const std::string &what) {
    const sockaddr_in wanted = makeSocketAddress(ip, port);
    sockaddr_in got = {};
    socklen_t size = sizeof got;
    if (call(fd, reinterpret_cast<sockaddr *>(&got), &size) != 0)
        throw KernelError("self-test: cannot read " + what, errno);
    if (got.sin_addr.s_addr != wanted.sin_addr.s_addr || (port != 0 && got.sin_port != wanted.sin_port))
        throw KernelError("self-test: " + what + " is not " + ip, 0,
                          "another program on the getpeername or getsockname hooks may have changed it");
}

void testOutbound(KernelPrograms &kernel, int netns, const ScratchPod &pod) {
    const std::string what = "an outbound connection";
    const Descriptor client = connectInside(netns, nullptr, virtual_address, what);
    const Descriptor accepted = acceptOne(pod.find(ListenerKind::outbound4), what);
    const int key = accepted.get();
    const auto value = kernel.lookup("notes", bytesOf(key));
    weft_note note = {};
    if (value)
        memcpy(&note, value->data(), sizeof note);
    const Ip wanted = makeIp(virtual_address);
    if (note.kind != WEFT_NOTE_ORIGINAL_DESTINATION || note.address.port != service_port ||
        memcmp(note.address.ip, wanted.data(), wanted.size()) != 0)
        throw KernelError("self-test: the original destination was not carried to the listener", 0,
                          "is capture's cgroup below the cgroup2 root that it attached to?");
    expectName(client.get(), getpeername, virtual_address, service_port, "the client's peer");
    expectName(client.get(), getsockname, pod_address, 0, "the client's own address");
}

void testInbound(KernelPrograms &kernel, int netns, const ScratchPod &pod) {
    const std::string what = "an inbound connection";
    const Descriptor link = kernel.attachNamespaceUnpinned(netns);
    // From an address that is not the pod's: for sk_lookup it comes from outside.
    const Descriptor client = connectInside(netns, outside_address, pod_address, what);
    const Descriptor accepted = acceptOne(pod.find(ListenerKind::inbound4), what);
    expectName(accepted.get(), getsockname, pod_address, service_port,
               "the accepted connection's own address");
}

} // namespace

void runSelfTest(KernelPrograms &kernel) {
    const Descriptor netns = makeScratchNamespace({pod_address, outside_address});
    const ScratchPod pod(kernel, netns.get());
    testOutbound(kernel, netns.get(), pod);
    testInbound(kernel, netns.get(), pod);
}

} // namespace weft
