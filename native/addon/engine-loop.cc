// SPDX-License-Identifier: Apache-2.0
#include "addon/engine-loop.hpp"
#include <algorithm>
#include <utility>

namespace weft {

EngineLoop::EngineLoop(Napi::Env env, const LoopOptions &options, Callbacks callbacks,
                       std::function<void()> on_closed)
    : env_(env), callbacks_(std::move(callbacks)), on_closed_(std::move(on_closed)),
      spin_us_(options.spin_us), spin_turns_(options.spin_turns),
      engine_(*this, options.limits, options.notes_map), context_(env, "weft:engine") {
    poll_.data = timer_.data = this;
}

// The references belong to the environment; when that is gone, so are they.
EngineLoop::~EngineLoop() {
    if (!ending_)
        return;
    callbacks_.decide.SuppressDestruct();
    callbacks_.on_decide_error.SuppressDestruct();
    callbacks_.on_stock_low.SuppressDestruct();
    drained_.SuppressDestruct();
}

EngineLoop *EngineLoop::open(Napi::Env env, const LoopOptions &options, Callbacks callbacks,
                             std::function<void()> on_closed) {
    EngineLoop *loop = nullptr;
    try {
        loop = new EngineLoop(env, options, std::move(callbacks), std::move(on_closed));
    } catch (const std::system_error &error) {
        throw Napi::Error::New(env, std::string("the engine cannot start: ") + error.what());
    }
    if (const int error = loop->start(); error != 0) {
        delete loop;
        throw Napi::Error::New(env,
                               std::string("the engine cannot join the event loop: ") + uv_strerror(error));
    }
    return loop;
}

int EngineLoop::start() {
    uv_loop_t *loop = nullptr;
    if (napi_get_uv_event_loop(env_, &loop) != napi_ok)
        return UV_ECANCELED;
    if (const int error = uv_poll_init(loop, &poll_, engine_.poll_fd()); error != 0)
        return error;
    uv_timer_init(loop, &timer_);
    open_handles_ = 2;
    uv_poll_start(&poll_, UV_READABLE,
                  [](uv_poll_t *poll, int, int) { static_cast<EngineLoop *>(poll->data)->run(); });
    napi_add_async_cleanup_hook(
        env_,
        [](napi_async_cleanup_hook_handle, void *data) {
            auto *self = static_cast<EngineLoop *>(data);
            self->ending_ = true;
            self->close();
        },
        this, &hook_);
    return 0;
}

void EngineLoop::close() {
    engine_.close();
    if (closing_)
        return;
    closing_ = true;
    const auto closed = [](uv_handle_t *handle) { static_cast<EngineLoop *>(handle->data)->handle_closed(); };
    uv_close(reinterpret_cast<uv_handle_t *>(&poll_), closed);
    uv_close(reinterpret_cast<uv_handle_t *>(&timer_), closed);
}

void EngineLoop::handle_closed() {
    if (--open_handles_ > 0)
        return;
    if (!ending_) {
        const Napi::HandleScope scope(env_);
        on_closed_();
        napi_remove_async_cleanup_hook(hook_);
        delete this;
        return;
    }
    napi_remove_async_cleanup_hook(hook_);
    delete this;
}

/// Turns, while they find work, until the spin is used up; then the loop's other users have their turn.
void EngineLoop::run() {
    if (closing_ || running_)
        return;
    const Napi::HandleScope scope(env_);
    napi_callback_scope callbacks = nullptr;
    const Napi::Object receiver = Napi::Env(env_).Global();
    if (napi_open_callback_scope(env_, receiver, context_, &callbacks) != napi_ok)
        return;
    running_ = true;
    const uint64_t until = now_us() + spin_us_;
    TurnResult result;
    uint32_t turns = 0;
    do {
        result = engine_.turn();
    } while (!closing_ && (result.more || result.busy) && ++turns < spin_turns_ && now_us() < until);
    running_ = false;
    if (!closing_) {
        arm(result);
        report_drained();
    }
    napi_close_callback_scope(env_, callbacks);
}

/// Edge-triggered work that is left makes the descriptor not readable, so a timer of 0 brings the loop back.
void EngineLoop::arm(const TurnResult &result) {
    const uint64_t now = now_us() / 1000;
    const uint64_t when = result.more ? now : result.next_ms;
    if (when >= armed_ms_ || when == UINT64_MAX)
        return;
    armed_ms_ = when;
    uv_update_time(timer_.loop);
    uv_timer_start(
        &timer_,
        [](uv_timer_t *timer) {
            auto *self = static_cast<EngineLoop *>(timer->data);
            self->armed_ms_ = UINT64_MAX;
            self->run();
        },
        when > now ? when - now : 0, 0);
}

void EngineLoop::wake() {
    if (!closing_ && !running_)
        arm({.more = true});
}

/// False where it threw. What it threw goes to onDecideError; there is nobody else to tell.
bool EngineLoop::call(const Napi::FunctionReference &function, std::initializer_list<napi_value> arguments) {
    napi_value result = nullptr;
    if (napi_call_function(env_, Napi::Env(env_).Undefined(), function.Value(), arguments.size(),
                           arguments.begin(), &result) == napi_ok)
        return true;
    bool pending = false;
    napi_value error = nullptr;
    if (napi_is_exception_pending(env_, &pending) != napi_ok || !pending ||
        napi_get_and_clear_last_exception(env_, &error) != napi_ok)
        return false;
    if (napi_call_function(env_, Napi::Env(env_).Undefined(), callbacks_.on_decide_error.Value(), 1, &error,
                           &result) != napi_ok)
        napi_get_and_clear_last_exception(env_, &error);
    return false;
}

bool EngineLoop::decide(uint32_t rows, uint32_t completions) {
    const Napi::HandleScope scope(env_);
    napi_value row_count = nullptr;
    napi_value completion_count = nullptr;
    napi_create_uint32(env_, rows, &row_count);
    napi_create_uint32(env_, completions, &completion_count);
    return call(callbacks_.decide, {row_count, completion_count});
}

void EngineLoop::stock_low(uint32_t workload, Family family, uint32_t missing) {
    const Napi::HandleScope scope(env_);
    napi_value values[3] = {};
    napi_create_uint32(env_, workload, &values[0]);
    napi_create_uint32(env_, family == Family::v4 ? 4 : 6, &values[1]);
    napi_create_uint32(env_, missing, &values[2]);
    call(callbacks_.on_stock_low, {values[0], values[1], values[2]});
}

void EngineLoop::on_drained(Napi::FunctionReference callback) {
    drained_ = std::move(callback);
    wake();
}

void EngineLoop::report_drained() {
    if (drained_.IsEmpty() || !engine_.drained())
        return;
    const Napi::FunctionReference callback = std::move(drained_);
    call(callback, {});
}

} // namespace weft
