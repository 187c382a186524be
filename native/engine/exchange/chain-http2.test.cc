// SPDX-License-Identifier: Apache-2.0
// Two engines behind each other, as between two pods: an application, an engine, HTTP/2, an engine, an
// application; each of the two applications speaks either protocol.
#include "engine/test/http2-peer-under-test.hpp"

namespace weft::testing {
namespace {

/// The source's engine; its endpoint 1 is the destination's inbound listener.
struct Chain {
    EngineUnderTest destination;
    EngineUnderTest source;

    explicit Chain(bool app_speaks_http2) {
        const uint16_t inbound = destination.listen_for(1, Direction::inbound);
        if (app_speaks_http2)
            forward_by_http2(destination);
        Endpoint agent;
        agent.address = *Address::parse("127.0.0.1", inbound);
        agent.destination = 9;
        source.engine->set_endpoint(1, agent);
        forward_by_http2(source);
        source.each_turn([this] { turn(destination); });
        destination.each_turn([this] { turn(source); });
    }

private:
    void turn(EngineUnderTest &other) {
        if (nested_)
            return;
        nested_ = true;
        other.engine->turn();
        other.poll_peers();
        nested_ = false;
    }
    bool nested_ = false;
};

const std::string post = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n";
const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

CASE("an HTTP/1 application reaches an HTTP/1 application over HTTP/2, trailers and all") {
    Chain chain(false);
    auto client = chain.source.connect();
    client->send(post + "3\r\none\r\n");
    auto app = chain.destination.accept();
    CHECK(chain.source.until([&] { return app->has("3\r\none\r\n"); }));
    CHECK(app->received.starts_with("POST /x HTTP/1.1\r\n"));
    client->send("3\r\ntwo\r\n0\r\nDigest: q\r\n\r\n");
    CHECK(chain.source.until([&] { return app->has("3\r\ntwo\r\n0\r\ndigest: q\r\n\r\n"); }));
    app->send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + chunked + "3\r\nabc\r\n");
    CHECK(chain.source.until([&] { return client->has("3\r\nabc\r\n"); }));
    CHECK(client->received.starts_with("HTTP/1.1 103 Early Hints\r\n"));
    app->send("0\r\nSum: 3\r\n\r\n");
    CHECK(chain.source.until([&] { return client->has("0\r\nsum: 3\r\n\r\n"); }));
}

CASE("all of HTTP/2, streams at the same time, 20 MB both ways") {
    Chain chain(true);
    Http2Peer client(chain.source, chain.source.connect(), http2::Role::client);
    const std::string body(1'000'000, 'b');
    for (int i = 0; i < 20; ++i)
        client.request(post, body, true, "n: " + std::to_string(i) + "\r\n");
    Http2Peer app(chain.destination, chain.destination.accept(), http2::Role::server);
    size_t answered = 0;
    CHECK(chain.source.until([&] {
        for (; answered < app.side.order.size() && app.at(app.side.order[answered]).ended; ++answered)
            CHECK(app.respond(app.side.order[answered], chunked, app.at(app.side.order[answered]).content,
                              true, app.at(app.side.order[answered]).trailers));
        return chain.source.count(CompletionKind::request) == 20;
    }));
    CHECK_EQUAL(answered, 20U);
    for (const Completion &each : chain.source.completions)
        if (each.kind == CompletionKind::request) {
            CHECK_EQUAL(each.bytes_received, body.size());
            CHECK_EQUAL(each.bytes_sent, body.size());
            CHECK_EQUAL(each.reason, Reason::none);
        }
    CHECK(chain.source.try_accept() == nullptr);
    CHECK_EQUAL(chain.source.engine->stats().exchanges, 0U);
    CHECK(chain.source.engine->stats().buffered_bytes <= 2 * 16 * 1024);
}

CASE("an early answer passes two engines, its request goes on, and so does the word that it is not wanted") {
    const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    for (const bool wanted : {true, false}) {
        Chain chain(false);
        auto client = chain.source.connect();
        client->send(post + "3\r\none\r\n");
        auto app = chain.destination.accept();
        CHECK(chain.source.until([&] { return app->has("3\r\none\r\n"); }));
        app->send(ok);
        CHECK(chain.source.until([&] { return client->received.ends_with("\r\n\r\nok"); }));
        if (!wanted) {
            app->finish();
            CHECK(chain.source.until([&] { return client->ended; }));
            CHECK(!client->was_reset);
            continue;
        }
        client->send("3\r\ntwo\r\n0\r\n\r\n");
        CHECK(chain.source.until([&] { return app->received.ends_with("3\r\ntwo\r\n0\r\n\r\n"); }));
        CHECK(chain.source.until([&] { return chain.source.count(CompletionKind::request) == 1; }));
        client->received.clear();
        client->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"); // by the same connections
        CHECK(chain.source.until([&] { return app->has("GET / "); }));
        app->send(ok);
        CHECK(chain.source.until([&] { return client->has("ok"); }));
    }
}

CASE("a refusal by the destination keeps its name on the way back, and a reset stays a reset") {
    Chain chain(false);
    chain.destination.on_decide = [&](uint32_t rows) {
        auto &batch = chain.destination.engine->batch();
        for (uint32_t row = 0; row < rows; ++row) {
            const bool connection = batch.rows.kind[row] == 0;
            const bool cut = !connection && chain.destination.path(row) == "/cut";
            batch.verdicts.action[row] = static_cast<uint8_t>(connection ? Action::http
                                                              : cut      ? Action::reset
                                                                         : Action::reply);
            batch.verdicts.reason[row] = static_cast<uint16_t>(Reason::policy_denied);
        }
        return true;
    };
    auto client = chain.source.connect();
    client->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(chain.source.until([&] { return client->has("x-weft-reason: policy_denied"); }));
    CHECK(client->received.starts_with("HTTP/1.1 403 Forbidden\r\n"));
    client->received.clear();
    client->send("GET /cut HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(chain.source.until([&] { return client->has("x-weft-reason: upstream_reset"); }));
}

} // namespace
} // namespace weft::testing
