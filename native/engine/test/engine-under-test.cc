// SPDX-License-Identifier: Apache-2.0
#include "engine/test/engine-under-test.hpp"
#include "engine/tls/certificates-under-test.hpp"
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace weft::testing {
namespace {

void must(bool ok, const char *what) {
    if (ok)
        return;
    std::perror(what);
    std::abort();
}

sockaddr_in loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// Small pieces leave at once: what the other side waits for must not wait for its acknowledgement.
std::unique_ptr<Peer> peer_of(int descriptor) {
    const int on = 1;
    must(::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
    return std::make_unique<Peer>(descriptor);
}

uint16_t port_of(int descriptor) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    must(::getsockname(descriptor, reinterpret_cast<sockaddr *>(&address), &size) == 0, "getsockname");
    return ntohs(address.sin_port);
}

int listen_on_loopback() {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(descriptor >= 0, "socket");
    const sockaddr_in address = loopback(0);
    must(::bind(descriptor, reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0, "bind");
    must(::listen(descriptor, 1024) == 0, "listen");
    return descriptor;
}

} // namespace

void Peer::send(std::string_view text) {
    unsent_.append(text);
    poll();
}

void Peer::finish() {
    finishing_ = true;
    poll();
}

void Peer::reset() {
    const linger now{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
}

void Peer::close() {
    if (descriptor_ >= 0)
        ::close(descriptor_);
    descriptor_ = -1;
}

uint16_t Peer::port() const {
    return port_of(descriptor_);
}

void Peer::poll() {
    if (descriptor_ < 0)
        return;
    while (!unsent_.empty()) {
        const ssize_t sent = ::send(descriptor_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0)
            break;
        unsent_.erase(0, static_cast<size_t>(sent));
    }
    if (finishing_ && unsent_.empty()) {
        finishing_ = false;
        ::shutdown(descriptor_, SHUT_WR);
    }
    char buffer[65536];
    while (!stopped_ && !ended && !was_reset) {
        const ssize_t got = ::recv(descriptor_, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got > 0)
            received.append(buffer, static_cast<size_t>(got));
        else if (got == 0)
            ended = true;
        else if (errno == ECONNRESET)
            was_reset = true;
        else
            break;
    }
    if (on_poll)
        on_poll();
}

EngineUnderTest::EngineUnderTest(const EngineLimits &limits) {
    app_ = listen_on_loopback();
    app_port = port_of(app_);
    engine = std::make_unique<Engine>(*this, limits, -1);
    engine->add_workload(1, {});
    Endpoint app;
    app.address = *Address::parse("127.0.0.1", app_port);
    app.destination = 7;
    engine->set_endpoint(1, app);
    port = listen_for(1, Direction::outbound);
    on_decide = [this](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row)
            if (engine->batch().rows.kind[row] == static_cast<uint8_t>(RowKind::connection))
                engine->batch().verdicts.action[row] = static_cast<uint8_t>(Action::http);
            else
                forward_to(row);
        return true;
    };
}

EngineUnderTest::~EngineUnderTest() {
    engine->close();
    CHECK_EQUAL(engine->blocks_out(), 0U);
    CHECK_EQUAL(engine->stats().connections, 0U);
    CHECK_EQUAL(engine->stats().exchanges, 0U);
    CHECK_EQUAL(engine->stats().buffered_bytes, 0U);
    CHECK_EQUAL(engine->stats().parked, 0U);
    ::close(app_);
}

uint16_t EngineUnderTest::listen_for(uint32_t workload, Direction direction) {
    const int descriptor = listen_on_loopback();
    const uint16_t listening = port_of(descriptor);
    must(engine->add_listener(workload, direction, descriptor) == 0, "add_listener");
    return listening;
}

std::unique_ptr<Peer> EngineUnderTest::connect_to(uint16_t to) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(to);
    must(::connect(descriptor, reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0, "connect");
    auto peer = peer_of(descriptor);
    watch(*peer);
    return peer;
}

std::unique_ptr<Peer> EngineUnderTest::try_accept() {
    const int descriptor = ::accept4(app_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0)
        return nullptr;
    auto peer = peer_of(descriptor);
    watch(*peer);
    return peer;
}

std::unique_ptr<Peer> EngineUnderTest::accept() {
    std::unique_ptr<Peer> peer;
    until([&] { return (peer = try_accept()) != nullptr; });
    must(peer != nullptr, "the engine connects to the application");
    return peer;
}

std::unique_ptr<Peer> EngineUnderTest::deliver(Peer &client, std::string_view request) {
    client.send(request);
    auto app = accept();
    must(until([&] { return app->has("\r\n\r\n"); }), "the request's head reaches the application");
    return app;
}

void EngineUnderTest::poll_peers() {
    for (Peer *peer : peers_)
        peer->poll();
    for (const auto &work : each_turn_)
        work();
}

bool EngineUnderTest::until(const std::function<bool()> &done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!done()) {
        if (std::chrono::steady_clock::now() > give_up)
            return false;
        if (!engine->turn().busy) {
            pollfd wait{engine->poll_fd(), POLLIN, 0};
            ::poll(&wait, 1, 1);
        }
        poll_peers();
    }
    return true;
}

void EngineUnderTest::settle() {
    int turns = 0;
    until([&] { return ++turns > 20; });
}

bool EngineUnderTest::decide(uint32_t rows, uint32_t ended) {
    const auto &columns = engine->batch().completions;
    for (uint32_t i = 0; i < ended; ++i)
        completions.push_back({.kind = static_cast<CompletionKind>(columns.kind[i]),
                               .direction = static_cast<Direction>(columns.direction[i]),
                               .workload = columns.workload[i],
                               .connection_tag = columns.connection_tag[i],
                               .request_tag = columns.request_tag[i],
                               .endpoint = columns.endpoint[i],
                               .status = columns.status[i],
                               .grpc_status = columns.grpc_status[i],
                               .reason = static_cast<Reason>(columns.reason[i]),
                               .attempt = columns.attempt[i],
                               .reused = columns.reused[i] != 0,
                               .bytes_received = static_cast<uint64_t>(columns.bytes_received[i]),
                               .bytes_sent = static_cast<uint64_t>(columns.bytes_sent[i]),
                               .decide_us = static_cast<uint64_t>(columns.decide_us[i]),
                               .connect_us = static_cast<uint64_t>(columns.connect_us[i]),
                               .first_byte_us = static_cast<uint64_t>(columns.first_byte_us[i]),
                               .total_us = static_cast<uint64_t>(columns.total_us[i])});
    scratch_used_ = 0;
    return on_decide(rows);
}

void EngineUnderTest::stock_low(uint32_t workload, Family family, uint32_t missing) {
    asked_for.emplace_back(family, missing);
    if (!fill_stock)
        return;
    std::vector<int> made;
    for (uint32_t i = 0; i < missing; ++i)
        made.push_back(::socket(family == Family::v4 ? AF_INET : AF_INET6,
                                SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    engine->add_sockets(workload, family, made);
}

uint64_t EngineUnderTest::now_us() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count()) +
           skew_us_;
}

int64_t EngineUnderTest::unix_seconds() {
    return tls::test_now + static_cast<int64_t>(skew_us_ / 1'000'000);
}

std::string EngineUnderTest::text(uint32_t offset, uint32_t length) {
    return {engine->batch().text_start() + offset, length};
}

std::string EngineUnderTest::path(uint32_t row) {
    return text(engine->batch().rows.path_offset[row], engine->batch().rows.path_length[row]);
}

uint32_t EngineUnderTest::write_scratch(std::string_view bytes) {
    std::memcpy(engine->batch().scratch_start() + scratch_used_, bytes.data(), bytes.size());
    const uint32_t offset = scratch_used_;
    scratch_used_ += static_cast<uint32_t>(bytes.size());
    return offset;
}

void EngineUnderTest::forward_to(uint32_t row, uint32_t endpoint) {
    engine->batch().verdicts.action[row] = static_cast<uint8_t>(Action::forward);
    engine->batch().verdicts.endpoint[row] = endpoint;
}

const Completion *EngineUnderTest::last(CompletionKind kind) const {
    for (size_t i = completions.size(); i > 0; --i)
        if (completions[i - 1].kind == kind)
            return &completions[i - 1];
    return nullptr;
}

size_t EngineUnderTest::count(CompletionKind kind) const {
    size_t found = 0;
    for (const Completion &completion : completions)
        found += completion.kind == kind ? 1 : 0;
    return found;
}

size_t open_descriptors() {
    size_t open = 0;
    DIR *folder = ::opendir("/proc/self/fd");
    while (::readdir(folder) != nullptr)
        ++open;
    ::closedir(folder);
    return open;
}

} // namespace weft::testing
