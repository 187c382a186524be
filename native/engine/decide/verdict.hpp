// SPDX-License-Identifier: Apache-2.0
// The words that engine and decision share. The values are those of native/engine.ts; the addon exports them,
// and native/load-engine.ts refuses to start where they differ.
#pragma once
#include "engine/reasons.hpp"
#include <cstdint>
#include <string_view>

namespace weft {

enum class RowKind : uint8_t { connection = 0, request = 1, attempt_failed = 2, secured = 3, sniffed = 4 };

enum class Action : uint8_t {
    none = 0,
    http = 1,
    tunnel = 2,
    forward = 3,
    reply = 4,
    park = 5,
    reset = 6,
    pass = 7,
    secure = 8,
    sniff = 9,
};

enum class Direction : uint8_t { outbound = 0, inbound = 1 };

namespace row_flag {
inline constexpr uint16_t http10 = 1;
inline constexpr uint16_t upgrade = 2;
inline constexpr uint16_t has_body = 4;
inline constexpr uint16_t chunked = 8;
inline constexpr uint16_t plain_path = 16;
inline constexpr uint16_t not_sent = 32;
inline constexpr uint16_t unanswered = 64;
} // namespace row_flag

namespace verdict_flag {
inline constexpr uint8_t ask_on_connect_failure = 1;
inline constexpr uint8_t ask_on_response = 2;
inline constexpr uint8_t close_after = 4;
inline constexpr uint8_t http2 = 8;
} // namespace verdict_flag

enum class CompletionKind : uint8_t { connection = 0, request = 1, attempt = 2 };

inline constexpr uint32_t original_destination = 0;
inline constexpr uint32_t max_wanted_headers = 32;
inline constexpr uint32_t absent_header = 0xffff'ffff;
inline constexpr int16_t no_grpc_status = -1;

/// One answer; the text lies in the batch's scratch, or in whatever gave the answer, until it was applied.
struct Verdict {
    Action action = Action::none;
    uint8_t flags = 0;
    Reason reason = Reason::none;
    uint32_t endpoint = 0;
    uint32_t tag = 0;
    uint16_t request_edit = 0;
    uint16_t response_edit = 0;
    uint16_t reply = 0;
    uint16_t retry_statuses = 0;
    uint32_t deadline_ms = 0;
    uint32_t backend_timeout_ms = 0;
    uint32_t delay_ms = 0;
    uint32_t buffer_bytes = 0;
    std::string_view path;
    std::string_view host;
    std::string_view extra;
    std::string_view body;
    bool has_body = false;
};

/// Something that ended; times are microseconds.
struct Completion {
    CompletionKind kind = CompletionKind::connection;
    Direction direction = Direction::outbound;
    uint32_t workload = 0;
    uint32_t connection_tag = 0;
    uint32_t request_tag = 0;
    uint32_t endpoint = 0;
    uint16_t status = 0;
    int16_t grpc_status = no_grpc_status;
    Reason reason = Reason::none;
    uint8_t attempt = 0;
    bool reused = false;
    uint64_t bytes_received = 0;
    uint64_t bytes_sent = 0;
    uint64_t decide_us = 0;
    uint64_t connect_us = 0;
    uint64_t first_byte_us = 0;
    uint64_t total_us = 0;
};

} // namespace weft
