// SPDX-License-Identifier: Apache-2.0
#include "engine/connection/transport.hpp"
#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace weft {

IoResult Transport::read(char *out, size_t size) {
    for (;;) {
        const ssize_t got = ::recv(descriptor_, out, size, 0);
        if (got > 0)
            return {
                .io = Io::ok, .bytes = static_cast<size_t>(got), .more = static_cast<size_t>(got) == size};
        if (got == 0)
            return {.io = Io::end};
        if (errno == EAGAIN)
            return {.io = Io::again};
        if (errno != EINTR)
            return {.io = Io::failed};
    }
}

IoResult Transport::write(const iovec *vectors, int count) {
    msghdr message{};
    message.msg_iov = const_cast<iovec *>(vectors);
    message.msg_iovlen = static_cast<size_t>(count);
    for (;;) {
        const ssize_t sent = count == 1
                                 ? ::send(descriptor_, vectors->iov_base, vectors->iov_len, MSG_NOSIGNAL)
                                 : ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
        if (sent >= 0)
            return {.io = Io::ok, .bytes = static_cast<size_t>(sent)};
        if (errno == EAGAIN)
            return {.io = Io::again};
        if (errno != EINTR)
            return {.io = Io::failed};
    }
}

void Transport::shutdown_write() {
    if (open())
        ::shutdown(descriptor_, SHUT_WR); // fails only where the peer has reset it, which a read will tell
}

void Transport::close(bool reset) {
    if (!open())
        return;
    if (reset) {
        const linger now{1, 0};
        ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    ::close(descriptor_);
    descriptor_ = -1;
}

} // namespace weft
