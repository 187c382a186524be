// SPDX-License-Identifier: Apache-2.0
// Looking at a caller's first bytes: whether they are TLS of the mesh.
#include "engine/engine.hpp"

namespace weft {

/// The verdict `sniff`.
void Engine::sniff(Connection &down, const Verdict &verdict) {
    if (down.direction != Direction::inbound || down.tls != nullptr || down.sniffed) {
        close_connection(down, Reason::decide_failed, true);
        return;
    }
    down.state = ConnectionState::sniffing;
    wheel_.set(down.timer,
               now_ms_ + (verdict.deadline_ms != 0 ? verdict.deadline_ms : limits_.sniff_timeout_ms));
    schedule(down);
}

void Engine::step_sniffing(Connection &down) {
    while (down.readable) {
        const iovec space = down.inbox.space(blocks_, tls::max_sniffed_bytes);
        const IoResult result = read_into(down, static_cast<char *>(space.iov_base), space.iov_len);
        if (result.io == Io::failed) {
            close_connection(down, Reason::downstream_reset, true);
            return;
        }
        if (result.io == Io::end)
            end_sniffing(down);
        if (result.io != Io::ok)
            return;
        down.inbox.grew(result.bytes);
        switch (tls::sniff_client_hello(http1::bytes_of(down.inbox.view())).kind) {
        case tls::Sniff::needs_more:
            break;
        case tls::Sniff::weft_client_hello:
            secure(down);
            return;
        case tls::Sniff::other_tls:
        case tls::Sniff::not_tls:
            end_sniffing(down);
            return;
        }
    }
    down.inbox.give_back_if_empty(blocks_);
}

/// The first bytes may have come while nobody looked.
void Engine::sniffing_timed_out(Connection &down) {
    step_sniffing(down);
    if (down.state == ConnectionState::sniffing)
        end_sniffing(down);
}

/// No TLS of the mesh: what was read stays in the inbox.
void Engine::end_sniffing(Connection &down) {
    wheel_.cancel(down.timer);
    down.inbox.give_back_if_empty(blocks_);
    down.sniffed = true;
    down.state = ConnectionState::undecided;
    questions_.push({down.self, false});
}

} // namespace weft
