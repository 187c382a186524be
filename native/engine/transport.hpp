// SPDX-License-Identifier: Apache-2.0
// How a connection's bytes reach the wire. Plain TCP today; TLS becomes another way to read and write behind
// the same calls.
#pragma once
#include <cstddef>
#include <cstdint>
#include <sys/uio.h>

namespace weft {

enum class Io : uint8_t {
    ok,
    /// Nothing more now; an epoll edge will tell.
    again,
    /// The peer has sent all it will send.
    end,
    /// `error` says why; the connection is of no more use in this direction.
    failed,
};

struct IoResult {
    Io io = Io::ok;
    size_t bytes = 0;
    int error = 0;
};

/// Owns one non-blocking socket.
class Transport {
public:
    void adopt(int descriptor) { descriptor_ = descriptor; }
    bool open() const { return descriptor_ >= 0; }
    int descriptor() const { return descriptor_; }

    IoResult read(char *out, size_t size);
    IoResult write(const iovec *vectors, int count);
    /// Sends FIN: nothing more will be written.
    void shutdown_write();
    /// `reset`: the peer sees RST instead of FIN, and unsent bytes are dropped.
    void close(bool reset);

private:
    int descriptor_ = -1;
};

} // namespace weft
