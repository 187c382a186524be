// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "channel/packet-socket.hpp"

#include <functional>
#include <napi.h>
#include <uv.h>

namespace weft {

// Watches one descriptor on the environment's own libuv loop. It deletes itself after on_closed ran: later
// than close(), from the loop, and also when the environment (a worker) ends first.
class PollHandle {
public:
    using OnEvents = std::function<void(int status, int events)>;
    // `ending`: the environment is going away, so no JavaScript may be called.
    using OnClosed = std::function<void(bool ending)>;

    // Takes the descriptor. Null with a negative errno in `error` where the loop refuses it.
    static PollHandle *open(napi_env env, Descriptor fd, OnEvents on_events, OnClosed on_closed, int &error);

    PollHandle(const PollHandle &) = delete;
    PollHandle &operator=(const PollHandle &) = delete;

    // UV_READABLE, UV_WRITABLE; replaces what was watched before.
    void watch(int events);
    // Once or more often; no event is reported afterwards.
    void close();
    int fd() const { return fd_.get(); }

private:
    PollHandle(Descriptor fd, OnEvents on_events, OnClosed on_closed);
    ~PollHandle() = default;

    Descriptor fd_;
    OnEvents on_events_;
    OnClosed on_closed_;
    uv_poll_t poll_ = {};
    napi_async_cleanup_hook_handle hook_ = nullptr;
    bool ending_ = false;
};

} // namespace weft
