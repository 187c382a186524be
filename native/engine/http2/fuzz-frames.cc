// SPDX-License-Identifier: Apache-2.0
// Whatever bytes a peer sends, to either role: nothing is read or kept wrongly, events come in order, and
// what is handed on can be written as HTTP/1 and is read there as the same message.
#include "engine/http1/fuzz-input.hpp"
#include "engine/http1/parse-head.hpp"
#include "engine/http1/write-head.hpp"
#include "engine/http2/session.hpp"
#include <map>
#include <string>

using namespace weft::http2;
using weft::Reason;
using weft::http1::require;
namespace http1 = weft::http1;

namespace {

/// Answers every request and checks the order of events and the content of heads.
class Judge : public Handler {
public:
    Session *session = nullptr;

    void on_request(StreamRef stream, Bytes text, const http1::RequestHead &head) override {
        require(!open_.contains(key(stream)) && session->is_open(stream));
        open_[key(stream)] = 0;
        std::vector<uint8_t> out(http1::request_head_bound(head, {}));
        const http1::Written written = http1::write_request_head(text, head, {}, out);
        require(written.why == Reason::none);
        http1::RequestHead again;
        Reason why = Reason::none;
        const http1::Limits wide{.head_bytes = 1 << 20, .head_fields = 128, .target_bytes = 1 << 18};
        const Bytes bytes{out.data(), written.size};
        require(http1::parse_request_head(bytes, wide, again, why) == http1::Parse::complete);
        require(again.length == written.size && again.framing == head.framing);
        require(again.path.text(bytes) == head.path.text(text));
        require(again.authority.text(bytes) == head.authority.text(text));
        if (head.content_length % 3 == 0) {
            session->reply(stream, {.status = 200, .body = "answer"});
        } else if (head.content_length % 3 == 1) {
            session->reset(stream, 8);
        }
    }
    void on_response(StreamRef stream, Bytes text, const http1::ResponseHead &head) override {
        require(open_.contains(key(stream)));
        std::vector<uint8_t> out(http1::response_head_bound(head, {}));
        const http1::Written written = http1::write_response_head(text, head, {}, out);
        require(written.why == Reason::none);
        http1::ResponseHead again;
        Reason why = Reason::none;
        const http1::Limits wide{.head_bytes = 1 << 20, .head_fields = 128};
        require(http1::parse_response_head({out.data(), written.size}, {http1::Method::GET, {}}, wide, again,
                                           why) == http1::Parse::complete);
        require(again.length == written.size && again.status == head.status);
    }
    void on_data(StreamRef stream, Bytes content) override {
        require(open_.contains(key(stream)) && open_[key(stream)] == 0 && !content.empty());
        if (content.size() % 2 == 0) {
            session->credit(stream, content.size());
        }
    }
    void on_end(StreamRef stream, Bytes trailers) override {
        require(open_.contains(key(stream)) && open_[key(stream)] == 0);
        open_[key(stream)] = 1;
        require(http1::are_field_lines(trailers));
    }
    Pulled pull(StreamRef stream, std::span<uint8_t> room) override {
        require(open_.contains(key(stream)) && !room.empty());
        room[0] = 'x';
        return {1, true, {}};
    }
    void on_closed(StreamRef stream, Reason, uint32_t) override {
        require(open_.erase(key(stream)) == 1 && !session->is_open(stream));
    }
    void on_refused(Reason why) override { require(why != Reason::none); }
    void on_goaway(uint32_t) override {}
    void on_drain_seen() override {}

    void opened(StreamRef stream) { open_[key(stream)] = 0; }
    size_t open() const { return open_.size(); }

private:
    static uint64_t key(StreamRef stream) {
        return (static_cast<uint64_t>(stream.generation) << 32) | stream.index;
    }
    /// 1 where the peer ended its side.
    std::map<uint64_t, int> open_;
};

void send_all(Session &session) {
    std::array<uint8_t, 1000> room;
    for (int turn = 0; turn < 1000 && session.send(room) > 0; ++turn) {
    }
}

void open_streams(Session &session, Judge &judge, uint8_t choice) {
    const std::string text = (choice & 2) != 0
                                 ? "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
                                 : "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    http1::RequestHead head;
    Reason why = Reason::none;
    http1::parse_request_head(http1::bytes_of(text), {}, head, why);
    for (int i = 0; i < 3; ++i) {
        const StreamRef stream = session.request(http1::bytes_of(text), head, {}, (choice & 2) == 0, why);
        require(static_cast<bool>(stream));
        judge.opened(stream);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const http1::CutInput input{data, size};
    const bool client = (input.choice() & 1) != 0;
    Limits limits;
    limits.concurrent_streams = 4;
    limits.stream_window = 100;
    limits.head_bytes = 1000;
    limits.floods = {.resets = 8, .pings = 8, .settings = 8, .idle_frames = 8, .window_updates = 8};
    Judge judge;
    Session session{client ? Role::client : Role::server, limits, judge};
    judge.session = &session;
    send_all(session);
    std::string prefix{"\0\0\0\4\0\0\0\0\0", 9};
    if (client) {
        open_streams(session, judge, input.choice());
        send_all(session);
    } else {
        prefix = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + prefix;
    }
    session.receive(http1::bytes_of(prefix), 0);
    session.receive(input.first(), 0);
    if ((input.choice() & 4) != 0) {
        send_all(session);
    }
    session.receive(input.whole().subspan(input.first().size()), 5000);
    send_all(session);
    require(session.streams() <= 4 && judge.open() <= session.streams());
    session.abandon(Reason::peer_closed);
    require(judge.open() == 0 && session.streams() == 0);
    return 0;
}
