// SPDX-License-Identifier: Apache-2.0
#include "engine/tls/client-hello.hpp"
#include "engine/tls/session-under-test.hpp"

using namespace weft::tls;

namespace {

Sniffed sniff(std::string_view text) {
    weft::testing::GuardedBytes memory{8192};
    return sniff_client_hello(memory.at_end(text));
}

std::string our_hello(AlpnSet offered) {
    const Mesh mesh;
    return take(*Session::connect(mesh.shop_identity(), offered, cart_id, test_now));
}

std::string hello_with(std::string_view alpn) {
    RawPeer peer{Side::client, {.alpn = alpn}};
    return peer.exchange("");
}

} // namespace

CASE("our own hello is recognised from its last byte on, and not before") {
    const AlpnSet offered{Alpn::http1, Alpn::http2};
    const std::string hello = our_hello(offered);
    for (size_t size = 0; size < hello.size(); ++size) {
        CHECK_EQUAL(sniff(std::string_view{hello}.substr(0, size)).kind, Sniff::needs_more);
    }
    for (const std::string &text : {hello, hello + "more"}) {
        CHECK_EQUAL(sniff(text).kind, Sniff::weft_client_hello);
        CHECK(sniff(text).offered == offered);
    }
}

CASE("other people's TLS is told apart") {
    CHECK_EQUAL(sniff(hello_with("\x02h2\x08http/1.1")).kind, Sniff::other_tls);
    CHECK_EQUAL(sniff(hello_with("")).kind, Sniff::other_tls);
    CHECK_EQUAL(sniff(hello_with("\x02h2\x08weft/tcp")).kind, Sniff::weft_client_hello);
    CHECK(sniff(hello_with("\x02h2\x08weft/tcp")).offered == AlpnSet{Alpn::tcp});
}

CASE("what is no TLS is told by its first wrong byte") {
    for (const std::string_view text :
         {std::string_view{"G"}, std::string_view{"\x16\x02"}, std::string_view{"\x16\x03\x05"},
          std::string_view{"\x17\x03\x03"}, std::string_view{"\x16\x03\x01\x00\x40\x02", 6},
          std::string_view{"SSH-2.0-"}, std::string_view{"\0", 1}}) {
        CHECK_EQUAL(sniff(text).kind, Sniff::not_tls);
    }
    CHECK_EQUAL(sniff("").kind, Sniff::needs_more);
}

CASE("a hello that is too long, empty or cut into records is not waited for") {
    CHECK_EQUAL(sniff(std::string_view{"\x16\x03\x01\x40\x00", 5}).kind, Sniff::other_tls);
    CHECK_EQUAL(sniff(std::string_view{"\x16\x03\x01\x00\x04", 5}).kind, Sniff::other_tls);
    CHECK_EQUAL(sniff(std::string_view{"\x16\x03\x01\x00\x40\x01\x00\x00\x80", 9}).kind, Sniff::other_tls);
}

CASE("any one damaged byte gives an answer, and never more than the hello offers") {
    const std::string hello = our_hello({Alpn::tcp});
    for (size_t at = 0; at < hello.size(); ++at) {
        for (const int bit : {1, 0x80, 0xff}) {
            std::string damaged = hello;
            damaged[at] = static_cast<char>(damaged[at] ^ bit);
            const Sniffed found = sniff(damaged);
            CHECK_EQUAL(found.kind == Sniff::weft_client_hello, found.offered == AlpnSet{Alpn::tcp});
            CHECK(found.kind == Sniff::weft_client_hello || found.offered.empty());
        }
    }
}

CASE("an answer stands, however many bytes follow it") {
    // Found by fuzzing: a record too short for a hello whose content is not one either.
    for (const std::string_view text : {std::string_view{"\x16\x03\x01\x00\x01\x00\x41\x3c", 8},
                                        std::string_view{"\x16\x03\x01\x00\x40\x02\x00", 7},
                                        std::string_view{"\x16\x03\x01\x00\x40\x01\x00\x01\x00", 9}}) {
        const Sniff whole = sniff(text).kind;
        CHECK(whole != Sniff::needs_more);
        for (size_t size = 0; size < text.size(); ++size) {
            const Sniff part = sniff(text.substr(0, size)).kind;
            CHECK(part == Sniff::needs_more || part == whole);
        }
    }
}
