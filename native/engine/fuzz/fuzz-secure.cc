// SPDX-License-Identifier: Apache-2.0
// Two workloads that talk by TLS, with an enemy on the wire between them: it cuts, delays, alters, repeats
// and ends, while identities come and go and connections are drained. What arrives is a prefix of what was
// sent, whatever it does; and no memory error, no descriptor, slot or block is left.
#include "engine/fuzz/engine-under-fuzz.hpp"
#include <cerrno>

namespace weft::testing {
namespace {

/// What the n-th byte of either direction must be.
char byte_at(size_t n, bool there) {
    return static_cast<char>((n * 31 + n / 256) % 251 + (there ? 0 : 3));
}

/// A socket of the fuzzer's.
struct End {
    int descriptor = -1;
    size_t sent = 0;
    size_t received = 0;
    bool finished = false;
    bool reset = false;

    void finish() {
        finished = true;
        ::shutdown(descriptor, SHUT_WR);
    }
    void close() {
        finished = true;
        if (descriptor >= 0)
            ::close(descriptor);
        descriptor = -1;
    }
};

class Fuzz final : public EngineUnderFuzz {
public:
    explicit Fuzz(FuzzedDataProvider &data)
        : EngineUnderFuzz(
              data, {.batch_rows = 4, .buffer_bytes = 8192, .turn_bytes = 16384, .turn_handshakes = 2}, {}) {
        identify(1);
        identify(2);
        engine_->set_endpoint(1, wire_listener_.endpoint(1, tls::cart_id));
        engine_->set_endpoint(2, app_listener_.endpoint(2, ""));
        const auto [ours, its] = socket_pair();
        client_.descriptor = ours;
        engine_->add_connection(1, Direction::outbound, its, {}, {});
    }

    ~Fuzz() override {
        for (End *end : {&client_, &app_, &near_, &far_})
            end->close();
    }

    bool decide(uint32_t rows, uint32_t) override {
        auto &batch = engine_->batch();
        for (uint32_t row = 0; row < rows; ++row) {
            const bool inbound = batch.rows.direction[row] == 1;
            const bool asked = static_cast<RowKind>(batch.rows.kind[row]) == RowKind::connection;
            if (static_cast<RowKind>(batch.rows.kind[row]) == RowKind::secured)
                must(std::string_view(batch.text_start() + batch.rows.peer_offset[row],
                                      batch.rows.peer_length[row]) == tls::shop_id,
                     "the peer is another");
            must(static_cast<RowKind>(batch.rows.kind[row]) != RowKind::sniffed || sniffs_, "sniffed");
            plain_ |= static_cast<RowKind>(batch.rows.kind[row]) == RowKind::sniffed;
            batch.verdicts.action[row] = static_cast<uint8_t>(
                !inbound || !asked ? Action::tunnel : (sniffs_ ? Action::sniff : Action::secure));
            batch.verdicts.endpoint[row] = inbound ? 2 : 1;
        }
        return true;
    }

    void stock_low(uint32_t workload, Family, uint32_t missing) override {
        add_sockets(workload, std::min(missing, 2U));
    }

private:
    /// The wire's two ends: what shop dialled, and what cart accepts.
    void open_wire() {
        const int dialled = near_.descriptor < 0 ? wire_listener_.accept() : -1;
        if (dialled < 0)
            return;
        near_.descriptor = dialled;
        const auto [ours, its] = socket_pair();
        far_.descriptor = ours;
        sniffs_ = data_.ConsumeIntegralInRange(0, 3) == 0;
        engine_->add_connection(2, Direction::inbound, its, {}, {});
    }

    /// Carries some bytes over the wire; at times not as they were.
    void carry(End &from, End &to) {
        char bytes[20'000];
        const size_t most = data_.ConsumeBool() ? sizeof bytes : data_.ConsumeIntegralInRange<size_t>(1, 600);
        const ssize_t got = ::recv(from.descriptor, bytes, most, MSG_DONTWAIT);
        if (got == 0)
            ::shutdown(to.descriptor, SHUT_WR);
        if (got <= 0)
            return;
        auto size = static_cast<size_t>(got);
        switch (data_.ConsumeIntegralInRange(0, 60)) {
        case 0:
            bytes[data_.ConsumeIntegralInRange<size_t>(0, size - 1)] ^=
                static_cast<char>(1 << data_.ConsumeIntegralInRange(0, 7));
            break;
        case 1:
            size = data_.ConsumeIntegralInRange<size_t>(0, size);
            break;
        case 2:
            (void)!::send(to.descriptor, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
            break;
        default:
            break;
        }
        (void)!::send(to.descriptor, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    }

    void say(End &end, bool there) {
        char bytes[9'000];
        const size_t size = data_.ConsumeIntegralInRange<size_t>(1, sizeof bytes);
        for (size_t i = 0; i < size; ++i)
            bytes[i] = byte_at(end.sent + i, there);
        const ssize_t sent = ::send(end.descriptor, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        end.sent += sent > 0 ? static_cast<size_t>(sent) : 0;
        end.reset |= sent < 0 && errno != EAGAIN;
    }

    /// What TLS lets through is what was said, from its first byte on. Where the wire passed for plaintext
    /// the enemy may say what it likes.
    void hear(End &end, const End &other, bool there) {
        char bytes[20'000];
        const ssize_t got = ::recv(end.descriptor, bytes, sizeof bytes, MSG_DONTWAIT);
        for (ssize_t i = 0; i < got && !plain_; ++i)
            must(bytes[i] == byte_at(end.received + static_cast<size_t>(i), there),
                 "another byte than was sent");
        end.received += got > 0 ? static_cast<size_t>(got) : 0;
        must(plain_ || end.received <= other.sent, "more than was sent");
        end.reset |= got < 0 && errno == ECONNRESET; // read once more, a reset looks like an end
        if (got == 0 && there && !end.reset) // the other way it is no TCP, whose resets look like ends
            must(plain_ || (other.finished && other.sent == end.received), "an end that nobody said");
    }

    void change() {
        const int what = data_.ConsumeIntegralInRange(0, 8);
        switch (what) {
        case 5:
            (data_.ConsumeBool() ? near_ : far_).close();
            break;
        case 6:
            (data_.ConsumeBool() ? client_ : app_).close();
            break;
        case 7:
            (data_.ConsumeBool() ? client_ : app_).finish();
            break;
        default:
            manage(what);
        }
    }

    void act() override {
        switch (data_.ConsumeIntegralInRange(0, 15)) {
        case 0:
            say(client_, true);
            break;
        case 1:
            say(app_, false);
            break;
        case 2:
            hear(app_, client_, true);
            break;
        case 3:
            hear(client_, app_, false);
            break;
        case 4:
            if (app_.descriptor < 0 && app_.sent == 0)
                app_.descriptor = app_listener_.accept();
            break;
        case 5:
            if (data_.ConsumeIntegralInRange(0, 15) == 0)
                change();
            break;
        case 6:
        case 7:
        case 8:
            open_wire();
            carry(near_, far_);
            break;
        case 9:
        case 10:
        case 11:
            carry(far_, near_);
            break;
        default:
            turn();
        }
    }

    Listener wire_listener_;
    Listener app_listener_;
    End client_, app_, near_, far_;
    bool sniffs_ = false;
    bool plain_ = false;
};

} // namespace
} // namespace weft::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    return weft::testing::fuzz_engine<weft::testing::Fuzz>(input, size, 600);
}
