// SPDX-License-Identifier: Apache-2.0
// One call per turn: rows out, verdicts in, completions along.
#include "engine/engine.hpp"
#include <cstring>

namespace weft {
namespace {

uint32_t id_of(Handle handle, bool is_exchange) {
    return handle.index << 1 | (is_exchange ? 1 : 0);
}

uint16_t flags_of(const Exchange &exchange) {
    const http1::RequestHead &head = exchange.request;
    uint16_t flags = 0;
    const auto set = [&flags](bool on, uint16_t flag) {
        flags = static_cast<uint16_t>(flags | (on ? flag : 0));
    };
    set(head.version == http1::Version::http10, row_flag::http10);
    set(head.upgrade, row_flag::upgrade);
    set(head.framing == http1::Framing::chunked || head.content_length > 0, row_flag::has_body);
    set(head.framing == http1::Framing::chunked, row_flag::chunked);
    set(head.plain_path, row_flag::plain_path);
    set(exchange.attempt > 0 && exchange.not_sent, row_flag::not_sent);
    set(exchange.attempt > 0 && !exchange.not_sent && exchange.reused && !exchange.response_started,
        row_flag::unanswered);
    return flags;
}

} // namespace

void Engine::set_wanted_headers(const std::vector<std::string> &names) {
    wanted_.clear();
    wanted_filter_ = 0;
    for (const std::string &name : names) {
        const uint32_t hash = http1::hash_name(name);
        wanted_.push_back({name, hash});
        wanted_filter_ |= uint64_t{1} << (hash % 64);
    }
}

/// Asks about what waits, and hands out what ended. False where there was nothing to do.
bool Engine::decide() {
    if (questions_.empty() && completions_.empty())
        return false;
    // Completions alone wait a moment for a row to ride with.
    if (questions_.empty() && completions_.size() < batch_.capacity() / 2) {
        if (completions_due_ms_ == 0)
            completions_due_ms_ = now_ms_ + limits_.completion_delay_ms;
        if (now_ms_ < completions_due_ms_)
            return false;
    }
    completions_due_ms_ = 0;
    batch_.begin();
    const uint32_t rows = fill_rows();
    const uint32_t completions = fill_completions();
    if (rows == 0 && completions == 0)
        return false;
    rows_ += rows;
    batch_.clear_verdicts(rows);
    batch_.set_live(true);
    const bool decided = host_.decide(rows, completions);
    batch_.set_live(false);
    read_clock();
    if (!closed_)
        apply_verdicts(rows, !decided);
    flush_gather();
    return true;
}

uint32_t Engine::fill_rows() {
    asked_.clear();
    while (!questions_.empty() && asked_.size() < batch_.capacity()) {
        const Question question = questions_.front();
        const bool gone = question.is_exchange ? exchanges_.get(question.subject) == nullptr
                                               : connections_.get(question.subject) == nullptr;
        if (!gone) {
            if (!fill_row(static_cast<uint32_t>(asked_.size()), question))
                break;
            asked_.push_back(question);
        }
        questions_.pop();
    }
    return static_cast<uint32_t>(asked_.size());
}

bool Engine::fill_row(uint32_t row, const Question &question) {
    batch_.rows.id[row] = id_of(question.subject, question.is_exchange);
    batch_.rows.generation[row] = question.subject.generation;
    if (question.is_exchange)
        return fill_request(row, *exchanges_.get(question.subject));
    const Connection &down = *connections_.get(question.subject);
    fill_connection(row, down);
    return fill_peer(row, down);
}

/// False where the text does not fit into what is left of the arena.
bool Engine::fill_peer(uint32_t row, const Connection &down) {
    auto &rows = batch_.rows;
    rows.connection_tag[row] = down.tag;
    if (down.attempt_failure != Reason::none) {
        rows.kind[row] = static_cast<uint8_t>(RowKind::attempt_failed);
        rows.flags[row] = row_flag::not_sent;
        rows.reason[row] = static_cast<uint16_t>(down.attempt_failure);
        return true;
    }
    if (down.sniffed)
        rows.kind[row] = static_cast<uint8_t>(RowKind::sniffed);
    if (down.tls == nullptr)
        return true;
    const std::string &peer = down.tls->session->peer();
    char *const text = batch_.reserve_text(peer.size());
    if (text == nullptr)
        return false;
    std::memcpy(text, peer.data(), peer.size());
    rows.kind[row] = static_cast<uint8_t>(RowKind::secured);
    rows.peer_offset[row] = batch_.offset_of(text);
    rows.peer_length[row] = static_cast<uint16_t>(peer.size());
    return true;
}

void Engine::fill_connection(uint32_t row, const Connection &down) {
    auto &rows = batch_.rows;
    rows.kind[row] = static_cast<uint8_t>(RowKind::connection);
    rows.workload[row] = workload_of(down).name;
    rows.direction[row] = static_cast<uint8_t>(down.direction);
    rows.connection_tag[row] = rows.request_tag[row] = 0;
    rows.alpn[row] = static_cast<uint8_t>(down.tls == nullptr ? tls::Alpn::none : down.tls->session->alpn());
    rows.flags[row] = rows.reason[row] = rows.status[row] = 0;
    rows.method[row] = rows.attempt[row] = rows.protocol[row] = 0;
    rows.peer_offset[row] = rows.peer_length[row] = 0;
    std::memcpy(rows.destination_ip + size_t{row} * 16, down.destination.ip.data(), 16);
    std::memcpy(rows.source_ip + size_t{row} * 16, down.source.ip.data(), 16);
    rows.destination_port[row] = down.destination.port;
    rows.source_port[row] = down.source.port;
}

/// False where the text does not fit into what is left of the arena.
bool Engine::fill_request(uint32_t row, const Exchange &exchange) {
    const Connection &down = *downstream_of(exchange);
    const http1::RequestHead &head = exchange.request;
    const http1::Bytes bytes = exchange.head_bytes();
    // Wanted values are part of the head; each join adds two bytes to a field that stood on a line of its
    // own.
    char *const text = batch_.reserve_text(size_t{head.length} * 2);
    if (text == nullptr)
        return false;
    fill_connection(row, down);
    auto &rows = batch_.rows;
    rows.kind[row] = static_cast<uint8_t>(exchange.attempt == 0 ? RowKind::request : RowKind::attempt_failed);
    rows.connection_tag[row] = down.tag;
    rows.request_tag[row] = exchange.tag;
    rows.flags[row] = flags_of(exchange);
    rows.method[row] = static_cast<uint8_t>(head.method);
    rows.protocol[row] = exchange.down_stream ? 2 : 1;
    rows.attempt[row] = exchange.attempt;
    rows.reason[row] = static_cast<uint16_t>(exchange.attempt == 0 ? Reason::none : exchange.failure);
    rows.status[row] = exchange.attempt == 0 ? uint16_t{0} : exchange.status;
    rows.body_bytes[row] =
        head.framing == http1::Framing::chunked ? -1.0 : static_cast<double>(head.content_length);
    char *end = text;
    const auto put = [&](http1::Span span) {
        std::memcpy(end, bytes.data() + span.offset, span.length);
        const uint32_t offset = batch_.offset_of(end);
        end += span.length;
        return offset;
    };
    rows.method_offset[row] = put(head.method_text);
    rows.method_length[row] = static_cast<uint16_t>(head.method_text.length);
    rows.path_offset[row] = put(head.path);
    rows.path_length[row] = head.path.length;
    rows.host_offset[row] = put(head.authority);
    rows.host_length[row] = static_cast<uint16_t>(head.authority.length);
    fill_headers(row, exchange, end);
    return true;
}

void Engine::fill_headers(uint32_t row, const Exchange &exchange, char *&end) {
    uint32_t *const offsets = batch_.rows.header_offset + size_t{row} * max_wanted_headers;
    uint32_t *const lengths = batch_.rows.header_length + size_t{row} * max_wanted_headers;
    for (size_t wanted = 0; wanted < wanted_.size(); ++wanted)
        lengths[wanted] = absent_header;
    if (wanted_.empty())
        return;
    const http1::Bytes bytes = exchange.head_bytes();
    uint64_t repeated = 0;
    const auto visit = [&](size_t wanted, auto take) {
        for (const http1::Field &field : exchange.request.fields.all())
            if (field.hash == wanted_[wanted].hash &&
                http1::same_name(field.name.text(bytes), wanted_[wanted].name))
                take(field.value);
    };
    for (const http1::Field &field : exchange.request.fields.all()) {
        if ((wanted_filter_ >> (field.hash % 64) & 1) == 0)
            continue;
        for (size_t wanted = 0; wanted < wanted_.size(); ++wanted) {
            if (field.hash != wanted_[wanted].hash ||
                !http1::same_name(field.name.text(bytes), wanted_[wanted].name))
                continue;
            if (lengths[wanted] != absent_header) {
                repeated |= uint64_t{1} << wanted;
                continue;
            }
            std::memcpy(end, bytes.data() + field.value.offset, field.value.length);
            offsets[wanted] = batch_.offset_of(end);
            lengths[wanted] = field.value.length;
            end += field.value.length;
        }
    }
    for (size_t wanted = 0; repeated != 0; ++wanted, repeated >>= 1) {
        if ((repeated & 1) == 0)
            continue;
        char *const start = end;
        visit(wanted, [&](http1::Span value) {
            if (end != start) {
                *end++ = ',';
                *end++ = ' ';
            }
            std::memcpy(end, bytes.data() + value.offset, value.length);
            end += value.length;
        });
        offsets[wanted] = batch_.offset_of(start);
        lengths[wanted] = static_cast<uint32_t>(end - start);
    }
}

uint32_t Engine::fill_completions() {
    uint32_t count = 0;
    while (!completions_.empty() && count < batch_.capacity())
        batch_.write_completion(count++, completions_.pop());
    return count;
}

/// What the decision did not answer, or answered with nonsense, fails closed.
void Engine::apply_verdicts(uint32_t rows, bool failed) {
    for (uint32_t row = 0; row < rows && !closed_; ++row) {
        const Question question = asked_[row]; // whatever was asked may be gone since
        Verdict verdict;
        if (failed || !batch_.read_verdict(row, verdict))
            verdict = Verdict{};
        if (question.is_exchange) {
            Exchange *exchange = exchanges_.get(question.subject);
            if (exchange != nullptr &&
                (exchange->state == ExchangeState::deciding || exchange->state == ExchangeState::held))
                apply_to_exchange(*exchange, verdict);
        } else {
            Connection *down = connections_.get(question.subject);
            if (down != nullptr && down->state == ConnectionState::undecided)
                apply_to_connection(*down, verdict);
        }
        flush_gather();
    }
}

void Engine::apply_to_connection(Connection &down, const Verdict &verdict) {
    if (down.decided_us == 0)
        down.decided_us = now_us_;
    down.tag = verdict.tag;
    switch (verdict.action) {
    case Action::http:
        begin_http(down);
        return;
    case Action::tunnel:
        open_tunnel(down, verdict);
        return;
    case Action::park:
        park_connection(down, verdict);
        return;
    case Action::reset:
        close_connection(down, verdict.reason, true);
        return;
    case Action::secure:
        secure(down);
        return;
    case Action::sniff:
        sniff(down, verdict);
        return;
    case Action::none:
    case Action::forward:
    case Action::reply:
    case Action::pass:
        break;
    }
    close_connection(down, Reason::decide_failed, true);
}

/// ALPN has said which HTTP it is, else the first bytes will.
void Engine::begin_http(Connection &down) {
    const tls::Alpn alpn = down.tls == nullptr ? tls::Alpn::none : down.tls->session->alpn();
    if (alpn == tls::Alpn::http2) {
        begin_server_session(down);
        return;
    }
    down.first_bytes = alpn != tls::Alpn::http1;
    down.state = ConnectionState::http1;
    wheel_.set(down.timer, now_ms_ + limits_.header_timeout_ms);
    schedule(down);
}

void Engine::apply_to_exchange(Exchange &exchange, const Verdict &verdict) {
    if (exchange.decided_us == 0)
        exchange.decided_us = now_us_;
    workload_of(*downstream_of(exchange)).charge(row_cost);
    const bool held = exchange.state == ExchangeState::held;
    if (verdict.action != Action::none && verdict.action != Action::pass)
        exchange.tag = verdict.tag;
    switch (verdict.action) {
    case Action::forward:
        if (workload_of(*downstream_of(exchange)).over_buffered())
            reply_reason(exchange, Reason::buffer_limit);
        else
            forward(exchange, verdict);
        return;
    case Action::reply:
        reply_verdict(exchange, verdict);
        return;
    case Action::park:
        if (held)
            break; // nobody could say what happens to the response meanwhile
        park_exchange(exchange, verdict);
        return;
    case Action::reset:
        abort_exchange(exchange, verdict.reason, true);
        return;
    case Action::pass:
        if (!held)
            break;
        pass_held(exchange);
        return;
    case Action::none:
    case Action::http:
    case Action::tunnel:
    case Action::secure:
    case Action::sniff:
        break;
    }
    reply_reason(exchange, Reason::decide_failed);
}

void Engine::park_connection(Connection &down, const Verdict &verdict) {
    if (parked_ >= limits_.parked) {
        close_connection(down, Reason::park_limit, true);
        return;
    }
    ++parked_;
    down.state = ConnectionState::parked;
    wheel_.set(down.timer,
               now_ms_ + (verdict.deadline_ms != 0 ? verdict.deadline_ms : limits_.park_timeout_ms));
}

void Engine::park_exchange(Exchange &exchange, const Verdict &verdict) {
    const Workload &workload = workload_of(*downstream_of(exchange));
    if (parked_ >= limits_.parked || workload.pending >= workload.pending_limit) {
        reply_reason(exchange, parked_ >= limits_.parked ? Reason::park_limit : Reason::pending_limit);
        return;
    }
    set_state(exchange, ExchangeState::parked);
    wheel_.set(exchange.timer,
               now_ms_ + (verdict.deadline_ms != 0 ? verdict.deadline_ms : limits_.park_timeout_ms));
}

bool Engine::resume(uint32_t id, uint32_t generation, const Verdict &verdict) {
    const Handle handle{id >> 1, generation};
    bool parked = false;
    if ((id & 1) != 0) {
        Exchange *exchange = exchanges_.get(handle);
        parked = exchange != nullptr && exchange->state == ExchangeState::parked;
        if (parked) {
            wheel_.cancel(exchange->timer);
            set_state(*exchange, ExchangeState::deciding);
            apply_to_exchange(*exchange, verdict);
        }
    } else {
        Connection *down = connections_.get(handle);
        parked = down != nullptr && down->state == ConnectionState::parked;
        if (parked) {
            wheel_.cancel(down->timer);
            --parked_;
            down->state = ConnectionState::undecided;
            apply_to_connection(*down, verdict);
        }
    }
    flush_gather();
    end_of_call();
    return parked;
}

} // namespace weft
