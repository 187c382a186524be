// SPDX-License-Identifier: Apache-2.0
// One engine on one environment's libuv loop.
#pragma once
#include "engine/engine.hpp"
#include <functional>
#include <memory>
#include <napi.h>
#include <uv.h>

namespace weft {

/// How long the engine may keep the loop before it gives timers, messages and promises their turn.
struct LoopOptions {
    int notes_map = -1;
    EngineLimits limits;
    uint32_t spin_us = 0;
    uint32_t spin_turns = 1;
};

class EngineLoop final : public Host {
public:
    struct Callbacks {
        Napi::FunctionReference decide;
        Napi::FunctionReference on_decide_error;
        Napi::FunctionReference on_stock_low;
    };

    /// Throws Napi::Error where the loop or epoll refuses. Deletes itself after close() or the environment's
    /// end.
    static EngineLoop *open(Napi::Env env, const LoopOptions &options, Callbacks callbacks,
                            std::function<void()> on_closed);

    Engine &engine() { return engine_; }
    /// Ends everything at once; the object is gone a loop turn later.
    void close();
    void on_drained(Napi::FunctionReference callback);

    bool decide(uint32_t rows, uint32_t completions) override;
    void stock_low(uint32_t workload, Family family, uint32_t missing) override;
    void wake() override;
    uint64_t now_us() override { return uv_hrtime() / 1000; }
    int64_t unix_seconds() override { return ::time(nullptr); }

private:
    EngineLoop(Napi::Env env, const LoopOptions &options, Callbacks callbacks,
               std::function<void()> on_closed);
    ~EngineLoop() override;

    int start();
    void run();
    void arm(const TurnResult &result);
    void report_drained();
    void handle_closed();
    bool call(const Napi::FunctionReference &function, std::initializer_list<napi_value> arguments);

    napi_env env_;
    Callbacks callbacks_;
    std::function<void()> on_closed_;
    const uint32_t spin_us_;
    const uint32_t spin_turns_;
    Engine engine_;
    Napi::FunctionReference drained_;
    Napi::AsyncContext context_;
    napi_async_cleanup_hook_handle hook_ = nullptr;
    uv_poll_t poll_ = {};
    uv_timer_t timer_ = {};
    uint64_t armed_ms_ = UINT64_MAX; // host's clock
    int open_handles_ = 0;
    bool running_ = false;
    bool closing_ = false;
    bool ending_ = false; // the environment goes away: no JavaScript any more
};

} // namespace weft
