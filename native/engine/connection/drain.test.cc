// SPDX-License-Identifier: Apache-2.0
// What a drain leaves to clients whose answers are not read yet.
#include "engine/test/engine-under-test.hpp"
#include <string>

namespace weft::testing {
namespace {

/// An answer of which the client has read nothing when the engine has all of it.
struct UnreadAnswer {
    UnreadAnswer() : test(roomy()), client(test.connect()) {
        client->stop_reading(true);
        app = test.deliver(*client, "GET /a HTTP/1.1\r\nHost: cart\r\n\r\n");
        app->send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n");
        app->send(std::string(bytes - 1, 'x'));
    }
    /// More than sockets hold, and less than the engine keeps for one connection.
    static constexpr size_t bytes = size_t{24} << 20;
    static EngineLimits roomy() {
        EngineLimits limits;
        limits.buffer_bytes = 2 * bytes;
        return limits;
    }
    bool read_to_the_end() {
        client->stop_reading(false);
        return test.until([&] { return client->ended || client->was_reset; }) && client->ended &&
               client->received.size() > bytes && client->received.back() == 'y';
    }
    EngineUnderTest test;
    std::unique_ptr<Peer> client;
    std::unique_ptr<Peer> app;
};

CASE("a drain leaves a client that reads slowly the rest of an answer that is over") {
    UnreadAnswer slow;
    slow.app->send("y");
    CHECK(slow.test.until([&] { return slow.test.count(CompletionKind::request) == 1; }));
    slow.test.engine->drain();
    CHECK(!slow.test.engine->drained());
    CHECK(slow.read_to_the_end());
    CHECK(slow.test.engine->drained());
}

CASE("a drain leaves a client that reads slowly the rest of an answer that ends later") {
    UnreadAnswer slow;
    CHECK(slow.test.until([&] { return slow.test.engine->stats().buffered_bytes > 0; }));
    slow.test.engine->drain();
    slow.app->send("y");
    CHECK(slow.test.until([&] { return slow.test.count(CompletionKind::request) == 1; }));
    CHECK(slow.read_to_the_end());
    CHECK(slow.test.engine->drained());
}

} // namespace
} // namespace weft::testing
