// SPDX-License-Identifier: Apache-2.0
// Timeouts, limits, fairness, draining: what keeps one client, pod or server from harming the others.
#include "engine/test/engine-under-test.hpp"
#include <algorithm>

namespace weft::testing {
namespace {

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: shop\r\n\r\n";
constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

CASE("a head that does not arrive in time is answered 408, and the connection ends") {
    EngineUnderTest test;
    auto client = test.connect();
    client->send("GET / HT");
    CHECK(test.until([&] { return test.engine->stats().exchanges == 1; }));
    test.advance(31'000);
    CHECK(test.until([&] { return client->ended; }));
    CHECK(client->has("408"));
    CHECK(client->has("header_timeout"));
}

CASE("an idle client and an idle endpoint's connection end after their time") {
    EngineLimits limits;
    limits.idle_timeout_ms = 1000;
    limits.pool_idle_timeout_ms = 500;
    EngineUnderTest test(limits);
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    app->send(ok);
    CHECK(test.until([&] { return client->has("ok"); }));
    test.advance(600);
    CHECK(test.until([&] { return app->ended; }));
    CHECK(!client->ended);
    test.advance(600);
    CHECK(test.until([&] { return client->ended && test.count(CompletionKind::connection) == 1; }));
    CHECK(test.last(CompletionKind::connection)->reason == Reason::idle_timeout);
}

CASE("connections over the workload's limit are reset by name; another workload is not touched") {
    EngineUnderTest test;
    test.engine->set_workload(1, {.connections = 2});
    test.engine->add_workload(2, {});
    const uint16_t other = test.listen_for(2, Direction::outbound);
    auto first = test.connect();
    auto second = test.connect();
    CHECK(test.until([&] { return test.engine->stats().connections == 2; }));
    auto third = test.connect();
    CHECK(test.until([&] { return third->was_reset && test.count(CompletionKind::connection) == 1; }));
    CHECK(test.last(CompletionKind::connection)->reason == Reason::connection_limit);
    auto neighbour = test.connect_to(other);
    CHECK(test.until([&] { return test.engine->stats().connections == 3; }));
}

CASE("requests over the pending limit are refused by name") {
    EngineUnderTest test;
    test.engine->add_workload(2, {.pending_requests = 1});
    test.fill_stock = false;
    const uint16_t bare = test.listen_for(2, Direction::outbound);
    auto first = test.connect_to(bare);
    first->send(get);
    test.settle();
    auto second = test.connect_to(bare);
    second->send(get);
    CHECK(test.until([&] { return second->has("\r\n\r\n"); }));
    CHECK(second->has("pending_limit"));
}

CASE("a large response to a slow client is held at the endpoint, and memory stays bounded") {
    EngineUnderTest test;
    auto client = test.connect();
    client->stop_reading(true);
    auto app = test.deliver(*client, get);
    const std::string body(64 << 20, 'x');
    app->send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    app->send(body);
    uint64_t most = 0;
    for (int i = 0; i < 50; ++i) {
        test.settle();
        most = std::max<uint64_t>(most, test.engine->stats().buffered_bytes);
    }
    CHECK(most > 0);
    CHECK(most <= 3 * 65536U);
    client->stop_reading(false);
    CHECK(test.until([&] { return client->received.size() > body.size(); }));
}

CASE("a workload at its buffer limit takes no new requests, and what runs comes through") {
    EngineUnderTest test;
    test.engine->set_workload(1, {.buffered_bytes = 16384});
    auto slow = test.connect();
    slow->stop_reading(true);
    auto app = test.deliver(*slow, get);
    const std::string body(32 << 20, 'x');
    app->send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    app->send(body);
    CHECK(test.until([&] { return test.engine->stats().buffered_bytes >= 16384; }));
    auto refused = test.connect();
    refused->send(get);
    CHECK(test.until([&] { return refused->has("\r\n\r\n"); }));
    CHECK(refused->has("buffer_limit"));
    slow->stop_reading(false);
    CHECK(test.until([&] { return slow->received.size() > body.size(); }));
}

CASE("a quiet workload's request is served while another floods") {
    EngineUnderTest test;
    test.engine->add_workload(2, {});
    const uint16_t quiet_port = test.listen_for(2, Direction::outbound);
    std::vector<std::unique_ptr<Peer>> flood;
    std::vector<std::unique_ptr<Peer>> sinks;
    const std::string body(8 << 20, 'f');
    for (int i = 0; i < 8; ++i) {
        flood.push_back(test.connect());
        flood.back()->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
                           "\r\n\r\n");
        sinks.push_back(test.accept());
    }
    for (auto &each : flood)
        each->send(body);
    auto quiet = test.connect_to(quiet_port);
    quiet->send(get);
    uint64_t turns = 0;
    std::unique_ptr<Peer> app;
    const uint64_t before = test.engine->stats().turns;
    CHECK(test.until([&] {
        if (app == nullptr)
            app = test.try_accept();
        return app != nullptr && app->has("\r\n\r\n");
    }));
    turns = test.engine->stats().turns - before;
    CHECK(turns < 20);
    app->send(ok);
    CHECK(test.until([&] { return quiet->has("ok"); }));
}

CASE("draining takes no new connections, finishes what runs, and says so to keep-alive clients") {
    EngineUnderTest test;
    auto idle = test.connect();
    auto busy = test.connect();
    busy->send(get);
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("\r\n\r\n") && test.engine->stats().connections == 2; }));
    test.engine->drain();
    CHECK(test.until([&] { return idle->ended; }));
    CHECK(!test.engine->drained());
    app->send(ok);
    CHECK(test.until([&] { return busy->ended; }));
    CHECK(busy->has("ok"));
    CHECK(busy->has("onnection: close"));
    busy->close();
    CHECK(test.until([&] { return test.engine->drained(); }));
}

CASE(
    "a workload that retires takes what waits at its listener, answers all, and tells its clients to leave") {
    EngineUnderTest test;
    auto kept = test.connect();
    auto app = test.deliver(*kept, get);
    app->send(ok);
    CHECK(test.until([&] { return kept->has("ok"); }));
    CHECK(!kept->has("onnection: close"));
    auto waiting = test.connect(); // not accepted yet
    CHECK(test.engine->retire_workload(1, 1000));
    CHECK(!test.engine->retire_workload(2, 1000));
    kept->received.clear();
    app->received.clear();
    test.settle();
    CHECK(!kept->ended && !waiting->ended);
    kept->send(get);
    CHECK(test.until([&] { return app->has("\r\n\r\n"); }));
    app->send(ok);
    CHECK(test.until([&] { return kept->ended; }));
    CHECK(kept->has("ok") && kept->has("onnection: close"));
    app->received.clear();
    waiting->send(get); // long after it has connected
    CHECK(test.until([&] { return app->has("\r\n\r\n"); }));
    app->send(ok);
    CHECK(test.until([&] { return waiting->ended; }));
    CHECK(waiting->has("ok") && waiting->has("onnection: close"));
}

CASE("a workload that retires ends what says nothing when its time is up") {
    EngineUnderTest test;
    auto silent = test.connect();
    CHECK(test.until([&] { return test.engine->stats().connections == 1; }));
    test.engine->retire_workload(1, 1000);
    test.advance(300);
    test.settle();
    CHECK(!silent->ended && !silent->was_reset);
    test.advance(800);
    CHECK(test.until([&] { return silent->was_reset; }));
    test.settle(); // it is told a turn later
    CHECK(test.last(CompletionKind::connection)->reason == Reason::workload_withdrawn);
}

CASE("handed on, an idle client keeps its connection for one more request, and is told to leave by its "
     "answer") {
    EngineUnderTest test;
    auto idle = test.connect();
    auto app = test.deliver(*idle, get);
    app->send(ok);
    CHECK(test.until([&] { return idle->has("ok"); }));
    CHECK(!idle->has("onnection: close"));
    auto silent = test.connect();
    CHECK(test.until([&] { return test.engine->stats().connections == 2; }));
    test.engine->hand_on();
    test.settle();
    CHECK(!idle->ended && !silent->ended && !app->ended);
    idle->received.clear();
    app->received.clear();
    idle->send(get);
    CHECK(test.until([&] { return app->has("\r\n\r\n"); })); // the endpoint's connection is still good
    app->send(ok);
    CHECK(test.until([&] { return idle->ended; }));
    CHECK(idle->has("ok") && idle->has("onnection: close"));
    CHECK(!test.engine->drained());
    test.engine->drain();
    CHECK(test.until([&] { return silent->ended; }));
    idle->close();
    silent->close();
    CHECK(test.until([&] { return test.engine->drained(); }));
}

CASE("a removed workload loses listeners and pools at once, its connections with what runs or after the "
     "grace") {
    EngineUnderTest test;
    auto client = test.connect();
    client->send(get);
    auto app = test.accept();
    auto slow = test.connect();
    slow->send(get);
    auto silent = test.accept();
    CHECK(test.until([&] { return app->has("\r\n\r\n") && silent->has("\r\n\r\n"); }));
    test.engine->remove_workload(1, 1000);
    CHECK(!test.engine->set_workload(1, {}));
    test.settle();
    app->send(ok);
    CHECK(test.until([&] { return client->ended; }));
    CHECK(client->has("onnection: close") && client->has("ok"));
    client->close();
    CHECK(test.until([&] { return test.count(CompletionKind::connection) == 1; }));
    test.advance(1001);
    CHECK(test.until([&] { return slow->was_reset && test.count(CompletionKind::connection) == 2; }));
    CHECK(test.last(CompletionKind::connection)->reason == Reason::workload_withdrawn);
    CHECK(test.engine->add_workload(1, {}));
}

CASE("a removed endpoint's idle connections end; a new generation is not served by old connections") {
    EngineUnderTest test;
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    app->send(ok);
    CHECK(test.until([&] { return client->has("ok"); }));
    Endpoint next;
    next.address = *Address::parse("127.0.0.1", test.app_port);
    next.destination = 7;
    next.generation = 1;
    test.engine->set_endpoint(1, next);
    auto second = test.deliver(*client, get);
    second->send(ok);
    CHECK(test.until([&] { return test.engine->stats().pooled == 2; }));
    CHECK(test.engine->remove_endpoint(1));
    CHECK(test.until([&] { return second->ended; }));
    CHECK(!app->ended);
}

CASE("people see the connections, and can close them by tag") {
    EngineUnderTest test;
    auto client = test.connect();
    CHECK(test.until([&] { return test.engine->stats().rows == 1; }));
    std::string state;
    test.engine->visit_connections([&](const ConnectionInfo &info) { state = info.state; });
    CHECK_EQUAL(state, "http");
    CHECK_EQUAL(test.engine->close_connections(Reason::policy_denied, {.workload = {}, .tag = 5}), 0U);
    CHECK_EQUAL(test.engine->close_connections(Reason::policy_denied, {.workload = 1, .tag = 0}), 1U);
    CHECK(test.until([&] { return client->was_reset; }));
}

CASE("nothing is left open when an engine ends in the middle of everything") {
    const size_t before = open_descriptors();
    {
        EngineUnderTest test;
        std::vector<std::unique_ptr<Peer>> peers;
        for (int i = 0; i < 20; ++i) {
            peers.push_back(test.connect());
            peers.back()->send(i % 2 == 0 ? get : get.substr(0, 10));
        }
        CHECK(test.until([&] { return test.engine->stats().exchanges == 20; }));
    }
    CHECK_EQUAL(open_descriptors(), before);
}

} // namespace
} // namespace weft::testing
