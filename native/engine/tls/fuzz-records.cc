// SPDX-License-Identifier: Apache-2.0
// The record boundary. Bytes of a stranger meet a server's and a client's handshake, whole and cut; then
// records of a real peer are damaged on their way, and what arrives must be a beginning of what was sent.
#include "engine/http1/fuzz-input.hpp"
#include "engine/tls/certificates-under-test.hpp"
#include "engine/tls/session.hpp"
#include <string>

using namespace weft::tls;
using weft::Reason;
using weft::http1::CutInput;
using weft::http1::require;

namespace {

struct Ends {
    Mesh mesh;
    std::shared_ptr<const Identity> shop = mesh.shop_identity();
    std::shared_ptr<const Identity> cart = mesh.cart_identity();

    std::unique_ptr<Session> client() const { return Session::connect(shop, {Alpn::tcp}, cart_id, test_now); }
    std::unique_ptr<Session> server() const { return Session::accept(cart, {Alpn::tcp}, test_now); }
};

std::string take(Session &session, Bytes plain = {}) {
    std::string out;
    std::vector<uint8_t> room(Session::record_bytes);
    for (Sent sent{.consumed = 0, .produced = 1}; sent.produced > 0;) {
        sent = session.send(plain, room);
        plain = plain.subspan(sent.consumed);
        out.append(reinterpret_cast<const char *>(room.data()), sent.produced);
    }
    return out;
}

std::string give(Session &session, Bytes cipher, size_t room_size) {
    std::string plain;
    std::vector<uint8_t> room(room_size);
    for (bool more = true; more;) {
        const Received got = session.receive(cipher, room);
        require(got.consumed <= cipher.size() && got.produced <= room.size());
        require(!got.more || got.consumed + got.produced > 0);
        cipher = cipher.subspan(got.consumed);
        plain.append(reinterpret_cast<const char *>(room.data()), got.produced);
        more = got.more;
    }
    require(cipher.empty());
    return plain;
}

Bytes bytes_of(const std::string &text) {
    return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

void meet_stranger(const CutInput &input, std::unique_ptr<Session> whole, std::unique_ptr<Session> cut) {
    give(*whole, input.whole(), 100);
    give(*cut, input.first(), 100);
    give(*cut, input.whole().subspan(input.first().size()), 100);
    require(whole->state() != SessionState::open && whole->state() == cut->state());
    require(whole->why() == cut->why());
    require((whole->state() == SessionState::failed) == (whole->why() != Reason::none));
    take(*whole);
    take(*cut);
}

/// Whose bytes are changed at places that the input names: pairs of a place and what it is xored with.
void damage_records(const Ends &ends, const CutInput &input) {
    const auto client = ends.client();
    const auto server = ends.server();
    for (int round = 0; round < 3; ++round) {
        give(*server, bytes_of(take(*client)), 100);
        give(*client, bytes_of(take(*server)), 100);
    }
    require(client->state() == SessionState::open && server->state() == SessionState::open);
    const std::string sent{reinterpret_cast<const char *>(input.whole().data()), input.whole().size()};
    std::string cipher = take(*client, input.first());
    cipher += take(*client, input.whole().subspan(input.first().size()));
    client->close();
    cipher += take(*client);
    bool damaged = false;
    for (size_t i = 0; (input.choice() & 1) != 0 && i + 2 < sent.size() && i < 12; i += 3) {
        const size_t at =
            (static_cast<uint8_t>(sent[i]) << 8 | static_cast<uint8_t>(sent[i + 1])) % cipher.size();
        cipher[at] = static_cast<char>(cipher[at] ^ sent[i + 2]);
        damaged = damaged || sent[i + 2] != 0;
    }
    const std::string plain = give(*server, bytes_of(cipher), 1 + input.choice() * size_t{16});
    require(sent.starts_with(plain));
    if (!damaged) {
        require(plain == sent && server->state() == SessionState::peer_closed);
    }
    server->wire_ended();
    require(server->state() == SessionState::peer_closed || server->state() == SessionState::failed);
    require(server->state() == SessionState::failed || plain == sent);
    take(*server);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const Ends ends;
    const CutInput input{data, size};
    if ((input.choice() & 2) != 0) {
        damage_records(ends, input);
    } else if ((input.choice() & 4) != 0) {
        meet_stranger(input, ends.client(), ends.client());
    } else {
        meet_stranger(input, ends.server(), ends.server());
    }
    return 0;
}
