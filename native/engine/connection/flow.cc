// SPDX-License-Identifier: Apache-2.0
// Reading, writing and closing: what is the same for every kind of connection.
#include "engine/engine.hpp"
#include <algorithm>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace weft {
namespace {
constexpr size_t cork_bytes = 4096; // a larger write is worth a call of its own
} // namespace

Connection &Engine::new_connection(Handle workload, Role role, Direction direction) {
    Connection &connection = connections_.acquire();
    connection.workload = workload;
    connection.role = role;
    connection.direction = direction;
    connection.opened_us = now_us_;
    connection.timer.kind = TimerKind::connection;
    connection.timer.owner = connection.self;
    connection.retirement.kind = TimerKind::retirement;
    connection.retirement.owner = connection.self;
    ++workload_of(connection).open;
    if (role == Role::downstream) {
        ++downstreams_;
        ++workload_of(connection).connections;
    }
    return connection;
}

bool Engine::watch(Connection &connection) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = uint64_t{connection.self.generation} << 32 | uint64_t{connection.self.index} << 1;
    return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.transport.descriptor(), &event) == 0;
}

/// How much to read at once: a workload at its buffer limit goes on in small steps.
size_t Engine::read_size(const Connection &connection, size_t wanted) {
    return workload_of(connection).over_buffered() ? std::min<size_t>(wanted, 4096) : wanted;
}

// A short read has emptied the socket, and the next byte makes a new edge, so no second read is needed to see
// EAGAIN. Unless FIN was announced already: its edge is used up, and only a read that returns 0 shows it.
IoResult Engine::read_into(Connection &connection, char *out, size_t size) {
    const bool plain = connection.tls == nullptr || connection.state == ConnectionState::lingering;
    const IoResult result =
        plain ? connection.transport.read(out, size) : read_protected(connection, out, size);
    if (result.io == Io::ok) {
        connection.received += result.bytes;
        cost_ += result.bytes;
        if (!result.more && !connection.hung_up)
            connection.readable = false;
        touch(connection);
        return result;
    }
    connection.readable = result.io == Io::again && result.more;
    if (connection.readable)
        schedule(connection);
    if (result.io != Io::again)
        connection.read_closed = true;
    return result;
}

/// Bytes moved: the idle timeout of the client's connection starts anew.
void Engine::touch(Connection &connection) {
    Connection *down = &connection;
    if (connection.role == Role::upstream) {
        const Exchange *exchange = exchanges_.get(connection.exchange);
        down = connections_.get(exchange != nullptr ? exchange->downstream : connection.peer);
    }
    if (down == nullptr)
        return;
    if (down->http2) {
        if (down->state == ConnectionState::http2 && (!down->http2->draining || down->http2->told))
            wheel_.set(down->timer, now_ms_ + limits_.idle_timeout_ms);
        return;
    }
    if (down->state == ConnectionState::tunnel)
        wheel_.set(down->timer, now_ms_ + limits_.tunnel_idle_timeout_ms);
    else if (const Exchange *exchange = exchanges_.get(down->exchange);
             exchange != nullptr && takes_content(exchange->state))
        wheel_.set(down->timer, now_ms_ + limits_.idle_timeout_ms);
}

Gather &Engine::gather_to(Connection &target, size_t vectors, size_t copied) {
    if (gather_target_ != target.self || !gather_.fits(vectors, copied))
        flush_gather();
    gather_target_ = target.self;
    return gather_;
}

void Engine::flush_gather() {
    Connection *target = connections_.get(gather_target_);
    gather_target_ = {};
    if (target == nullptr || gather_.empty() || target->write_dead) {
        gather_.clear();
        return;
    }
    if (target->tls != nullptr) {
        flush_protected(*target);
        gather_.clear();
        account(*target);
        if (target->outbox.empty() && !target->write_dead)
            after_write(*target);
        return;
    }
    size_t written = 0;
    if (corking_ && target->outbox.empty() && gather_.bytes() < cork_bytes) {
        corked_.push_back(target->self);
    } else if (target->outbox.empty() && target->writable) {
        gather_.join();
        const auto vectors = gather_.vectors();
        const IoResult result = target->transport.write(vectors.data(), static_cast<int>(vectors.size()));
        if (result.io == Io::failed) {
            gather_.clear();
            write_failed(*target);
            return;
        }
        written = result.bytes;
        target->sent += written;
        cost_ += written;
        target->writable = written == gather_.bytes();
    }
    for (const iovec &vector : gather_.vectors()) {
        const size_t skip = std::min(written, vector.iov_len);
        written -= skip;
        target->outbox.append(blocks_, {static_cast<char *>(vector.iov_base) + skip, vector.iov_len - skip});
    }
    gather_.clear();
    account(*target);
    if (target->outbox.empty())
        after_write(*target);
}

/// What a session's one read brings for a connection of HTTP/1 leaves in one call: nghttp2 sends the heads of
/// many streams before their contents.
void Engine::uncork() {
    flush_gather();
    corking_ = false;
    for (const Handle handle : corked_)
        if (Connection *connection = connections_.get(handle);
            connection != nullptr && connection->state != ConnectionState::closed)
            flush_outbox(*connection);
    corked_.clear();
}

void Engine::flush_outbox(Connection &connection) {
    while (!connection.outbox.empty() && connection.writable) {
        iovec vectors[16];
        const int count = connection.outbox.vectors(vectors, 16);
        size_t wanted = 0;
        for (int i = 0; i < count; ++i)
            wanted += vectors[i].iov_len;
        const IoResult result = connection.transport.write(vectors, count);
        if (result.io == Io::failed) {
            write_failed(connection);
            return;
        }
        if (connection.tls == nullptr) // else it was counted when it was encrypted
            connection.sent += result.bytes;
        cost_ += result.bytes;
        connection.writable = result.bytes == wanted;
        connection.outbox.consume(blocks_, result.bytes);
        if (result.bytes > 0)
            touch(connection);
    }
    account(connection);
    mark(connection);
    after_write(connection);
}

/// The outbox may have become smaller: whoever fills it goes on, and what waited for its end happens.
void Engine::after_write(Connection &connection) {
    if (has_room(connection))
        wake_source(connection);
    if (!connection.outbox.empty() || connection.state == ConnectionState::closed)
        return;
    if (connection.close_wanted) {
        if (say_goodbye(connection))
            linger(connection);
    } else if (connection.shutdown_wanted && !connection.write_closed) {
        if (!say_goodbye(connection))
            return;
        connection.write_closed = true;
        if (connection.tls == nullptr) // TLS may have to answer yet
            connection.transport.shutdown_write();
        if (connection.state == ConnectionState::tunnel)
            end_tunnel_if_done(connection);
    } else if (connection.role == Role::downstream && is_draining_idle(connection)) {
        close_connection(connection, connection.retiring ? connection.retire_reason : Reason::draining);
    }
}

// A server may have answered before it reset the connection, so an upstream is read to its end; a client that
// cannot be written to is gone, but for what Engine::reads_to_end says. Not from here: somebody may be in the
// middle of working with this connection.
void Engine::write_failed(Connection &connection) {
    connection.write_dead = true;
    connection.writable = false;
    connection.outbox.clear(blocks_);
    account(connection);
    connection.readable = true;
    if (connection.role == Role::downstream)
        connection.errored = true;
    schedule(connection);
}

bool Engine::has_room(const Connection &target) const {
    if (target.write_dead)
        return true;
    const Workload *workload = const_cast<Slab<Workload> &>(workloads_).get(target.workload);
    if (workload->over_buffered())
        return target.outbox.empty();
    return target.outbox.size() < limits_.buffer_bytes;
}

void Engine::wake_source(Connection &target) {
    if (target.state == ConnectionState::tunnel) {
        Connection *source = connections_.get(target.peer);
        if (source != nullptr && source->stalled) {
            source->stalled = false;
            schedule(*source);
        }
    } else if (Exchange *exchange = exchanges_.get(target.exchange)) {
        target.role == Role::downstream ? wake_endpoint(*exchange) : wake_client(*exchange);
    }
}

/// Keeps the workload's and the engine's count of buffered bytes true.
void Engine::account(Connection &connection) {
    const size_t now = connection.inbox.size() + connection.outbox.size() +
                       (connection.tls == nullptr ? 0 : connection.tls->held.size());
    if (now == connection.accounted)
        return;
    workload_of(connection).buffered += now - connection.accounted; // wraps to a subtraction
    buffered_ += now - connection.accounted;
    connection.accounted = now;
}

/// Ends a connection at once. Its exchange or tunnel must have been ended before.
void Engine::close_connection(Connection &connection, Reason reason, bool reset) {
    if (connection.state == ConnectionState::closed)
        return;
    if (connection.http2)
        end_streams(connection, reason);
    if (!reset && connection.outbox.empty())
        say_goodbye(connection);
    wheel_.cancel(connection.timer);
    wheel_.cancel(connection.retirement);
    unprotect(connection);
    connection.inbox.clear(blocks_);
    connection.outbox.clear(blocks_);
    account(connection);
    if (connection.state == ConnectionState::idle && connection.direction == Direction::outbound)
        upstream_.remove(connection.key, connection.self);
    if (connection.client)
        unbind(connection);
    if (connection.state == ConnectionState::parked)
        --parked_;
    connection.transport.close(reset);
    connection.state = ConnectionState::closed;
    Workload &workload = workload_of(connection);
    if (connection.role == Role::downstream) {
        complete({.kind = CompletionKind::connection,
                  .direction = connection.direction,
                  .workload = workload.name,
                  .connection_tag = connection.tag,
                  .endpoint = connection.endpoint,
                  .reason = reason,
                  .bytes_received = connection.received,
                  .bytes_sent = connection.sent,
                  .decide_us = connection.decided_us == 0 ? 0 : connection.decided_us - connection.opened_us,
                  .connect_us = connection.connect_us,
                  .first_byte_us = connection.first_byte_us,
                  .total_us = now_us_ - connection.opened_us});
        close_bound(connection, reason);
        --downstreams_;
        --workload.connections;
    }
    if (connection.http2)
        retired_sessions_.push_back(std::move(connection.http2));
    --workload.open;
    connections_.retire(connection);
    if (workload.removed)
        forget_workload_if_unused(workload);
}

/// The client is gone, and with it the connections that were its alone. Not at once where one is in the
/// middle of its work.
void Engine::close_bound(Connection &down, Reason reason) {
    while (Connection *bound = connections_.get(down.bound)) {
        unbind(*bound);
        if (!bound->http2) {
            close_connection(*bound, reason);
            continue;
        }
        bound->close_wanted = true;
        schedule(*bound);
    }
}

/// Everything is sent: end, without letting bytes that still arrive turn into a reset.
void Engine::linger(Connection &connection) {
    if (connection.read_closed || connection.write_dead || !connection.linger_wanted) {
        close_connection(connection, connection.close_reason);
        return;
    }
    connection.close_wanted = false;
    connection.state = ConnectionState::lingering;
    connection.write_closed = true;
    connection.transport.shutdown_write();
    connection.inbox.clear(blocks_);
    account(connection);
    wheel_.cancel(connection.timer);
    wheel_.set(connection.timer, now_ms_ + limits_.linger_ms);
    schedule(connection);
}

void Engine::drain_lingering(Connection &connection) {
    for (int reads = 0; connection.readable && reads < 4; ++reads) {
        const IoResult result = read_into(connection, read_area_.get(), BlockPool::largest);
        if (result.io == Io::end || result.io == Io::failed) {
            close_connection(connection, connection.close_reason);
            return;
        }
    }
    if (connection.readable)
        schedule(connection);
}

/// The client is gone, or must go.
void Engine::downstream_lost(Connection &connection, Reason reason) {
    if (connection.state == ConnectionState::tunnel) {
        end_tunnel(connection, reason, true);
        return;
    }
    if (Exchange *exchange = exchanges_.get(connection.exchange)) {
        abort_exchange(*exchange, reason, true);
        return;
    }
    if (Connection *peer = connections_.get(connection.peer)) // a tunnel that is still being dialled
        close_connection(*peer, reason, true);
    close_connection(connection, reason, true);
}

} // namespace weft
