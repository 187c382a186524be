// SPDX-License-Identifier: Apache-2.0
// A connection's socket. What TLS does to the bytes is the business of protect.cc.
#pragma once
#include "engine/reasons.hpp"
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
    /// The connection is of no more use in this direction.
    failed,
};

struct IoResult {
    Io io = Io::ok;
    size_t bytes = 0;
    /// Another read may find something now; an edge of epoll tells otherwise.
    bool more = false;
    /// failed: what TLS says; none where the socket failed.
    Reason why = Reason::none;
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
