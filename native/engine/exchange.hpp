// SPDX-License-Identifier: Apache-2.0
// One request and its response: the link between a downstream stream and an upstream stream. It knows
// connections by handle only, so either side may vanish at any time; with HTTP/2 the two handles gain a
// stream id each.
#pragma once
#include "engine/address.hpp"
#include "engine/block.hpp"
#include "engine/http1/chunked-body.hpp"
#include "engine/http1/message.hpp"
#include "engine/slab.hpp"
#include "engine/timer-wheel.hpp"
#include "engine/upstream-pool.hpp"
#include "engine/verdict.hpp"

namespace weft {

enum class ExchangeState : uint8_t {
    reading_head,
    /// A row asks, or will in the next call.
    deciding,
    parked,
    /// Its next attempt waits for its time.
    delayed,
    /// It waits for a socket or for connect().
    connecting,
    /// Request and response flow.
    active,
    /// A response whose status may be tried again is held back while a row asks.
    held,
    upgraded,
};

/// Waits for something that is not the endpoint: counts against the workload's pendingRequests.
constexpr bool is_pending(ExchangeState state) {
    return state == ExchangeState::parked || state == ExchangeState::delayed ||
           state == ExchangeState::connecting;
}

struct Exchange {
    Handle self;
    Handle downstream;
    Handle upstream;
    ExchangeState state = ExchangeState::reading_head;

    http1::RequestHead request;
    http1::ResponseHead response;
    http1::ChunkedDecoder request_chunks;
    http1::ChunkedDecoder response_chunks;
    /// The request head as it came, and as it is forwarded (until it is sent).
    Block *head = nullptr;
    Block *wire = nullptr;

    uint64_t request_left = 0;
    uint64_t response_left = 0;
    bool request_done = false;
    /// Bytes of the body were forwarded in this attempt.
    bool body_forwarded = false;
    http1::Framing response_framing = http1::Framing::none; // towards the client
    bool response_body = false;                             // the head is through, the body flows
    bool response_started = false;                          // a byte of a response came in this attempt
    bool head_sent = false;                                 // a final head went to the client
    bool close_downstream = false;
    bool passed = false;            // a held response that a verdict lets through
    bool attempt_completed = false; // its completion is written
    bool forwards_upgrade = false;
    uint8_t interim = 0;

    /// The body as forwarded, kept so that it can be sent again; empty once it outgrew `retain_limit`.
    ByteQueue retained;
    uint32_t retain_limit = 0;
    bool retain_failed = false;

    // The verdict in force.
    uint8_t flags = 0;
    uint32_t tag = 0;
    uint32_t endpoint = 0;
    PoolKey key;
    uint16_t response_edit = 0;
    uint16_t retry_statuses = 0;
    uint32_t backend_timeout_ms = 0;

    /// Why the last attempt failed, for its row.
    Reason failure = Reason::none;
    bool not_sent = false;
    uint8_t attempt = 0;
    bool reused = false;
    uint16_t status = 0;

    Timer deadline;
    Timer timer; // one attempt, its delay, or parking

    uint64_t started_us = 0;
    uint64_t decided_us = 0;
    uint64_t attempt_us = 0;
    uint64_t connect_us = 0;
    uint64_t first_byte_us = 0;
    uint64_t attempt_first_byte_us = 0;
    uint64_t received = 0;
    uint64_t sent = 0;

    http1::Bytes head_bytes() const {
        return head == nullptr ? http1::Bytes{} : http1::bytes_of(head->view());
    }

    // Field by field: the two heads are 3 KiB each, and all but a little of that means nothing.
    void reset() {
        request.reset();
        response.reset();
        request_chunks.reset();
        response_chunks.reset();
        downstream = upstream = {};
        state = ExchangeState::reading_head;
        head = wire = nullptr;
        request_left = response_left = 0;
        request_done = body_forwarded = false;
        response_framing = http1::Framing::none;
        response_body = response_started = head_sent = close_downstream = false;
        passed = attempt_completed = forwards_upgrade = false;
        interim = 0;
        retained = {};
        retain_limit = 0;
        retain_failed = false;
        flags = 0;
        tag = endpoint = 0;
        key = {};
        response_edit = retry_statuses = 0;
        backend_timeout_ms = 0;
        failure = Reason::none;
        not_sent = reused = false;
        attempt = 0;
        status = 0;
        deadline = {};
        timer = {};
        started_us = decided_us = attempt_us = connect_us = first_byte_us = attempt_first_byte_us = received =
            sent = 0;
    }
};

} // namespace weft
