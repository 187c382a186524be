// SPDX-License-Identifier: Apache-2.0
// Whose turn it is: epoll's edges and timers put connections into their workload's queue; deficit round robin
// over the workloads (Shreedhar and Varghese, 1995) takes them out. One that uses little goes before all that
// keep the worker busy (as in fq_codel, RFC 8290 section 4.2), and while there is such a one turns are short:
// it waits for what is left of the present one, four times a request where both ends are here.
#include "engine/engine.hpp"
#include <algorithm>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace weft {
namespace {
constexpr int max_events = 256;
constexpr uint64_t step_cost = 2048;  // of looking at a connection at all, in bytes' worth of time
constexpr int64_t quantum = 8 * 1024; // per round at the usual share of 100: a neighbour's wait
constexpr int decisions_per_turn = 4;

// A turn's bounds. Large ones share the costs of a call and keep caches warm; small ones are for who waits.
constexpr TurnBounds roomy{
    .cost = 64 * 1024, .connection_bytes = SIZE_MAX, .handshakes = UINT32_MAX, .accepts = 64};
constexpr TurnBounds shared{.cost = 8 * 1024, .connection_bytes = 16 * 1024, .handshakes = 1, .accepts = 2};
constexpr uint64_t shared_us =
    250'000; // turns are short for so long after a modest workload had something to do

/// What the engine's own structures can hold, whatever was asked for.
EngineLimits bounded(EngineLimits limits) {
    limits.batch_rows = std::clamp(limits.batch_rows, 1U, 4096U);
    limits.http1.head_bytes = std::min(limits.http1.head_bytes, BlockPool::largest - 1024);
    limits.http1.head_fields = std::min<uint32_t>(limits.http1.head_fields, http1::max_fields);
    limits.turn_bytes = std::max(limits.turn_bytes, 4096U);
    limits.buffer_bytes = std::max(limits.buffer_bytes, 1U);
    limits.http2.head_bytes = limits.http1.head_bytes;
    limits.http2.head_fields = limits.http1.head_fields;
    limits.http2.target_bytes = limits.http1.target_bytes;
    limits.http2_sessions = std::max(limits.http2_sessions, 1U);
    return limits;
}
} // namespace

Engine::Engine(Host &host, const EngineLimits &limits, int notes_map)
    : host_(host), limits_(bounded(limits)), notes_(notes_map), epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      now_us_(host.now_us()), now_ms_(now_us_ / 1000), wheel_(now_ms_), batch_(limits_.batch_rows),
      read_area_(std::make_unique<char[]>(BlockPool::largest)),
      session_area_(std::make_unique<uint8_t[]>(BlockPool::largest)) {
    if (epoll_ < 0)
        throw std::system_error(errno, std::generic_category(), "epoll_create1");
    asked_.reserve(limits_.batch_rows);
}

Engine::~Engine() {
    close();
    ::close(epoll_);
}

void Engine::read_clock() {
    now_us_ = host_.now_us();
    now_ms_ = now_us_ / 1000;
}

TurnResult Engine::turn() {
    if (closed_)
        return {};
    ++depth_;
    ++turns_;
    read_clock();
    const uint64_t rows_before = rows_;
    poll_events();
    bool busy = !round_.empty() || !modest_.empty() || !handshake_round_.empty();
    expire_timers();
    if (!modest_.empty() && !round_.empty())
        shared_until_us_ = now_us_ + shared_us;
    bounds_ = now_us_ < shared_until_us_ ? shared : roomy;
    bool more = accept_all();
    if (run_modest())
        decide();
    more |= run_ready();
    more |= run_handshakes();
    for (int round = 0; round < decisions_per_turn && !closed_; ++round)
        if (!decide())
            break;
    for (size_t i = 0; i < low_stock_.size();
         ++i) { // the answer may come at once, and lead to the next question
        const LowStock low = low_stock_[i];
        host_.stock_low(low.workload, low.family, low.missing);
    }
    low_stock_.clear();
    busy |= rows_ != rows_before;
    pump_sessions(busy);
    more |= !marked_.empty() || !round_.empty() || !modest_.empty() || !questions_.empty() ||
            !handshake_round_.empty();
    --depth_;
    end_of_call();
    TurnResult result{.more = more, .busy = busy, .next_ms = wheel_.next_ms()};
    if (completions_due_ms_ != 0)
        result.next_ms = std::min(result.next_ms, completions_due_ms_);
    if (any_removed_)
        workloads_.each([&](const Workload &workload) {
            if (workload.removed)
                result.next_ms = std::min(result.next_ms, workload.remove_at_ms);
        });
    result.next_ms = std::min(result.next_ms, accept_again_ms_);
    return result;
}

/// Retired slots may be reused once nobody can be holding a reference.
void Engine::end_of_call() {
    if (depth_ > 0)
        return;
    flush_gather();
    if (closed_)
        close();
    retired_sessions_.clear();
    connections_.sweep();
    exchanges_.sweep();
    listeners_.sweep();
    workloads_.sweep();
    if (!closed_ && (!round_.empty() || !modest_.empty() || !questions_.empty() || !low_stock_.empty() ||
                     !handshake_round_.empty() || !marked_.empty() || !completions_.empty() || drained()))
        host_.wake();
}

void Engine::poll_events() {
    epoll_event events[max_events];
    const int count = ::epoll_wait(epoll_, events, max_events, 0);
    for (int i = 0; i < count; ++i)
        handle_event(events[i].data.u64, events[i].events);
}

void Engine::handle_event(uint64_t data, uint32_t events) {
    const Handle handle{static_cast<uint32_t>(data) >> 1, static_cast<uint32_t>(data >> 32)};
    if ((data & 1) != 0) {
        Listener *listener = listeners_.get(handle);
        if (listener != nullptr && !listener->ready) {
            listener->ready = true;
            ready_listeners_.push(handle);
        }
        return;
    }
    Connection *connection = connections_.get(handle);
    if (connection == nullptr)
        return;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        connection->hung_up = true;
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        connection->readable = true;
    if ((events & EPOLLOUT) != 0)
        connection->writable = true;
    if ((events & EPOLLERR) != 0)
        connection->errored = true;
    schedule(*connection);
}

void Engine::schedule(Connection &connection) {
    if (connection.scheduled || connection.state == ConnectionState::closed)
        return;
    connection.scheduled = true;
    Workload &workload = workload_of(connection);
    workload.ready.push(connection.self);
    if (workload.in_round)
        return;
    workload.in_round = true;
    (workload.is_modest(now_us_) ? modest_ : round_).push(workload.self);
}

/// Those that use little: one quantum each, and what is left of them queues with the others. True where there
/// were some.
bool Engine::run_modest() {
    const bool any = !modest_.empty();
    // Work that this work creates waits for the next turn: otherwise two ends could feed each other for ever.
    for (size_t left = modest_.size(); left > 0; --left)
        run_workload(modest_.pop());
    return any;
}

/// True where the turn's share of work was used up and some is left.
bool Engine::run_ready() {
    uint64_t spent = 0;
    size_t rounds = 0;
    while (!round_.empty() && spent < bounds_.cost && ++rounds < 4096)
        spent += run_workload(round_.pop());
    return !round_.empty() || !modest_.empty();
}

/// One workload's place in the round; returns what it cost.
uint64_t Engine::run_workload(Handle handle) {
    Workload *workload = workloads_.get(handle);
    if (workload == nullptr)
        return 0;
    uint64_t spent = 0;
    workload->deficit += quantum * workload->cpu_share / Workload::default_share;
    while (workload->deficit > 0 && !workload->ready.empty()) {
        Connection *connection = connections_.get(workload->ready.pop());
        if (connection == nullptr)
            continue;
        const uint64_t cost = run(*connection);
        spent += cost;
        workload = workloads_.get(handle);
        if (workload == nullptr)
            return spent;
        workload->charge(static_cast<int64_t>(cost));
    }
    if (workload->ready.empty()) {
        workload->in_round = false;
        workload->deficit = std::min<int64_t>(workload->deficit, 0);
    } else {
        round_.push(handle);
    }
    return spent;
}

/// One bounded step of one connection; returns what it cost.
uint64_t Engine::run(Connection &connection) {
    cost_ = step_cost;
    connection.scheduled = false;
    if (connection.writable && !connection.outbox.empty())
        flush_outbox(connection);
    if (connection.state != ConnectionState::closed) {
        if (connection.role == Role::downstream)
            run_downstream(connection);
        else
            run_upstream(connection);
    }
    flush_gather();
    if (connection.state != ConnectionState::closed)
        account(connection);
    return cost_;
}

/// Whether what a client sent before it reset its connection is still wanted, and can be read.
bool Engine::reads_to_end(const Connection &connection) {
    switch (connection.state) {
    case ConnectionState::lingering:
        return true;
    case ConnectionState::tunnel:
        return !connection.stalled && !connection.write_dead;
    case ConnectionState::http2: // a client may leave with a word of ours unread, and its request whole
        return connection.readable && !connection.read_closed && !connection.close_wanted;
    default:
        return false;
    }
}

void Engine::run_downstream(Connection &connection) {
    // RST shows as an error even while nothing is read. Where bytes may still be read, reading tells.
    if (connection.errored && !reads_to_end(connection)) {
        if (connection.state == ConnectionState::http2)
            lose_session(connection, Reason::downstream_reset);
        else
            downstream_lost(connection, Reason::downstream_reset);
        return;
    }
    switch (connection.state) {
    case ConnectionState::http1:
        step_requests(connection);
        break;
    case ConnectionState::http2:
        step_session(connection);
        break;
    case ConnectionState::tunnel:
        step_tunnel(connection);
        break;
    case ConnectionState::lingering:
        drain_lingering(connection);
        break;
    case ConnectionState::sniffing:
        step_sniffing(connection);
        break;
    case ConnectionState::securing:
        queue_handshake(connection);
        break;
    case ConnectionState::undecided:
    case ConnectionState::parked:
    case ConnectionState::waiting:
    case ConnectionState::connecting:
    case ConnectionState::idle:
    case ConnectionState::closed:
        break;
    }
}

void Engine::run_upstream(Connection &connection) {
    if (connection.http2 && connection.close_wanted) {
        close_connection(connection, connection.close_reason);
        return;
    }
    switch (connection.state) {
    case ConnectionState::http2:
        step_session(connection);
        break;
    case ConnectionState::connecting:
        check_connect(connection);
        break;
    case ConnectionState::http1:
    case ConnectionState::idle:
        step_responses(connection);
        break;
    case ConnectionState::tunnel:
        if (connection.errored && (connection.stalled || connection.write_dead))
            end_tunnel(connection, Reason::upstream_reset, true);
        else
            step_tunnel(connection);
        break;
    case ConnectionState::securing:
        queue_handshake(connection);
        break;
    case ConnectionState::waiting:
    case ConnectionState::undecided:
    case ConnectionState::parked:
    case ConnectionState::sniffing:
    case ConnectionState::lingering:
    case ConnectionState::closed:
        break;
    }
}

} // namespace weft
