// SPDX-License-Identifier: Apache-2.0
// Connections to endpoints: idle ones, ready-made sockets, connect().
#include "engine/engine.hpp"
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace weft {
namespace {

Reason reason_of(int error) {
    switch (error) {
    case ECONNREFUSED:
    case ECONNRESET:
        return Reason::connect_refused;
    case ETIMEDOUT:
        return Reason::connect_timeout;
    default:
        return Reason::connect_unreachable;
    }
}

} // namespace

/// Where an endpoint id leads from this connection; nothing where it is not defined.
std::optional<PoolKey> Engine::resolve(const Connection &down, uint32_t id) const {
    const uint32_t workload = down.workload.index;
    if (id == original_destination)
        return PoolKey{.workload = workload, .address = down.destination};
    if (id >= endpoints_.size() || !endpoints_[id].defined)
        return std::nullopt;
    const Endpoint &endpoint = endpoints_[id];
    return PoolKey{.workload = workload,
                   .destination = endpoint.destination,
                   .generation = endpoint.generation,
                   .peer = endpoint.peer,
                   .address = endpoint.address};
}

/// Why nobody may be dialled by TLS; none for plaintext. The key is given the present identity.
Reason Engine::may_dial(const Connection &down, uint32_t id, PoolKey &key) {
    if (key.peer == 0)
        return Reason::none;
    if (id >= endpoints_.size() || endpoints_[id].peer != key.peer)
        return Reason::connect_unreachable; // the attempt waited, and the endpoint is another one now
    const Workload &workload = workload_of(down);
    key.identity = workload.identity_serial;
    return workload.identity == nullptr ? Reason::tls_no_identity : Reason::none;
}

// Inbound, a connection to the application shows it one client's address, so only that client's requests may
// use it.
Connection *Engine::take_idle(Connection &down, const PoolKey &key) {
    if (down.direction == Direction::inbound) {
        Connection *next = nullptr;
        for (Connection *bound = connections_.get(down.bound); bound != nullptr; bound = next) {
            next = connections_.get(bound->bound);
            const bool other = !(bound->key == key);
            if (bound->state != ConnectionState::idle || (other && down.http2))
                continue;
            unbind(*bound);
            if (!other && !bound->readable && !bound->hung_up)
                return bound;
            close_connection(*bound, Reason::peer_closed);
        }
        return nullptr;
    }
    for (;;) {
        const Handle handle = upstream_.take(key);
        if (!handle)
            return nullptr;
        Connection *idle = connections_.get(handle);
        if (idle == nullptr)
            continue;
        if (!idle->readable && !idle->hung_up)
            return idle;
        close_connection(*idle,
                         Reason::peer_closed); // its end has been announced, only not been looked at yet
    }
}

void Engine::keep_idle(Connection &up, Connection *down) {
    const bool inbound = up.direction == Direction::inbound;
    // Bytes that lie behind the response are found right after this, and end the connection.
    const Workload &workload = workload_of(up);
    bool kept = !ending_ && !workload.removed && !up.retiring &&
                (up.tls == nullptr || up.key.identity == workload.identity_serial);
    if (kept && inbound) {
        kept = down != nullptr && down->state != ConnectionState::closed &&
               (down->http2 || !connections_.get(down->bound));
        if (kept)
            bind(*down, up);
    } else if (kept) {
        kept = upstream_.give(up.key, up.self, limits_.pool_idle);
    }
    if (!kept) {
        close_connection(up, Reason::peer_closed);
        return;
    }
    up.state = ConnectionState::idle;
    wheel_.set(up.timer, now_ms_ + limits_.pool_idle_timeout_ms);
}

/// The connection to the application belongs to this client's.
void Engine::bind(Connection &down, Connection &up) {
    up.bound = down.bound;
    up.client = down.self;
    down.bound = up.self;
}

void Engine::unbind(Connection &up) {
    Connection *down = connections_.get(up.client);
    up.client = {};
    if (down == nullptr)
        return;
    Handle *link = &down->bound;
    while (*link != up.self) {
        Connection *each = connections_.get(*link);
        if (each == nullptr)
            return;
        link = &each->bound;
    }
    *link = up.bound;
    up.bound = {};
}

Connection &Engine::new_upstream(Connection &down, const PoolKey &key, uint32_t endpoint, tls::Alpn alpn) {
    Connection &up = new_connection(down.workload, Role::upstream, down.direction);
    up.state = ConnectionState::waiting;
    up.source = down.source;
    up.destination = key.address;
    up.endpoint = endpoint;
    up.key = key;
    if (key.peer != 0)
        protect(up, {alpn}, endpoints_[endpoint].identity);
    return up;
}

/// Takes a ready-made socket, or waits for one; the connect timeout bounds both together.
void Engine::dial(Connection &up) {
    Workload &workload = workload_of(up);
    const Family family = up.destination.family();
    SocketStock &stock = workload.stock[static_cast<size_t>(family)];
    wheel_.set(up.timer, now_ms_ + limits_.connect_timeout_ms);
    const int descriptor = stock.take();
    if (descriptor < 0)
        stock.wait(up.self);
    note_stock(workload, family);
    if (descriptor >= 0)
        start_connect(up, descriptor);
}

void Engine::note_stock(Workload &workload, Family family) {
    const uint32_t missing = workload.stock[static_cast<size_t>(family)].missing(now_ms_);
    if (missing > 0)
        low_stock_.push_back({workload.name, family, missing});
}

void Engine::serve_waiting(Workload &workload, Family family) {
    SocketStock &stock = workload.stock[static_cast<size_t>(family)];
    while (const Handle waiting = stock.next_waiting()) {
        Connection *up = connections_.get(waiting);
        if (up == nullptr || up->state != ConnectionState::waiting)
            continue;
        const Handle self = workload.self;
        start_connect(*up, stock.take());
        if (workloads_.get(self) == nullptr)
            return;
    }
}

bool Engine::add_sockets(uint32_t name, Family family, const std::vector<int> &descriptors) {
    Workload *workload = find_workload(name);
    if (workload == nullptr || workload->removed || closed_) {
        for (const int descriptor : descriptors)
            ::close(descriptor);
        return workload != nullptr && !closed_;
    }
    for (const int descriptor : descriptors)
        workload->stock[static_cast<size_t>(family)].add(descriptor);
    const Handle self = workload->self;
    serve_waiting(*workload, family);
    // More may have come to wait than were asked for; only they can be stuck here, so only now is asked
    // again.
    if (Workload *still = workloads_.get(self))
        note_stock(*still, family);
    end_of_call();
    return true;
}

void Engine::start_connect(Connection &up, int descriptor) {
    up.transport.adopt(descriptor);
    up.state = ConnectionState::connecting;
    up.opened_us = now_us_;
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (up.direction == Direction::inbound && notes_.present() &&
        !notes_.set_real_client(descriptor, up.source)) {
        connect_failed(up, Reason::kernel_note_failed);
        return;
    }
    sockaddr_storage address;
    const socklen_t size = up.destination.to_sockaddr(address);
    if (::connect(descriptor, reinterpret_cast<sockaddr *>(&address), size) != 0 && errno != EINPROGRESS) {
        connect_failed(up, reason_of(errno));
        return;
    }
    if (!watch(up)) // its first event tells that the connection is there, or why not
        connect_failed(up, Reason::connect_unreachable);
}

void Engine::check_connect(Connection &up) {
    if (!up.writable && !up.hung_up && !up.errored)
        return;
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(up.transport.descriptor(), SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error != 0)
        connect_failed(up, reason_of(error));
    else if (up.writable)
        connected(up);
}

void Engine::connected(Connection &up) {
    up.errored = false;
    if (up.tls != nullptr)
        begin_handshake(up);
    else
        ready_to_use(up);
}

void Engine::ready_to_use(Connection &up) {
    up.connect_us = now_us_ - up.opened_us;
    if (up.http2) {
        session_connected(up);
        return;
    }
    if (Exchange *exchange = exchanges_.get(up.exchange)) {
        attach(*exchange, up, false);
        return;
    }
    if (Connection *down = connections_.get(up.peer))
        link_tunnel(*down, up);
    else
        close_connection(up, Reason::peer_closed);
}

void Engine::connect_failed(Connection &up, Reason reason) {
    if (up.http2) {
        close_connection(up, reason);
        return;
    }
    if (Exchange *exchange = exchanges_.get(up.exchange)) {
        fail_attempt(*exchange, reason, true);
        return;
    }
    Connection *down = connections_.get(up.peer);
    close_connection(up, reason);
    if (down == nullptr)
        return;
    tunnel_failed(*down, reason);
}

} // namespace weft
