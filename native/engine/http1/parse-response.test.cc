// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/heads-under-test.hpp"

namespace weft::http1 {
namespace {

using namespace std::string_literals;

std::string response(std::string_view status, std::string_view fields = "") {
    return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(fields) + "\r\n";
}

void check_refused(const std::string &text, Reason detail,
                   const ResponseContext &context = {Method::GET, {}}) {
    const auto out = parse_response(text, context);
    const Reason why = detail == Reason::http1_upgrade_refused ? detail : Reason::http1_bad_response;
    if (out->parse != Parse::refused || out->why != why || out->head.detail != detail) {
        weft::testing::fail(__FILE__, __LINE__,
                            text + " gave " + std::to_string(static_cast<int>(out->parse)) + " " +
                                std::to_string(static_cast<int>(out->head.detail)));
    }
}

CASE("a response with a length is parsed") {
    const std::string text = response("200 All is well", "Content-Length: 5\r\nServer: x\r\n") + "hello";
    const auto out = parse_response(text);
    CHECK_EQUAL(out->parse, Parse::complete);
    CHECK_EQUAL(out->head.status, 200);
    CHECK_EQUAL(out->head.reason_phrase.text(bytes_of(text)), "All is well");
    CHECK_EQUAL(out->head.framing, Framing::length);
    CHECK_EQUAL(out->head.content_length, 5u);
    CHECK_EQUAL(out->head.length, text.size() - 5);
    CHECK(out->head.keep_alive);
}

CASE("a reason phrase may be empty, and its space missing") {
    CHECK_EQUAL(parse_response(response("200 ", "Content-Length: 0\r\n"))->parse, Parse::complete);
    const auto out = parse_response(response("404", "Content-Length: 0\r\n"));
    CHECK_EQUAL(out->parse, Parse::complete);
    CHECK_EQUAL(out->head.status, 404);
    CHECK(out->head.reason_phrase.empty());
}

CASE("without a length the end of the connection is the end of the content") {
    auto out = parse_response(response("200 OK"));
    CHECK_EQUAL(out->head.framing, Framing::until_close);
    CHECK(!out->head.keep_alive);
    out = parse_response("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n");
    CHECK_EQUAL(out->head.framing, Framing::until_close);
    CHECK(!out->head.keep_alive);
}

CASE("the server's wish to close is heard") {
    CHECK(!parse_response(response("200 OK", "Content-Length: 1\r\nConnection: close\r\n"))->head.keep_alive);
    CHECK(!parse_response("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n")->head.keep_alive);
    CHECK(parse_response("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n")
              ->head.keep_alive);
}

CASE("HEAD, 204, 304 and 1xx have no content whatever they announce") {
    auto out = parse_response(response("200 OK", "Content-Length: 500\r\n"), {Method::HEAD, {}});
    CHECK_EQUAL(out->head.framing, Framing::none);
    CHECK(out->head.keep_alive);
    out = parse_response(response("200 OK", "Transfer-Encoding: chunked\r\n"), {Method::HEAD, {}});
    CHECK_EQUAL(out->head.framing, Framing::none);
    out = parse_response(response("304 Not Modified", "Content-Length: 500\r\n"));
    CHECK_EQUAL(out->head.framing, Framing::none);
    out = parse_response(response("204 No Content", "Content-Length: 0\r\n"));
    CHECK_EQUAL(out->head.framing, Framing::none);
    CHECK(out->head.keep_alive);
    out = parse_response(response("103 Early Hints", "Link: </a>\r\n"));
    CHECK_EQUAL(out->head.framing, Framing::none);
    CHECK(out->head.interim);
    check_refused(response("204 No Content", "Content-Length: 5\r\n"), Reason::http1_content_forbidden);
    check_refused(response("204 No Content", "Transfer-Encoding: chunked\r\n"),
                  Reason::http1_content_forbidden);
    check_refused(response("100 Continue", "Content-Length: 5\r\n"), Reason::http1_content_forbidden);
}

CASE("2xx to CONNECT opens the tunnel, another status does not") {
    auto out = parse_response(response("200 OK", "Content-Length: 5\r\n"), {Method::CONNECT, {}});
    CHECK(out->head.tunnel);
    CHECK_EQUAL(out->head.framing, Framing::none);
    CHECK(!out->head.keep_alive);
    out = parse_response(response("403 No", "Content-Length: 5\r\n"), {Method::CONNECT, {}});
    CHECK(!out->head.tunnel);
    CHECK_EQUAL(out->head.framing, Framing::length);
}

CASE("101 is taken only for the protocol that was asked for") {
    const std::string text =
        response("101 Switching Protocols", "Connection: Upgrade\r\nUpgrade: WebSocket\r\n");
    const auto out = parse_response(text, {Method::GET, "websocket"});
    CHECK_EQUAL(out->parse, Parse::complete);
    CHECK(out->head.tunnel);
    CHECK(!out->head.interim);
    check_refused(text, Reason::http1_upgrade_refused);
    check_refused(text, Reason::http1_upgrade_refused, {Method::GET, "foo"});
    check_refused(response("101 x"), Reason::http1_upgrade_refused, {Method::GET, "websocket"});
    check_refused(response("101 x", "Upgrade: websocket\r\n"), Reason::http1_upgrade_refused,
                  {Method::GET, "websocket"});
}

CASE("ambiguous or malformed responses never pass") {
    check_refused(response("200 OK", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
                  Reason::http1_length_and_encoding);
    check_refused(response("200 OK", "Content-Length: 5\r\nContent-Length: 5\r\n"),
                  Reason::http1_bad_content_length);
    check_refused(response("200 OK", "Content-Length: 5, 5\r\n"), Reason::http1_bad_content_length);
    check_refused(response("200 OK", "Transfer-Encoding: gzip, chunked\r\n"),
                  Reason::http1_bad_transfer_encoding);
    check_refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                  Reason::http1_bad_transfer_encoding);
    check_refused(response("200 OK", "A: b\r\n c\r\n"), Reason::http1_obsolete_fold);
    check_refused(response("200 OK", "A : b\r\n"), Reason::http1_space_before_colon);
    check_refused("HTTP/1.1 200 OK\nA: b\r\n\r\n", Reason::http1_bare_line_feed);
    check_refused("HTTP/2.0 200 OK\r\n\r\n", Reason::http1_bad_version);
    check_refused("HTTP/1.1\r\n\r\n", Reason::http1_bad_version);
    check_refused("ICY 200 OK\r\n\r\n", Reason::http1_not_http);
    check_refused("\r\nHTTP/1.1 200 OK\r\n\r\n", Reason::http1_not_http);
    check_refused("\n", Reason::http1_not_http);
    for (const char *status :
         {"099 x", "600 x", "20 OK", "2000 OK", "200OK", "+20 x", "20x OK", " 200 OK", "200 a\x01", ""}) {
        check_refused(response(status), Reason::http1_bad_response);
    }
    check_refused(response("200 a\rb"), Reason::http1_bad_response);
    check_refused(response("200 OK", "Connection: content-length\r\nContent-Length: 5\r\n"),
                  Reason::http1_bad_connection_option);
}

CASE("a response head has bounds too") {
    Limits limits;
    limits.head_bytes = 40;
    const auto out = parse_response(response("200 OK", "A: " + std::string(30, 'b') + "\r\n"), {}, limits);
    CHECK_EQUAL(out->parse, Parse::refused);
    CHECK_EQUAL(out->head.detail, Reason::http1_head_too_large);
}

} // namespace
} // namespace weft::http1
