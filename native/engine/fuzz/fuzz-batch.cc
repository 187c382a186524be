// SPDX-License-Identifier: Apache-2.0
// The boundary between engine and decision, under hostile answers: random verdicts, resumes and configuration
// changes while clients and servers send fragments of HTTP and noise, close and reset. Whatever happens, no
// memory error, no descriptor, slot or block left, and every exchange and connection accounted for once.
#include "engine/fuzz/engine-under-fuzz.hpp"
#include "engine/fuzz/http2-frames-under-fuzz.hpp"

namespace weft::testing {
namespace {

constexpr std::array<std::string_view, 25> snippets = {
    "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n",
    "PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    "0\r\nSum: 1\r\n\r\n",
    "GET /d HTTP/1.0\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    "GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "
    "AAMAAABk\r\n\r\n",
    "GET",
    "\r\n",
    "x: y\r\n",
};

EngineLimits small_limits() {
    EngineLimits limits{
        .batch_rows = 4, .parked = 3, .buffer_bytes = 8192, .pool_idle = 2, .http2_sessions = 2};
    limits.http2.concurrent_streams = 6;
    return limits;
}

class Fuzz final : public EngineUnderFuzz {
public:
    explicit Fuzz(FuzzedDataProvider &data)
        : EngineUnderFuzz(data, small_limits(),
                          {.connections = 3, .pending_requests = 2, .buffered_bytes = 20'000}),
          filler_(70'000, 'f') {
        set_endpoint(1, app_.port());
        set_endpoint(2, 1);
        define();
    }

    ~Fuzz() override {
        for (const int each : clients_)
            ::close(each);
        for (const int each : apps_)
            ::close(each);
    }

    bool decide(uint32_t rows, uint32_t completions) override {
        auto &batch = engine_->batch();
        for (uint32_t i = 0; i < completions; ++i)
            if (batch.completions.total_us[i] < 0 || batch.completions.kind[i] > 2)
                __builtin_trap();
        for (uint32_t row = 0; row < rows; ++row) {
            if (data_.ConsumeIntegralInRange(0, 9) == 0)
                act(); // the decision itself changes things
            answer(row);
        }
        return data_.remaining_bytes() == 0 || data_.ConsumeIntegralInRange(0, 30) != 0;
    }

    void stock_low(uint32_t workload, Family, uint32_t missing) override {
        if (data_.ConsumeIntegralInRange(0, 3) != 0)
            add_sockets(workload, std::min(missing, 4U));
    }

private:
    void set_endpoint(uint32_t id, uint16_t port) {
        Endpoint endpoint;
        endpoint.address = *Address::parse("127.0.0.1", port);
        endpoint.destination = id;
        endpoint.generation = generation_++ % 2;
        engine_->set_endpoint(id, endpoint);
    }

    void define() {
        http1::Edit edit;
        http1::Edit::compile({.set = {{"x-a", "b"}}, .add = {}, .remove = {"x"}}, edit);
        engine_->edits().define(std::move(edit));
        http1::Reply reply;
        http1::Reply::compile({.status = 403, .headers = {}, .body = "no"}, reply);
        engine_->replies().define(std::move(reply));
        StatusSet statuses;
        statuses.set(503);
        engine_->status_sets().define(statuses);
        engine_->set_wanted_headers({"host", "x", "content-length"});
    }

    std::string payload(bool client) {
        switch (data_.ConsumeIntegralInRange(0, 7)) {
        case 0:
            return data_.ConsumeRandomLengthString(64);
        case 1:
            return filler_.substr(0, data_.ConsumeIntegralInRange<size_t>(1, filler_.size()));
        case 2:
        case 3:
        case 4:
        case 5:
            return http2_frame(data_, client);
        default:
            return std::string(snippets[data_.ConsumeIntegralInRange<size_t>(0, snippets.size() - 1)]);
        }
    }

    void open_client() {
        if (clients_.size() >= 6)
            return;
        const auto [ours, its] = socket_pair();
        clients_.push_back(ours);
        if (data_.ConsumeBool()) {
            const std::string preface = http2_preface();
            (void)!::send(ours, preface.data(), preface.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        engine_->add_connection(data_.ConsumeIntegralInRange(1U, 2U),
                                static_cast<Direction>(data_.ConsumeIntegralInRange(0, 1)), its,
                                *Address::parse("10.0.0.1", 5), *Address::parse("127.0.0.1", app_.port()));
    }

    void accept_app() {
        const int descriptor = app_.accept();
        if (descriptor < 0)
            return;
        apps_.push_back(descriptor);
        const std::string settings = http2_frame(4, 0, 0, "");
        if (data_.ConsumeBool())
            (void)!::send(descriptor, settings.data(), settings.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }

    void touch(std::vector<int> &peers) {
        if (peers.empty())
            return;
        const size_t index = data_.ConsumeIntegralInRange<size_t>(0, peers.size() - 1);
        const int peer = peers[index];
        switch (data_.ConsumeIntegralInRange(0, 9)) {
        case 0:
            ::close(peer);
            peers.erase(peers.begin() + static_cast<ptrdiff_t>(index));
            break;
        case 1:
            ::shutdown(peer, SHUT_WR);
            break;
        case 2:
        case 3: {
            char buffer[65536];
            (void)!::recv(peer, buffer, sizeof buffer, MSG_DONTWAIT);
            break;
        }
        default: {
            const std::string text = payload(&peers == &clients_);
            (void)!::send(peer, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        }
    }

    void act() override {
        switch (data_.ConsumeIntegralInRange(0, 19)) {
        case 0:
        case 1:
            open_client();
            break;
        case 2:
        case 3:
        case 4:
        case 5:
            touch(clients_);
            break;
        case 6:
        case 7:
        case 8:
        case 9:
            accept_app();
            touch(apps_);
            break;
        case 10:
            now_us_ += data_.ConsumeIntegralInRange<uint64_t>(0, 40'000'000);
            break;
        case 11:
            resume();
            break;
        case 12:
            configure();
            break;
        default:
            if (deciding_) {
                now_us_ += 100;
                break;
            }
            deciding_ = true;
            turn();
            deciding_ = false;
        }
    }

    void resume() {
        Verdict verdict;
        verdict.action = static_cast<Action>(data_.ConsumeIntegralInRange(0, 9));
        verdict.endpoint = data_.ConsumeIntegralInRange(0U, 3U);
        verdict.flags = data_.ConsumeIntegral<uint8_t>();
        verdict.retry_statuses = data_.ConsumeIntegralInRange<uint16_t>(0, 2);
        engine_->resume(data_.ConsumeIntegralInRange(0U, 12U), data_.ConsumeIntegralInRange(0U, 6U), verdict);
    }

    void configure() {
        switch (data_.ConsumeIntegralInRange(0, 9)) {
        case 0:
            engine_->close_connections(Reason::policy_denied, {.workload = 1, .tag = {}});
            break;
        case 1:
            engine_->remove_workload(2, data_.ConsumeIntegralInRange(0U, 100U));
            break;
        case 2:
            engine_->add_workload(2, {.connections = 2});
            break;
        case 3:
            engine_->remove_endpoint(1);
            break;
        case 4:
            set_endpoint(1, app_.port());
            break;
        case 5:
            engine_->edits().release(1);
            engine_->status_sets().release(1);
            break;
        case 6:
            define();
            break;
        case 7:
            engine_->drain();
            break;
        case 8:
            engine_->visit_connections([](const ConnectionInfo &) {});
            break;
        default:
            if (data_.ConsumeIntegralInRange(0, 20) == 0)
                engine_->close();
        }
    }

    /// Mostly something that makes sense, at times anything at all.
    void answer(uint32_t row) {
        auto &verdicts = engine_->batch().verdicts;
        const bool wild = data_.ConsumeIntegralInRange(0, 5) == 0;
        const bool connection = engine_->batch().rows.kind[row] == 0;
        constexpr std::array<Action, 8> usual = {Action::forward, Action::forward, Action::forward,
                                                 Action::forward, Action::reply,   Action::park,
                                                 Action::pass,    Action::reset};
        verdicts.action[row] =
            wild         ? data_.ConsumeIntegral<uint8_t>()
            : connection ? static_cast<uint8_t>(data_.ConsumeIntegralInRange(0, 3) == 0 ? Action::tunnel
                                                                                        : Action::http)
                         : static_cast<uint8_t>(data_.PickValueInArray(usual));
        verdicts.flags[row] = data_.ConsumeIntegral<uint8_t>();
        verdicts.endpoint[row] =
            wild ? data_.ConsumeIntegral<uint32_t>() : data_.ConsumeIntegralInRange(0U, 2U);
        verdicts.retry_statuses[row] = data_.ConsumeIntegralInRange<uint16_t>(0, wild ? 9 : 1);
        verdicts.request_edit[row] = data_.ConsumeIntegralInRange<uint16_t>(0, wild ? 9 : 1);
        verdicts.response_edit[row] = data_.ConsumeIntegralInRange<uint16_t>(0, wild ? 9 : 1);
        verdicts.reply[row] = data_.ConsumeIntegralInRange<uint16_t>(0, wild ? 9 : 1);
        verdicts.buffer_bytes[row] = data_.ConsumeIntegral<uint16_t>();
        if (!wild)
            return;
        verdicts.reason[row] = data_.ConsumeIntegral<uint16_t>();
        verdicts.tag[row] = data_.ConsumeIntegral<uint32_t>();
        verdicts.deadline_ms[row] = data_.ConsumeIntegral<uint32_t>();
        verdicts.backend_timeout_ms[row] = data_.ConsumeIntegral<uint16_t>();
        verdicts.delay_ms[row] = data_.ConsumeIntegral<uint16_t>();
        const std::string text = data_.ConsumeRandomLengthString(48);
        std::memcpy(engine_->batch().scratch_start(), text.data(), text.size());
        const auto range = [&](uint32_t &offset, uint32_t &length) {
            offset = data_.ConsumeBool() ? 0 : data_.ConsumeIntegral<uint32_t>();
            length =
                data_.ConsumeBool() ? static_cast<uint32_t>(text.size()) : data_.ConsumeIntegral<uint32_t>();
        };
        range(verdicts.path_offset[row], verdicts.path_length[row]);
        range(verdicts.host_offset[row], verdicts.host_length[row]);
        range(verdicts.extra_offset[row], verdicts.extra_length[row]);
        range(verdicts.body_offset[row], verdicts.body_length[row]);
    }

    const std::string filler_;
    Listener app_;
    uint32_t generation_ = 0;
    bool deciding_ = false;
    std::vector<int> clients_;
    std::vector<int> apps_;
};

} // namespace
} // namespace weft::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    return weft::testing::fuzz_engine<weft::testing::Fuzz>(input, size, 400);
}
