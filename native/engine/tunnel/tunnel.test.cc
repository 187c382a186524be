// SPDX-License-Identifier: Apache-2.0
// Opaque connections and upgraded ones: each direction ends on its own, a reset stays a reset.
#include "engine/test/engine-under-test.hpp"

namespace weft::testing {
namespace {

class Tunnels : public EngineUnderTest {
public:
    explicit Tunnels(const EngineLimits &limits = {}) : EngineUnderTest(limits) {
        on_decide = [this](uint32_t rows) {
            for (uint32_t row = 0; row < rows; ++row) {
                engine->batch().verdicts.action[row] = static_cast<uint8_t>(Action::tunnel);
                engine->batch().verdicts.endpoint[row] = 1;
                engine->batch().verdicts.tag[row] = 11;
            }
            return true;
        };
    }
};

CASE("the server may speak first, and bytes flow both ways") {
    Tunnels test;
    auto client = test.connect();
    auto app = test.accept();
    app->send("220 ready\r\n");
    CHECK(test.until([&] { return client->has("220"); }));
    client->send("EHLO");
    CHECK(test.until([&] { return app->has("EHLO"); }));
    client->close();
    app->close();
    CHECK(test.until([&] { return test.count(CompletionKind::connection) == 1; }));
    const Completion *done = test.last(CompletionKind::connection);
    CHECK_EQUAL(done->bytes_received, 4U);
    CHECK_EQUAL(done->bytes_sent, 11U);
    CHECK_EQUAL(done->connection_tag, 11U);
    CHECK(done->reason == Reason::peer_closed);
    CHECK_EQUAL(test.count(CompletionKind::attempt), 1U);
}

CASE("the client's end passes, and the server goes on speaking") {
    Tunnels test;
    auto client = test.connect();
    client->send("question");
    client->finish();
    auto app = test.accept();
    CHECK(test.until([&] { return app->ended; }));
    CHECK_EQUAL(app->received, "question");
    CHECK(!client->ended);
    app->send("answer");
    app->finish();
    CHECK(test.until([&] { return client->ended; }));
    CHECK_EQUAL(client->received, "answer");
}

CASE("the server's end passes, and the client goes on speaking") {
    Tunnels test;
    auto client = test.connect();
    auto app = test.accept();
    app->finish();
    CHECK(test.until([&] { return client->ended; }));
    client->send("still here");
    CHECK(test.until([&] { return app->has("still here"); }));
    client->finish();
    CHECK(test.until([&] { return app->ended && test.engine->stats().connections == 0; }));
}

CASE("a reset from either side arrives as a reset") {
    Tunnels test;
    auto client = test.connect();
    auto app = test.accept();
    client->send("x");
    CHECK(test.until([&] { return app->has("x"); }));
    client->reset();
    CHECK(test.until([&] { return app->was_reset; }));
    auto other = test.connect();
    auto second = test.accept();
    other->send("x");
    CHECK(test.until([&] { return second->has("x"); }));
    second->reset();
    CHECK(test.until([&] { return other->was_reset && test.count(CompletionKind::connection) == 2; }));
    CHECK(test.last(CompletionKind::connection)->reason == Reason::upstream_reset);
}

CASE("a refused connect resets the client, with the reason") {
    Tunnels test;
    Endpoint nobody;
    nobody.address = *Address::parse("127.0.0.1", 1);
    test.engine->set_endpoint(1, nobody);
    auto client = test.connect();
    CHECK(test.until([&] { return client->was_reset && test.count(CompletionKind::connection) == 1; }));
    CHECK(test.last(CompletionKind::connection)->reason == Reason::connect_refused);
    CHECK(test.last(CompletionKind::attempt)->reason == Reason::connect_refused);
}

CASE("a refused connect goes to another endpoint where the verdict asked to be asked") {
    Tunnels test;
    Endpoint nobody;
    nobody.address = *Address::parse("127.0.0.1", 1);
    test.engine->set_endpoint(2, nobody);
    std::vector<RowKind> asked;
    Reason failure = Reason::none;
    uint32_t tag = 0;
    test.on_decide = [&](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row) {
            Batch &batch = test.engine->batch();
            asked.push_back(static_cast<RowKind>(batch.rows.kind[row]));
            const bool again = asked.back() == RowKind::attempt_failed;
            if (again) {
                failure = static_cast<Reason>(batch.rows.reason[row]);
                tag = batch.rows.connection_tag[row];
                CHECK_EQUAL(batch.rows.request_tag[row], 0U);
                CHECK_EQUAL(batch.rows.flags[row], row_flag::not_sent);
            }
            batch.verdicts.action[row] = static_cast<uint8_t>(Action::tunnel);
            batch.verdicts.endpoint[row] = again ? 1 : 2;
            batch.verdicts.flags[row] = verdict_flag::ask_on_connect_failure;
            batch.verdicts.tag[row] = 11;
        }
        return true;
    };
    auto client = test.connect();
    client->send("first words");
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("first words"); }));
    CHECK(asked == (std::vector<RowKind>{RowKind::connection, RowKind::attempt_failed}));
    CHECK(failure == Reason::connect_refused);
    CHECK_EQUAL(tag, 11U);
    CHECK_EQUAL(test.count(CompletionKind::attempt), 1U);
    client->close();
    app->close();
    CHECK(test.until([&] { return test.count(CompletionKind::connection) == 1; }));
    CHECK_EQUAL(test.count(CompletionKind::attempt), 2U);
}

CASE("a client that has left while another endpoint is asked for leaves nothing behind") {
    Tunnels test;
    Endpoint nobody;
    nobody.address = *Address::parse("127.0.0.1", 1);
    test.engine->set_endpoint(1, nobody);
    uint32_t tries = 0;
    test.on_decide = [&](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row) {
            Batch &batch = test.engine->batch();
            const bool more = ++tries < 3;
            batch.verdicts.action[row] = static_cast<uint8_t>(more ? Action::tunnel : Action::reset);
            batch.verdicts.reason[row] = static_cast<uint16_t>(Reason::connect_refused);
            batch.verdicts.endpoint[row] = 1;
            batch.verdicts.flags[row] = verdict_flag::ask_on_connect_failure;
        }
        return true;
    };
    auto client = test.connect();
    client->reset();
    CHECK(test.until([&] { return test.engine->stats().connections == 0; }));
    CHECK(tries <= 3);
}

CASE("a client that leaves while its endpoint is dialled leaves nothing behind") {
    Tunnels test;
    test.fill_stock = false;
    const uint16_t bare = [&] {
        test.engine->add_workload(2, {});
        return test.listen_for(2, Direction::outbound);
    }();
    auto client = test.connect_to(bare);
    test.settle();
    client->reset();
    CHECK(test.until([&] { return test.engine->stats().connections == 0; }));
}

CASE("a reader that stalls holds the writer back, and memory stays bounded") {
    Tunnels test;
    auto client = test.connect();
    auto app = test.accept();
    app->stop_reading(true);
    const std::string flood(64 << 20, 'f');
    client->send(flood);
    uint64_t most = 0;
    for (int i = 0; i < 50; ++i) {
        test.settle();
        most = std::max<uint64_t>(most, test.engine->stats().buffered_bytes);
    }
    CHECK(most > 0);
    CHECK(most <= 3 * 65536U);
    app->stop_reading(false);
    CHECK(test.until([&] { return app->received.size() == flood.size(); }));
}

CASE("an idle tunnel ends after its time") {
    EngineLimits limits;
    limits.tunnel_idle_timeout_ms = 1000;
    Tunnels test(limits);
    auto client = test.connect();
    auto app = test.accept();
    client->send("x");
    CHECK(test.until([&] { return app->has("x"); }));
    test.advance(900);
    app->send("y");
    CHECK(test.until([&] { return client->has("y"); }));
    test.advance(900);
    test.settle();
    CHECK(!client->was_reset);
    test.advance(200);
    CHECK(test.until([&] { return client->was_reset && test.count(CompletionKind::connection) == 1; }));
    CHECK(test.last(CompletionKind::connection)->reason == Reason::idle_timeout);
}

constexpr std::string_view upgrade =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

CASE("after 101 bytes flow as they are, those that came along with the heads included") {
    EngineUnderTest test;
    auto client = test.connect();
    auto app = test.deliver(*client, std::string(upgrade) + "early");
    CHECK(app->has("websocket"));
    CHECK(!app->has("early"));
    app->send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nwelcome");
    CHECK(test.until([&] { return client->has("welcome") && app->has("early"); }));
    CHECK(client->has("101 Switching Protocols"));
    client->send("frame");
    CHECK(test.until([&] { return app->has("frame"); }));
    client->close();
    app->close();
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 1; }));
    CHECK_EQUAL(test.last(CompletionKind::request)->status, 101);
    CHECK_EQUAL(test.count(CompletionKind::attempt), 1U);
}

CASE("an upgrade that the server declines is an ordinary response") {
    EngineUnderTest test;
    auto client = test.connect();
    auto app = test.deliver(*client, upgrade);
    app->send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
    CHECK(test.until([&] { return client->received.ends_with("no"); }));
    client->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(test.until([&] { return app->has("GET / "); }));
}

CASE("a 101 that nobody asked for is refused") {
    EngineUnderTest test;
    auto client = test.connect();
    auto app = test.deliver(*client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    app->send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    CHECK(test.until([&] { return client->has("\r\n\r\n"); }));
    CHECK(client->received.starts_with("HTTP/1.1 502 "));
}

CASE("CONNECT tunnels after 2xx, and not after a refusal") {
    EngineUnderTest test;
    auto client = test.connect();
    auto app = test.deliver(*client, "CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\nhello");
    app->send("HTTP/1.1 200 Connected\r\n\r\n");
    CHECK(test.until([&] { return app->has("hello"); }));
    app->send("world");
    CHECK(test.until([&] { return client->has("world"); }));
    auto second = test.connect();
    auto other = test.deliver(*second, "CONNECT db:1 HTTP/1.1\r\nHost: db:1\r\n\r\n");
    other->send("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
    CHECK(test.until([&] { return second->has("403"); }));
}

} // namespace
} // namespace weft::testing
