// SPDX-License-Identifier: Apache-2.0
// Connections that shall end: first they take nothing new, later they are cut. Certificates run out,
// identities are replaced or removed, people drain; and requests that may not go on.
#include "engine/engine.hpp"
#include <algorithm>

namespace weft {

bool Engine::set_identity(uint32_t name, tls::IdentityText &text, tls::IdentityProblem &problem) {
    if (find_workload(name) == nullptr || closed_)
        return false;
    std::shared_ptr<const tls::Identity> identity =
        tls::Identity::create(text, host_.unix_seconds(), problem);
    return identity == nullptr || set_identity(name, std::move(identity));
}

bool Engine::set_identity(uint32_t name, std::shared_ptr<const tls::Identity> identity) {
    Workload *workload = find_workload(name);
    if (workload == nullptr || closed_)
        return false;
    workload->identity = std::move(identity);
    const uint32_t serial = ++workload->identity_serial;
    const uint32_t self = workload->self.index;
    const auto is_older = [&](const PoolKey &key) {
        return key.workload == self && key.peer != 0 && key.identity != serial;
    };
    drain_sessions(is_older);
    tickets_.remove_if(is_older);
    upstream_.remove_if(is_older, [&](Handle handle) {
        if (Connection *idle = connections_.get(handle))
            close_connection(*idle, Reason::peer_closed);
    });
    end_of_call();
    return true;
}

bool Engine::remove_identity(uint32_t name, Reason reason, uint32_t grace_ms) {
    Workload *workload = find_workload(name);
    if (workload == nullptr || closed_)
        return false;
    read_clock();
    workload->identity = nullptr;
    const Handle self = workload->self;
    tickets_.remove_if([&](const PoolKey &key) { return key.workload == self.index; });
    connections_.each([&](Connection &connection) {
        if (connection.workload == self && connection.tls != nullptr)
            retire_after(connection, reason, 0, grace_ms);
    });
    end_of_call();
    return true;
}

void Engine::forget_tickets() {
    tickets_.clear();
    ++ticket_epoch_;
}

size_t Engine::drain_connections(Reason reason, const ConnectionMatch &match, uint32_t grace_ms) {
    read_clock();
    size_t drained = 0;
    connections_.each([&](Connection &connection) {
        if (connection.role != Role::downstream || (match.tag && connection.tag != *match.tag) ||
            (match.workload && workload_of(connection).name != *match.workload))
            return;
        retire_after(connection, reason, 0, grace_ms);
        ++drained;
    });
    end_of_call();
    return drained;
}

size_t Engine::end_requests(Reason reason, uint32_t tag) {
    read_clock();
    size_t ended = 0;
    exchanges_.each([&](Exchange &exchange) {
        if (exchange.tag != tag || exchange.decided_us == 0)
            return;
        give_up(exchange, reason);
        ++ended;
    });
    end_of_call();
    return ended;
}

/// Takes nothing new `notice_ms` from now, and is cut `end_ms` from now. Of several ends the first one holds.
void Engine::retire_after(Connection &connection, Reason reason, uint64_t notice_ms, uint64_t end_ms) {
    if (now_ms_ + end_ms < connection.retire_at_ms) {
        connection.retire_at_ms = now_ms_ + end_ms;
        connection.retire_reason = reason;
    }
    wheel_.cancel(connection.retirement);
    if (notice_ms > 0 && !connection.retiring) {
        wheel_.set(connection.retirement, now_ms_ + notice_ms);
        return;
    }
    wheel_.set(connection.retirement, connection.retire_at_ms);
    retire(connection);
}

/// From now on it takes nothing new.
void Engine::retire(Connection &connection) {
    connection.retiring = true;
    connection.close_reason = connection.retire_reason;
    if (connection.http2)
        drain_session(connection, connection.retire_reason);
    else if (connection.state == ConnectionState::idle ||
             (connection.role == Role::downstream && is_draining_idle(connection)))
        close_connection(connection, connection.retire_reason);
}

void Engine::retirement_due(Connection &connection) {
    if (connection.retiring) {
        end_retired(connection);
        return;
    }
    wheel_.set(connection.retirement, connection.retire_at_ms);
    retire(connection);
}

/// Its time is up.
void Engine::end_retired(Connection &connection) {
    const Reason reason = connection.retire_reason;
    if (connection.role == Role::downstream) {
        downstream_lost(connection, reason);
    } else if (connection.http2) {
        close_connection(connection, reason, true);
    } else if (connection.state == ConnectionState::tunnel) {
        end_tunnel(connection, reason, true);
    } else if (Exchange *exchange = exchanges_.get(connection.exchange)) {
        fail_attempt(*exchange, reason, connection.state != ConnectionState::http1);
    } else if (connection.state == ConnectionState::idle) {
        close_connection(connection, reason);
    } else {
        connect_failed(connection, reason);
    }
}

} // namespace weft
