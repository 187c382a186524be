// SPDX-License-Identifier: Apache-2.0
// What the engine knows of gRPC (doc/PROTOCOL-HTTP2.md of the grpc project): which requests are calls, where
// their status stands, and how a refusal must look so that a client understands it.
#pragma once
#include "engine/decide/verdict.hpp"
#include "engine/http1/message.hpp"
#include <string>

namespace weft::grpc {

/// `content-type: application/grpc`, with or without a suffix or parameters.
bool is_call(const http1::RequestHead &head, http1::Bytes text);

/// `grpc-status` of a response whose head is all there is, or of its trailers (field lines);
/// `no_grpc_status` where there is none or it is no number.
int16_t status_in(const http1::ResponseHead &head, http1::Bytes text);
int16_t status_in(http1::Bytes trailers);

/// The status for an answer of ours: the reason's, else by the HTTP status ("HTTP to gRPC status code
/// mapping").
uint8_t status_for(Reason reason, uint16_t http_status);

/// Appends `grpc-status` and `grpc-message` lines; the message is percent-encoded, and cut where it is long.
void write_status(uint8_t status, std::string_view message, std::string &out);

} // namespace weft::grpc
