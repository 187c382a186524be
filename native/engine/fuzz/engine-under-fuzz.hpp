// SPDX-License-Identifier: Apache-2.0
// What fuzzers of a whole engine have in common: the engine and its host, identities, sockets, and that
// nothing is left at the end of any input.
#pragma once
#include "engine/test/engine-under-test.hpp"
#include "engine/tls/certificates-under-test.hpp"
#include <algorithm>
#include <arpa/inet.h>
#include <fcntl.h>
#include <fuzzer/FuzzedDataProvider.h>
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
                 ::listen(descriptor_, 64) == 0 &&
                 ::getsockname(descriptor_, reinterpret_cast<sockaddr *>(&address), &size) == 0,
             "listening");
        port_ = ntohs(address.sin_port);
    }
    ~Listener() { ::close(descriptor_); }
    Listener(const Listener &) = delete;
    Listener &operator=(const Listener &) = delete;

    uint16_t port() const { return port_; }
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

/// An engine with workloads 1 and 2, and a host that knows the time. A fuzzer says what is done and how rows
/// are answered, and closes its own sockets; this counts what is left then.
class EngineUnderFuzz : public Host {
public:
    void wake() override {}
    uint64_t now_us() override { return now_us_; }
    int64_t unix_seconds() override { return tls::test_now + static_cast<int64_t>(now_us_ / 1'000'000); }

    void run(int steps) {
        for (int step = 0; step < steps && data_.remaining_bytes() > 0; ++step)
            act();
        for (int turns = 0; turns < 4; ++turns)
            engine_->turn();
    }

protected:
    EngineUnderFuzz(FuzzedDataProvider &data, const EngineLimits &limits, const WorkloadOptions &second)
        : data_(data), engine_(std::make_unique<Engine>(*this, limits, -1)) {
        engine_->add_workload(1, {});
        engine_->add_workload(2, second);
    }

    ~EngineUnderFuzz() override {
        engine_->close();
        const EngineStats stats = engine_->stats();
        must(engine_->blocks_out() == 0, "blocks left");
        must(stats.connections == 0 && stats.tls_sessions == 0, "connections left");
        must(stats.exchanges == 0 && stats.streams == 0, "exchanges left");
        must(stats.parked == 0, "parked left");
        must(stats.buffered_bytes == 0, "buffered bytes left");
        must(stats.pooled == 0 && stats.sockets == 0, "sockets left");
    }

    /// Something happens, as the input says.
    virtual void act() = 0;

    void identify(uint32_t workload) {
        engine_->set_identity(workload, workload == 1 ? shared_identities().shop : shared_identities().cart);
    }
    void add_sockets(uint32_t workload, uint32_t count) {
        std::vector<int> made;
        for (uint32_t i = 0; i < count; ++i)
            made.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        engine_->add_sockets(workload, Family::v4, made);
    }
    void turn() {
        engine_->turn();
        now_us_ += 100;
    }
    /// Identities come and go, connections drain, time passes, somebody looks; anything else than 0 to 4: a
    /// workload goes.
    void manage(int what) {
        switch (what) {
        case 0:
            identify(data_.ConsumeIntegralInRange(1U, 2U));
            break;
        case 1:
            engine_->remove_identity(data_.ConsumeIntegralInRange(1U, 2U), Reason::tls_no_identity,
                                     data_.ConsumeIntegralInRange(0U, 3000U));
            break;
        case 2:
            engine_->drain_connections(Reason::draining, {}, data_.ConsumeIntegralInRange(0U, 3000U));
            break;
        case 3:
            now_us_ += data_.ConsumeIntegralInRange<uint64_t>(0, 15'000'000);
            break;
        case 4:
            engine_->visit_connections([](const ConnectionInfo &) {});
            break;
        default:
            engine_->remove_workload(data_.ConsumeIntegralInRange(1U, 2U), 100);
        }
    }

    FuzzedDataProvider &data_;
    std::unique_ptr<Engine> engine_;
    uint64_t now_us_ = 5'000'000;
};

/// One input; no descriptor is left.
template <class Fuzz> int fuzz_engine(const uint8_t *input, size_t size, int steps) {
    shared_identities();
    const size_t before = open_descriptors();
    FuzzedDataProvider data(input, size);
    {
        Fuzz fuzz(data);
        fuzz.run(steps);
    }
    must(open_descriptors() == before, "descriptors left");
    return 0;
}

} // namespace weft::testing
