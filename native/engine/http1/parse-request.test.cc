// SPDX-License-Identifier: Apache-2.0
// What a well-formed request means. What is refused: refuse-request.test.cc.
#include "engine/http1/heads-under-test.hpp"

namespace weft::http1 {
namespace {

std::string with_host(std::string_view line, std::string_view fields = "") {
    return std::string(line) + "\r\nHost: a.example\r\n" + std::string(fields) + "\r\n";
}

CASE("a plain GET is parsed") {
    const std::string text =
        "GET /orders/7?full=1 HTTP/1.1\r\nHost: shop.example:8080\r\nAccept: */*\r\n\r\nrest";
    const auto out = parse_request(text);
    const Bytes bytes = bytes_of(text);
    CHECK_EQUAL(out->parse, Parse::complete);
    CHECK_EQUAL(out->head.length, text.size() - 4);
    CHECK_EQUAL(out->head.method, Method::GET);
    CHECK_EQUAL(out->head.method_text.text(bytes), "GET");
    CHECK_EQUAL(out->head.path.text(bytes), "/orders/7?full=1");
    CHECK_EQUAL(out->head.authority.text(bytes), "shop.example:8080");
    CHECK_EQUAL(out->head.form, TargetForm::origin);
    CHECK_EQUAL(out->head.framing, Framing::none);
    CHECK_EQUAL(out->head.fields.count, 2u);
    CHECK_EQUAL(out->head.fields.find(FieldId::accept)->value.text(bytes), "*/*");
    CHECK(out->head.fields.find(bytes, "ACCEPT") == out->head.fields.find(FieldId::accept));
    CHECK(out->head.fields.find(bytes, "Accept", 2) == nullptr);
    CHECK(out->head.keep_alive);
    CHECK(out->head.plain_path);
}

CASE("every known method has its number, and any other token is other") {
    const std::pair<const char *, Method> methods[] = {
        {"GET", Method::GET},     {"HEAD", Method::HEAD},       {"POST", Method::POST},
        {"PUT", Method::PUT},     {"DELETE", Method::DELETE},   {"TRACE", Method::TRACE},
        {"PATCH", Method::PATCH}, {"OPTIONS", Method::OPTIONS}, {"PROPFIND", Method::other},
        {"X-ODD!", Method::other}};
    for (const auto &[text, method] : methods) {
        const auto out = parse_request(with_host(std::string(text) + " / HTTP/1.1"));
        CHECK_EQUAL(out->parse, Parse::complete);
        CHECK_EQUAL(out->head.method, method);
    }
}

CASE("absolute form gives path and authority") {
    std::string text = "GET http://a.example/x?y HTTP/1.1\r\nHost: A.example\r\n\r\n";
    auto out = parse_request(text);
    CHECK_EQUAL(out->parse, Parse::complete);
    CHECK_EQUAL(out->head.form, TargetForm::absolute);
    CHECK_EQUAL(out->head.path.text(bytes_of(text)), "/x?y");
    CHECK_EQUAL(out->head.authority.text(bytes_of(text)), "A.example");
    text = "GET HTTP://a.example HTTP/1.1\r\nHost: a.example\r\n\r\n";
    out = parse_request(text);
    CHECK_EQUAL(out->head.path.text(bytes_of(text)), "/");
    text = "GET http://a.example/x HTTP/1.0\r\n\r\n";
    out = parse_request(text);
    CHECK_EQUAL(out->parse, Parse::complete);
    CHECK_EQUAL(out->head.authority.text(bytes_of(text)), "a.example");
}

CASE("CONNECT has authority form, OPTIONS may have asterisk form") {
    const std::string text = "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n";
    auto out = parse_request(text);
    CHECK_EQUAL(out->parse, Parse::complete);
    CHECK_EQUAL(out->head.form, TargetForm::authority);
    CHECK(out->head.path.empty());
    CHECK_EQUAL(out->head.authority.text(bytes_of(text)), "[2001:db8::1]:443");
    out = parse_request(with_host("OPTIONS * HTTP/1.1"));
    CHECK_EQUAL(out->parse, Parse::complete);
    CHECK_EQUAL(out->head.form, TargetForm::asterisk);
}

CASE("HTTP/1.0 closes unless it asks to stay, and needs no Host") {
    auto out = parse_request("GET / HTTP/1.0\r\n\r\n");
    CHECK_EQUAL(out->parse, Parse::complete);
    CHECK(!out->head.keep_alive);
    CHECK(out->head.authority.empty());
    CHECK_EQUAL(out->head.version, Version::http10);
    CHECK(parse_request("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")->head.keep_alive);
    CHECK(!parse_request("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n")->head.keep_alive);
    CHECK(!parse_request(with_host("GET / HTTP/1.1", "Connection: x-a\r\nConnection: CLOSE\r\n"))
               ->head.keep_alive);
}

CASE("content is framed by length or by chunks") {
    auto out = parse_request(with_host("POST / HTTP/1.1", "Content-Length: \t 9007199254740991 \r\n"));
    CHECK_EQUAL(out->parse, Parse::complete);
    CHECK_EQUAL(out->head.framing, Framing::length);
    CHECK_EQUAL(out->head.content_length, uint64_t{9007199254740991});
    out = parse_request(with_host("POST / HTTP/1.1", "Content-Length: 0\r\n"));
    CHECK_EQUAL(out->head.framing, Framing::length);
    out = parse_request(with_host("POST / HTTP/1.1", "transfer-ENCODING: Chunked\r\n"));
    CHECK_EQUAL(out->head.framing, Framing::chunked);
}

CASE("an upgrade counts only with Connection, one protocol, no content, and a protocol that hides no "
     "requests") {
    const char *both = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n";
    const std::string text = with_host("GET /chat HTTP/1.1", both);
    const auto out = parse_request(text);
    CHECK(out->head.upgrade);
    CHECK_EQUAL(out->head.upgrade_token.text(bytes_of(text)), "websocket");
    CHECK(parse_request(with_host("GET / HTTP/1.1", "Connection: upgrade\r\nUpgrade: foo/2\r\n"))
              ->head.upgrade);
    for (const char *fields :
         {"Upgrade: websocket\r\n", "Connection: upgrade\r\n", "Connection: upgrade\r\nUpgrade: h2c\r\n",
          "Connection: upgrade\r\nUpgrade: H2C\r\n", "Connection: upgrade\r\nUpgrade: HTTP/2.0\r\n",
          "Connection: upgrade\r\nUpgrade: TLS/1.0\r\n", "Connection: upgrade\r\nUpgrade: websocket, h2c\r\n",
          "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n",
          "Connection: upgrade\r\nUpgrade: \r\n",
          "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n"}) {
        const auto other = parse_request(with_host("GET / HTTP/1.1", fields));
        CHECK_EQUAL(other->parse, Parse::complete);
        CHECK(!other->head.upgrade);
    }
    CHECK(
        !parse_request("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")->head.upgrade);
}

CASE("Expect counts where content follows") {
    CHECK(parse_request(with_host("PUT / HTTP/1.1", "Expect: 100-Continue\r\nContent-Length: 3\r\n"))
              ->head.expect_continue);
    CHECK(!parse_request(with_host("PUT / HTTP/1.1", "Expect: 100-continue\r\n"))->head.expect_continue);
    CHECK(!parse_request("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
               ->head.expect_continue);
}

CASE("TE: trailers is seen, and TE is for this hop") {
    const std::string text = with_host("GET / HTTP/1.1", "TE: gzip;q=0.5, trailers\r\nConnection: te\r\n");
    const auto out = parse_request(text);
    CHECK(out->head.accepts_trailers);
    CHECK(out->head.fields.find(FieldId::te)->hop_by_hop);
}

CASE("Connection marks what it nominates, before or after it, whatever the case") {
    const std::string text = with_host(
        "GET / HTTP/1.1", "X-Secret: 1\r\nConnection: x-secret, , close\r\nx-SECRET: 2\r\nX-Kept: 3\r\n"
                          "Keep-Alive: 5\r\nProxy-Connection: close\r\n");
    const auto out = parse_request(text);
    CHECK_EQUAL(out->parse, Parse::complete);
    const bool expected[] = {false, true, true, true, false, true, true};
    for (uint32_t i = 0; i < 7; ++i) {
        CHECK_EQUAL(out->head.fields.items[i].hop_by_hop, expected[i]);
    }
}

CASE("values may hold tabs and 8-bit characters, lose the blanks around them, and may be empty") {
    const std::string text = with_host("GET / HTTP/1.1", "A:\r\nB: \t x\ty \xff \t\r\nC:c\r\n");
    const auto out = parse_request(text);
    CHECK_EQUAL(out->parse, Parse::complete);
    CHECK_EQUAL(out->head.fields.items[1].value.text(bytes_of(text)), "");
    CHECK_EQUAL(out->head.fields.items[2].value.text(bytes_of(text)), "x\ty \xff");
    CHECK_EQUAL(out->head.fields.items[3].value.text(bytes_of(text)), "c");
}

CASE("one empty line before the request line is passed over") {
    const auto out = parse_request("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_EQUAL(out->parse, Parse::complete);
    CHECK_EQUAL(out->head.length, 29u);
}

CASE("a plain path is told from one that needs its normal form") {
    const std::pair<const char *, bool> paths[] = {
        {"/", true},     {"/a/b.c/d", true}, {"/a?x=%20;//..", true}, {"/a%20", false},
        {"//a", false},  {"/a//b", false},   {"/./a", false},         {"/a/..", false},
        {"/a;b", false}, {"/a\\b", false},   {"/.well", false},       {"/a/", true}};
    for (const auto &[path, plain] : paths) {
        const auto out = parse_request(with_host(std::string("GET ") + path + " HTTP/1.1"));
        CHECK_EQUAL(out->parse, Parse::complete);
        CHECK_EQUAL(out->head.plain_path, plain);
    }
}

CASE("long names, targets and values pass the 16-byte scanner") {
    for (size_t size = 1; size < 70; ++size) {
        const std::string filler(size, 'k');
        const std::string text =
            with_host("GET /" + filler + " HTTP/1.1", "x-" + filler + ": " + filler + "\r\n");
        const auto out = parse_request(text);
        CHECK_EQUAL(out->parse, Parse::complete);
        CHECK_EQUAL(out->head.path.length, size + 1);
        CHECK_EQUAL(out->head.fields.items[1].name.length, size + 2);
        CHECK_EQUAL(out->head.fields.items[1].value.length, size);
    }
}

CASE("known fields are found whatever their case, and nothing else is") {
    for (uint8_t i = 1; i < static_cast<uint8_t>(FieldId::count); ++i) {
        const auto id = static_cast<FieldId>(i);
        std::string name{field_name(id)};
        CHECK_EQUAL(find_field_id(name), id);
        for (char &c : name) {
            c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
        }
        CHECK_EQUAL(find_field_id(name), id);
        CHECK_EQUAL(find_field_id(name + "x"), FieldId::unknown);
        name[0] = '_';
        CHECK_EQUAL(find_field_id(name), FieldId::unknown);
    }
    CHECK_EQUAL(find_field_id(""), FieldId::unknown);
    CHECK(!same_name("k^y", "k~y"));
    CHECK(!same_name("x-forwarded-for-a", "x-forwarded-foR-b"));
}

} // namespace
} // namespace weft::http1
