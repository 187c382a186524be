// SPDX-License-Identifier: Apache-2.0
// Listeners: taking connections, and finding out where each was meant to go.
#include "engine/engine.hpp"
#include <algorithm>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace weft {
namespace {
constexpr uint64_t pause_ms = 50; // when descriptors or memory have run out
} // namespace

int Engine::add_listener(uint32_t name, Direction direction, int descriptor) {
    Workload *workload = find_workload(name);
    const int on = 1;
    // Accepted sockets inherit the option.
    int error = workload == nullptr || closed_ || draining_ ? EINVAL : 0;
    if (error == 0 && ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        error = errno;
    // Accepted sockets inherit it: they sit on the application's own port, and without it an application that
    // restarts could not bind that port while they live.
    if (error == 0 && direction == Direction::inbound &&
        ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        error = errno;
    if (error != 0) {
        ::close(descriptor);
        return error;
    }
    Listener &listener = listeners_.acquire();
    listener.workload = workload->self;
    listener.descriptor = descriptor;
    listener.direction = direction;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = uint64_t{listener.self.generation} << 32 | uint64_t{listener.self.index} << 1 | 1;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        error = errno;
        close_listener(listener);
        return error;
    }
    sockaddr_storage local{};
    socklen_t size = sizeof local;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr *>(&local), &size) == 0)
        note_stock(*workload, local.ss_family == AF_INET ? Family::v4 : Family::v6);
    end_of_call();
    return 0;
}

void Engine::close_listener(Listener &listener) {
    ::close(listener.descriptor);
    listeners_.retire(listener);
}

/// True where some listener may have more.
bool Engine::accept_all() {
    bool more = false;
    accept_again_ms_ = UINT64_MAX;
    for (size_t left = ready_listeners_.size(); left > 0; --left) {
        const Handle handle = ready_listeners_.pop();
        Listener *listener = listeners_.get(handle);
        if (listener == nullptr)
            continue;
        if (listener->paused_until_ms <= now_ms_)
            more |= accept_from(*listener);
        if (listener->paused_until_ms > now_ms_)
            accept_again_ms_ = std::min(accept_again_ms_, listener->paused_until_ms);
        if (listener->ready)
            ready_listeners_.push(handle);
    }
    return more;
}

bool Engine::accept_from(Listener &listener) {
    for (int taken = 0; taken < bounds_.accepts; ++taken) {
        sockaddr_storage peer{};
        socklen_t size = sizeof peer;
        const int descriptor = ::accept4(listener.descriptor, reinterpret_cast<sockaddr *>(&peer), &size,
                                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            open_downstream(listener, descriptor, Address::from_sockaddr(peer));
            continue;
        }
        if (errno == EAGAIN) {
            listener.ready = false;
            return false;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            listener.paused_until_ms = now_ms_ + pause_ms; // the backlog holds them
            return false;
        }
        // All others concern the one connection that was to be taken (accept(2), "Error handling").
    }
    return true;
}

void Engine::open_downstream(const Listener &listener, int descriptor, const Address &peer) {
    Connection *down = admit(listener.workload, listener.direction, descriptor, peer);
    if (down == nullptr)
        return;
    if (listener.direction == Direction::outbound && notes_.present()) {
        const std::optional<Address> destination = notes_.original_destination(descriptor);
        if (!destination) {
            close_connection(*down, Reason::no_original_destination, true);
            return;
        }
        down->destination = *destination;
    } else {
        sockaddr_storage local{};
        socklen_t size = sizeof local;
        if (::getsockname(descriptor, reinterpret_cast<sockaddr *>(&local), &size) == 0)
            down->destination = Address::from_sockaddr(local);
    }
    ask_about(*down);
}

/// Counts a connection in; nullptr where the workload has too many, and it was reset.
Connection *Engine::admit(Handle handle, Direction direction, int descriptor, const Address &source) {
    const Workload &workload = *workloads_.get(handle);
    const bool full = workload.connections >= workload.connection_limit;
    Connection &down = new_connection(handle, Role::downstream, direction);
    down.transport.adopt(descriptor);
    down.writable = true;
    down.source = source;
    if (!full)
        return &down;
    close_connection(down, Reason::connection_limit, true);
    return nullptr;
}

void Engine::ask_about(Connection &down) {
    if (watch(down))
        questions_.push({down.self, false});
    else
        close_connection(down, Reason::no_original_destination, true);
}

bool Engine::add_connection(uint32_t name, Direction direction, int descriptor, const Address &source,
                            const Address &destination) {
    const Workload *workload = find_workload(name);
    if (workload == nullptr || closed_ || draining_) {
        ::close(descriptor);
        return false;
    }
    read_clock();
    if (Connection *down = admit(workload->self, direction, descriptor, source)) {
        down->destination = destination;
        ask_about(*down);
    }
    end_of_call();
    return true;
}

} // namespace weft
