// SPDX-License-Identifier: Apache-2.0
// Two sessions talk to each other: what goes in on one side comes out on the other.
#include "engine/http1/chunked-body.hpp"
#include "engine/http1/parse-head.hpp"
#include "engine/http2/session-under-test.hpp"

namespace weft::http2 {

bool Pair::http1_parse(const std::string &text, http1::RequestHead &head) {
    Reason why = Reason::none;
    return http1::parse_request_head(http1::bytes_of(text), {}, head, why) == http1::Parse::complete;
}

bool Pair::respond(StreamRef stream, const std::string &text, const std::string &content, bool all,
                   const std::string &trailers) {
    http1::ResponseHead head;
    Reason why = Reason::none;
    const http1::ResponseContext context{server_side.at(stream).request.method, {}};
    CHECK_EQUAL(http1::parse_response_head(http1::bytes_of(text), context, {}, head, why),
                http1::Parse::complete);
    server_side.at(stream).to_send = content;
    server_side.at(stream).send_all = all;
    server_side.at(stream).trailers_to_send = trailers;
    const bool has_content = head.framing != http1::Framing::none;
    return server.respond(stream, http1::bytes_of(text), head, {}, has_content);
}

namespace {

const std::string get = "GET /a?b HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\n\r\n";
const std::string ok = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\n";
const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string post = "POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

CASE("a request and its response pass, in pieces of every size") {
    for (const size_t piece : {size_t{1}, size_t{7}, size_t{100}, size_t{16'384}}) {
        Pair pair;
        pair.piece = piece;
        const StreamRef stream = pair.request(get);
        pair.run();
        CHECK_EQUAL(pair.server_side.order.size(), 1u);
        const auto &seen = pair.server_side.last();
        CHECK_EQUAL(seen.request.method, http1::Method::GET);
        CHECK_EQUAL(seen.request.path.text(seen.text()), "/a?b");
        CHECK_EQUAL(seen.request.authority.text(seen.text()), "shop.example");
        CHECK_EQUAL(seen.request.framing, http1::Framing::none);
        CHECK(seen.request.plain_path);
        CHECK(seen.ended);
        CHECK(pair.respond(pair.server_side.order[0], ok, "hello"));
        pair.run();
        const auto &answer = pair.client_side.at(stream);
        CHECK_EQUAL(answer.response.status, 200);
        CHECK_EQUAL(answer.response.framing, http1::Framing::length);
        CHECK_EQUAL(answer.content, "hello");
        CHECK(answer.ended);
        CHECK(answer.closed);
        CHECK_EQUAL(answer.why, Reason::none);
        CHECK(pair.server_side.last().closed);
        CHECK_EQUAL(pair.server.streams() + pair.client.streams(), 0u);
    }
}

CASE("what came by HTTP/2 goes on by HTTP/1, byte for byte as if it had come so") {
    Pair pair;
    pair.request(
        "POST /x HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nConnection: x-gone\r\nX-Gone: 1\r\nCookie: a=1\r\n"
        "TE: trailers\r\nContent-Length: 3\r\n\r\n",
        "abc");
    pair.run();
    const auto &seen = pair.server_side.last();
    CHECK_EQUAL(seen.content, "abc");
    std::vector<uint8_t> out(http1::request_head_bound(seen.request, {}));
    const http1::Written written = http1::write_request_head(seen.text(), seen.request, {}, out);
    CHECK_EQUAL(
        string_of({out.data(), written.size}),
        "POST /x HTTP/1.1\r\nHost: a\r\nx-one: 1\r\ncookie: a=1\r\ncontent-length: 3\r\nTE: trailers\r\n"
        "Connection: TE\r\n\r\n");
    pair.respond(pair.server_side.order[0], chunked, "xyz", true, "Grpc-Status: 0\r\n");
    pair.run();
    const auto &answer = pair.client_side.at(pair.server_side.order[0]);
    CHECK_EQUAL(answer.trailers, "grpc-status: 0\r\n");
    out.assign(http1::response_head_bound(answer.response, {}), 0);
    const http1::Written response = http1::write_response_head(answer.text(), answer.response, {}, out);
    CHECK_EQUAL(string_of({out.data(), response.size}),
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    CHECK_EQUAL(response.framing, http1::Framing::chunked);
}

CASE("content and trailers stream both ways, and wait for more") {
    Pair pair;
    const StreamRef stream = pair.request(post, "one ", false);
    pair.run();
    const StreamRef there = pair.server_side.order[0];
    CHECK_EQUAL(pair.server_side.last().content, "one ");
    CHECK(!pair.server_side.last().ended);
    pair.respond(there, chunked, "first ", false);
    pair.run();
    CHECK_EQUAL(pair.client_side.at(stream).content, "first ");
    pair.client_side.at(stream).to_send += "two";
    pair.client_side.at(stream).trailers_to_send = "x-sum: 7\r\n";
    pair.client_side.at(stream).send_all = true;
    pair.client.resume(stream);
    pair.run();
    CHECK_EQUAL(pair.server_side.last().content, "one two");
    CHECK_EQUAL(pair.server_side.last().trailers, "x-sum: 7\r\n");
    pair.server_side.last().send_all = true;
    pair.server.resume(there);
    pair.run();
    CHECK(pair.client_side.at(stream).closed);
    CHECK_EQUAL(pair.client_side.at(stream).why, Reason::none);
}

CASE("a stalled reader holds its own stream and no other") {
    Pair pair;
    pair.server_side.credits = false;
    const std::string large(400'000, 'x');
    const StreamRef slow = pair.request(post, large);
    pair.run();
    const StreamRef slow_there = pair.server_side.order[0];
    CHECK_EQUAL(pair.server_side.at(slow_there).content.size(), size_t{65'535});
    pair.server_side.credits = true;
    for (int i = 0; i < 20; ++i) {
        pair.request(post, large);
    }
    pair.run();
    for (size_t i = 1; i <= 20; ++i) {
        CHECK_EQUAL(pair.server_side.at(pair.server_side.order[i]).content.size(), large.size());
    }
    CHECK_EQUAL(pair.server_side.at(slow_there).content.size(), size_t{65'535});
    pair.server.credit(slow_there, 1'000'000);
    pair.run();
    CHECK_EQUAL(pair.server_side.at(slow_there).content.size(), large.size());
    CHECK(pair.client.is_open(slow));
}

CASE("interim responses come before the response") {
    Pair pair;
    const StreamRef stream = pair.request(get);
    pair.run();
    CHECK(pair.respond(pair.server_side.order[0], "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"));
    pair.run();
    CHECK(pair.client_side.at(stream).response.interim);
    CHECK_EQUAL(pair.client_side.at(stream).response.status, 103);
    CHECK(pair.respond(pair.server_side.order[0], ok, "hello"));
    http1::ResponseHead twice;
    twice.status = 200;
    CHECK(!pair.server.respond(pair.server_side.order[0], {}, twice, {}, false));
    pair.run();
    CHECK_EQUAL(pair.client_side.at(stream).content, "hello");
}

CASE("HEAD, 204 and 304 pass with their length and without content") {
    for (const auto &[request, response, framing] :
         {std::tuple{"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 0},
          std::tuple{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n", 0},
          std::tuple{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 204 x\r\n\r\n", 0}}) {
        Pair pair;
        const StreamRef stream = pair.request(request);
        pair.run();
        CHECK(pair.respond(pair.server_side.order[0], response));
        pair.run();
        CHECK(pair.client_side.at(stream).closed);
        CHECK_EQUAL(pair.client_side.at(stream).why, Reason::none);
        CHECK_EQUAL(static_cast<int>(pair.client_side.at(stream).response.framing), framing);
    }
}

CASE("a local reply passes with its body") {
    Pair pair;
    const StreamRef stream = pair.request(get);
    pair.run();
    const std::string body(100'000, 'n');
    CHECK(pair.reply(pair.server_side.order[0], {.status = 403,
                                                 .lines = "Content-Type: text/plain\r\n",
                                                 .body = body,
                                                 .extra = http1::bytes_of("x-a: b\r\n")}));
    pair.run();
    const auto &answer = pair.client_side.at(stream);
    CHECK_EQUAL(answer.response.status, 403);
    CHECK_EQUAL(answer.response.content_length, 100'000u);
    CHECK(answer.content == body);
    CHECK(answer.response.fields.find(answer.text(), "x-a") != nullptr);
    CHECK(answer.closed);
}

CASE("an answer and its request end on their own") {
    Pair pair;
    const StreamRef stream = pair.request(post, "one", false);
    pair.run();
    CHECK(pair.respond(pair.server_side.order[0], ok, "hello"));
    pair.run();
    CHECK(pair.client_side.at(stream).ended && !pair.client_side.at(stream).closed);
    CHECK(pair.server.has_sent_all(pair.server_side.order[0]) && !pair.client.has_sent_all(stream));
    pair.client_side.at(stream).to_send += "two";
    pair.client_side.at(stream).send_all = true;
    pair.client.resume(stream);
    pair.run();
    CHECK_EQUAL(pair.server_side.last().content, "onetwo");
    CHECK(pair.server_side.last().closed && pair.client_side.at(stream).closed);
    CHECK_EQUAL(pair.server_side.last().why, Reason::none);
    CHECK_EQUAL(pair.client_side.at(stream).why, Reason::none);
}

CASE("a client that has its whole answer may stop its request, and one that has not may not") {
    for (const bool whole : {true, false}) {
        Pair pair;
        const StreamRef stream = pair.request(post, "one", false);
        pair.run();
        CHECK(pair.respond(pair.server_side.order[0], ok, whole ? "hello" : "hel", whole));
        pair.run();
        pair.client.reset(stream, NGHTTP2_CANCEL);
        pair.run();
        CHECK(pair.server_side.last().closed);
        CHECK_EQUAL(pair.server_side.last().why, whole ? Reason::none : Reason::downstream_reset);
    }
}

CASE("what is not wanted of a request is refused behind its answer, and both sides end well") {
    Pair pair;
    const StreamRef stream = pair.request(post, std::string(1'000'000, 'x'));
    pair.server_side.credits = false;
    pair.run();
    pair.server.refuse_rest(pair.server_side.order[0]);
    CHECK(pair.reply(pair.server_side.order[0], {.status = 413, .body = "too much"}));
    pair.run();
    CHECK_EQUAL(pair.client_side.at(stream).response.status, 413);
    CHECK_EQUAL(pair.client_side.at(stream).content, "too much");
    CHECK(pair.client_side.at(stream).closed);
    CHECK_EQUAL(pair.client_side.at(stream).why, Reason::none);
    CHECK(pair.server_side.last().closed);
    CHECK_EQUAL(pair.server_side.last().why, Reason::none);
    pair.server_side.credits = true;
    pair.request(post, std::string(500'000, 'y'));
    pair.run();
    CHECK_EQUAL(pair.server_side.last().content.size(), size_t{500'000});
}

CASE("a rewrite and an edit apply, secrets are sent") {
    Pair pair;
    http1::Edit edit;
    CHECK(
        !http1::Edit::compile({.set = {{"X-Set", "1"}}, .add = {}, .remove = {"accept"}}, edit).has_value());
    http1::RequestHead head;
    const std::string text = "GET /old HTTP/1.1\r\nHost: a\r\nAccept: x\r\nAuthorization: secret\r\n\r\n";
    CHECK(Pair::http1_parse(text, head));
    Reason why = Reason::none;
    http1::RequestRewrite rewrite{
        .path = http1::bytes_of("/new"), .authority = http1::bytes_of("b:1"), .edit = &edit};
    CHECK(static_cast<bool>(pair.client.request(http1::bytes_of(text), head, rewrite, false, why)));
    pair.run();
    const auto &seen = pair.server_side.last();
    CHECK_EQUAL(seen.head, "GEThttp/newb:1authorization: secret\r\nx-set: 1\r\n");
    rewrite.extra = http1::bytes_of("a: b\r\n\r\n");
    CHECK(!pair.client.request(http1::bytes_of(text), head, rewrite, false, why));
    CHECK_EQUAL(why, Reason::decide_failed);
}

CASE("CONNECT is a tunnel both ways") {
    Pair pair;
    http1::RequestHead head;
    const std::string text = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";
    CHECK(Pair::http1_parse(text, head));
    Reason why = Reason::none;
    const StreamRef stream = pair.client.request(http1::bytes_of(text), head, {}, true, why);
    pair.client_side.at(stream).to_send += "ping";
    pair.run();
    const StreamRef there = pair.server_side.order[0];
    CHECK_EQUAL(pair.server_side.last().request.form, http1::TargetForm::authority);
    CHECK_EQUAL(pair.server_side.last().content, "ping");
    http1::ResponseHead response;
    const std::string answer = "HTTP/1.1 200 OK\r\n\r\n";
    const http1::ResponseContext context{http1::Method::CONNECT, {}};
    http1::parse_response_head(http1::bytes_of(answer), context, {}, response, why);
    pair.server_side.last().to_send += "pong";
    CHECK(pair.server.respond(there, http1::bytes_of(answer), response, {}, true));
    pair.run();
    CHECK(pair.client_side.at(stream).response.tunnel);
    CHECK_EQUAL(pair.client_side.at(stream).content, "pong");
}

CASE("a reset reaches the other side with its code and ends the handle") {
    Pair pair;
    const StreamRef stream = pair.request(post, "x", false);
    pair.run();
    pair.client.reset(stream, NGHTTP2_CANCEL);
    pair.run();
    CHECK(pair.client_side.at(stream).closed);
    CHECK_EQUAL(pair.client_side.at(stream).why, Reason::none);
    CHECK_EQUAL(pair.server_side.last().why, Reason::downstream_reset);
    CHECK_EQUAL(pair.server_side.last().error_code, uint32_t{NGHTTP2_CANCEL});
    const StreamRef stale = pair.server_side.order[0];
    CHECK(!pair.server.is_open(stale));
    pair.server.credit(stale, 10);
    pair.server.resume(stale);
    pair.server.reset(stale, NGHTTP2_CANCEL);
    CHECK(!pair.respond(stale, ok, "hello"));
    pair.request(get);
    pair.run();
    CHECK_EQUAL(pair.server_side.order[1].index, stale.index);
    CHECK(pair.server_side.order[1] != stale);
    pair.server.reset(pair.server_side.order[1], NGHTTP2_REFUSED_STREAM, Reason::draining);
    pair.run();
    CHECK_EQUAL(pair.server_side.last().why, Reason::draining);
}

CASE("streams are limited on both sides") {
    Limits small;
    small.concurrent_streams = 2;
    Pair pair{small};
    pair.request(get);
    pair.request(get);
    http1::RequestHead head;
    CHECK(Pair::http1_parse(get, head));
    Reason why = Reason::none;
    CHECK(!pair.client.request(http1::bytes_of(get), head, {}, false, why));
    CHECK_EQUAL(why, Reason::http2_stream_limit);
    pair.run();
    CHECK_EQUAL(pair.server.streams(), 2u);
    pair.respond(pair.server_side.order[0], ok, "hello");
    pair.run();
    CHECK(static_cast<bool>(pair.client.request(http1::bytes_of(get), head, {}, false, why)));
}

CASE("a drain lets what runs finish and refuses what is new") {
    Pair pair;
    const StreamRef stream = pair.request(get);
    pair.run();
    pair.server.begin_drain();
    pair.run();
    CHECK_EQUAL(pair.client_side.goaway, uint32_t{NGHTTP2_NO_ERROR});
    CHECK_EQUAL(pair.server_side.drains_seen, 1u);
    pair.server.finish_drain();
    pair.run();
    http1::RequestHead head;
    CHECK(Pair::http1_parse(get, head));
    Reason why = Reason::none;
    CHECK(!pair.client.request(http1::bytes_of(get), head, {}, false, why));
    CHECK_EQUAL(why, Reason::http2_refused_stream);
    pair.respond(pair.server_side.order[0], ok, "hello");
    pair.run();
    CHECK_EQUAL(pair.client_side.at(stream).content, "hello");
    CHECK(pair.server.finished());
    CHECK(pair.client.finished());
}

CASE("the PING of a drain comes behind its GOAWAY, and no other answer than its own counts") {
    Recorder side;
    Session server{Role::server, {}, side};
    side.session = &server;
    std::string said;
    const auto hear = [&](const std::string &frames) {
        server.receive(http1::bytes_of(frames), 0);
        std::array<uint8_t, 1000> room;
        const size_t size = server.send(room);
        said = string_of({room.data(), size});
    };
    const auto answer = [](const std::string &payload) {
        return RawClient::frame(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, payload);
    };
    hear(RawClient::preface());
    server.begin_drain();
    hear(answer("draining")); // before it was asked
    const std::string goaway =
        RawClient::frame(NGHTTP2_GOAWAY, 0, 0, std::string("\x7f\xff\xff\xff\0\0\0\0", 8));
    CHECK_EQUAL(said, goaway + RawClient::frame(NGHTTP2_PING, 0, 0, "draining"));
    hear(answer("whatever"));
    CHECK_EQUAL(side.drains_seen, 0u);
    hear(answer("draining") + answer("draining"));
    CHECK_EQUAL(side.drains_seen, 1u);
    CHECK_EQUAL(server.failure(), Reason::none);
}

CASE("a lost connection closes every stream once") {
    Pair pair;
    const StreamRef one = pair.request(post, "x", false);
    const StreamRef two = pair.request(get);
    pair.run();
    pair.client.abandon(Reason::upstream_reset);
    CHECK_EQUAL(pair.client_side.at(one).why, Reason::upstream_reset);
    CHECK_EQUAL(pair.client_side.at(two).why, Reason::upstream_reset);
    CHECK_EQUAL(pair.client.streams(), 0u);
    CHECK(!pair.client.is_open(one));
}

CASE("it is known whose nghttp2 runs") {
    CHECK(std::string_view{library_file()}.find("libnghttp2.so") != std::string_view::npos);
}

CASE("a handler may open streams from inside its calls") {
    struct Chain : Recorder {
        int left = 50;
        void on_response(StreamRef stream, Bytes text, const http1::ResponseHead &head) override {
            Recorder::on_response(stream, text, head);
            http1::RequestHead again;
            Reason why = Reason::none;
            Pair::http1_parse(get, again);
            for (int i = 0; left > 0 && i < 10; ++i, --left) {
                CHECK(static_cast<bool>(session->request(http1::bytes_of(get), again, {}, false, why)));
            }
        }
    };
    Chain client_side;
    Recorder server_side;
    Session client{Role::client, {}, client_side};
    Session server{Role::server, {}, server_side};
    client_side.session = &client;
    server_side.session = &server;
    http1::RequestHead head;
    Reason why = Reason::none;
    CHECK(Pair::http1_parse(get, head));
    client.request(http1::bytes_of(get), head, {}, false, why);
    std::vector<uint8_t> room(4096);
    size_t answered = 0;
    for (int turn = 0; turn < 1000; ++turn) {
        const size_t out = client.send(room);
        server.receive({room.data(), out}, 0);
        for (; answered < server_side.order.size(); ++answered) {
            CHECK(server.reply(server_side.order[answered], {.status = 200}));
        }
        const size_t back = server.send(room);
        client.receive({room.data(), back}, 0);
    }
    CHECK_EQUAL(answered, 51u);
    CHECK_EQUAL(client.streams(), 0u);
}

} // namespace
} // namespace weft::http2
