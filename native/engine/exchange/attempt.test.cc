// SPDX-License-Identifier: Apache-2.0
// Attempts that fail, and what is done about it: asked again, sent again, or told to the client.
#include "engine/test/engine-under-test.hpp"

namespace weft::testing {
namespace {

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: shop\r\n\r\n";
constexpr std::string_view post = "POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello";
constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr std::string_view busy = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy";
constexpr std::string_view unreached =
    "HTTP/1.1 503 Service Unavailable\r\nx-weft-reason: connect_refused\r\nContent-Length: 6\r\n\r\nnobody";

/// Endpoint 2 is a port that refuses. Requests go to `first`; failed attempts are counted and given to
/// `on_failed`.
class Attempts : public EngineUnderTest {
public:
    explicit Attempts(const EngineLimits &limits = {}) : EngineUnderTest(limits) {
        Endpoint nobody;
        nobody.address = *Address::parse("127.0.0.1", 1);
        engine->set_endpoint(2, nobody);
        StatusSet set;
        set.set(503);
        statuses = *engine->status_sets().define(set);
        on_decide = [this](uint32_t rows) {
            for (uint32_t row = 0; row < rows; ++row) {
                auto &batch = engine->batch();
                const auto kind = static_cast<RowKind>(batch.rows.kind[row]);
                if (kind == RowKind::connection) {
                    batch.verdicts.action[row] = static_cast<uint8_t>(Action::http);
                    continue;
                }
                if (kind == RowKind::attempt_failed) {
                    ++failures;
                    reason = static_cast<Reason>(batch.rows.reason[row]);
                    status = batch.rows.status[row];
                    not_sent = (batch.rows.flags[row] & row_flag::not_sent) != 0;
                    unanswered = (batch.rows.flags[row] & row_flag::unanswered) != 0;
                    CHECK_EQUAL(path(row), "/a");
                    CHECK_EQUAL(batch.rows.request_tag[row], 3U);
                    on_failed(row);
                } else {
                    forward_to(row, first);
                }
                batch.verdicts.flags[row] = flags;
                batch.verdicts.retry_statuses[row] = statuses;
                batch.verdicts.buffer_bytes[row] = buffer;
                batch.verdicts.tag[row] = 3;
                batch.verdicts.backend_timeout_ms[row] = backend_timeout;
                batch.verdicts.deadline_ms[row] = deadline;
            }
            return true;
        };
    }

    uint32_t first = 1;
    uint8_t flags = verdict_flag::ask_on_connect_failure | verdict_flag::ask_on_response;
    uint32_t buffer = 0;
    uint32_t backend_timeout = 0;
    uint32_t deadline = 0;
    uint16_t statuses = 0;
    int failures = 0;
    Reason reason = Reason::none;
    uint16_t status = 0;
    bool not_sent = false;
    bool unanswered = false;
    std::function<void(uint32_t)> on_failed = [this](uint32_t row) { forward_to(row, 1); };
};

CASE("a refused connect is asked about, and the next endpoint serves the request with its body") {
    Attempts test;
    test.first = 2;
    auto client = test.connect();
    client->send(post);
    auto app = test.accept();
    CHECK(test.until([&] { return app->received.ends_with("hello"); }));
    app->send(ok);
    CHECK(test.until([&] { return client->has("ok") && test.count(CompletionKind::request) == 1; }));
    CHECK(test.not_sent);
    CHECK(test.reason == Reason::connect_refused);
    CHECK_EQUAL(test.count(CompletionKind::attempt), 2U);
    CHECK_EQUAL(test.last(CompletionKind::request)->attempt, 2);
}

CASE("nobody asked: a refused connect is 503 with its reason") {
    Attempts test;
    test.first = 2;
    test.flags = 0;
    auto client = test.connect();
    client->send(get);
    CHECK(test.until([&] { return client->has("\r\n\r\n"); }));
    CHECK(client->received.starts_with("HTTP/1.1 503 "));
    CHECK(client->has("connect_refused"));
    CHECK_EQUAL(test.failures, 0);
}

CASE("a kept connection that the server closed as the request left is asked about") {
    Attempts test;
    test.flags = verdict_flag::ask_on_connect_failure;
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    app->send(ok);
    CHECK(test.until([&] { return client->has("ok"); }));
    app->received.clear();
    client->send(get);
    CHECK(test.until([&] { return app->has("\r\n\r\n"); }));
    app->close();
    auto second = test.accept();
    CHECK(test.until([&] { return second->has("\r\n\r\n"); }));
    second->send(ok);
    CHECK(test.until([&] { return client->received.size() == 2 * client->received.find("ok") + 4; }));
    CHECK_EQUAL(test.failures, 1);
    CHECK(!test.not_sent);
    CHECK(test.unanswered);
}

CASE("a fresh connection that dies after the request was sent is not tried again unless responses are asked "
     "about") {
    Attempts test;
    test.flags = verdict_flag::ask_on_connect_failure;
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    app->close();
    CHECK(test.until([&] { return client->has("\r\n\r\n"); }));
    CHECK(client->received.starts_with("HTTP/1.1 502 "));
    CHECK_EQUAL(test.failures, 0);
}

CASE("a status in the set is held back, and another attempt with the kept body answers instead") {
    Attempts test;
    test.buffer = 100;
    auto client = test.connect();
    client->send(post);
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("hello"); }));
    app->send(busy);
    auto second = test.accept();
    CHECK(test.until([&] { return second->received.ends_with("\r\n\r\nhello"); }));
    second->send(ok);
    CHECK(test.until([&] { return client->has("ok"); }));
    CHECK_EQUAL(test.status, 503);
    CHECK(!client->has("busy"));
}

CASE("a held response can be passed on") {
    Attempts test;
    test.on_failed = [&](uint32_t row) {
        test.engine->batch().verdicts.action[row] = static_cast<uint8_t>(Action::pass);
    };
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    app->send(busy);
    CHECK(test.until([&] { return client->has("busy") && test.count(CompletionKind::request) == 1; }));
    CHECK_EQUAL(test.last(CompletionKind::request)->status, 503);
    CHECK_EQUAL(test.count(CompletionKind::attempt), 1U);
    CHECK_EQUAL(test.engine->stats().pooled, 1U);
}

CASE("an agent's answer that it reached nobody is asked about like a failed connect, and passes where it "
     "shall") {
    Attempts test;
    test.flags = verdict_flag::ask_on_connect_failure;
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    app->send(unreached);
    CHECK(test.until([&] { return test.failures == 1; }));
    CHECK(test.not_sent);
    CHECK(test.reason == Reason::connect_refused);
    CHECK_EQUAL(test.status, 503);
    auto second = test.accept();
    CHECK(test.until([&] { return second->has("\r\n\r\n"); }));
    test.on_failed = [&](uint32_t row) {
        test.engine->batch().verdicts.action[row] = static_cast<uint8_t>(Action::pass);
    };
    second->send(unreached);
    CHECK(test.until([&] { return client->has("nobody") && test.count(CompletionKind::request) == 1; }));
    CHECK_EQUAL(test.failures, 2);
}

CASE("to a gRPC call an agent says so by 200 and UNAVAILABLE; by any other status it is an answer") {
    for (const int status : {14, 7}) {
        Attempts test;
        test.flags = verdict_flag::ask_on_connect_failure;
        auto client = test.connect();
        auto app =
            test.deliver(*client, "GET /a HTTP/1.1\r\nHost: a\r\ncontent-type: application/grpc\r\n\r\n");
        app->send("HTTP/1.1 200 OK\r\nx-weft-reason: http2_refused_stream\r\ngrpc-status: " +
                  std::to_string(status) + "\r\nContent-Length: 0\r\n\r\n");
        if (status == 14) {
            CHECK(test.until([&] { return test.failures == 1; }));
            CHECK(test.not_sent);
            CHECK(test.reason == Reason::http2_refused_stream);
        } else {
            CHECK(test.until([&] { return client->has("grpc-status: 7\r\n"); }));
            CHECK_EQUAL(test.failures, 0);
        }
    }
}

CASE("other reasons, and other statuses with that field, are answers") {
    Attempts test;
    test.flags = verdict_flag::ask_on_connect_failure;
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    app->send("HTTP/1.1 403 No\r\nx-weft-reason: connect_refused\r\nContent-Length: 1\r\n\r\na");
    CHECK(test.until([&] { return client->has("\r\n\r\na"); }));
    client->send(get);
    CHECK(test.until([&] { return app->received.size() == 2 * app->received.find("\r\n\r\n") + 8; }));
    app->send("HTTP/1.1 503 No\r\nx-weft-reason: upstream_reset\r\nContent-Length: 1\r\n\r\nb");
    CHECK(test.until([&] { return client->has("\r\n\r\nb"); }));
    CHECK_EQUAL(test.failures, 0);
}

CASE("a body that outgrew the buffer is not sent twice: the response passes, a dead attempt is named") {
    Attempts test;
    test.buffer = 3;
    auto client = test.connect();
    client->send(post);
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("hello"); }));
    app->send(busy);
    CHECK(test.until([&] { return client->has("busy"); }));
    client->send(post);
    CHECK(test.until(
        [&] { return app->received.ends_with("hello") && app->received.size() > post.size() * 3 / 2; }));
    app->close();
    CHECK(test.until([&] { return client->has("retry_buffer_exceeded"); }));
    CHECK_EQUAL(test.failures, 0);
}

CASE("an attempt that takes too long is asked about; the request's deadline ends all") {
    Attempts test;
    test.backend_timeout = 100;
    test.deadline = 500;
    auto client = test.connect();
    auto app = test.deliver(*client, get);
    test.advance(150);
    auto second = test.accept();
    CHECK(test.reason == Reason::backend_timeout);
    CHECK(test.until([&] { return app->ended || app->was_reset; }));
    test.on_failed = [&](uint32_t row) {
        test.forward_to(row, 1);
        test.engine->batch().verdicts.delay_ms[row] = 10'000;
    };
    test.advance(150);
    CHECK(test.until([&] { return test.failures == 2; }));
    test.advance(300);
    CHECK(test.until([&] { return client->has("\r\n\r\n") && test.count(CompletionKind::request) == 1; }));
    CHECK(client->received.starts_with("HTTP/1.1 504 "));
    CHECK(test.last(CompletionKind::request)->reason == Reason::request_timeout);
}

CASE("a delayed attempt waits for its time") {
    Attempts test;
    test.first = 2;
    test.on_failed = [&](uint32_t row) {
        test.forward_to(row, 1);
        test.engine->batch().verdicts.delay_ms[row] = 1000;
    };
    auto client = test.connect();
    client->send(get);
    CHECK(test.until([&] { return test.failures == 1; }));
    test.settle();
    CHECK(test.try_accept() == nullptr);
    test.advance(1001);
    CHECK(test.accept() != nullptr);
}

CASE("a connect that nobody answers ends after its time, and so does one that got no socket") {
    EngineLimits limits;
    limits.connect_timeout_ms = 300;
    Attempts test(limits);
    test.flags = 0;
    test.engine->add_workload(2, {});
    test.fill_stock = false;
    const uint16_t bare = test.listen_for(2, Direction::outbound);
    auto client = test.connect_to(bare);
    client->send(get);
    CHECK(test.until([&] { return test.engine->stats().exchanges == 1; }));
    test.settle();
    CHECK(!test.asked_for.empty());
    test.advance(301);
    CHECK(test.until([&] { return client->has("\r\n\r\n"); }));
    CHECK(client->has("socket_stock_empty"));
}

CASE("a dial that found no socket goes on when one arrives") {
    Attempts test;
    test.engine->add_workload(2, {});
    test.fill_stock = false;
    const uint16_t bare = test.listen_for(2, Direction::outbound);
    auto client = test.connect_to(bare);
    client->send(get);
    test.settle();
    CHECK_EQUAL(test.engine->stats().sockets, 0U);
    test.fill_stock = true;
    test.stock_low(2, Family::v4, 1);
    auto app = test.accept();
    CHECK(test.until([&] { return app->has("\r\n\r\n"); }));
}

} // namespace
} // namespace weft::testing
