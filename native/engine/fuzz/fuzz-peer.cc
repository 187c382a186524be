// SPDX-License-Identifier: Apache-2.0
// Other agents that prove who they are and are hostile all the same: inside TLS they say anything by HTTP/2,
// HTTP/1.1 or no protocol at all, as callers and as endpoints, in records and segments of any size, while
// applications on both sides do the same in plaintext and identities come and go. No memory error, no
// descriptor, slot or block is left, and every stream is accounted for.
#include "engine/fuzz/engine-under-fuzz.hpp"
#include "engine/fuzz/http2-frames-under-fuzz.hpp"
#include "engine/tls/session.hpp"

namespace weft::testing {
namespace {

constexpr std::array<std::string_view, 8> requests = {
    "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "0\r\nSum: 1\r\n\r\n",
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "POST /l HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    "x",
};
constexpr std::array<std::string_view, 8> responses = {
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "0\r\nSum: 1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    "x",
};

/// One end of a connection that the fuzzer holds; `session` null: plaintext.
struct End {
    int descriptor = -1;
    bool calls = false;
    std::unique_ptr<tls::Session> session;
};

EngineLimits small_limits() {
    EngineLimits limits{.batch_rows = 4, .buffer_bytes = 8192, .turn_bytes = 16384, .http2_sessions = 2};
    limits.http2.concurrent_streams = 6;
    return limits;
}

class Fuzz final : public EngineUnderFuzz {
public:
    explicit Fuzz(FuzzedDataProvider &data)
        : EngineUnderFuzz(data, small_limits(),
                          {.connections = 4, .pending_requests = 3, .buffered_bytes = 40'000}),
          filler_(70'000, 'f') {
        identify(1);
        identify(2);
        engine_->set_endpoint(1, peer_.endpoint(1, tls::cart_id));
        engine_->set_endpoint(2, app_.endpoint(2, ""));
    }

    ~Fuzz() override {
        for (End &end : ends_)
            ::close(end.descriptor);
    }

    bool decide(uint32_t rows, uint32_t) override {
        for (uint32_t row = 0; row < rows; ++row)
            answer(row);
        return true;
    }

    void stock_low(uint32_t workload, Family, uint32_t missing) override {
        add_sockets(workload, std::min(missing, 3U));
    }

private:
    /// TLS for all that comes from outside; requests go on, inbound to the application, outbound to the peer.
    void answer(uint32_t row) {
        auto &batch = engine_->batch();
        auto &verdicts = batch.verdicts;
        const bool inbound = batch.rows.direction[row] == 1;
        const auto act_on = [&](Action action) { verdicts.action[row] = static_cast<uint8_t>(action); };
        verdicts.endpoint[row] = inbound ? 2 : 1;
        verdicts.flags[row] = data_.ConsumeIntegral<uint8_t>() & 15;
        switch (static_cast<RowKind>(batch.rows.kind[row])) {
        case RowKind::connection:
            act_on(inbound                                   ? Action::secure
                   : data_.ConsumeIntegralInRange(0, 7) == 0 ? Action::tunnel
                                                             : Action::http);
            break;
        case RowKind::secured:
            must(std::string_view(batch.text_start() + batch.rows.peer_offset[row],
                                  batch.rows.peer_length[row]) == tls::shop_id,
                 "the peer is another");
            act_on(batch.rows.alpn[row] == static_cast<uint8_t>(tls::Alpn::tcp) ? Action::tunnel
                                                                                : Action::http);
            break;
        case RowKind::request:
            act_on(data_.ConsumeIntegralInRange(0, 15) == 0 ? Action::reply : Action::forward);
            verdicts.reason[row] = static_cast<uint16_t>(Reason::policy_denied);
            break;
        default:
            act_on(Action::reply);
            verdicts.reason[row] = batch.rows.reason[row];
        }
    }

    tls::AlpnSet protocols() {
        constexpr std::array<tls::Alpn, 3> all = {tls::Alpn::http2, tls::Alpn::http1, tls::Alpn::tcp};
        return data_.ConsumeIntegralInRange(0, 3) == 0 ? tls::AlpnSet{data_.PickValueInArray(all)}
                                                       : tls::AlpnSet{tls::Alpn::http2};
    }

    /// Another agent, or an application, connects.
    void call() {
        if (ends_.size() >= 6)
            return;
        const bool hostile = data_.ConsumeBool();
        const auto [ours, its] = socket_pair();
        End end{.descriptor = ours, .calls = true, .session = nullptr};
        if (hostile)
            end.session =
                tls::Session::connect(shared_identities().shop, protocols(), tls::cart_id, unix_seconds());
        engine_->add_connection(hostile ? 2 : 1, hostile ? Direction::inbound : Direction::outbound, its, {},
                                {});
        ends_.push_back(std::move(end));
        if (!hostile && data_.ConsumeBool())
            send(ends_.back(), http2_preface());
    }

    /// The engine has dialled: as the endpoint of another agent, or as an application.
    void serve() {
        if (const int peer = peer_.accept(); peer >= 0)
            ends_.push_back(
                {.descriptor = peer,
                 .calls = false,
                 .session = tls::Session::accept(shared_identities().cart, protocols(), unix_seconds())});
        if (const int app = app_.accept(); app >= 0)
            ends_.push_back({.descriptor = app, .calls = false, .session = nullptr});
    }

    void send(End &end, std::string_view text) {
        (void)!::send(end.descriptor, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }

    /// What the session has to say, then `text` in records of its own.
    void seal(End &end, std::string_view text) {
        std::array<uint8_t, tls::Session::record_bytes> room;
        for (tls::Sent sent{.consumed = 0, .produced = 1}; sent.produced > 0;
             text.remove_prefix(sent.consumed)) {
            sent = end.session->send(http1::bytes_of(text), room);
            send(end, {reinterpret_cast<const char *>(room.data()), sent.produced});
        }
    }

    void hear(End &end) {
        std::array<char, 20'000> bytes;
        const ssize_t got = ::recv(end.descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (end.session == nullptr || got <= 0)
            return;
        const bool greets = end.session->handshaking();
        std::string_view cipher{bytes.data(), static_cast<size_t>(got)};
        std::array<uint8_t, tls::Session::record_bytes> room;
        for (bool more = true; more;) {
            const tls::Received received = end.session->receive(http1::bytes_of(cipher), room);
            cipher.remove_prefix(received.consumed);
            more = received.more;
        }
        seal(end, {});
        if (greets && end.session->can_send() && end.session->alpn() == tls::Alpn::http2)
            seal(end, end.calls ? http2_preface() : http2_frame(4, 0, 0, ""));
    }

    std::string payload(bool calls) {
        switch (data_.ConsumeIntegralInRange(0, 9)) {
        case 0:
            return data_.ConsumeRandomLengthString(64);
        case 1:
            return filler_.substr(0, data_.ConsumeIntegralInRange<size_t>(1, filler_.size()));
        case 2:
        case 3:
            return std::string(data_.PickValueInArray(calls ? requests : responses));
        default:
            return http2_frame(data_, calls);
        }
    }

    void say(End &end) {
        const std::string text = payload(end.calls);
        const size_t cut =
            data_.ConsumeBool() ? text.size() : data_.ConsumeIntegralInRange<size_t>(0, text.size());
        for (const std::string_view part :
             {std::string_view(text).substr(0, cut), std::string_view(text).substr(cut)})
            end.session == nullptr ? send(end, part) : seal(end, part);
    }

    void touch() {
        if (ends_.empty())
            return;
        const size_t index = data_.ConsumeIntegralInRange<size_t>(0, ends_.size() - 1);
        End &end = ends_[index];
        switch (data_.ConsumeIntegralInRange(0, 15)) {
        case 0:
            ::close(end.descriptor);
            ends_.erase(ends_.begin() + static_cast<ptrdiff_t>(index));
            break;
        case 1:
            if (end.session) {
                end.session->close();
                seal(end, {});
            }
            ::shutdown(end.descriptor, SHUT_WR);
            break;
        case 2:
        case 3:
        case 4:
        case 5:
        case 6:
            hear(end);
            break;
        default:
            say(end);
        }
    }

    void change() {
        const int what = data_.ConsumeIntegralInRange(0, 6);
        switch (what) {
        case 5:
            engine_->close_connections(Reason::policy_denied, {.workload = 2, .tag = {}});
            break;
        default:
            manage(what);
        }
    }

    void act() override {
        switch (data_.ConsumeIntegralInRange(0, 15)) {
        case 0:
            call();
            break;
        case 1:
            serve();
            break;
        case 2:
            if (data_.ConsumeIntegralInRange(0, 15) == 0)
                change();
            break;
        case 3:
        case 4:
        case 5:
        case 6:
        case 7:
        case 8:
        case 9:
            touch();
            break;
        default:
            turn();
        }
    }

    const std::string filler_;
    Listener peer_;
    Listener app_;
    std::vector<End> ends_;
};

} // namespace
} // namespace weft::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    return weft::testing::fuzz_engine<weft::testing::Fuzz>(input, size, 500);
}
