// SPDX-License-Identifier: Apache-2.0
// Generated from reasons/registry.json by scripts/generate-reasons.mjs; do not edit.
#pragma once
#include <cstdint>

namespace weft {

/// Why something was refused or ended. Zero means that nothing went wrong.
enum class Reason : uint16_t {
    none = 0,
    kernel_l4_denied = 1, ///< an L4 rule denies this source, destination and port; connect() returned EPERM
    kernel_no_outbound_listener = 2, ///< the pod is enrolled but has no outbound listener
    kernel_note_failed = 3, ///< the original destination could not be stored with the socket
    kernel_range_denied = 4, ///< the destination lies in a range that the mesh denies
    kernel_udp_denied = 5, ///< UDP is denied for this pod
    kernel_no_inbound_listener = 6, ///< a connection arrived for an enrolled pod that has no inbound listener
    kernel_probe_expired = 7, ///< a probe's bypass was older than two seconds
    kernel_inbound_l4_denied = 8, ///< an L4 rule denies this source on arrival
    kernel_agent_address_denied = 9, ///< a pod tried to reach the agent's own listener directly
    kernel_steer_failed = 10, ///< the listener refused to take the connection
    http1_bad_request_line = 64, ///< the request line is not method SP target SP version CRLF
    http1_bad_version = 65, ///< the HTTP version is neither 1.0 nor 1.1
    http1_bad_field_name = 66, ///< a field name holds a character that is no token
    http1_bad_field_value = 67, ///< a field value holds a control character
    http1_bare_line_feed = 68, ///< a line ends with LF or CR alone
    http1_obsolete_fold = 69, ///< a field line is folded
    http1_space_before_colon = 70, ///< white space stands between a field name and its colon
    http1_missing_host = 71, ///< an HTTP/1.1 request has no Host
    http1_repeated_host = 72, ///< a request has more than one Host
    http1_bad_host = 73, ///< Host is no authority, or differs from the request target's
    http1_length_and_encoding = 74, ///< both Content-Length and Transfer-Encoding are present
    http1_bad_content_length = 75, ///< Content-Length is repeated, signed, not decimal or too large
    http1_bad_transfer_encoding = 76, ///< Transfer-Encoding is anything but a single chunked
    http1_head_too_large = 77, ///< the head is larger than the limit
    http1_too_many_fields = 78, ///< the head has more fields than the limit
    http1_target_too_long = 79, ///< the request target is longer than the limit
    http1_bad_target = 80, ///< the request target's form does not fit its method
    http1_bad_chunk = 81, ///< a chunk's size, extension or end is malformed
    http1_bad_trailer = 82, ///< a trailer field is malformed or may not be a trailer
    http1_bad_connection_option = 83, ///< Connection nominates a field that must be forwarded
    http1_bad_response = 84, ///< the server's response head is malformed or ambiguous
    http1_unexpected_bytes = 85, ///< the server sent bytes that no request asked for
    http1_not_http = 86, ///< the first bytes on a port declared http are not HTTP
    http1_upgrade_refused = 87, ///< the server switched to a protocol that the client did not ask for
    http1_bad_expect = 88, ///< Expect holds anything but 100-continue
    http1_content_forbidden = 89, ///< a message that may have no content (CONNECT, TRACE, 1xx, 204) announces some
    http2_protocol_error = 90, ///< the bytes break the rules of HTTP/2 frames or streams
    http2_bad_head = 91, ///< the pseudo header fields are missing, repeated, late or malformed
    http2_bad_field = 92, ///< a field is connection-specific, not lower case, or holds a control character
    http2_host_mismatch = 93, ///< Host differs from :authority, or comes twice
    http2_length_mismatch = 94, ///< Content-Length is malformed or differs from the content received
    http2_head_too_large = 95, ///< a decoded header block is larger than the limit, or has too many fields
    http2_bad_trailer = 96, ///< a trailer field is malformed or may not be a trailer
    http2_bad_response = 97, ///< the server's response is malformed or ambiguous
    http2_reset_flood = 98, ///< the peer made too many streams end early
    http2_continuation_flood = 99, ///< a header block has too many frames
    http2_ping_flood = 100, ///< the peer sent too many PING frames
    http2_settings_flood = 101, ///< the peer sent too many SETTINGS frames
    http2_frame_flood = 102, ///< the peer sent too many frames that carry nothing
    http2_refused_stream = 103, ///< the peer refused the stream before it did anything
    http2_stream_limit = 104, ///< the connection has no room for another stream
    header_timeout = 112, ///< the request's head did not arrive in time
    idle_timeout = 113, ///< the connection was idle for too long
    request_timeout = 114, ///< the whole request took longer than its deadline
    backend_timeout = 115, ///< one attempt took longer than its limit
    connect_timeout = 116, ///< the endpoint did not answer the connection attempt in time
    connect_refused = 117, ///< the endpoint refused the connection
    connect_unreachable = 118, ///< no route to the endpoint, or the network refused it
    upstream_reset = 119, ///< the server reset the connection before it answered
    upstream_closed_early = 120, ///< the server closed the connection in the middle of its answer
    downstream_reset = 121, ///< the client went away before the answer was complete
    downstream_closed_early = 122, ///< the client closed in the middle of its request
    buffer_limit = 123, ///< the workload's buffered bytes are at their limit
    connection_limit = 124, ///< the workload's connections are at their limit
    pending_limit = 125, ///< the workload's requests that wait are at their limit
    park_timeout = 126, ///< a parked request was not resumed in time
    park_limit = 127, ///< too many requests are parked
    decide_failed = 128, ///< the decision threw or gave an impossible verdict
    no_original_destination = 129, ///< an accepted connection carries no original destination
    socket_stock_empty = 130, ///< no ready-made socket arrived from capture in time
    draining = 131, ///< the agent is shutting down
    peer_closed = 132, ///< the connection ended as its peers wished
    retry_buffer_exceeded = 133, ///< the body outgrew the retry buffer, so the request could not be tried again
    workload_withdrawn = 134, ///< the workload left the mesh while its connection was open
    tls_handshake_failed = 144, ///< the TLS handshake broke down: malformed, no cipher or group in common, or ended early
    tls_no_client_certificate = 145, ///< the client showed no certificate
    tls_untrusted_certificate = 146, ///< the peer's certificate does not chain to the trust bundle
    tls_expired_certificate = 147, ///< the peer's certificate has expired or is not yet valid
    tls_wrong_identity = 148, ///< the peer's certificate does not name exactly the identity that was expected
    tls_wrong_purpose = 149, ///< the peer's certificate may not be used for this side of TLS
    tls_version_refused = 150, ///< the peer does not speak TLS 1.3
    tls_alpn_refused = 151, ///< no application protocol of this port was offered or chosen
    tls_handshake_timeout = 152, ///< the TLS handshake took longer than allowed
    tls_record_failed = 153, ///< a TLS record was malformed, tampered with, or too much
    tls_no_identity = 154, ///< the workload has no certificate yet
    tls_truncated = 155, ///< the TLS stream ended without close_notify
    tls_peer_refused = 156, ///< the peer refused our handshake by an alert
    tls_session_limit = 157, ///< the workload's TLS connections are at their limit
    tls_handshake_limit = 158, ///< too many TLS handshakes are under way: the oldest one made room
    no_matching_route = 192, ///< routes are attached to the service and none matches
    no_ready_endpoint = 193, ///< the chosen backend has no ready endpoint
    backend_invalid = 194, ///< the route's backend does not exist, is not permitted or weighs nothing
    policy_denied = 195, ///< a DENY policy matches
    policy_not_allowed = 196, ///< ALLOW policies select the workload and none matches
    policy_invalid = 197, ///< a policy for this workload is invalid and has no last good version, so it fails closed
    unauthenticated_source = 198, ///< the policy asks for an authenticated source and this one is known by address only
    unknown_destination = 199, ///< the address lies in the mesh's ranges and belongs to nobody the agent knows
    ambiguous_path = 200, ///< the path has no single normal form and a policy reads the path
    protocol_mismatch = 201, ///< the traffic is not of the protocol that the port declares
    route_filter_failed = 202, ///< a filter of the route cannot be applied
    retry_budget_spent = 203, ///< the attempt failed and the retry budget is used up
    no_snapshot = 204, ///< the agent has no configuration yet
    connect_not_allowed = 205, ///< CONNECT to a destination that declares no tunnel
    protocol_unsupported = 206, ///< the port declares a protocol that this agent cannot carry
    plaintext_refused = 207, ///< plaintext came where the port takes TLS alone
    detail_missing = 208, ///< the node does not hold what deciding needs of the destination, and the controller did not send it in time
    resource_refused = 320, ///< a resource was refused; its last good version stays in force
    csr_malformed = 321, ///< a certificate request is too long or is no PKCS#10 request with one extension
    csr_key_refused = 322, ///< the key of a certificate request is not ECDSA P-256
    csr_name_refused = 323, ///< a certificate request does not name exactly one URI and nothing else
    csr_signature_invalid = 324, ///< a certificate request is not signed by its own key
    identity_not_on_node = 325, ///< an identity was asked for that no enrolled workload of the asking node has now
    identity_mismatch = 326, ///< a certificate request names another identity than its workload has
    node_not_authenticated = 327, ///< an agent that asks for a certificate does not prove its node
    issuer_failed = 328, ///< the issuer of certificates cannot sign, or signed what was not asked
    authority_busy = 329, ///< too many certificate requests are under way
    certificate_refused = 330, ///< an issued certificate is not put in force
    authority_unreachable = 331, ///< the certificate authority does not answer; identities stay in force until they end
    node_token_unknown = 332, ///< a node joins with a token that the controller did not make for it
    node_token_expired = 333, ///< a node joins with a token whose time is over
    node_token_replayed = 334, ///< a node joins with a token that was used before
    clock_skew = 335, ///< a certificate is right by the controller's clock and not by this node's
};

/// The HTTP status a client sees for a reason, 0 where no answer can be sent.
constexpr uint16_t status_of(Reason reason) {
    switch (reason) {
    case Reason::http1_bad_request_line: return 400;
    case Reason::http1_bad_version: return 505;
    case Reason::http1_bad_field_name: return 400;
    case Reason::http1_bad_field_value: return 400;
    case Reason::http1_bare_line_feed: return 400;
    case Reason::http1_obsolete_fold: return 400;
    case Reason::http1_space_before_colon: return 400;
    case Reason::http1_missing_host: return 400;
    case Reason::http1_repeated_host: return 400;
    case Reason::http1_bad_host: return 400;
    case Reason::http1_length_and_encoding: return 400;
    case Reason::http1_bad_content_length: return 400;
    case Reason::http1_bad_transfer_encoding: return 501;
    case Reason::http1_head_too_large: return 431;
    case Reason::http1_too_many_fields: return 431;
    case Reason::http1_target_too_long: return 414;
    case Reason::http1_bad_target: return 400;
    case Reason::http1_bad_chunk: return 400;
    case Reason::http1_bad_trailer: return 400;
    case Reason::http1_bad_connection_option: return 400;
    case Reason::http1_bad_response: return 502;
    case Reason::http1_unexpected_bytes: return 502;
    case Reason::http1_not_http: return 400;
    case Reason::http1_upgrade_refused: return 502;
    case Reason::http1_bad_expect: return 417;
    case Reason::http1_content_forbidden: return 400;
    case Reason::http2_protocol_error: return 400;
    case Reason::http2_bad_head: return 400;
    case Reason::http2_bad_field: return 400;
    case Reason::http2_host_mismatch: return 400;
    case Reason::http2_length_mismatch: return 400;
    case Reason::http2_head_too_large: return 431;
    case Reason::http2_bad_trailer: return 400;
    case Reason::http2_bad_response: return 502;
    case Reason::http2_refused_stream: return 503;
    case Reason::http2_stream_limit: return 503;
    case Reason::header_timeout: return 408;
    case Reason::request_timeout: return 504;
    case Reason::backend_timeout: return 504;
    case Reason::connect_timeout: return 504;
    case Reason::connect_refused: return 503;
    case Reason::connect_unreachable: return 503;
    case Reason::upstream_reset: return 502;
    case Reason::upstream_closed_early: return 502;
    case Reason::buffer_limit: return 503;
    case Reason::pending_limit: return 503;
    case Reason::park_timeout: return 503;
    case Reason::park_limit: return 503;
    case Reason::decide_failed: return 500;
    case Reason::socket_stock_empty: return 503;
    case Reason::draining: return 503;
    case Reason::retry_buffer_exceeded: return 502;
    case Reason::workload_withdrawn: return 503;
    case Reason::tls_handshake_failed: return 503;
    case Reason::tls_untrusted_certificate: return 503;
    case Reason::tls_expired_certificate: return 503;
    case Reason::tls_wrong_identity: return 503;
    case Reason::tls_wrong_purpose: return 503;
    case Reason::tls_version_refused: return 503;
    case Reason::tls_alpn_refused: return 503;
    case Reason::tls_handshake_timeout: return 503;
    case Reason::tls_record_failed: return 502;
    case Reason::tls_no_identity: return 503;
    case Reason::tls_truncated: return 502;
    case Reason::tls_peer_refused: return 503;
    case Reason::tls_session_limit: return 503;
    case Reason::tls_handshake_limit: return 503;
    case Reason::no_matching_route: return 404;
    case Reason::no_ready_endpoint: return 503;
    case Reason::backend_invalid: return 500;
    case Reason::policy_denied: return 403;
    case Reason::policy_not_allowed: return 403;
    case Reason::policy_invalid: return 403;
    case Reason::unauthenticated_source: return 403;
    case Reason::unknown_destination: return 502;
    case Reason::ambiguous_path: return 400;
    case Reason::protocol_mismatch: return 400;
    case Reason::route_filter_failed: return 500;
    case Reason::retry_budget_spent: return 503;
    case Reason::no_snapshot: return 503;
    case Reason::connect_not_allowed: return 405;
    case Reason::detail_missing: return 503;
    default: return 0;
    }
}

/// The gRPC status a client sees for a reason in place of status_of(): UNKNOWN where the registry names none.
constexpr uint8_t grpc_status_of(Reason reason) {
    switch (reason) {
    case Reason::http1_bad_request_line: return 13; // INTERNAL
    case Reason::http1_bad_version: return 13; // INTERNAL
    case Reason::http1_bad_field_name: return 13; // INTERNAL
    case Reason::http1_bad_field_value: return 13; // INTERNAL
    case Reason::http1_bare_line_feed: return 13; // INTERNAL
    case Reason::http1_obsolete_fold: return 13; // INTERNAL
    case Reason::http1_space_before_colon: return 13; // INTERNAL
    case Reason::http1_missing_host: return 13; // INTERNAL
    case Reason::http1_repeated_host: return 13; // INTERNAL
    case Reason::http1_bad_host: return 13; // INTERNAL
    case Reason::http1_length_and_encoding: return 13; // INTERNAL
    case Reason::http1_bad_content_length: return 13; // INTERNAL
    case Reason::http1_bad_transfer_encoding: return 13; // INTERNAL
    case Reason::http1_head_too_large: return 13; // INTERNAL
    case Reason::http1_too_many_fields: return 13; // INTERNAL
    case Reason::http1_target_too_long: return 13; // INTERNAL
    case Reason::http1_bad_target: return 13; // INTERNAL
    case Reason::http1_bad_chunk: return 13; // INTERNAL
    case Reason::http1_bad_trailer: return 13; // INTERNAL
    case Reason::http1_bad_connection_option: return 13; // INTERNAL
    case Reason::http1_bad_response: return 14; // UNAVAILABLE
    case Reason::http1_unexpected_bytes: return 14; // UNAVAILABLE
    case Reason::http1_not_http: return 13; // INTERNAL
    case Reason::http1_upgrade_refused: return 14; // UNAVAILABLE
    case Reason::http1_bad_expect: return 13; // INTERNAL
    case Reason::http1_content_forbidden: return 13; // INTERNAL
    case Reason::http2_protocol_error: return 13; // INTERNAL
    case Reason::http2_bad_head: return 13; // INTERNAL
    case Reason::http2_bad_field: return 13; // INTERNAL
    case Reason::http2_host_mismatch: return 13; // INTERNAL
    case Reason::http2_length_mismatch: return 13; // INTERNAL
    case Reason::http2_head_too_large: return 13; // INTERNAL
    case Reason::http2_bad_trailer: return 13; // INTERNAL
    case Reason::http2_bad_response: return 14; // UNAVAILABLE
    case Reason::http2_refused_stream: return 14; // UNAVAILABLE
    case Reason::http2_stream_limit: return 8; // RESOURCE_EXHAUSTED
    case Reason::header_timeout: return 4; // DEADLINE_EXCEEDED
    case Reason::request_timeout: return 4; // DEADLINE_EXCEEDED
    case Reason::backend_timeout: return 4; // DEADLINE_EXCEEDED
    case Reason::connect_timeout: return 14; // UNAVAILABLE
    case Reason::connect_refused: return 14; // UNAVAILABLE
    case Reason::connect_unreachable: return 14; // UNAVAILABLE
    case Reason::upstream_reset: return 14; // UNAVAILABLE
    case Reason::upstream_closed_early: return 14; // UNAVAILABLE
    case Reason::buffer_limit: return 8; // RESOURCE_EXHAUSTED
    case Reason::pending_limit: return 8; // RESOURCE_EXHAUSTED
    case Reason::park_timeout: return 14; // UNAVAILABLE
    case Reason::park_limit: return 8; // RESOURCE_EXHAUSTED
    case Reason::decide_failed: return 13; // INTERNAL
    case Reason::socket_stock_empty: return 14; // UNAVAILABLE
    case Reason::draining: return 14; // UNAVAILABLE
    case Reason::retry_buffer_exceeded: return 14; // UNAVAILABLE
    case Reason::workload_withdrawn: return 14; // UNAVAILABLE
    case Reason::tls_handshake_failed: return 14; // UNAVAILABLE
    case Reason::tls_untrusted_certificate: return 14; // UNAVAILABLE
    case Reason::tls_expired_certificate: return 14; // UNAVAILABLE
    case Reason::tls_wrong_identity: return 14; // UNAVAILABLE
    case Reason::tls_wrong_purpose: return 14; // UNAVAILABLE
    case Reason::tls_version_refused: return 14; // UNAVAILABLE
    case Reason::tls_alpn_refused: return 14; // UNAVAILABLE
    case Reason::tls_handshake_timeout: return 14; // UNAVAILABLE
    case Reason::tls_record_failed: return 14; // UNAVAILABLE
    case Reason::tls_no_identity: return 14; // UNAVAILABLE
    case Reason::tls_truncated: return 14; // UNAVAILABLE
    case Reason::tls_peer_refused: return 14; // UNAVAILABLE
    case Reason::tls_session_limit: return 8; // RESOURCE_EXHAUSTED
    case Reason::tls_handshake_limit: return 8; // RESOURCE_EXHAUSTED
    case Reason::no_matching_route: return 12; // UNIMPLEMENTED
    case Reason::no_ready_endpoint: return 14; // UNAVAILABLE
    case Reason::backend_invalid: return 14; // UNAVAILABLE
    case Reason::policy_denied: return 7; // PERMISSION_DENIED
    case Reason::policy_not_allowed: return 7; // PERMISSION_DENIED
    case Reason::policy_invalid: return 7; // PERMISSION_DENIED
    case Reason::unauthenticated_source: return 16; // UNAUTHENTICATED
    case Reason::unknown_destination: return 14; // UNAVAILABLE
    case Reason::ambiguous_path: return 3; // INVALID_ARGUMENT
    case Reason::protocol_mismatch: return 13; // INTERNAL
    case Reason::route_filter_failed: return 13; // INTERNAL
    case Reason::retry_budget_spent: return 14; // UNAVAILABLE
    case Reason::no_snapshot: return 14; // UNAVAILABLE
    case Reason::connect_not_allowed: return 12; // UNIMPLEMENTED
    case Reason::detail_missing: return 14; // UNAVAILABLE
    case Reason::csr_malformed: return 3; // INVALID_ARGUMENT
    case Reason::csr_key_refused: return 3; // INVALID_ARGUMENT
    case Reason::csr_name_refused: return 3; // INVALID_ARGUMENT
    case Reason::csr_signature_invalid: return 3; // INVALID_ARGUMENT
    case Reason::identity_not_on_node: return 7; // PERMISSION_DENIED
    case Reason::identity_mismatch: return 7; // PERMISSION_DENIED
    case Reason::node_not_authenticated: return 16; // UNAUTHENTICATED
    case Reason::issuer_failed: return 14; // UNAVAILABLE
    case Reason::authority_busy: return 8; // RESOURCE_EXHAUSTED
    case Reason::node_token_unknown: return 16; // UNAUTHENTICATED
    case Reason::node_token_expired: return 16; // UNAUTHENTICATED
    case Reason::node_token_replayed: return 16; // UNAUTHENTICATED
    default: return 2;
    }
}

/// The registry's name of a reason, for local replies and logs.
constexpr const char *name_of(Reason reason) {
    switch (reason) {
    case Reason::none: return "none";
    case Reason::kernel_l4_denied: return "kernel_l4_denied";
    case Reason::kernel_no_outbound_listener: return "kernel_no_outbound_listener";
    case Reason::kernel_note_failed: return "kernel_note_failed";
    case Reason::kernel_range_denied: return "kernel_range_denied";
    case Reason::kernel_udp_denied: return "kernel_udp_denied";
    case Reason::kernel_no_inbound_listener: return "kernel_no_inbound_listener";
    case Reason::kernel_probe_expired: return "kernel_probe_expired";
    case Reason::kernel_inbound_l4_denied: return "kernel_inbound_l4_denied";
    case Reason::kernel_agent_address_denied: return "kernel_agent_address_denied";
    case Reason::kernel_steer_failed: return "kernel_steer_failed";
    case Reason::http1_bad_request_line: return "http1_bad_request_line";
    case Reason::http1_bad_version: return "http1_bad_version";
    case Reason::http1_bad_field_name: return "http1_bad_field_name";
    case Reason::http1_bad_field_value: return "http1_bad_field_value";
    case Reason::http1_bare_line_feed: return "http1_bare_line_feed";
    case Reason::http1_obsolete_fold: return "http1_obsolete_fold";
    case Reason::http1_space_before_colon: return "http1_space_before_colon";
    case Reason::http1_missing_host: return "http1_missing_host";
    case Reason::http1_repeated_host: return "http1_repeated_host";
    case Reason::http1_bad_host: return "http1_bad_host";
    case Reason::http1_length_and_encoding: return "http1_length_and_encoding";
    case Reason::http1_bad_content_length: return "http1_bad_content_length";
    case Reason::http1_bad_transfer_encoding: return "http1_bad_transfer_encoding";
    case Reason::http1_head_too_large: return "http1_head_too_large";
    case Reason::http1_too_many_fields: return "http1_too_many_fields";
    case Reason::http1_target_too_long: return "http1_target_too_long";
    case Reason::http1_bad_target: return "http1_bad_target";
    case Reason::http1_bad_chunk: return "http1_bad_chunk";
    case Reason::http1_bad_trailer: return "http1_bad_trailer";
    case Reason::http1_bad_connection_option: return "http1_bad_connection_option";
    case Reason::http1_bad_response: return "http1_bad_response";
    case Reason::http1_unexpected_bytes: return "http1_unexpected_bytes";
    case Reason::http1_not_http: return "http1_not_http";
    case Reason::http1_upgrade_refused: return "http1_upgrade_refused";
    case Reason::http1_bad_expect: return "http1_bad_expect";
    case Reason::http1_content_forbidden: return "http1_content_forbidden";
    case Reason::http2_protocol_error: return "http2_protocol_error";
    case Reason::http2_bad_head: return "http2_bad_head";
    case Reason::http2_bad_field: return "http2_bad_field";
    case Reason::http2_host_mismatch: return "http2_host_mismatch";
    case Reason::http2_length_mismatch: return "http2_length_mismatch";
    case Reason::http2_head_too_large: return "http2_head_too_large";
    case Reason::http2_bad_trailer: return "http2_bad_trailer";
    case Reason::http2_bad_response: return "http2_bad_response";
    case Reason::http2_reset_flood: return "http2_reset_flood";
    case Reason::http2_continuation_flood: return "http2_continuation_flood";
    case Reason::http2_ping_flood: return "http2_ping_flood";
    case Reason::http2_settings_flood: return "http2_settings_flood";
    case Reason::http2_frame_flood: return "http2_frame_flood";
    case Reason::http2_refused_stream: return "http2_refused_stream";
    case Reason::http2_stream_limit: return "http2_stream_limit";
    case Reason::header_timeout: return "header_timeout";
    case Reason::idle_timeout: return "idle_timeout";
    case Reason::request_timeout: return "request_timeout";
    case Reason::backend_timeout: return "backend_timeout";
    case Reason::connect_timeout: return "connect_timeout";
    case Reason::connect_refused: return "connect_refused";
    case Reason::connect_unreachable: return "connect_unreachable";
    case Reason::upstream_reset: return "upstream_reset";
    case Reason::upstream_closed_early: return "upstream_closed_early";
    case Reason::downstream_reset: return "downstream_reset";
    case Reason::downstream_closed_early: return "downstream_closed_early";
    case Reason::buffer_limit: return "buffer_limit";
    case Reason::connection_limit: return "connection_limit";
    case Reason::pending_limit: return "pending_limit";
    case Reason::park_timeout: return "park_timeout";
    case Reason::park_limit: return "park_limit";
    case Reason::decide_failed: return "decide_failed";
    case Reason::no_original_destination: return "no_original_destination";
    case Reason::socket_stock_empty: return "socket_stock_empty";
    case Reason::draining: return "draining";
    case Reason::peer_closed: return "peer_closed";
    case Reason::retry_buffer_exceeded: return "retry_buffer_exceeded";
    case Reason::workload_withdrawn: return "workload_withdrawn";
    case Reason::tls_handshake_failed: return "tls_handshake_failed";
    case Reason::tls_no_client_certificate: return "tls_no_client_certificate";
    case Reason::tls_untrusted_certificate: return "tls_untrusted_certificate";
    case Reason::tls_expired_certificate: return "tls_expired_certificate";
    case Reason::tls_wrong_identity: return "tls_wrong_identity";
    case Reason::tls_wrong_purpose: return "tls_wrong_purpose";
    case Reason::tls_version_refused: return "tls_version_refused";
    case Reason::tls_alpn_refused: return "tls_alpn_refused";
    case Reason::tls_handshake_timeout: return "tls_handshake_timeout";
    case Reason::tls_record_failed: return "tls_record_failed";
    case Reason::tls_no_identity: return "tls_no_identity";
    case Reason::tls_truncated: return "tls_truncated";
    case Reason::tls_peer_refused: return "tls_peer_refused";
    case Reason::tls_session_limit: return "tls_session_limit";
    case Reason::tls_handshake_limit: return "tls_handshake_limit";
    case Reason::no_matching_route: return "no_matching_route";
    case Reason::no_ready_endpoint: return "no_ready_endpoint";
    case Reason::backend_invalid: return "backend_invalid";
    case Reason::policy_denied: return "policy_denied";
    case Reason::policy_not_allowed: return "policy_not_allowed";
    case Reason::policy_invalid: return "policy_invalid";
    case Reason::unauthenticated_source: return "unauthenticated_source";
    case Reason::unknown_destination: return "unknown_destination";
    case Reason::ambiguous_path: return "ambiguous_path";
    case Reason::protocol_mismatch: return "protocol_mismatch";
    case Reason::route_filter_failed: return "route_filter_failed";
    case Reason::retry_budget_spent: return "retry_budget_spent";
    case Reason::no_snapshot: return "no_snapshot";
    case Reason::connect_not_allowed: return "connect_not_allowed";
    case Reason::protocol_unsupported: return "protocol_unsupported";
    case Reason::plaintext_refused: return "plaintext_refused";
    case Reason::detail_missing: return "detail_missing";
    case Reason::resource_refused: return "resource_refused";
    case Reason::csr_malformed: return "csr_malformed";
    case Reason::csr_key_refused: return "csr_key_refused";
    case Reason::csr_name_refused: return "csr_name_refused";
    case Reason::csr_signature_invalid: return "csr_signature_invalid";
    case Reason::identity_not_on_node: return "identity_not_on_node";
    case Reason::identity_mismatch: return "identity_mismatch";
    case Reason::node_not_authenticated: return "node_not_authenticated";
    case Reason::issuer_failed: return "issuer_failed";
    case Reason::authority_busy: return "authority_busy";
    case Reason::certificate_refused: return "certificate_refused";
    case Reason::authority_unreachable: return "authority_unreachable";
    case Reason::node_token_unknown: return "node_token_unknown";
    case Reason::node_token_expired: return "node_token_expired";
    case Reason::node_token_replayed: return "node_token_replayed";
    case Reason::clock_skew: return "clock_skew";
    }
    return "unknown";
}

} // namespace weft
