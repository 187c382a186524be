// SPDX-License-Identifier: Apache-2.0
// A handler that writes down what it hears, two sessions joined in memory, and frames made by hand. For tests
// alone.
#pragma once
#include "engine/http2/session.hpp"
#include "engine/test/testing.hpp"
#include <algorithm>
#include <deque>
#include <map>
#include <nghttp2/nghttp2.h>

namespace weft::http2 {

inline std::string string_of(Bytes bytes) {
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

class Recorder : public Handler {
public:
    struct Exchange {
        std::string head;
        std::string content;
        std::string trailers;
        std::string to_send;
        std::string trailers_to_send;
        bool ended = false;
        bool closed = false;
        bool send_all = false;
        Reason why = Reason::none;
        uint32_t error_code = 0;
        http1::RequestHead request;
        http1::ResponseHead response;
        size_t sent = 0; // of to_send
        Bytes text() const { return http1::bytes_of(head); }
        size_t left() const { return to_send.size() - sent; }
    };

    Session *session = nullptr;
    /// Gives received content back at once.
    bool credits = true;
    std::vector<Reason> refused;
    std::vector<StreamRef> order;
    uint32_t goaway = 0xffffffff;
    uint32_t drains_seen = 0;

    Exchange &at(StreamRef ref) {
        const uint64_t key = (static_cast<uint64_t>(ref.generation) << 32) | ref.index;
        return exchanges_[key];
    }
    Exchange &last() { return at(order.back()); }

    void on_request(StreamRef stream, Bytes text, const http1::RequestHead &head) override {
        order.push_back(stream);
        at(stream).head = string_of(text);
        at(stream).request = head;
    }
    void on_response(StreamRef stream, Bytes text, const http1::ResponseHead &head) override {
        at(stream).head = string_of(text);
        at(stream).response = head;
    }
    void on_data(StreamRef stream, Bytes content) override {
        at(stream).content += string_of(content);
        if (credits) {
            session->credit(stream, content.size());
        }
    }
    void on_end(StreamRef stream, Bytes trailers) override {
        at(stream).ended = true;
        at(stream).trailers = string_of(trailers);
    }
    Pulled pull(StreamRef stream, std::span<uint8_t> room) override {
        Exchange &exchange = at(stream);
        const size_t size = std::min(room.size(), exchange.left());
        std::memcpy(room.data(), exchange.to_send.data() + exchange.sent, size);
        exchange.sent += size;
        const bool end = exchange.send_all && exchange.left() == 0;
        return {size, end, end ? http1::bytes_of(exchange.trailers_to_send) : Bytes{}};
    }
    void on_closed(StreamRef stream, Reason why, uint32_t error_code) override {
        CHECK(!at(stream).closed);
        at(stream).closed = true;
        at(stream).why = why;
        at(stream).error_code = error_code;
    }
    void on_refused(Reason why) override { refused.push_back(why); }
    void on_goaway(uint32_t error_code) override { goaway = error_code; }
    void on_drain_seen() override { ++drains_seen; }

private:
    std::map<uint64_t, Exchange> exchanges_;
};

/// A client's and a server's session over a wire that cuts bytes as it likes.
struct Pair {
    Recorder client_side;
    Recorder server_side;
    Session client;
    Session server;
    size_t piece = 16'384;

    explicit Pair(const Limits &server_limits = {}, const Limits &client_limits = {})
        : client(Role::client, client_limits, client_side), server(Role::server, server_limits, server_side) {
        client_side.session = &client;
        server_side.session = &server;
        run();
    }

    bool move(Session &from, Session &to) {
        std::vector<uint8_t> room(piece);
        const size_t size = from.send(room);
        if (size > 0) {
            to.receive({room.data(), size}, 0);
        }
        return size > 0;
    }

    /// Until neither has anything to send.
    void run() {
        while (true) {
            const bool there = move(client, server);
            if (!move(server, client) && !there) {
                return;
            }
        }
    }

    /// Parses `text` as an HTTP/1 request and sends it on; what follows the head in `content` is its content.
    StreamRef request(const std::string &text, const std::string &content = "", bool all = true) {
        http1::RequestHead head;
        Reason why = Reason::none;
        CHECK_EQUAL(http1_parse(text, head), true);
        const bool has_content = head.framing != http1::Framing::none;
        const StreamRef stream = client.request(http1::bytes_of(text), head, {}, has_content, why);
        CHECK_EQUAL(why, Reason::none);
        client_side.at(stream).to_send = content;
        client_side.at(stream).send_all = all;
        return stream;
    }

    /// Parses `text` as an HTTP/1 response and sends it.
    bool respond(StreamRef stream, const std::string &text, const std::string &content = "", bool all = true,
                 const std::string &trailers = "");

    /// Answers with a reply of our own.
    bool reply(StreamRef stream, const http1::LocalReply &reply) {
        server_side.at(stream).to_send = reply.body;
        server_side.at(stream).send_all = true;
        return server.reply(stream, reply);
    }

    static bool http1_parse(const std::string &text, http1::RequestHead &head);
};

/// A header block by hand, with no check of anything.
class RawClient {
public:
    using Headers = std::vector<std::pair<std::string, std::string>>;

    RawClient() { nghttp2_hd_deflate_new(&deflater_, 4096); }
    ~RawClient() { nghttp2_hd_deflate_del(deflater_); }
    RawClient(const RawClient &) = delete;
    RawClient &operator=(const RawClient &) = delete;

    static std::string preface() {
        return std::string(NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN) + frame(4, 0, 0, "");
    }
    static std::string frame(uint8_t type, uint8_t flags, uint32_t stream, const std::string &payload) {
        std::string out;
        for (const size_t byte : {payload.size() >> 16, payload.size() >> 8, payload.size()}) {
            out += static_cast<char>(byte & 0xff);
        }
        out += static_cast<char>(type);
        out += static_cast<char>(flags);
        for (const int shift : {24, 16, 8, 0}) {
            out += static_cast<char>((stream >> shift) & 0xff);
        }
        return out + payload;
    }
    std::string block(const Headers &headers) {
        std::vector<nghttp2_nv> list;
        for (const auto &[name, value] : headers) {
            list.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
        }
        std::vector<uint8_t> room(nghttp2_hd_deflate_bound(deflater_, list.data(), list.size()));
        const ssize_t size =
            nghttp2_hd_deflate_hd(deflater_, room.data(), room.size(), list.data(), list.size());
        return {reinterpret_cast<const char *>(room.data()), static_cast<size_t>(size)};
    }
    std::string headers(uint32_t stream, const Headers &headers, bool end = true) {
        return frame(NGHTTP2_HEADERS, static_cast<uint8_t>(4 | (end ? 1 : 0)), stream, block(headers));
    }

private:
    static uint8_t *bytes(const std::string &text) {
        return const_cast<uint8_t *>(reinterpret_cast<const uint8_t *>(text.data()));
    }
    nghttp2_hd_deflater *deflater_ = nullptr;
};

} // namespace weft::http2
