// SPDX-License-Identifier: Apache-2.0
// Two workloads of a mesh in one engine: workload 1 (shop) calls workload 2 (cart) by TLS, so every byte goes
// through both sides of it. And a foreign peer that holds a TLS session itself.
#pragma once
#include "engine/test/engine-under-test.hpp"
#include "engine/tls/certificates-under-test.hpp"
#include "engine/tls/session.hpp"

namespace weft::testing {

constexpr uint32_t to_app = 1;  // endpoint: the application, plaintext
constexpr uint32_t to_cart = 2; // endpoint: cart's inbound listener, by TLS

class SecureMesh : public EngineUnderTest {
public:
    explicit SecureMesh(const EngineLimits &limits = {});

    /// Gives a workload its identity; false where it was refused.
    bool identify(uint32_t workload, const tls::Credential &leaf, const char *spiffe_id);
    bool identify_shop() { return identify(1, mesh.shop, tls::shop_id); }
    bool identify_cart() { return identify(2, mesh.cart, tls::cart_id); }
    /// Endpoint 2, expecting `spiffe_id`.
    void serve_cart(const char *spiffe_id = tls::cart_id);

    Action action_of(uint32_t row) const { return static_cast<Action>(engine->batch().verdicts.action[row]); }
    void act(uint32_t row, Action action) {
        engine->batch().verdicts.action[row] = static_cast<uint8_t>(action);
    }
    RowKind kind(uint32_t row) const { return static_cast<RowKind>(engine->batch().rows.kind[row]); }
    bool inbound(uint32_t row) const { return engine->batch().rows.direction[row] == 1; }
    /// The whole plan: `use` is what connections are used for on both sides.
    void answer(uint32_t row);

    tls::Mesh mesh;
    uint16_t cart_port = 0;
    Action accept_by = Action::secure;
    Action use = Action::http;
    /// Inbound rows that said who it is, and what it speaks.
    std::vector<std::pair<std::string, tls::Alpn>> secured;
    size_t sniffed = 0;
    /// Rows of failed attempts.
    std::vector<std::pair<Reason, uint16_t>> failures;
    uint8_t forward_flags = 0;
};

/// A TLS client or server that is no engine.
class SecurePeer {
public:
    SecurePeer(std::unique_ptr<Peer> wire, std::unique_ptr<tls::Session> session)
        : wire_(std::move(wire)), session_(std::move(session)) {
        wire_->on_poll = [this] { pump(); };
        pump();
    }
    SecurePeer(const SecurePeer &) = delete;
    SecurePeer &operator=(const SecurePeer &) = delete;

    void send(std::string_view text) {
        unsent_.append(text);
        pump();
    }
    /// close_notify.
    void finish() {
        finishing_ = true;
        pump();
    }
    bool has(std::string_view text) const { return received.find(text) != std::string::npos; }
    Peer &wire() { return *wire_; }
    const tls::Session &session() const { return *session_; }
    tls::Ticket take_ticket() { return session_->take_ticket(); }

    std::string received;

private:
    /// Moves what came and what is to be sent.
    void pump();

    std::unique_ptr<Peer> wire_;
    std::unique_ptr<tls::Session> session_;
    std::string unsent_;
    bool finishing_ = false;
    bool pumping_ = false;
};

} // namespace weft::testing
