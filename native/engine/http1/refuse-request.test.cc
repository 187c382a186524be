// SPDX-License-Identifier: Apache-2.0
// What a smuggler, a scanner or a broken client sends, and the rule that stops it.
#include "engine/http1/heads-under-test.hpp"

namespace weft::http1 {
namespace {

using namespace std::string_literals;

struct Refused {
    std::string text;
    Reason why;
};

void check_all(const std::vector<Refused> &list, const Limits &limits = {}) {
    for (const auto &[text, why] : list) {
        const auto out = parse_request(text, limits);
        if (out->parse != Parse::refused || out->why != why) {
            weft::testing::fail(__FILE__, __LINE__,
                                text + " gave " + std::to_string(static_cast<int>(out->parse)) + " " +
                                    std::to_string(static_cast<int>(out->why)));
        }
    }
}

std::string get(std::string_view fields) {
    return "GET / HTTP/1.1\r\n" + std::string(fields) + "\r\n";
}
std::string post(std::string_view fields) {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n0\r\n\r\n";
}

CASE("two lengths, or a length and an encoding, never pass") {
    check_all({
        {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), Reason::http1_length_and_encoding},
        {post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), Reason::http1_length_and_encoding},
        {post("Content-Length: 5\r\nContent-Length: 5\r\n"), Reason::http1_bad_content_length},
        {post("Content-Length: 5\r\nContent-Length: 6\r\n"), Reason::http1_bad_content_length},
        {post("Content-Length: 5, 5\r\n"), Reason::http1_bad_content_length},
        {post("Content-Length: 5,\r\n"), Reason::http1_bad_content_length},
    });
}

CASE("odd lengths never pass") {
    for (const char *value :
         {"", "+5", "-0", "-1", "0x5", "5 0", "5;a", "1e3", "05", "00", "5.0", "\x35\xa0", "9007199254740992",
          "18446744073709551615", "18446744073709551616", "99999999999999999999999999", "five", "\"5\""}) {
        check_all({{post("Content-Length: "s + value + "\r\n"), Reason::http1_bad_content_length}});
    }
}

CASE("any transfer coding but one chunked never passes") {
    for (const char *value :
         {"", "identity", "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "chunked,",
          ",chunked", "xchunked", "chunked;q=1", "chunke", "\"chunked\"", "chun ked",
          "\xc5\xbf"
          "chunked"}) {
        check_all({{post("Transfer-Encoding: "s + value + "\r\n"), Reason::http1_bad_transfer_encoding}});
    }
    check_all({
        {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
         Reason::http1_bad_transfer_encoding},
        {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
         Reason::http1_bad_transfer_encoding},
        {post("Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n"), Reason::http1_bad_transfer_encoding},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Reason::http1_bad_transfer_encoding},
        {post("Transfer-Encoding: \x0b"
              "chunked\r\n"),
         Reason::http1_bad_field_value},
        {post("Transfer-Encoding:\r\n chunked\r\n"), Reason::http1_obsolete_fold},
        {post("Transfer-Encoding : chunked\r\n"), Reason::http1_space_before_colon},
        {post("Transfer-Encoding\t: chunked\r\n"), Reason::http1_space_before_colon},
        {post("Transfer-Encoding\x0b: chunked\r\n"), Reason::http1_bad_field_name},
        {post("Transfer-Encoding\0: chunked\r\n"s), Reason::http1_bad_field_name},
        {post(" Transfer-Encoding: chunked\r\n"), Reason::http1_obsolete_fold},
        {post("X: y\nTransfer-Encoding: chunked\r\n"), Reason::http1_bare_line_feed},
        {post("X: y\rTransfer-Encoding: chunked\r\n"), Reason::http1_bare_line_feed},
        {post("Transfer_Encoding: chunked\r\n"), Reason::http1_bad_field_name},
        {post("Content_Length: 5\r\n"), Reason::http1_bad_field_name},
        {post("X_Forwarded-For: 10.0.0.1\r\n"), Reason::http1_bad_field_name},
    });
}

CASE("bare line ends, folds and control characters never pass") {
    check_all({
        {get("Host: a\n"), Reason::http1_bare_line_feed},
        {get("Host: a\r"), Reason::http1_bare_line_feed},
        {"GET / HTTP/1.1\nHost: a\r\n\r\n", Reason::http1_bare_line_feed},
        {"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", Reason::http1_bare_line_feed},
        {"GET / HTTP/1.1\r\nHost: a\r\n\n", Reason::http1_bare_line_feed},
        {"GET / HTTP/1.1\r\nHost: a\r\n\rx\n", Reason::http1_bare_line_feed},
        {"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Reason::http1_bare_line_feed},
        {get("Host: a\r\n b\r\n"), Reason::http1_obsolete_fold},
        {get("Host: a\r\n\tb\r\n"), Reason::http1_obsolete_fold},
        {get(" Host: a\r\n"), Reason::http1_obsolete_fold},
        {get("Host: a\r\nA: b\0c\r\n"s), Reason::http1_bad_field_value},
        {get("Host: a\r\nA: b\x7f\r\n"), Reason::http1_bad_field_value},
        {get("Host: a\r\nA: \x1b[0m\r\n"), Reason::http1_bad_field_value},
    });
}

CASE("names that are no token never pass") {
    check_all({
        {get("Host: a\r\n: b\r\n"), Reason::http1_bad_field_name},
        {get("Host: a\r\nA B: c\r\n"), Reason::http1_bad_field_name},
        {get("Host: a\r\nA\r\n"), Reason::http1_bad_field_name},
        {get("Host: a\r\nA \r\n"), Reason::http1_bad_field_name},
        {get("Host: a\r\nA\"B: c\r\n"), Reason::http1_bad_field_name},
        {get("Host: a\r\nA\xe9: c\r\n"), Reason::http1_bad_field_name},
        {get("Host: a\r\nA(: c\r\n"), Reason::http1_bad_field_name},
        {get("Host : a\r\n"), Reason::http1_space_before_colon},
    });
}

CASE("the request line has one form") {
    for (const char *line : {"GET  / HTTP/1.1",
                             "GET /  HTTP/1.1",
                             "GET / HTTP/1.1 ",
                             "GET\t/ HTTP/1.1",
                             "GET /\tHTTP/1.1",
                             "GET / http/1.1",
                             "GET / HTTP/1.1x",
                             "GET /",
                             "GET",
                             "GET / ",
                             "GET / HTTP/11",
                             "GET / HTTP/1.",
                             "GET / HTTP/1",
                             "GET / HTTPS/1.1",
                             "GET /a b HTTP/1.1",
                             "get / HTTP/1.1",
                             "Get / HTTP/1.1",
                             "G@T / HTTP/1.1",
                             "GET / HTTP/1.1 HTTP/1.1",
                             "GET /\x0b HTTP/1.1",
                             "AVERYLONGMETHODNAMETHATNOBODYEVERHEARDOF / HTTP/1.1"}) {
        check_all({{line + "\r\nHost: a\r\n\r\n"s, Reason::http1_bad_request_line}});
    }
    check_all({
        {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Reason::http1_bad_request_line},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", Reason::http1_bad_version},
        {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", Reason::http1_bad_version},
        {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", Reason::http1_bad_version},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Reason::http1_bad_version},
        {"\x16\x03\x01\x02", Reason::http1_not_http},
        {"\0\0\0"s, Reason::http1_not_http},
        {" GET / HTTP/1.1\r\n", Reason::http1_not_http},
        {"\r\0"s, Reason::http1_not_http},
        {"PING\r\n", Reason::http1_bad_request_line},
    });
}

CASE("the target's form fits the method") {
    for (const char *line : {"GET * HTTP/1.1",         "CONNECT / HTTP/1.1",
                             "CONNECT a HTTP/1.1",     "CONNECT a: HTTP/1.1",
                             "CONNECT a:0 HTTP/1.1",   "CONNECT a:65536 HTTP/1.1",
                             "CONNECT u@a:1 HTTP/1.1", "CONNECT http://a:1/ HTTP/1.1",
                             "GET a:80 HTTP/1.1",      "GET a HTTP/1.1",
                             "GET ?x HTTP/1.1",        "GET https://a/ HTTP/1.1",
                             "GET ftp://a/ HTTP/1.1",  "GET http://a?x HTTP/1.1",
                             "GET http:// HTTP/1.1",   "GET http:/a HTTP/1.1",
                             "GET /a#b HTTP/1.1",      "GET /\xc3\xa9 HTTP/1.1",
                             "GET /\x7f HTTP/1.1",     "OPTIONS http://a HTTP/1.1",
                             "OPTIONS ** HTTP/1.1",    "CONNECT [::1 HTTP/1.1",
                             "CONNECT [::1] HTTP/1.1"}) {
        check_all({{line + "\r\nHost: a\r\n\r\n"s, Reason::http1_bad_target}});
    }
}

CASE("there is exactly one Host, and it is a plain authority that equals the target's") {
    check_all({
        {get("X: y\r\n"), Reason::http1_missing_host},
        {get("Host: a\r\nHost: a\r\n"), Reason::http1_repeated_host},
        {get("Host: a\r\nhost: b\r\n"), Reason::http1_repeated_host},
        {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", Reason::http1_repeated_host},
        {"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", Reason::http1_bad_host},
        {"GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", Reason::http1_bad_host},
        {"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", Reason::http1_bad_host},
        {"GET http://u@a/ HTTP/1.0\r\n\r\n", Reason::http1_bad_host},
        {"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", Reason::http1_bad_host},
        {"CONNECT a:1 HTTP/1.1\r\nHost: a:2\r\n\r\n", Reason::http1_bad_host},
        {"CONNECT a:1 HTTP/1.1\r\n\r\n", Reason::http1_missing_host},
    });
    for (const char *host : {"",
                             "a b",
                             "a,b",
                             "u@a",
                             "a/b",
                             "a?b",
                             "a#b",
                             "a:",
                             "a:0",
                             "a:65536",
                             "a:8 0",
                             "a:+80",
                             "a:080000",
                             "a:80:80",
                             "[::1",
                             "::1",
                             "[::1]x",
                             "[::1]:",
                             "[]",
                             "[1]",
                             "[::1%25eth0]",
                             "\xc3\xa9.example",
                             "%61",
                             "a;b",
                             "a\\b",
                             "a\tb",
                             "<a>",
                             "{a}",
                             "*",
                             "a'b"}) {
        check_all({{get("Host: "s + host + "\r\n"), Reason::http1_bad_host}});
    }
    check_all({{get("Host: " + std::string(256, 'a') + "\r\n"), Reason::http1_bad_host}});
}

CASE("CONNECT and TRACE carry no content") {
    check_all({
        {"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 5\r\n\r\n", Reason::http1_content_forbidden},
        {"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nTransfer-Encoding: chunked\r\n\r\n",
         Reason::http1_content_forbidden},
        {"TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", Reason::http1_content_forbidden},
    });
}

CASE("Connection cannot take away what must be forwarded") {
    for (const char *name :
         {"Host", "Content-Length", "Transfer-Encoding", "Authorization", "Cookie", "X-Forwarded-For",
          "traceparent", "Connection", "Expect", "a b", "\"close\"", "a;b"}) {
        check_all(
            {{get("Host: a\r\nConnection: close, "s + name + "\r\n"), Reason::http1_bad_connection_option}});
    }
    std::string many = "Host: a\r\nConnection: ";
    for (int i = 0; i < 40; ++i) {
        many += "x,";
    }
    check_all({{get(many + "\r\n"), Reason::http1_bad_connection_option}});
}

CASE("Expect is 100-continue, once") {
    check_all({
        {get("Host: a\r\nExpect: 200-ok\r\n"), Reason::http1_bad_expect},
        {get("Host: a\r\nExpect: \r\n"), Reason::http1_bad_expect},
        {get("Host: a\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n"), Reason::http1_bad_expect},
    });
}

CASE("every bound holds, to the byte") {
    Limits limits;
    limits.head_bytes = 64;
    const std::string fits = get("Host: a\r\nA: " + std::string(64 - 32, 'b') + "\r\n");
    CHECK_EQUAL(fits.size(), 64u);
    CHECK_EQUAL(parse_request(fits, limits)->parse, Parse::complete);
    CHECK_EQUAL(parse_request(fits + "more", limits)->parse, Parse::complete);
    check_all({{get("Host: a\r\nA: " + std::string(64 - 31, 'b') + "\r\n"), Reason::http1_head_too_large},
               {"GET /" + std::string(64, 'a'), Reason::http1_target_too_long}},
              limits);
    limits = {};
    limits.target_bytes = 5;
    CHECK_EQUAL(parse_request("GET /aaaa HTTP/1.1\r\nHost: a\r\n\r\n", limits)->parse, Parse::complete);
    check_all({{"GET /aaaaa HTTP/1.1\r\nHost: a\r\n\r\n", Reason::http1_target_too_long}}, limits);
    limits = {};
    limits.head_fields = 2;
    CHECK_EQUAL(parse_request(get("Host: a\r\nA: b\r\n"), limits)->parse, Parse::complete);
    check_all({{get("Host: a\r\nA: b\r\nC: d\r\n"), Reason::http1_too_many_fields}}, limits);
    limits.head_fields = 100'000;
    std::string many;
    for (size_t i = 0; i < max_fields; ++i) {
        many += "A: b\r\n";
    }
    check_all({{get("Host: a\r\n" + many), Reason::http1_too_many_fields}}, limits);
}

CASE("what is unfinished waits") {
    for (const char *text :
         {"", "\r", "\r\n", "G", "GET / HTTP/1.1", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n",
          "GET / HTTP/1.1\r\nHost: a\r\n\r", "GET / HTTP/1.1\r\nA\x01"}) {
        CHECK_EQUAL(parse_request(text)->parse, Parse::need_more);
    }
}

} // namespace
} // namespace weft::http1
