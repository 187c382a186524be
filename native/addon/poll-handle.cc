// SPDX-License-Identifier: Apache-2.0
#include "addon/poll-handle.hpp"

#include <utility>

namespace weft {

PollHandle::PollHandle(Descriptor fd, OnEvents on_events, OnClosed on_closed)
    : fd_(std::move(fd)), on_events_(std::move(on_events)), on_closed_(std::move(on_closed)) {
    poll_.data = this;
}

PollHandle *PollHandle::open(napi_env env, Descriptor fd, OnEvents on_events, OnClosed on_closed,
                             int &error) {
    uv_loop_t *loop = nullptr;
    if (napi_get_uv_event_loop(env, &loop) != napi_ok) {
        error = UV_ECANCELED;
        return nullptr;
    }
    auto *handle = new PollHandle(std::move(fd), std::move(on_events), std::move(on_closed));
    error = uv_poll_init(loop, &handle->poll_, handle->fd());
    if (error != 0) {
        delete handle;
        return nullptr;
    }
    const auto on_ending = [](napi_async_cleanup_hook_handle, void *data) {
        auto *self = static_cast<PollHandle *>(data);
        self->ending_ = true;
        self->close();
    };
    napi_add_async_cleanup_hook(env, on_ending, handle, &handle->hook_);
    return handle;
}

void PollHandle::watch(int events) {
    if (uv_is_closing(reinterpret_cast<uv_handle_t *>(&poll_)))
        return;
    uv_poll_start(&poll_, events, [](uv_poll_t *poll, int status, int happened) {
        static_cast<PollHandle *>(poll->data)->on_events_(status, happened);
    });
}

void PollHandle::close() {
    auto *handle = reinterpret_cast<uv_handle_t *>(&poll_);
    if (uv_is_closing(handle))
        return;
    uv_close(handle, [](uv_handle_t *closed) {
        auto *self = static_cast<PollHandle *>(closed->data);
        self->fd_ = Descriptor();
        self->on_closed_(self->ending_);
        napi_remove_async_cleanup_hook(self->hook_);
        delete self;
    });
}

} // namespace weft
