// SPDX-License-Identifier: Apache-2.0
// Answers that are whole before their request: each direction ends on its own, over all four bridges.
#include "engine/test/http2-peer-under-test.hpp"

namespace weft::testing {
namespace {

const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string too_much = "HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\n";
const std::string closing = "HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\nConnection: close\r\n\r\n";

std::string chunk(const std::string &content) {
    std::ostringstream head;
    head << std::hex << content.size();
    return head.str() + "\r\n" + content + "\r\n";
}

/// A client that uploads and an application that answers, each by one of the protocols.
class Bridge {
public:
    Bridge(bool from_http2_of, bool to_http2_of) : from_http2(from_http2_of), to_http2(to_http2_of) {
        if (to_http2)
            forward_by_http2(test);
        auto peer = test.connect();
        if (from_http2)
            client2 = std::make_unique<Http2Peer>(test, std::move(peer), http2::Role::client);
        else
            client1 = std::move(peer);
    }

    /// Sends a request whose content goes on, and waits until the application sees it.
    void begin(const std::string &content, const std::string &head = post) {
        if (from_http2)
            stream = client2->request(head, content, false);
        else
            client1->send(head + (content.empty() ? "" : chunk(content)));
        const bool first = !app1 && !app2;
        if (first && to_http2)
            app2 = std::make_unique<Http2Peer>(test, test.accept(), http2::Role::server);
        else if (first)
            app1 = test.accept();
        ++begun;
        CHECK(test.until([&] { return has_come(content); }));
    }
    bool has_come(const std::string &content) {
        if (!to_http2)
            return app1->has(content.empty() ? "\r\n\r\n" : chunk(content));
        if (app2->side.order.size() < begun)
            return false;
        there = app2->side.order.back();
        return app2->at(there).content.ends_with(content);
    }
    void give(const std::string &content, bool all) {
        if (from_http2)
            client2->give(stream, content, all);
        else
            client1->send((content.empty() ? "" : chunk(content)) + (all ? "0\r\n\r\n" : ""));
    }
    /// The request's end has come to the application.
    bool is_whole() { return to_http2 ? app2->at(there).ended : app1->received.ends_with("\r\n0\r\n\r\n"); }
    void answer(const std::string &head = too_much) {
        if (to_http2)
            CHECK(app2->respond(there, head, "no"));
        else
            app1->send(head + "no");
        CHECK(test.until([&] { return is_answered(); }));
    }
    bool is_answered() {
        return from_http2 ? client2->at(stream).ended && client2->at(stream).content == "no"
                          : client1->received.ends_with("\r\n\r\nno");
    }
    /// The client was told that the rest is not wanted, and the answer not taken from it.
    bool is_stopped() {
        if (from_http2)
            return client2->at(stream).closed && client2->at(stream).error_code == NGHTTP2_NO_ERROR &&
                   client2->at(stream).why == Reason::none && is_answered();
        return client1->ended && !client1->was_reset && is_answered();
    }
    /// The application knows that nothing more of the request will come.
    bool is_cut() {
        return to_http2 ? app2->at(there).closed && !app2->at(there).ended : app1->ended || app1->was_reset;
    }
    /// The one request's completion.
    const Completion &completion() {
        CHECK(test.until([&] { return test.count(CompletionKind::request) > 0; }));
        CHECK_EQUAL(test.count(CompletionKind::request), 1U);
        CHECK_EQUAL(test.count(CompletionKind::attempt), 1U);
        CHECK_EQUAL(test.last(CompletionKind::request)->status, 413);
        CHECK_EQUAL(test.engine->stats().exchanges, 0U);
        return *test.last(CompletionKind::request);
    }
    Peer &client() { return from_http2 ? *client2->peer : *client1; }
    Peer &app() { return to_http2 ? *app2->peer : *app1; }

    const bool from_http2;
    const bool to_http2;
    EngineUnderTest test;
    std::unique_ptr<Peer> client1, app1;
    std::unique_ptr<Http2Peer> client2, app2;
    http2::StreamRef stream, there;
    size_t begun = 0;
};

void over_all_bridges(const std::function<void(Bridge &)> &check) {
    for (const bool from_http2 : {false, true})
        for (const bool to_http2 : {false, true}) {
            Bridge bridge(from_http2, to_http2);
            check(bridge);
        }
}

CASE("a request goes on behind its whole answer, and both connections are used again") {
    over_all_bridges([](Bridge &bridge) {
        bridge.begin("one");
        bridge.answer();
        bridge.test.settle();
        CHECK_EQUAL(bridge.test.count(CompletionKind::request), 0U);
        CHECK(!bridge.is_cut() && !bridge.client().ended);
        bridge.give("two", false);
        CHECK(bridge.test.until([&] { return bridge.has_come("two"); }));
        bridge.test.settle();
        CHECK_EQUAL(bridge.test.engine->stats().exchanges, 1U);
        bridge.give("three", true);
        CHECK(bridge.test.until([&] { return bridge.has_come("three") && bridge.is_whole(); }));
        const Completion &completion = bridge.completion();
        CHECK_EQUAL(completion.reason, Reason::none);
        CHECK_EQUAL(completion.bytes_received, 11U);
        CHECK_EQUAL(completion.bytes_sent, 2U);
        bridge.client().received.clear();
        bridge.begin("four");
        bridge.give("", true);
        CHECK(bridge.test.until([&] { return bridge.is_whole(); }));
        bridge.answer();
        CHECK(bridge.test.until([&] { return bridge.test.count(CompletionKind::request) == 2; }));
        CHECK(bridge.test.last(CompletionKind::request)->reused);
        CHECK(bridge.test.try_accept() == nullptr);
    });
}

CASE("an endpoint that ends its side wants no more: its client hears so behind the answer") {
    over_all_bridges([](Bridge &bridge) {
        bridge.begin("one");
        bridge.answer();
        bridge.test.settle();
        CHECK(!bridge.client().ended);
        if (bridge.to_http2)
            bridge.app2->session.reset(bridge.there, NGHTTP2_NO_ERROR);
        else
            bridge.app1->finish();
        CHECK(bridge.test.until([&] { return bridge.is_stopped(); }));
        CHECK_EQUAL(bridge.completion().reason, Reason::none);
        CHECK_EQUAL(bridge.test.engine->stats().pooled, 0U);
    });
}

CASE("an answer that announces the connection's end ends the request too") {
    for (const bool from_http2 : {false, true}) {
        Bridge bridge(from_http2, false);
        bridge.begin("one");
        bridge.answer(closing);
        CHECK(bridge.test.until([&] { return bridge.is_stopped() && bridge.is_cut(); }));
        CHECK(from_http2 || bridge.client1->has("Connection: close\r\n"));
        CHECK_EQUAL(bridge.completion().reason, Reason::none);
    }
}

CASE("a large request goes on as fast as its endpoint takes it, also after its client has left") {
    over_all_bridges([](Bridge &bridge) {
        // By HTTP/2 a window and a half: the client is done, and the half waits here. By HTTP/1 more than
        // all sockets hold.
        const std::string content(bridge.to_http2 ? 100'000 : 16'000'000, 'x');
        bridge.begin("one");
        bridge.answer();
        if (bridge.to_http2)
            bridge.app2->side.credits = false;
        else
            bridge.app1->stop_reading(true);
        bridge.give(content, true);
        for (int i = 0; i < 5; ++i)
            bridge.test.settle();
        CHECK(bridge.test.engine->stats().buffered_bytes < 400'000);
        CHECK_EQUAL(bridge.test.engine->stats().exchanges, 1U);
        if (!bridge.to_http2)
            bridge.app1->stop_reading(false);
        if (bridge.from_http2)
            CHECK(bridge.test.until([&] { return bridge.client2->at(bridge.stream).closed; }));
        bridge.client().finish();
        bridge.test.settle();
        if (bridge.to_http2) {
            CHECK(!bridge.is_whole() && !bridge.is_cut());
            bridge.app2->side.credits = true;
            bridge.app2->session.credit(bridge.there, content.size());
        }
        CHECK(bridge.test.until([&] { return bridge.is_whole(); }));
        CHECK_EQUAL(bridge.completion().reason, Reason::none);
        CHECK_EQUAL(bridge.completion().bytes_received, content.size() + 3);
        CHECK(bridge.test.until([&] { return bridge.client().ended; }));
    });
}

CASE("a client that resets its connection behind its whole request takes nothing of that away") {
    for (const bool to_http2 : {false, true})
        for (const bool is_read : {false, true}) {
            Bridge bridge(true, to_http2);
            bridge.begin("one");
            bridge.answer();
            if (to_http2)
                bridge.app2->side.credits = false;
            else
                bridge.app1->stop_reading(true);
            // More than the endpoint's window, where the client may have sent it all.
            const std::string content(is_read ? 100'000 : 30'000, 'x');
            bridge.give(content, true);
            if (is_read)
                CHECK(bridge.test.until([&] { return bridge.client2->at(bridge.stream).closed; }));
            bridge.client().reset();
            bridge.test.settle();
            if (to_http2) {
                bridge.app2->side.credits = true;
                bridge.app2->session.credit(bridge.there, content.size());
            } else {
                bridge.app1->stop_reading(false);
            }
            CHECK(bridge.test.until([&] { return bridge.is_whole(); }));
            CHECK_EQUAL(bridge.completion().reason, Reason::none);
            CHECK_EQUAL(bridge.completion().bytes_received, content.size() + 3);
            CHECK(bridge.test.until([&] { return bridge.test.count(CompletionKind::connection) == 1; }));
        }
}

CASE("a client that has its whole answer may stop its request: the endpoint is told, and nothing failed") {
    over_all_bridges([](Bridge &bridge) {
        bridge.begin("one");
        bridge.answer();
        if (bridge.from_http2)
            bridge.client2->session.reset(bridge.stream, NGHTTP2_CANCEL);
        else
            bridge.client1->finish();
        CHECK(bridge.test.until([&] { return bridge.is_cut(); }));
        CHECK_EQUAL(bridge.completion().reason, Reason::none);
        CHECK_EQUAL(bridge.test.engine->stats().pooled, 0U);
    });
}

CASE("a request that stands still behind its answer ends by the idle timeout, which takes no answer away") {
    over_all_bridges([](Bridge &bridge) {
        bridge.begin("one");
        bridge.answer();
        bridge.test.advance(200'000);
        bridge.test.settle();
        bridge.give("two", false); // it moves: the time starts anew
        CHECK(bridge.test.until([&] { return bridge.has_come("two"); }));
        bridge.test.advance(200'000);
        bridge.test.settle();
        CHECK(!bridge.is_cut());
        if (bridge.from_http2) { // its other streams keep the session, not this one
            bridge.test.advance(99'000);
            bridge.client2->request(post, "x", false);
            bridge.test.settle();
        }
        bridge.test.advance(bridge.from_http2 ? 2'000 : 101'000);
        CHECK(bridge.test.until([&] { return bridge.is_stopped() && bridge.is_cut(); }));
        CHECK(bridge.test.until([&] { return bridge.test.count(CompletionKind::request) == 1; }));
        CHECK_EQUAL(bridge.test.last(CompletionKind::request)->reason, Reason::idle_timeout);
        CHECK_EQUAL(bridge.test.last(CompletionKind::request)->status, 413);
    });
}

CASE("a request's deadline ends it behind its answer, which stays whole") {
    over_all_bridges([](Bridge &bridge) {
        bridge.test.on_decide = [&](uint32_t rows) {
            auto &batch = bridge.test.engine->batch();
            for (uint32_t row = 0; row < rows; ++row) {
                bridge.test.forward_to(row);
                batch.verdicts.flags[row] = bridge.to_http2 ? verdict_flag::http2 : 0;
                batch.verdicts.deadline_ms[row] = 10'000;
                batch.verdicts.backend_timeout_ms[row] = 5'000;
                if (batch.rows.kind[row] == static_cast<uint8_t>(RowKind::connection))
                    batch.verdicts.action[row] = static_cast<uint8_t>(Action::http);
            }
            return true;
        };
        bridge.begin("one");
        bridge.answer();
        bridge.test.advance(6'000); // the backend has answered in time
        bridge.give("two", false);
        CHECK(bridge.test.until([&] { return bridge.has_come("two"); }));
        bridge.test.advance(5'000);
        CHECK(bridge.test.until([&] { return bridge.is_stopped() && bridge.is_cut(); }));
        CHECK_EQUAL(bridge.completion().reason, Reason::request_timeout);
    });
}

CASE("a drain waits for a request behind its answer") {
    over_all_bridges([](Bridge &bridge) {
        bridge.begin("one");
        bridge.answer();
        bridge.test.engine->drain();
        bridge.test.settle();
        bridge.give("two", true);
        CHECK(bridge.test.until([&] { return bridge.has_come("two") && bridge.is_whole(); }));
        CHECK_EQUAL(bridge.completion().reason, Reason::none);
        CHECK(bridge.test.until([&] { return bridge.client().ended; }));
        bridge.client().close();
        CHECK(bridge.test.until([&] { return bridge.test.engine->drained(); }));
    });
}

CASE("a request that broke off or is malformed behind its answer is never taken for whole") {
    for (const bool to_http2 : {false, true}) {
        Bridge bridge(false, to_http2);
        bridge.begin("one");
        bridge.answer();
        bridge.client1->send("zz\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(bridge.test.until([&] { return bridge.is_cut() && bridge.is_stopped(); }));
        CHECK_EQUAL(bridge.completion().reason, Reason::http1_bad_chunk);
        CHECK_EQUAL(bridge.test.engine->stats().pooled, 0U);
        CHECK(!bridge.app().has("smuggled"));
    }
    for (const bool to_http2 : {false, true}) {
        Bridge bridge(true, to_http2);
        bridge.begin("one");
        bridge.answer();
        bridge.client2->peer->close(); // without a word
        CHECK(bridge.test.until([&] { return bridge.is_cut(); }));
        CHECK_EQUAL(bridge.test.engine->stats().pooled, 0U);
    }
}

CASE("bytes behind a whole answer end the request: they answer nothing") {
    for (const bool from_http2 : {false, true}) {
        Bridge bridge(from_http2, false);
        bridge.begin("one");
        bridge.answer();
        bridge.app1->send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
        CHECK(bridge.test.until([&] { return bridge.is_stopped() && bridge.is_cut(); }));
        CHECK(!bridge.client().has("poison"));
        CHECK_EQUAL(bridge.completion().reason, Reason::none);
        CHECK_EQUAL(bridge.test.engine->stats().pooled, 0U);
    }
}

CASE("a client that asked whether to send content, and got an answer instead, sends none") {
    const std::string asks =
        "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n";
    over_all_bridges([&](Bridge &bridge) {
        bridge.begin("", asks);
        bridge.answer();
        CHECK(bridge.test.until([&] { return bridge.is_stopped() && bridge.is_cut(); }));
        CHECK(bridge.from_http2 || bridge.client1->has("Connection: close\r\n"));
        CHECK_EQUAL(bridge.completion().reason, Reason::none);
    });
}

CASE("a client that knows its answer's end by the connection's is shown that") {
    EngineUnderTest test;
    auto client = test.connect();
    client->send("POST / HTTP/1.0\r\nContent-Length: 9\r\n\r\none");
    auto app = test.accept();
    CHECK(test.until([&] { return app->received.ends_with("one"); }));
    app->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n");
    CHECK(test.until([&] { return client->ended; }));
    CHECK(client->received.ends_with("\r\n\r\nno"));
    CHECK(test.until([&] { return app->ended || app->was_reset; }));
}

CASE("an answer that was held and passed on leaves its request the way") {
    for (const bool from_http2 : {false, true}) {
        Bridge bridge(from_http2, true);
        StatusSet statuses;
        statuses.set(413);
        const uint16_t set = *bridge.test.engine->status_sets().define(statuses);
        bridge.test.on_decide = [&](uint32_t rows) {
            auto &batch = bridge.test.engine->batch();
            for (uint32_t row = 0; row < rows; ++row) {
                const auto kind = static_cast<RowKind>(batch.rows.kind[row]);
                bridge.test.forward_to(row);
                batch.verdicts.flags[row] = verdict_flag::http2 | verdict_flag::ask_on_response;
                batch.verdicts.retry_statuses[row] = set;
                batch.verdicts.buffer_bytes[row] = 1000;
                if (kind != RowKind::request)
                    batch.verdicts.action[row] =
                        static_cast<uint8_t>(kind == RowKind::connection ? Action::http : Action::pass);
            }
            return true;
        };
        bridge.begin("one");
        bridge.answer();
        bridge.give("two", true);
        CHECK(bridge.test.until([&] { return bridge.has_come("two") && bridge.is_whole(); }));
        CHECK_EQUAL(bridge.completion().reason, Reason::none);
        bridge.test.engine->status_sets().release(set);
    }
}

} // namespace
} // namespace weft::testing
