// SPDX-License-Identifier: Apache-2.0
// What verdicts may say, what happens where they say nonsense, and what waits for one.
#include "engine/test/engine-under-test.hpp"

namespace weft::testing {
namespace {

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: shop\r\n\r\n";
constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Connections become http1; `on_request` decides each request row.
class Decisions : public EngineUnderTest {
public:
    explicit Decisions(const EngineLimits &limits = {}) : EngineUnderTest(limits) {
        on_decide = [this](uint32_t rows) {
            for (uint32_t row = 0; row < rows; ++row)
                if (kind(row) == RowKind::connection)
                    engine->batch().verdicts.action[row] = static_cast<uint8_t>(Action::http);
                else
                    on_request(row);
            return true;
        };
    }
    RowKind kind(uint32_t row) { return static_cast<RowKind>(engine->batch().rows.kind[row]); }
    Batch::VerdictColumns &verdicts() { return engine->batch().verdicts; }
    Batch::RowColumns &rows() { return engine->batch().rows; }
    void act(uint32_t row, Action action) { verdicts().action[row] = static_cast<uint8_t>(action); }

    std::function<void(uint32_t row)> on_request = [this](uint32_t row) { forward_to(row); };
};

CASE("a row shows the request, and the wanted headers joined") {
    Decisions test;
    test.engine->set_wanted_headers({"x-b", "absent", "cookie"});
    std::string seen;
    test.on_request = [&](uint32_t row) {
        seen = test.text(test.rows().method_offset[row], test.rows().method_length[row]) + " " +
               test.path(row) + " " + test.text(test.rows().host_offset[row], test.rows().host_length[row]) +
               " " + test.text(test.rows().header_offset[row * 32], test.rows().header_length[row * 32]) +
               " " +
               test.text(test.rows().header_offset[row * 32 + 2], test.rows().header_length[row * 32 + 2]);
        CHECK_EQUAL(test.rows().header_length[row * 32 + 1], absent_header);
        CHECK_EQUAL(test.rows().flags[row], row_flag::has_body | row_flag::plain_path);
        CHECK_EQUAL(test.rows().body_bytes[row], 3.0);
        CHECK_EQUAL(test.rows().workload[row], 1U);
        CHECK_EQUAL(test.rows().destination_port[row], test.port);
        test.forward_to(row);
    };
    auto client = test.connect();
    client->send("POST /p?q=1 HTTP/1.1\r\nHost: shop:80\r\nX-B: one\r\nCookie: c\r\nx-b: "
                 "two\r\nContent-Length: 3\r\n\r\nabc");
    CHECK(test.until([&] { return !seen.empty(); }));
    CHECK_EQUAL(seen, "POST /p?q=1 shop:80 one, two c");
}

CASE("path, host, extra lines and edits of a verdict are what the endpoint sees") {
    Decisions test;
    http1::Edit edit;
    CHECK(!http1::Edit::compile({.set = {{"x-set", "s"}}, .add = {}, .remove = {"x-gone"}}, edit));
    http1::Edit answer;
    CHECK(!http1::Edit::compile({.set = {{"x-seen", "1"}}, .add = {}, .remove = {}}, answer));
    const uint16_t request_edit = *test.engine->edits().define(std::move(edit));
    const uint16_t response_edit = *test.engine->edits().define(std::move(answer));
    test.on_request = [&](uint32_t row) {
        test.forward_to(row);
        auto &verdicts = test.verdicts();
        verdicts.path_offset[row] = test.write_scratch("/new?x=1");
        verdicts.path_length[row] = 8;
        verdicts.host_offset[row] = test.write_scratch("other");
        verdicts.host_length[row] = 5;
        verdicts.extra_offset[row] = test.write_scratch("traceparent: 00-1\r\n");
        verdicts.extra_length[row] = 19;
        verdicts.request_edit[row] = request_edit;
        verdicts.response_edit[row] = response_edit;
    };
    auto client = test.connect();
    auto app = test.deliver(*client, "GET /old HTTP/1.1\r\nHost: shop\r\nX-Gone: y\r\n\r\n");
    CHECK(app->received.starts_with("GET /new?x=1 HTTP/1.1\r\n"));
    CHECK(app->has("ost: other\r\n"));
    CHECK(app->has("traceparent: 00-1\r\n"));
    CHECK(app->has("x-set: s\r\n"));
    CHECK(!app->has("X-Gone"));
    CHECK(test.engine->edits().release(response_edit)); // still in use: it serves until its exchange ends
    app->send(ok);
    CHECK(test.until([&] { return client->has("ok"); }));
    CHECK(client->has("x-seen: 1\r\n"));
    CHECK(test.engine->edits().get(response_edit) == nullptr);
}

CASE("a local reply carries status, headers, body and reason, and keeps the connection") {
    Decisions test;
    http1::Reply reply;
    CHECK(!http1::Reply::compile({.status = 403, .headers = {{"x-who", "weft"}}, .body = "denied"}, reply));
    const uint16_t id = *test.engine->replies().define(std::move(reply));
    test.on_request = [&](uint32_t row) {
        test.act(row, Action::reply);
        test.verdicts().reply[row] = id;
        test.verdicts().reason[row] = static_cast<uint16_t>(Reason::policy_denied);
        test.verdicts().tag[row] = 5;
    };
    auto client = test.connect();
    client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    CHECK(test.until([&] { return client->has("denied") && test.count(CompletionKind::request) == 1; }));
    CHECK(client->received.starts_with("HTTP/1.1 403 "));
    CHECK(client->has("x-who: weft\r\n"));
    CHECK(client->has("x-weft-reason: policy_denied\r\n"));
    CHECK_EQUAL(test.last(CompletionKind::request)->status, 403);
    CHECK_EQUAL(test.last(CompletionKind::request)->request_tag, 5U);
    CHECK(test.last(CompletionKind::request)->reason == Reason::policy_denied);
    client->send(get);
    CHECK(test.until([&] { return test.count(CompletionKind::request) == 2; }));
}

CASE("a redirect is a reply with extra lines") {
    Decisions test;
    http1::Reply reply;
    CHECK(!http1::Reply::compile({.status = 302, .headers = {}, .body = ""}, reply));
    const uint16_t id = *test.engine->replies().define(std::move(reply));
    test.on_request = [&](uint32_t row) {
        test.act(row, Action::reply);
        test.verdicts().reply[row] = id;
        test.verdicts().extra_offset[row] = test.write_scratch("location: http://b/\r\n");
        test.verdicts().extra_length[row] = 21;
    };
    auto client = test.connect();
    client->send(get);
    CHECK(test.until([&] { return client->has("\r\n\r\n"); }));
    CHECK(client->has("HTTP/1.1 302 "));
    CHECK(client->has("location: http://b/\r\n"));
    CHECK(!client->has("x-weft-reason"));
}

CASE("no verdict, an impossible one, or a throw fails closed") {
    std::vector<std::function<void(Decisions &, uint32_t)>> nonsense = {
        [](Decisions &, uint32_t) {},
        [](Decisions &test, uint32_t row) { test.forward_to(row, 99); },
        [](Decisions &test, uint32_t row) { test.forward_to(row, 0xffffffff); },
        [](Decisions &test, uint32_t row) { test.verdicts().action[row] = 200; },
        [](Decisions &test, uint32_t row) { test.act(row, Action::pass); },
        [](Decisions &test, uint32_t row) { test.act(row, Action::tunnel); },
        [](Decisions &test, uint32_t row) {
            test.forward_to(row);
            test.verdicts().path_offset[row] = 0xffffffff;
            test.verdicts().path_length[row] = 0xffffffff;
        },
        [](Decisions &test, uint32_t row) {
            test.forward_to(row);
            test.verdicts().extra_offset[row] = test.write_scratch("x: y\r\n\r\nGET /evil HTTP/1.1\r\n");
            test.verdicts().extra_length[row] = 29;
        },
        [](Decisions &test, uint32_t row) {
            test.forward_to(row);
            test.verdicts().path_offset[row] = test.write_scratch("/a b");
            test.verdicts().path_length[row] = 4;
        },
        [](Decisions &test, uint32_t row) {
            test.forward_to(row);
            test.verdicts().request_edit[row] = 9;
        },
        [](Decisions &test, uint32_t row) {
            test.act(row, Action::reply);
            test.verdicts().reply[row] = 77;
        },
    };
    for (const auto &each : nonsense) {
        Decisions test;
        test.on_request = [&](uint32_t row) { each(test, row); };
        auto client = test.connect();
        client->send(get);
        CHECK(
            test.until([&] { return client->has("\r\n\r\n") && test.count(CompletionKind::request) == 1; }));
        CHECK(client->received.starts_with("HTTP/1.1 500 "));
        CHECK(test.last(CompletionKind::request)->reason == Reason::decide_failed);
    }
    Decisions test;
    auto client = test.connect();
    test.settle();
    test.on_decide = [](uint32_t) { return false; };
    client->send(get);
    CHECK(test.until([&] { return client->has("\r\n\r\n"); }));
    CHECK(client->received.starts_with("HTTP/1.1 500 "));
    auto refused = test.connect();
    CHECK(test.until([&] { return refused->was_reset; }));
}

CASE("a parked request goes on with resume, once, and only with its own generation") {
    Decisions test;
    uint32_t id = 0;
    uint32_t generation = 0;
    test.on_request = [&](uint32_t row) {
        test.act(row, Action::park);
        id = test.rows().id[row];
        generation = test.rows().generation[row];
    };
    auto client = test.connect();
    client->send(get);
    CHECK(test.until([&] { return generation != 0; }));
    test.settle();
    CHECK_EQUAL(test.engine->stats().parked, 1U);
    Verdict go;
    go.action = Action::forward;
    go.endpoint = 1;
    CHECK(!test.engine->resume(id, generation + 1, go));
    CHECK(!test.engine->resume(id ^ 1U, generation, go));
    CHECK(test.engine->resume(id, generation, go));
    CHECK(!test.engine->resume(id, generation, go));
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("\r\n\r\n"); }));
    app->send(ok);
    CHECK(test.until([&] { return client->has("ok"); }));
}

CASE("a parked request times out closed, and a client that leaves makes its id stale") {
    EngineLimits limits;
    limits.park_timeout_ms = 100;
    Decisions test(limits);
    uint32_t id = 0;
    uint32_t generation = 0;
    test.on_request = [&](uint32_t row) {
        test.act(row, Action::park);
        id = test.rows().id[row];
        generation = test.rows().generation[row];
    };
    auto client = test.connect();
    client->send(get);
    CHECK(test.until([&] { return generation != 0; }));
    test.settle();
    test.advance(200);
    CHECK(test.until([&] { return client->has("\r\n\r\n"); }));
    CHECK(client->has("503"));
    CHECK(client->has("park_timeout"));
    generation = 0;
    auto leaver = test.connect();
    leaver->send(get);
    CHECK(test.until([&] { return generation != 0; }));
    test.settle();
    leaver->reset();
    CHECK(test.until([&] { return test.engine->stats().parked == 0; }));
    CHECK(!test.engine->resume(id, generation, {}));
}

CASE("a parked connection goes on with resume") {
    Decisions test;
    uint32_t id = 0;
    uint32_t generation = 0;
    test.on_decide = [&](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row) {
            if (test.kind(row) != RowKind::connection) {
                test.forward_to(row);
                continue;
            }
            test.act(row, Action::park);
            id = test.rows().id[row];
            generation = test.rows().generation[row];
        }
        return true;
    };
    auto client = test.connect();
    client->send(get);
    CHECK(test.until([&] { return generation != 0; }));
    Verdict http;
    http.action = Action::http;
    CHECK(test.engine->resume(id, generation, http));
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("\r\n\r\n"); }));
}

CASE("a parked connection that is closed leaves the count of parked things") {
    Decisions test;
    test.on_decide = [&](uint32_t rows) {
        for (uint32_t row = 0; row < rows; ++row)
            test.act(row, Action::park);
        return true;
    };
    auto client = test.connect();
    CHECK(test.until([&] { return test.engine->stats().parked == 1; }));
    CHECK_EQUAL(test.engine->close_connections(Reason::policy_denied, {}), 1U);
    CHECK_EQUAL(test.engine->stats().parked, 0U);
}

CASE("more than the bound of parked requests is refused by name") {
    EngineLimits limits;
    limits.parked = 1;
    Decisions test(limits);
    test.on_request = [&](uint32_t row) { test.act(row, Action::park); };
    auto first = test.connect();
    first->send(get);
    CHECK(test.until([&] { return test.engine->stats().parked == 1; }));
    auto second = test.connect();
    second->send(get);
    CHECK(test.until([&] { return second->has("\r\n\r\n"); }));
    CHECK(second->has("park_limit"));
}

CASE("the decision may close connections, remove workloads and close the engine under its own rows") {
    for (int what = 0; what < 3; ++what) {
        Decisions test;
        auto client = test.connect();
        client->send(get);
        test.on_request = [&](uint32_t row) {
            test.forward_to(row);
            if (what == 0)
                CHECK_EQUAL(
                    test.engine->close_connections(Reason::workload_withdrawn, {.workload = 1, .tag = {}}),
                    1U);
            else if (what == 1)
                test.engine->remove_workload(1, 0);
            else
                test.engine->close();
        };
        CHECK(test.until([&] { return client->was_reset || client->ended; }));
        CHECK_EQUAL(test.engine->stats().connections, 0U);
    }
}

} // namespace
} // namespace weft::testing
