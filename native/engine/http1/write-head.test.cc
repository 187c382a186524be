// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/write-head.hpp"
#include "engine/http1/heads-under-test.hpp"

namespace weft::http1 {
namespace {

using namespace std::string_literals;

/// Writes into room of exactly the bound, before a guard page, and checks that one byte less than needed is
/// refused.
template <typename Write> std::string write_guarded(size_t bound, Written &written, Write write) {
    weft::testing::GuardedBytes memory{bound};
    written = write(memory.room(bound));
    std::string text;
    if (written.why == Reason::none && written.size > 0) {
        text.assign(reinterpret_cast<const char *>(memory.room(bound).data()), written.size);
        CHECK_EQUAL(write(memory.room(written.size - 1)).why, Reason::decide_failed);
    }
    return text;
}

std::string forward(const std::string &text, const RequestRewrite &rewrite = {}, Reason why = Reason::none) {
    const auto in = parse_request(text);
    CHECK_EQUAL(in->parse, Parse::complete);
    Written written;
    const std::string out =
        write_guarded(request_head_bound(in->head, rewrite), written, [&](std::span<uint8_t> room) {
            return write_request_head(bytes_of(text), in->head, rewrite, room);
        });
    CHECK_EQUAL(written.why, why);
    return out;
}

struct Answer {
    std::string text;
    Written written;
};

Answer forward_response(const std::string &text, const ResponseRewrite &rewrite = {},
                        const ResponseContext &context = {Method::GET, {}}) {
    const auto in = parse_response(text, context);
    CHECK_EQUAL(in->parse, Parse::complete);
    Answer answer;
    answer.text =
        write_guarded(response_head_bound(in->head, rewrite), answer.written, [&](std::span<uint8_t> room) {
            return write_response_head(bytes_of(text), in->head, rewrite, room);
        });
    return answer;
}

Edit edit(const EditDefinition &definition) {
    Edit out;
    CHECK(!Edit::compile(definition, out).has_value());
    return out;
}

CASE("a request without hop-by-hop fields is forwarded byte for byte") {
    const std::string text =
        "POST /a?b HTTP/1.1\r\nhOST: x.example\r\nX-B: 2\r\nx-a: 1\r\nContent-Length: 3\r\n\r\n";
    CHECK_EQUAL(forward(text), text);
}

CASE("hop-by-hop and nominated fields are dropped, odd white space is made plain") {
    CHECK_EQUAL(forward("GET / HTTP/1.1\r\nHost: a\r\nX-Gone: 1\r\nA:b  \r\nConnection: close, "
                        "x-gone\r\nKeep-Alive: 5\r\n"
                        "Proxy-Connection: x\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\nB: \r\n\r\n"),
                "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nB: \r\n\r\n");
}

CASE("a request's fields that speak for the mesh are dropped, in any spelling") {
    CHECK_EQUAL(forward("GET / HTTP/1.1\r\nX-Weft-Peer: spiffe://a/b\r\nHost: a\r\nx-weft-: 1\r\n"
                        "X-FORWARDED-CLIENT-CERT: URI=spiffe://a/b\r\nX-Weft: kept\r\nX_Weft_A: b\r\n"
                        "X-Forwarded-Client-Certs: kept\r\n\r\n"),
                "GET / HTTP/1.1\r\nHost: a\r\nX-Weft: kept\r\n"
                "X-Forwarded-Client-Certs: kept\r\n\r\n");
    const std::string response = "HTTP/1.1 503 No\r\nx-weft-reason: draining\r\nContent-Length: 0\r\n\r\n";
    CHECK_EQUAL(forward_response(response).text, response);
}

CASE("what a verdict writes for the mesh stays") {
    const Edit set = edit({.set = {{"x-weft-set", "1"}}, .add = {}, .remove = {}});
    CHECK_EQUAL(forward("GET / HTTP/1.1\r\nHost: a\r\nx-weft-set: 2\r\nx-weft-more: 2\r\n\r\n",
                        {.edit = &set, .extra = bytes_of("x-weft-more: 1\r\n")}),
                "GET / HTTP/1.1\r\nHost: a\r\nx-weft-set: 1\r\nx-weft-more: 1\r\n\r\n");
}

CASE("framing is written anew") {
    CHECK_EQUAL(forward("POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding:  CHUNKED\r\nA: b\r\n\r\n"),
                "POST / HTTP/1.1\r\nHost: a\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n");
}

CASE("a wanted upgrade passes, an unwanted one does not") {
    const std::string text =
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n";
    CHECK_EQUAL(forward(text),
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    CHECK_EQUAL(forward(text, {.upgrade = false}), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

CASE("TE: trailers is passed on as this hop's own") {
    CHECK_EQUAL(forward("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers, gzip\r\nConnection: TE\r\n\r\n"),
                "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
}

CASE("Expect is passed on only where the client waits") {
    CHECK_EQUAL(forward("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"),
                "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string waits =
        "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
    CHECK_EQUAL(forward(waits), waits);
}

CASE("path and authority are replaced in every form") {
    const RequestRewrite rewrite{.path = bytes_of("/new?q"), .authority = bytes_of("b:81")};
    CHECK_EQUAL(forward("GET /old HTTP/1.1\r\nX: y\r\nhost:a\r\n\r\n", rewrite),
                "GET /new?q HTTP/1.1\r\nX: y\r\nhost: b:81\r\n\r\n");
    CHECK_EQUAL(forward("GET http://a/old HTTP/1.1\r\nHost: a\r\n\r\n", rewrite),
                "GET http://b:81/new?q HTTP/1.1\r\nHost: b:81\r\n\r\n");
    CHECK_EQUAL(forward("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", rewrite),
                "CONNECT b:81 HTTP/1.1\r\nHost: b:81\r\n\r\n");
    CHECK_EQUAL(forward("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n"),
                "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_EQUAL(forward("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
}

CASE("an HTTP/1.0 request goes on as HTTP/1.1 with a Host") {
    CHECK_EQUAL(forward("GET / HTTP/1.0\r\nA: b\r\n\r\n", {.fallback_authority = bytes_of("10.0.0.1:80")}),
                "GET / HTTP/1.1\r\nHost: 10.0.0.1:80\r\nA: b\r\n\r\n");
    CHECK_EQUAL(forward("GET http://a/ HTTP/1.0\r\n\r\n"), "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n");
    forward("GET / HTTP/1.0\r\n\r\n", {}, Reason::http1_missing_host);
}

CASE("an edit removes, replaces and adds, whatever the case") {
    const Edit changes =
        edit({.set = {{"X-Set", "new"}}, .add = {{"X-Add", "more"}}, .remove = {"x-remove"}});
    CHECK_EQUAL(
        forward("GET / HTTP/1.1\r\nx-set: 1\r\nHost: a\r\nX-REMOVE: 2\r\nx-add: 3\r\nX-Set: 4\r\n\r\n",
                {.edit = &changes}),
        "GET / HTTP/1.1\r\nHost: a\r\nx-add: 3\r\nX-Set: new\r\nX-Add: more\r\n\r\n");
}

CASE("extra lines replace fields of the same name") {
    CHECK_EQUAL(forward("GET / HTTP/1.1\r\nTraceParent: old\r\nHost: a\r\nB: c\r\n\r\n",
                        {.extra = bytes_of("traceparent: new\r\nx-n: 1\r\n")}),
                "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\ntraceparent: new\r\nx-n: 1\r\n\r\n");
}

CASE("a decision cannot split or forge a head") {
    const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (const char *lines : {"a: b", "a: b\n", "a: b\r\n\r\nGET", "\r\n", "Host: b\r\n",
                              "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Connection: x\r\n",
                              "a b: c\r\n", " a: b\r\n", "content_length: 5\r\n", "a: \x01\r\n"}) {
        forward(text, {.extra = bytes_of(lines)}, Reason::decide_failed);
        CHECK(!are_field_lines(bytes_of(lines)));
    }
    for (const char *path : {"a", "/a b", "/a\r\nX: y", "/a#b", "*", "/\xff"}) {
        forward(text, {.path = bytes_of(path)}, Reason::decide_failed);
    }
    for (const char *authority : {"a b", "a\r\n", "u@a", "a/b"}) {
        forward(text, {.authority = bytes_of(authority)}, Reason::decide_failed);
        forward(text, {.fallback_authority = bytes_of(authority)}, Reason::decide_failed);
    }
    std::string many;
    for (size_t i = 0; i <= max_extra_lines; ++i) {
        many += "a: b\r\n";
    }
    CHECK(!are_field_lines(bytes_of(many)));
    CHECK(are_field_lines(bytes_of(many.substr(6))));
}

CASE("a response is forwarded with its own framing") {
    const std::string text = "HTTP/1.1 200 Fine\r\nServer: x\r\ncontent-length: 5\r\n\r\n";
    const Answer answer = forward_response(text);
    CHECK_EQUAL(answer.text, text);
    CHECK_EQUAL(answer.written.framing, Framing::length);
    CHECK(!answer.written.close);
    CHECK_EQUAL(forward_response("HTTP/1.0 200\r\nContent-Length: 5\r\nConnection: close\r\n\r\n").text,
                "HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\n");
}

CASE("open-ended content becomes chunks for HTTP/1.1 and a closed connection for HTTP/1.0") {
    for (const char *fields : {"", "Transfer-Encoding: chunked\r\n"}) {
        const std::string text = "HTTP/1.1 200 OK\r\nTrailer: X\r\n"s + fields + "\r\n";
        Answer answer = forward_response(text);
        CHECK_EQUAL(answer.text, "HTTP/1.1 200 OK\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n");
        CHECK_EQUAL(answer.written.framing, Framing::chunked);
        CHECK(!answer.written.close);
        answer = forward_response(text, {.client_version = Version::http10});
        CHECK_EQUAL(answer.text, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        CHECK_EQUAL(answer.written.framing, Framing::until_close);
        CHECK(answer.written.close);
    }
}

CASE("the client is told whether its connection stays") {
    const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    CHECK_EQUAL(forward_response(text, {.keep_alive = false}).text,
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    CHECK_EQUAL(forward_response(text, {.client_version = Version::http10}).text,
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

CASE("interim responses reach HTTP/1.1 clients alone") {
    const std::string text = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    CHECK_EQUAL(forward_response(text, {.keep_alive = false}).text, text);
    const Answer none = forward_response(text, {.client_version = Version::http10});
    CHECK_EQUAL(none.written.size, 0u);
    CHECK_EQUAL(none.written.why, Reason::none);
}

CASE("a switched protocol and an open tunnel are passed on") {
    CHECK_EQUAL(forward_response(
                    "HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nConnection: upgrade\r\nA: b\r\n\r\n",
                    {.keep_alive = false}, {Method::GET, "websocket"})
                    .text,
                "HTTP/1.1 101 Switching\r\nA: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    CHECK_EQUAL(
        forward_response("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", {}, {Method::CONNECT, {}}).text,
        "HTTP/1.1 200 OK\r\n\r\n");
}

CASE("lengths stay where there is no content but may be one, and go where there can be none") {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    CHECK_EQUAL(forward_response(head, {}, {Method::HEAD, {}}).text, head);
    CHECK_EQUAL(forward_response("HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n").text,
                "HTTP/1.1 204 No\r\n\r\n");
}

CASE("response edits and extra lines apply") {
    const Edit changes = edit({.set = {}, .add = {}, .remove = {"Server"}});
    CHECK_EQUAL(forward_response("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 0\r\nDate: y\r\n\r\n",
                                 {.edit = &changes, .extra = bytes_of("date: z\r\n")})
                    .text,
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\ndate: z\r\n\r\n");
}

CASE("local replies tell length, date and persistence") {
    LocalReply reply{.status = 403,
                     .lines = "content-type: text/plain\r\n",
                     .body = "no\n",
                     .extra = bytes_of("a: b\r\n"),
                     .date = "Sun, 06 Nov 1994 08:49:37 GMT",
                     .keep_alive = true};
    Written written;
    const auto write = [&](std::span<uint8_t> room) { return write_local_reply(reply, room); };
    CHECK_EQUAL(write_guarded(local_reply_bound(reply), written, write),
                "HTTP/1.1 403 Forbidden\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-type: "
                "text/plain\r\na: b\r\n"
                "Content-Length: 3\r\n\r\nno\n");
    reply = {.status = 400};
    CHECK_EQUAL(write_guarded(local_reply_bound(reply), written, write),
                "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    CHECK(written.close);
    reply = {.status = 200, .body = "abc", .method = Method::HEAD, .keep_alive = true};
    CHECK_EQUAL(write_guarded(local_reply_bound(reply), written, write),
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
    reply = {.status = 204, .client_version = Version::http10, .keep_alive = true};
    CHECK_EQUAL(write_guarded(local_reply_bound(reply), written, write),
                "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
    reply = {.status = 200, .extra = bytes_of("a: b\r\n\r\n")};
    write_guarded(local_reply_bound(reply), written, write);
    CHECK_EQUAL(written.why, Reason::decide_failed);
    reply = {.status = 100};
    write_guarded(local_reply_bound(reply), written, write);
    CHECK_EQUAL(written.why, Reason::decide_failed);
}

CASE("definitions that could forge a head are refused and leave nothing behind") {
    Edit out = edit({.set = {{"A", "b"}}, .add = {}, .remove = {}});
    const std::vector<Header> bad = {{"", "x"},
                                     {"a b", "x"},
                                     {"a:", "x"},
                                     {"a", "x\r\ny: z"},
                                     {"a", "x\n"},
                                     {"a", " x"},
                                     {"a", "x\t"},
                                     {"a", "x\0"s},
                                     {"Host", "x"},
                                     {"content-length", "1"},
                                     {"Connection", "x"},
                                     {"Upgrade", "x"},
                                     {"TE", "x"},
                                     {"Keep-Alive", "x"},
                                     {"Trailer", "x"},
                                     {"Expect", "x"},
                                     {"Content_Length", "1"},
                                     {"Transfer-Encoding", "chunked"},
                                     {"Proxy-Connection", "x"}};
    for (const Header &header : bad) {
        CHECK_EQUAL(Edit::compile({.set = {{"ok", "1"}, header}, .add = {}, .remove = {}}, out)->field,
                    "set[1]");
        CHECK_EQUAL(Edit::compile({.set = {}, .add = {header}, .remove = {}}, out)->field, "add[0]");
        Reply reply;
        CHECK_EQUAL(Reply::compile({.status = 200, .headers = {header}, .body = ""}, reply)->field,
                    "headers[0]");
    }
    CHECK_EQUAL(Edit::compile({.set = {}, .add = {}, .remove = {"host"}}, out)->field, "remove[0]");
    CHECK(
        Edit::compile({.set = {{"a", std::string(70'000, 'x')}}, .add = {}, .remove = {}}, out).has_value());
    CHECK_EQUAL(out.lines(), "A: b\r\n");
    Reply reply;
    CHECK_EQUAL(Reply::compile({.status = 199, .headers = {}, .body = ""}, reply)->field, "status");
    CHECK_EQUAL(Reply::compile({.status = 204, .headers = {}, .body = "x"}, reply)->field, "body");
    CHECK(
        !Reply::compile({.status = 503, .headers = {{"Retry-After", "1"}}, .body = "x"}, reply).has_value());
    CHECK_EQUAL(reply.lines(), "Retry-After: 1\r\n");
}

} // namespace
} // namespace weft::http1
