// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "engine/http1/message.hpp"
#include "engine/http2/session.hpp"
#include <cstdint>

namespace weft {

/// Bounds of one engine; see EngineLimits in native/engine.ts.
struct EngineLimits {
    /// Rows, and completions, of one call.
    uint32_t batch_rows = 256;
    http1::Limits http1{.head_bytes = 32 * 1024, .target_bytes = 8 * 1024};
    uint32_t header_timeout_ms = 30'000;
    uint32_t idle_timeout_ms = 300'000;
    uint32_t tunnel_idle_timeout_ms = 3'600'000;
    uint32_t connect_timeout_ms = 5'000;
    uint32_t park_timeout_ms = 5'000;
    uint32_t linger_ms = 2'000;
    uint32_t parked = 4096;
    /// Per direction of one connection.
    uint32_t buffer_bytes = 64 * 1024;
    /// Per turn and connection.
    uint32_t turn_bytes = 256 * 1024;
    uint32_t pool_idle = 128;
    uint32_t pool_idle_timeout_ms = 30'000;
    /// Per turn, of all workloads together.
    uint32_t turn_handshakes = 8;
    uint32_t tls_handshake_timeout_ms = 10'000;
    /// TLS connections of one workload, both directions.
    uint32_t tls_sessions = 12'288;
    /// Handshakes with callers under way, of all workloads together: one more costs the oldest one its
    /// connection, once that has had a second. So whoever begins them and proves nothing holds no more memory
    /// for longer, and keeps nobody out.
    uint32_t tls_handshakes = 2048;
    uint32_t sniff_timeout_ms = 200;
    http2::Limits http2{};
    /// HTTP/2 connections to one endpoint of one workload (inbound: of one client); further requests wait.
    uint32_t http2_sessions = 8;
    /// How long completions wait for a row to ride with.
    uint32_t completion_delay_ms = 1;
};

} // namespace weft
