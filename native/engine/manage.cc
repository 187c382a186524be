// SPDX-License-Identifier: Apache-2.0
// Workloads, endpoints, and what people ask of a running engine.
#include "engine/engine.hpp"
#include <algorithm>
#include <unistd.h>
#include <utility>

namespace weft {

Workload *Engine::find_workload(uint32_t name) {
    const auto found = workload_names_.find(name);
    return found == workload_names_.end() ? nullptr : workloads_.get(found->second);
}

bool Engine::add_workload(uint32_t name, const WorkloadOptions &options) {
    if (closed_ || workload_names_.contains(name))
        return false;
    Workload &workload = workloads_.acquire();
    workload.name = name;
    workload.apply(options);
    workload_names_[name] = workload.self;
    return true;
}

bool Engine::set_workload(uint32_t name, const WorkloadOptions &options) {
    Workload *workload = find_workload(name);
    if (workload != nullptr)
        workload->apply(options);
    return workload != nullptr;
}

/// A listener that closes resets what waits in its backlog, and a client that has just connected, or is about
/// to send another request, has been promised an answer: so nothing is closed that could still be asked for
/// something.
bool Engine::retire_workload(uint32_t name, uint32_t end_ms) {
    const Workload *workload = find_workload(name);
    if (workload == nullptr || closed_)
        return false;
    read_clock();
    const Handle self = workload->self;
    listeners_.each([&](Listener &listener) {
        if (listener.workload != self)
            return;
        listener.ready = true;
        while (accept_from(listener)) {
        }
        close_listener(listener);
    });
    connections_.each([&](Connection &connection) {
        if (connection.role != Role::downstream || connection.workload != self || connection.retiring)
            return;
        connection.retiring = true;
        connection.retire_at_ms = std::min(connection.retire_at_ms, now_ms_ + end_ms);
        connection.retire_reason = connection.close_reason = Reason::workload_withdrawn;
        wheel_.cancel(connection.retirement);
        wheel_.set(connection.retirement, connection.retire_at_ms);
        if (connection.http2)
            drain_session(connection, Reason::workload_withdrawn);
    });
    end_of_call();
    return true;
}

/// The name is free at once; what is left of the workload lives until its connections have ended.
bool Engine::remove_workload(uint32_t name, uint32_t grace_ms) {
    Workload *workload = find_workload(name);
    if (workload == nullptr)
        return false;
    read_clock();
    workload_names_.erase(name);
    const Handle self = workload->self;
    listeners_.each([&](Listener &listener) {
        if (listener.workload == self)
            close_listener(listener);
    });
    workload->removed = any_removed_ = true;
    workload->remove_at_ms = now_ms_ + grace_ms;
    for (SocketStock &stock : workload->stock)
        stock.clear();
    upstream_.remove_if([&](const PoolKey &key) { return key.workload == self.index; },
                        [&](Handle handle) {
                            if (Connection *idle = connections_.get(handle))
                                close_connection(*idle, Reason::workload_withdrawn);
                        });
    drain_sessions([&](const PoolKey &key) { return key.workload == self.index; });
    tickets_.remove_if([&](const PoolKey &key) { return key.workload == self.index; });
    // Peers must not send further requests on a connection that has no application behind it any more.
    connections_.each([&](Connection &connection) {
        if (connection.role == Role::downstream && connection.workload == self)
            retire_after(connection, Reason::workload_withdrawn, 0, grace_ms);
    });
    if (Workload *left = workloads_.get(self)) {
        forget_workload_if_unused(*left);
        expire_workloads();
    }
    end_of_call();
    return true;
}

void Engine::forget_workload_if_unused(Workload &workload) {
    if (workload.open > 0)
        return;
    for (SocketStock &stock : workload.stock)
        stock.clear();
    workloads_.retire(workload);
}

/// Removed workloads whose grace is over lose their connections.
void Engine::expire_workloads() {
    any_removed_ = false;
    workloads_.each([&](Workload &workload) {
        if (!workload.removed)
            return;
        if (workload.remove_at_ms > now_ms_) {
            any_removed_ = true;
            return;
        }
        const Handle self = workload.self;
        connections_.each([&](Connection &connection) {
            if (connection.role == Role::downstream && connection.workload == self)
                downstream_lost(connection, Reason::workload_withdrawn);
        });
    });
}

void Engine::set_endpoint(uint32_t id, const Endpoint &endpoint) {
    if (id >= endpoints_.size())
        endpoints_.resize(size_t{id} + 1);
    const uint32_t peer = peers_.hold(endpoint.identity);
    const Endpoint before = std::exchange(endpoints_[id], endpoint);
    peers_.drop(before.identity);
    endpoints_[id].peer = peer;
    endpoints_[id].defined = true;
    if (before.defined)
        tickets_.remove_if(
            [&](const PoolKey &key) { return before.leads_to(key) && !endpoints_[id].leads_to(key); });
}

bool Engine::remove_endpoint(uint32_t id) {
    if (id >= endpoints_.size() || !endpoints_[id].defined)
        return false;
    const Endpoint endpoint = endpoints_[id];
    endpoints_[id] = {};
    peers_.drop(endpoint.identity);
    const auto leads_there = [&](const PoolKey &key) { return endpoint.leads_to(key); };
    drain_sessions(leads_there);
    tickets_.remove_if(leads_there);
    upstream_.remove_if(leads_there, [&](Handle handle) {
        if (Connection *idle = connections_.get(handle))
            close_connection(*idle, Reason::peer_closed);
    });
    end_of_call();
    return true;
}

size_t Engine::close_connections(Reason reason, const ConnectionMatch &match) {
    read_clock();
    size_t closed = 0;
    connections_.each([&](Connection &connection) {
        if (connection.role != Role::downstream || (match.tag && connection.tag != *match.tag) ||
            (match.workload && workload_of(connection).name != *match.workload))
            return;
        downstream_lost(connection, reason);
        ++closed;
    });
    end_of_call();
    return closed;
}

void Engine::visit_connections(const std::function<void(const ConnectionInfo &)> &visit) {
    read_clock();
    connections_.each([&](Connection &down) {
        if (down.role != Role::downstream)
            return;
        const char *state = "deciding";
        if (down.state == ConnectionState::sniffing || down.state == ConnectionState::securing)
            state = "securing";
        else if (down.state == ConnectionState::http1 || down.state == ConnectionState::http2)
            state = down.close_wanted ? "closing" : "http";
        else if (down.state == ConnectionState::tunnel || down.state == ConnectionState::waiting)
            state = down.exchange ? "upgraded" : "tunnel";
        else if (down.state == ConnectionState::lingering)
            state = "closing";
        const char *protocol = "";
        if (down.state == ConnectionState::tunnel || down.state == ConnectionState::waiting)
            protocol = down.exchange ? "http1" : "tcp";
        else if (down.state == ConnectionState::http1)
            protocol = "http1";
        else if (down.state == ConnectionState::http2)
            protocol = "http2";
        const bool secured = down.tls != nullptr && down.tls->established;
        const Connection *up = connections_.get(down.peer);
        visit({workload_of(down).name, down.direction, down.tag, state, protocol, secured,
               secured ? down.tls->session->peer() : std::string{}, down.source, down.destination,
               now_us_ - down.opened_us, down.received, down.sent,
               down.accounted + (up != nullptr ? up->accounted : 0)});
    });
}

EngineStats Engine::stats() {
    EngineStats stats{.connections = downstreams_,
                      .exchanges = exchanges_.live(),
                      .pooled = upstream_.idle(),
                      .parked = parked_,
                      .buffered_bytes = buffered_,
                      .turns = turns_,
                      .rows = rows_,
                      .client_handshakes = client_handshakes_,
                      .server_handshakes = server_handshakes_,
                      .failed_handshakes = failed_handshakes_,
                      .resumed_as_client = resumed_as_client_,
                      .resumed_as_server = resumed_as_server_,
                      .outdated_tickets = outdated_tickets_,
                      .misplaced_tickets = misplaced_tickets_,
                      .tls_sessions = tls_sessions_,
                      .tls_bytes =
                          unfinished_ * (tls::Session::handshake_memory_bytes - tls::Session::memory_bytes),
                      .tickets = tickets_.size()};
    workloads_.each([&](const Workload &workload) {
        stats.tls_bytes += workload.tls_sessions * tls::Session::memory_bytes;
        for (const SocketStock &stock : workload.stock)
            stats.sockets += stock.size();
    });
    connections_.each([&](const Connection &connection) {
        if (connection.http2 && connection.role == Role::downstream)
            stats.streams += connection.http2->session.streams();
    });
    return stats;
}

bool Engine::is_draining_idle(const Connection &connection) const {
    return (ending_ || connection.retiring) && connection.state == ConnectionState::http1 &&
           !connection.exchange && connection.inbox.size() == 0 && connection.outbox.empty() &&
           !connection.readable;
}

/// A successor accepts from the same listeners. Nothing new is promised to anybody, and nothing is closed
/// that a client may be about to use: its next answer says `connection: close`, its session GOAWAY (RFC 9112
/// section 9.6, RFC 9113 section 6.8).
void Engine::hand_on() {
    if (closed_ || draining_)
        return;
    read_clock();
    draining_ = true;
    listeners_.each([&](Listener &listener) { close_listener(listener); });
    connections_.each([&](Connection &connection) {
        if (connection.role == Role::downstream && connection.state == ConnectionState::http2)
            drain_session(connection, Reason::draining);
    });
    end_of_call();
}

void Engine::drain() {
    if (closed_ || ending_)
        return;
    ending_ = true;
    hand_on();
    read_clock();
    connections_.each([&](Connection &connection) {
        if (connection.role != Role::downstream)
            return;
        if (is_draining_idle(connection))
            close_connection(connection, Reason::draining);
        else if (connection.state == ConnectionState::http2 && connection.http2->session.streams() == 0)
            tell_last_stream(connection);
    });
    drain_sessions([](const PoolKey &) { return true; });
    upstream_.remove_if([](const PoolKey &) { return true; },
                        [&](Handle handle) {
                            if (Connection *idle = connections_.get(handle))
                                close_connection(*idle, Reason::draining);
                        });
    end_of_call();
}

// Called again by end_of_call() where it was called from inside a decision.
void Engine::close() {
    closed_ = true;
    if (depth_ > 0)
        return;
    gather_.clear();
    listeners_.each([&](Listener &listener) { close_listener(listener); });
    connections_.each([&](Connection &connection) {
        if (connection.role == Role::downstream)
            downstream_lost(connection, Reason::draining);
    });
    connections_.each([&](Connection &connection) { close_connection(connection, Reason::draining); });
    workloads_.each([](Workload &workload) {
        for (SocketStock &stock : workload.stock)
            stock.clear();
    });
    completions_.clear();
    questions_.clear();
}

} // namespace weft
