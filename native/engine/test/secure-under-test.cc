// SPDX-License-Identifier: Apache-2.0
#include "engine/test/secure-under-test.hpp"
#include <array>

namespace weft::testing {

SecureMesh::SecureMesh(const EngineLimits &limits) : EngineUnderTest(limits) {
    engine->add_workload(2, {});
    cart_port = listen_for(2, Direction::inbound);
    CHECK(identify_shop());
    CHECK(identify_cart());
    serve_cart();
    on_decide = [this](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row)
            answer(row);
        return true;
    };
}

bool SecureMesh::identify(uint32_t workload, const tls::Credential &leaf, const char *spiffe_id) {
    tls::IdentityText text = tls::text_of(leaf, mesh.root, spiffe_id);
    tls::IdentityProblem problem;
    CHECK(engine->set_identity(workload, text, problem));
    return problem.fault == tls::IdentityFault::none;
}

void SecureMesh::serve_cart(const char *spiffe_id) {
    Endpoint cart;
    cart.address = *Address::parse("127.0.0.1", cart_port);
    cart.destination = 9;
    cart.identity = spiffe_id;
    engine->set_endpoint(to_cart, cart);
}

void SecureMesh::answer(uint32_t row) {
    const auto &rows = engine->batch().rows;
    switch (kind(row)) {
    case RowKind::connection:
        act(row, inbound(row) ? accept_by : use);
        break;
    case RowKind::secured:
        secured.emplace_back(text(rows.peer_offset[row], rows.peer_length[row]),
                             static_cast<tls::Alpn>(rows.alpn[row]));
        act(row, use);
        break;
    case RowKind::sniffed:
        ++sniffed;
        act(row, use);
        break;
    case RowKind::request:
        forward_to(row, inbound(row) ? to_app : to_cart);
        engine->batch().verdicts.flags[row] = forward_flags;
        return;
    case RowKind::attempt_failed:
        failures.emplace_back(static_cast<Reason>(rows.reason[row]), rows.flags[row]);
        act(row, Action::reply);
        engine->batch().verdicts.reason[row] = rows.reason[row];
        return;
    }
    engine->batch().verdicts.endpoint[row] = inbound(row) ? to_app : to_cart;
}

void SecurePeer::pump() {
    if (std::exchange(pumping_, true))
        return;
    std::array<uint8_t, 2 * tls::Session::record_bytes> room;
    for (bool moved = true; moved;) {
        const tls::Received got = session_->receive(http1::bytes_of(wire_->received), room);
        received.append(reinterpret_cast<const char *>(room.data()), got.produced);
        wire_->received.erase(0, got.consumed);
        const tls::Sent sent = session_->send(http1::bytes_of(unsent_), room);
        wire_->send({reinterpret_cast<const char *>(room.data()), sent.produced});
        unsent_.erase(0, sent.consumed);
        if (finishing_ && unsent_.empty() && !session_->handshaking()) {
            finishing_ = false;
            session_->close();
        }
        moved = got.more || sent.produced > 0 || session_->wants_send();
    }
    pumping_ = false;
}

} // namespace weft::testing
