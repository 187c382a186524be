// SPDX-License-Identifier: Apache-2.0
// One request and its response: the link between a downstream stream and an upstream stream. It knows
// connections by handle only, so either side may vanish at any time; on an HTTP/2 side it knows its stream
// too.
#pragma once
#include "engine/connection/address.hpp"
#include "engine/decide/verdict.hpp"
#include "engine/dial/upstream-pool.hpp"
#include "engine/http1/chunked-body.hpp"
#include "engine/http1/message.hpp"
#include "engine/http2/session.hpp"
#include "engine/memory/block.hpp"
#include "engine/memory/slab.hpp"
#include "engine/schedule/timer-wheel.hpp"

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
    /// The answer is whole, and the request still flows.
    answered,
    upgraded,
    /// HTTP/2: the exchange is over, and its stream still sends the answer.
    finishing,
};

/// Waits for something that is not the endpoint: counts against the workload's pendingRequests.
constexpr bool is_pending(ExchangeState state) {
    return state == ExchangeState::parked || state == ExchangeState::delayed ||
           state == ExchangeState::connecting;
}

/// The endpoint takes the request's content.
constexpr bool takes_content(ExchangeState state) {
    return state == ExchangeState::active || state == ExchangeState::answered;
}

struct Exchange {
    Handle self;
    Handle downstream;
    Handle upstream;
    /// Null on a side that speaks HTTP/1.
    http2::StreamRef down_stream;
    http2::StreamRef up_stream;
    ExchangeState state = ExchangeState::reading_head;

    http1::RequestHead request;
    http1::ResponseHead response;
    http1::ChunkedDecoder request_chunks;
    http1::ChunkedDecoder response_chunks;
    /// The request head as it came, and as it is forwarded (until it is sent). To HTTP/2 the head is written
    /// when the stream opens: then `wire` holds the verdict's path, authority and further lines.
    Block *head = nullptr;
    Block *wire = nullptr;
    uint32_t rewrite_path = 0; // lengths of the first two
    uint32_t rewrite_authority = 0;
    /// A response's head that came by HTTP/2 and is held.
    Block *held_head = nullptr;
    /// Trailers that wait for the content before them; the request's, also for another attempt.
    Block *request_trailers = nullptr;
    Block *response_trailers = nullptr;

    uint64_t request_left = 0;
    uint64_t response_left = 0;
    bool request_done = false;
    bool end_forwarded = false; // this attempt was told that the body is whole
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
    bool response_whole = false; // all of it came, and none of it may follow
    /// answered: the client's stream is over, and the end of the request is on its way to the endpoint.
    bool outlives_stream = false;
    bool grpc = false;
    int16_t grpc_status = no_grpc_status;
    uint8_t interim = 0;

    /// Content of an HTTP/2 client that no attempt has taken yet; on its way into an endpoint's stream; into
    /// a client's stream, or of a held response.
    ByteQueue pending;
    ByteQueue outgoing;
    ByteQueue answer;
    /// Received by HTTP/2 and not given back to the sender's window.
    size_t request_uncredited = 0;
    size_t response_uncredited = 0;
    size_t accounted = 0;

    /// The body as forwarded, kept so that it can be sent again; empty once it outgrew `retain_limit`.
    ByteQueue retained;
    uint32_t retain_limit = 0;
    bool retain_failed = false;

    // The verdict in force.
    uint8_t flags = 0;
    bool http2 = false; // towards the endpoint
    uint32_t tag = 0;
    uint32_t endpoint = 0;
    PoolKey key;
    uint16_t request_edit = 0; // held for HTTP/2 alone, until the stream opens
    uint16_t response_edit = 0;
    uint16_t retry_statuses = 0;
    uint32_t backend_timeout_ms = 0;

    /// Why the last attempt failed, for its row.
    Reason failure = Reason::none;
    /// finishing: what the account will say.
    Reason outcome = Reason::none;
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
        down_stream = up_stream = {};
        state = ExchangeState::reading_head;
        head = wire = held_head = request_trailers = response_trailers = nullptr;
        rewrite_path = rewrite_authority = 0;
        request_left = response_left = 0;
        request_done = end_forwarded = body_forwarded = false;
        response_framing = http1::Framing::none;
        response_body = response_started = head_sent = close_downstream = false;
        passed = attempt_completed = forwards_upgrade = response_whole = grpc = http2 = false;
        outlives_stream = false;
        grpc_status = no_grpc_status;
        interim = 0;
        pending = outgoing = answer = {};
        request_uncredited = response_uncredited = accounted = 0;
        retained = {};
        retain_limit = 0;
        retain_failed = false;
        flags = 0;
        tag = endpoint = 0;
        key = {};
        request_edit = response_edit = retry_statuses = 0;
        backend_timeout_ms = 0;
        failure = outcome = Reason::none;
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
