// SPDX-License-Identifier: Apache-2.0
// What happens when a timer fires, by what its owner was waiting for.
#include "engine/engine.hpp"

namespace weft {

void Engine::expire_timers() {
    wheel_.advance(now_ms_, [this](Timer &timer) { on_timer(timer); });
    if (any_removed_)
        expire_workloads();
    flush_gather();
}

void Engine::on_timer(Timer &timer) {
    if (timer.kind == TimerKind::connection) {
        if (Connection *connection = connections_.get(timer.owner))
            connection_timed_out(*connection);
        return;
    }
    if (timer.kind == TimerKind::retirement) {
        if (Connection *connection = connections_.get(timer.owner))
            retirement_due(*connection);
        return;
    }
    Exchange *exchange = exchanges_.get(timer.owner);
    if (exchange == nullptr)
        return;
    if (timer.kind == TimerKind::exchange_deadline)
        give_up(*exchange, Reason::request_timeout);
    else
        attempt_timed_out(*exchange);
}

void Engine::connection_timed_out(Connection &connection) {
    switch (connection.state) {
    case ConnectionState::parked:
        close_connection(connection, Reason::park_timeout, true);
        break;
    case ConnectionState::http1:
        if (connection.role == Role::upstream)
            break; // armed while it was idle; its exchange has timers of its own
        if (Exchange *exchange = exchanges_.get(connection.exchange))
            give_up(*exchange, exchange->state == ExchangeState::reading_head ? Reason::header_timeout
                                                                              : Reason::idle_timeout);
        else
            close_connection(connection, Reason::idle_timeout);
        break;
    case ConnectionState::http2:
        session_timed_out(connection);
        break;
    case ConnectionState::tunnel:
        if (connection.role == Role::downstream)
            end_tunnel(connection, Reason::idle_timeout, true);
        break;
    case ConnectionState::waiting:
        connect_failed(connection, Reason::socket_stock_empty);
        break;
    case ConnectionState::connecting:
        connect_failed(connection, Reason::connect_timeout);
        break;
    case ConnectionState::sniffing:
        sniffing_timed_out(connection);
        break;
    case ConnectionState::securing:
        end_handshake(connection, Reason::tls_handshake_timeout);
        break;
    case ConnectionState::idle:
        close_connection(connection, Reason::idle_timeout);
        break;
    case ConnectionState::lingering:
        close_connection(connection, connection.close_reason);
        break;
    case ConnectionState::undecided:
    case ConnectionState::closed:
        break;
    }
}

/// Ends an exchange whose time is up: by a reply where the client has seen nothing yet.
void Engine::give_up(Exchange &exchange, Reason reason) {
    if (exchange.state == ExchangeState::answered) {
        end_answered(exchange, reason);
        return;
    }
    if (exchange.attempt > 0 && !exchange.attempt_completed)
        complete_attempt(exchange, reason);
    if (exchange.head_sent)
        abort_exchange(exchange, reason, true);
    else
        reply_reason(exchange, reason);
}

void Engine::attempt_timed_out(Exchange &exchange) {
    switch (exchange.state) {
    case ExchangeState::parked:
        reply_reason(exchange, Reason::park_timeout);
        break;
    case ExchangeState::delayed:
        start_attempt(exchange);
        break;
    case ExchangeState::connecting:
        fail_attempt(exchange, Reason::backend_timeout, true);
        break;
    case ExchangeState::active:
        if (exchange.head_sent && !exchange.response_body)
            break;
        fail_attempt(exchange, Reason::backend_timeout, false);
        break;
    case ExchangeState::answered:
        give_up(exchange, Reason::idle_timeout);
        break;
    case ExchangeState::held:
    case ExchangeState::deciding:
    case ExchangeState::reading_head:
    case ExchangeState::upgraded:
    case ExchangeState::finishing:
        break;
    }
}

} // namespace weft
