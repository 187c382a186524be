// SPDX-License-Identifier: Apache-2.0
// One connection's HTTP/2 session, and which exchange each of its streams belongs to.
#pragma once
#include "engine/http2/session.hpp"
#include "engine/memory/ring-queue.hpp"
#include "engine/memory/slab.hpp"
#include <vector>

namespace weft {

class Engine;

/// Hands what the session tells to the engine. The engine may close the connection inside such a call; this
/// object then lives on until the call of the engine is over.
class Http2End final : public http2::Handler {
public:
    /// Throws std::bad_alloc.
    Http2End(Engine &engine, Handle connection, http2::Role role, const http2::Limits &limits);

    http2::Session session;
    /// Upstream: exchanges that wait for the connection, or for a free stream. Some may have left meanwhile.
    RingQueue<Handle> waiting;
    /// It waits in the engine's list of sessions that may have something to send.
    bool marked = false;
    /// Turns that it has waited there for more to send in the same call, and when it last sent.
    uint8_t held = 0;
    uint64_t pumped_us = 0;
    /// A request went over it before.
    bool used = false;
    /// GOAWAY was said, by either side: no new streams. `told`: we said which was the last one.
    bool draining = false;
    bool told = false;
    /// Exchanges that outlive their stream here.
    uint32_t outliving = 0;
    /// Its streams were ended; nothing more will be heard of them.
    bool over = false;

    /// Null handle where the stream belongs to no exchange (any more).
    Handle exchange_of(http2::StreamRef stream) const {
        return stream.index < exchanges_.size() ? exchanges_[stream.index] : Handle{};
    }
    void link(http2::StreamRef stream, Handle exchange);
    void unlink(http2::StreamRef stream) { exchanges_[stream.index] = {}; }

    void on_request(http2::StreamRef stream, http1::Bytes text, const http1::RequestHead &head) override;
    void on_response(http2::StreamRef stream, http1::Bytes text, const http1::ResponseHead &head) override;
    void on_data(http2::StreamRef stream, http1::Bytes content) override;
    void on_end(http2::StreamRef stream, http1::Bytes trailers) override;
    http2::Pulled pull(http2::StreamRef stream, std::span<uint8_t> room) override;
    void on_closed(http2::StreamRef stream, Reason why, uint32_t error_code) override;
    void on_refused(Reason why) override;
    void on_goaway(uint32_t error_code) override;
    void on_drain_seen() override;

private:
    Engine &engine_;
    const Handle connection_;
    const bool upstream_;
    /// By the stream's index.
    std::vector<Handle> exchanges_;
};

} // namespace weft
