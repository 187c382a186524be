// Generated from reasons/registry.json by scripts/generate-reasons.mjs; do not edit.

/** Who refuses. */
export type ReasonLayer = 'kernel' | 'engine' | 'pipeline' | 'control';

/** One refusal of the registry. */
export interface ReasonEntry {
  readonly code: number;
  readonly name: ReasonName;
  readonly layer: ReasonLayer;
  /** HTTP status a client sees, 0 where no answer can be sent. */
  readonly status: number;
  /** gRPC status name, empty where no answer can be sent. */
  readonly grpc: string;
  readonly summary: string;
  readonly hint: string;
}

/** Code by name: what batch rows, verdicts, metrics and logs carry. */
export const Reason = {
  none: 0,
  /** an L4 rule denies this source, destination and port; connect() returned EPERM */
  kernel_l4_denied: 1,
  /** the pod is enrolled but has no outbound listener */
  kernel_no_outbound_listener: 2,
  /** the original destination could not be stored with the socket */
  kernel_note_failed: 3,
  /** the destination lies in a range that the mesh denies */
  kernel_range_denied: 4,
  /** UDP is denied for this pod */
  kernel_udp_denied: 5,
  /** a connection arrived for an enrolled pod that has no inbound listener */
  kernel_no_inbound_listener: 6,
  /** a probe's bypass was older than two seconds */
  kernel_probe_expired: 7,
  /** an L4 rule denies this source on arrival */
  kernel_inbound_l4_denied: 8,
  /** a pod tried to reach the agent's own listener directly */
  kernel_agent_address_denied: 9,
  /** the listener refused to take the connection */
  kernel_steer_failed: 10,
  /** the request line is not method SP target SP version CRLF */
  http1_bad_request_line: 64,
  /** the HTTP version is neither 1.0 nor 1.1 */
  http1_bad_version: 65,
  /** a field name holds a character that is no token */
  http1_bad_field_name: 66,
  /** a field value holds a control character */
  http1_bad_field_value: 67,
  /** a line ends with LF or CR alone */
  http1_bare_line_feed: 68,
  /** a field line is folded */
  http1_obsolete_fold: 69,
  /** white space stands between a field name and its colon */
  http1_space_before_colon: 70,
  /** an HTTP/1.1 request has no Host */
  http1_missing_host: 71,
  /** a request has more than one Host */
  http1_repeated_host: 72,
  /** Host is no authority, or differs from the request target's */
  http1_bad_host: 73,
  /** both Content-Length and Transfer-Encoding are present */
  http1_length_and_encoding: 74,
  /** Content-Length is repeated, signed, not decimal or too large */
  http1_bad_content_length: 75,
  /** Transfer-Encoding is anything but a single chunked */
  http1_bad_transfer_encoding: 76,
  /** the head is larger than the limit */
  http1_head_too_large: 77,
  /** the head has more fields than the limit */
  http1_too_many_fields: 78,
  /** the request target is longer than the limit */
  http1_target_too_long: 79,
  /** the request target's form does not fit its method */
  http1_bad_target: 80,
  /** a chunk's size, extension or end is malformed */
  http1_bad_chunk: 81,
  /** a trailer field is malformed or may not be a trailer */
  http1_bad_trailer: 82,
  /** Connection nominates a field that must be forwarded */
  http1_bad_connection_option: 83,
  /** the server's response head is malformed or ambiguous */
  http1_bad_response: 84,
  /** the server sent bytes that no request asked for */
  http1_unexpected_bytes: 85,
  /** the first bytes on a port declared http are not HTTP */
  http1_not_http: 86,
  /** the server switched to a protocol that the client did not ask for */
  http1_upgrade_refused: 87,
  /** Expect holds anything but 100-continue */
  http1_bad_expect: 88,
  /** a message that may have no content (CONNECT, TRACE, 1xx, 204) announces some */
  http1_content_forbidden: 89,
  /** the bytes break the rules of HTTP/2 frames or streams */
  http2_protocol_error: 90,
  /** the pseudo header fields are missing, repeated, late or malformed */
  http2_bad_head: 91,
  /** a field is connection-specific, not lower case, or holds a control character */
  http2_bad_field: 92,
  /** Host differs from :authority, or comes twice */
  http2_host_mismatch: 93,
  /** Content-Length is malformed or differs from the content received */
  http2_length_mismatch: 94,
  /** a decoded header block is larger than the limit, or has too many fields */
  http2_head_too_large: 95,
  /** a trailer field is malformed or may not be a trailer */
  http2_bad_trailer: 96,
  /** the server's response is malformed or ambiguous */
  http2_bad_response: 97,
  /** the peer made too many streams end early */
  http2_reset_flood: 98,
  /** a header block has too many frames */
  http2_continuation_flood: 99,
  /** the peer sent too many PING frames */
  http2_ping_flood: 100,
  /** the peer sent too many SETTINGS frames */
  http2_settings_flood: 101,
  /** the peer sent too many frames that carry nothing */
  http2_frame_flood: 102,
  /** the peer refused the stream before it did anything */
  http2_refused_stream: 103,
  /** the connection has no room for another stream */
  http2_stream_limit: 104,
  /** the request's head did not arrive in time */
  header_timeout: 112,
  /** the connection was idle for too long */
  idle_timeout: 113,
  /** the whole request took longer than its deadline */
  request_timeout: 114,
  /** one attempt took longer than its limit */
  backend_timeout: 115,
  /** the endpoint did not answer the connection attempt in time */
  connect_timeout: 116,
  /** the endpoint refused the connection */
  connect_refused: 117,
  /** no route to the endpoint, or the network refused it */
  connect_unreachable: 118,
  /** the server reset the connection before it answered */
  upstream_reset: 119,
  /** the server closed the connection in the middle of its answer */
  upstream_closed_early: 120,
  /** the client went away before the answer was complete */
  downstream_reset: 121,
  /** the client closed in the middle of its request */
  downstream_closed_early: 122,
  /** the workload's buffered bytes are at their limit */
  buffer_limit: 123,
  /** the workload's connections are at their limit */
  connection_limit: 124,
  /** the workload's requests that wait are at their limit */
  pending_limit: 125,
  /** a parked request was not resumed in time */
  park_timeout: 126,
  /** too many requests are parked */
  park_limit: 127,
  /** the decision threw or gave an impossible verdict */
  decide_failed: 128,
  /** an accepted connection carries no original destination */
  no_original_destination: 129,
  /** no ready-made socket arrived from capture in time */
  socket_stock_empty: 130,
  /** the agent is shutting down */
  draining: 131,
  /** the connection ended as its peers wished */
  peer_closed: 132,
  /** the body outgrew the retry buffer, so the request could not be tried again */
  retry_buffer_exceeded: 133,
  /** the workload left the mesh while its connection was open */
  workload_withdrawn: 134,
  /** the TLS handshake broke down: malformed, no cipher or group in common, or ended early */
  tls_handshake_failed: 144,
  /** the client showed no certificate */
  tls_no_client_certificate: 145,
  /** the peer's certificate does not chain to the trust bundle */
  tls_untrusted_certificate: 146,
  /** the peer's certificate has expired or is not yet valid */
  tls_expired_certificate: 147,
  /** the peer's certificate does not name exactly the identity that was expected */
  tls_wrong_identity: 148,
  /** the peer's certificate may not be used for this side of TLS */
  tls_wrong_purpose: 149,
  /** the peer does not speak TLS 1.3 */
  tls_version_refused: 150,
  /** no application protocol of this port was offered or chosen */
  tls_alpn_refused: 151,
  /** the TLS handshake took longer than allowed */
  tls_handshake_timeout: 152,
  /** a TLS record was malformed, tampered with, or too much */
  tls_record_failed: 153,
  /** the workload has no certificate yet */
  tls_no_identity: 154,
  /** the TLS stream ended without close_notify */
  tls_truncated: 155,
  /** the peer refused our handshake by an alert */
  tls_peer_refused: 156,
  /** the workload's TLS connections are at their limit */
  tls_session_limit: 157,
  /** too many TLS handshakes are under way: the oldest one made room */
  tls_handshake_limit: 158,
  /** routes are attached to the service and none matches */
  no_matching_route: 192,
  /** the chosen backend has no ready endpoint */
  no_ready_endpoint: 193,
  /** the route's backend does not exist, is not permitted or weighs nothing */
  backend_invalid: 194,
  /** a DENY policy matches */
  policy_denied: 195,
  /** ALLOW policies select the workload and none matches */
  policy_not_allowed: 196,
  /** a policy for this workload is invalid and has no last good version, so it fails closed */
  policy_invalid: 197,
  /** the policy asks for an authenticated source and this one is known by address only */
  unauthenticated_source: 198,
  /** the address lies in the mesh's ranges and belongs to nobody the agent knows */
  unknown_destination: 199,
  /** the path has no single normal form and a policy reads the path */
  ambiguous_path: 200,
  /** the traffic is not of the protocol that the port declares */
  protocol_mismatch: 201,
  /** a filter of the route cannot be applied */
  route_filter_failed: 202,
  /** the attempt failed and the retry budget is used up */
  retry_budget_spent: 203,
  /** the agent has no configuration yet */
  no_snapshot: 204,
  /** CONNECT to a destination that declares no tunnel */
  connect_not_allowed: 205,
  /** the port declares a protocol that this agent cannot carry */
  protocol_unsupported: 206,
  /** plaintext came where the port takes TLS alone */
  plaintext_refused: 207,
  /** the node does not hold what deciding needs of the destination, and the controller did not send it in time */
  detail_missing: 208,
  /** a resource was refused; its last good version stays in force */
  resource_refused: 320,
  /** a certificate request is too long or is no PKCS#10 request with one extension */
  csr_malformed: 321,
  /** the key of a certificate request is not ECDSA P-256 */
  csr_key_refused: 322,
  /** a certificate request does not name exactly one URI and nothing else */
  csr_name_refused: 323,
  /** a certificate request is not signed by its own key */
  csr_signature_invalid: 324,
  /** an identity was asked for that no enrolled workload of the asking node has now */
  identity_not_on_node: 325,
  /** a certificate request names another identity than its workload has */
  identity_mismatch: 326,
  /** an agent that asks for a certificate does not prove its node */
  node_not_authenticated: 327,
  /** the issuer of certificates cannot sign, or signed what was not asked */
  issuer_failed: 328,
  /** too many certificate requests are under way */
  authority_busy: 329,
  /** an issued certificate is not put in force */
  certificate_refused: 330,
  /** the certificate authority does not answer; identities stay in force until they end */
  authority_unreachable: 331,
  /** a node joins with a token that the controller did not make for it */
  node_token_unknown: 332,
  /** a node joins with a token whose time is over */
  node_token_expired: 333,
  /** a node joins with a token that was used before */
  node_token_replayed: 334,
  /** a certificate is right by the controller's clock and not by this node's */
  clock_skew: 335,
} as const;

export type ReasonName = keyof typeof Reason;
export type ReasonCode = (typeof Reason)[ReasonName];

/** Every refusal, in order of code. */
export const reasons: readonly ReasonEntry[] = [
  {
    code: 1,
    name: 'kernel_l4_denied',
    layer: 'kernel',
    status: 0,
    grpc: '',
    summary: 'an L4 rule denies this source, destination and port; connect() returned EPERM',
    hint: 'kubectl weft why SOURCE DEST names the policy',
  },
  {
    code: 2,
    name: 'kernel_no_outbound_listener',
    layer: 'kernel',
    status: 0,
    grpc: '',
    summary: 'the pod is enrolled but has no outbound listener',
    hint: 'is capture running? see its readiness',
  },
  {
    code: 3,
    name: 'kernel_note_failed',
    layer: 'kernel',
    status: 0,
    grpc: '',
    summary: 'the original destination could not be stored with the socket',
    hint: 'kernel memory is short',
  },
  {
    code: 4,
    name: 'kernel_range_denied',
    layer: 'kernel',
    status: 0,
    grpc: '',
    summary: 'the destination lies in a range that the mesh denies',
    hint: 'see the mesh\'s ranges',
  },
  {
    code: 5,
    name: 'kernel_udp_denied',
    layer: 'kernel',
    status: 0,
    grpc: '',
    summary: 'UDP is denied for this pod',
    hint: 'set the workload\'s udp field to allow',
  },
  {
    code: 6,
    name: 'kernel_no_inbound_listener',
    layer: 'kernel',
    status: 0,
    grpc: '',
    summary: 'a connection arrived for an enrolled pod that has no inbound listener',
    hint: 'is capture running? see its readiness',
  },
  {
    code: 7,
    name: 'kernel_probe_expired',
    layer: 'kernel',
    status: 0,
    grpc: '',
    summary: 'a probe\'s bypass was older than two seconds',
    hint: 'the connection was handed to the agent instead',
  },
  {
    code: 8,
    name: 'kernel_inbound_l4_denied',
    layer: 'kernel',
    status: 0,
    grpc: '',
    summary: 'an L4 rule denies this source on arrival',
    hint: 'kubectl weft why SOURCE DEST names the policy',
  },
  {
    code: 9,
    name: 'kernel_agent_address_denied',
    layer: 'kernel',
    status: 0,
    grpc: '',
    summary: 'a pod tried to reach the agent\'s own listener directly',
    hint: '127.128.0.0/9 is reserved for weft inside an enrolled pod',
  },
  {
    code: 10,
    name: 'kernel_steer_failed',
    layer: 'kernel',
    status: 0,
    grpc: '',
    summary: 'the listener refused to take the connection',
    hint: 'the listener was closed while the connection arrived',
  },
  {
    code: 64,
    name: 'http1_bad_request_line',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'the request line is not method SP target SP version CRLF',
    hint: 'RFC 9112 section 3',
  },
  {
    code: 65,
    name: 'http1_bad_version',
    layer: 'engine',
    status: 505,
    grpc: 'INTERNAL',
    summary: 'the HTTP version is neither 1.0 nor 1.1',
    hint: 'RFC 9112 section 2.3',
  },
  {
    code: 66,
    name: 'http1_bad_field_name',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'a field name holds a character that is no token',
    hint: 'RFC 9110 section 5.1',
  },
  {
    code: 67,
    name: 'http1_bad_field_value',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'a field value holds a control character',
    hint: 'RFC 9110 section 5.5',
  },
  {
    code: 68,
    name: 'http1_bare_line_feed',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'a line ends with LF or CR alone',
    hint: 'RFC 9112 section 2.2',
  },
  {
    code: 69,
    name: 'http1_obsolete_fold',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'a field line is folded',
    hint: 'RFC 9112 section 5.2',
  },
  {
    code: 70,
    name: 'http1_space_before_colon',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'white space stands between a field name and its colon',
    hint: 'RFC 9112 section 5.1',
  },
  {
    code: 71,
    name: 'http1_missing_host',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'an HTTP/1.1 request has no Host',
    hint: 'RFC 9112 section 3.2',
  },
  {
    code: 72,
    name: 'http1_repeated_host',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'a request has more than one Host',
    hint: 'RFC 9112 section 3.2',
  },
  {
    code: 73,
    name: 'http1_bad_host',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'Host is no authority, or differs from the request target\'s',
    hint: 'RFC 9112 section 3.2',
  },
  {
    code: 74,
    name: 'http1_length_and_encoding',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'both Content-Length and Transfer-Encoding are present',
    hint: 'RFC 9112 section 6.3: a smuggling sign',
  },
  {
    code: 75,
    name: 'http1_bad_content_length',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'Content-Length is repeated, signed, not decimal or too large',
    hint: 'RFC 9110 section 8.6',
  },
  {
    code: 76,
    name: 'http1_bad_transfer_encoding',
    layer: 'engine',
    status: 501,
    grpc: 'INTERNAL',
    summary: 'Transfer-Encoding is anything but a single chunked',
    hint: 'RFC 9112 section 6.1',
  },
  {
    code: 77,
    name: 'http1_head_too_large',
    layer: 'engine',
    status: 431,
    grpc: 'INTERNAL',
    summary: 'the head is larger than the limit',
    hint: 'limits.headBytes',
  },
  {
    code: 78,
    name: 'http1_too_many_fields',
    layer: 'engine',
    status: 431,
    grpc: 'INTERNAL',
    summary: 'the head has more fields than the limit',
    hint: 'limits.headFields',
  },
  {
    code: 79,
    name: 'http1_target_too_long',
    layer: 'engine',
    status: 414,
    grpc: 'INTERNAL',
    summary: 'the request target is longer than the limit',
    hint: 'limits.targetBytes',
  },
  {
    code: 80,
    name: 'http1_bad_target',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'the request target\'s form does not fit its method',
    hint: 'RFC 9112 section 3.2',
  },
  {
    code: 81,
    name: 'http1_bad_chunk',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'a chunk\'s size, extension or end is malformed',
    hint: 'RFC 9112 section 7.1',
  },
  {
    code: 82,
    name: 'http1_bad_trailer',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'a trailer field is malformed or may not be a trailer',
    hint: 'RFC 9110 section 6.5',
  },
  {
    code: 83,
    name: 'http1_bad_connection_option',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'Connection nominates a field that must be forwarded',
    hint: 'RFC 9110 section 7.6.1',
  },
  {
    code: 84,
    name: 'http1_bad_response',
    layer: 'engine',
    status: 502,
    grpc: 'UNAVAILABLE',
    summary: 'the server\'s response head is malformed or ambiguous',
    hint: 'the server\'s own log tells more',
  },
  {
    code: 85,
    name: 'http1_unexpected_bytes',
    layer: 'engine',
    status: 502,
    grpc: 'UNAVAILABLE',
    summary: 'the server sent bytes that no request asked for',
    hint: 'the connection was closed, not reused',
  },
  {
    code: 86,
    name: 'http1_not_http',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'the first bytes on a port declared http are not HTTP',
    hint: 'declare the port\'s protocol (appProtocol or port name)',
  },
  {
    code: 87,
    name: 'http1_upgrade_refused',
    layer: 'engine',
    status: 502,
    grpc: 'UNAVAILABLE',
    summary: 'the server switched to a protocol that the client did not ask for',
    hint: 'RFC 9110 section 7.8',
  },
  {
    code: 88,
    name: 'http1_bad_expect',
    layer: 'engine',
    status: 417,
    grpc: 'INTERNAL',
    summary: 'Expect holds anything but 100-continue',
    hint: 'RFC 9110 section 10.1.1',
  },
  {
    code: 89,
    name: 'http1_content_forbidden',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'a message that may have no content (CONNECT, TRACE, 1xx, 204) announces some',
    hint: 'RFC 9110 sections 6.4.1, 9.3.6 and 9.3.8: a smuggling sign',
  },
  {
    code: 90,
    name: 'http2_protocol_error',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'the bytes break the rules of HTTP/2 frames or streams',
    hint: 'RFC 9113 section 5.4; the peer got a GOAWAY or RST_STREAM',
  },
  {
    code: 91,
    name: 'http2_bad_head',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'the pseudo header fields are missing, repeated, late or malformed',
    hint: 'RFC 9113 section 8.3',
  },
  {
    code: 92,
    name: 'http2_bad_field',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'a field is connection-specific, not lower case, or holds a control character',
    hint: 'RFC 9113 section 8.2',
  },
  {
    code: 93,
    name: 'http2_host_mismatch',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'Host differs from :authority, or comes twice',
    hint: 'RFC 9113 section 8.3.1',
  },
  {
    code: 94,
    name: 'http2_length_mismatch',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'Content-Length is malformed or differs from the content received',
    hint: 'RFC 9113 section 8.1.1: a smuggling sign',
  },
  {
    code: 95,
    name: 'http2_head_too_large',
    layer: 'engine',
    status: 431,
    grpc: 'INTERNAL',
    summary: 'a decoded header block is larger than the limit, or has too many fields',
    hint: 'limits.headBytes, limits.headFields',
  },
  {
    code: 96,
    name: 'http2_bad_trailer',
    layer: 'engine',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'a trailer field is malformed or may not be a trailer',
    hint: 'RFC 9110 section 6.5',
  },
  {
    code: 97,
    name: 'http2_bad_response',
    layer: 'engine',
    status: 502,
    grpc: 'UNAVAILABLE',
    summary: 'the server\'s response is malformed or ambiguous',
    hint: 'the server\'s own log tells more',
  },
  {
    code: 98,
    name: 'http2_reset_flood',
    layer: 'engine',
    status: 0,
    grpc: '',
    summary: 'the peer made too many streams end early',
    hint: 'rapid reset; limits.resets',
  },
  {
    code: 99,
    name: 'http2_continuation_flood',
    layer: 'engine',
    status: 0,
    grpc: '',
    summary: 'a header block has too many frames',
    hint: 'limits.continuations',
  },
  {
    code: 100,
    name: 'http2_ping_flood',
    layer: 'engine',
    status: 0,
    grpc: '',
    summary: 'the peer sent too many PING frames',
    hint: 'limits.pings',
  },
  {
    code: 101,
    name: 'http2_settings_flood',
    layer: 'engine',
    status: 0,
    grpc: '',
    summary: 'the peer sent too many SETTINGS frames',
    hint: 'limits.settings',
  },
  {
    code: 102,
    name: 'http2_frame_flood',
    layer: 'engine',
    status: 0,
    grpc: '',
    summary: 'the peer sent too many frames that carry nothing',
    hint: 'empty DATA, PRIORITY, needless WINDOW_UPDATE, acknowledgements that it does not read',
  },
  {
    code: 103,
    name: 'http2_refused_stream',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the peer refused the stream before it did anything',
    hint: 'safe to send again on another connection',
  },
  {
    code: 104,
    name: 'http2_stream_limit',
    layer: 'engine',
    status: 503,
    grpc: 'RESOURCE_EXHAUSTED',
    summary: 'the connection has no room for another stream',
    hint: 'limits.concurrentStreams',
  },
  {
    code: 112,
    name: 'header_timeout',
    layer: 'engine',
    status: 408,
    grpc: 'DEADLINE_EXCEEDED',
    summary: 'the request\'s head did not arrive in time',
    hint: 'limits.headerTimeoutMs',
  },
  {
    code: 113,
    name: 'idle_timeout',
    layer: 'engine',
    status: 0,
    grpc: '',
    summary: 'the connection was idle for too long',
    hint: 'limits.idleTimeoutMs',
  },
  {
    code: 114,
    name: 'request_timeout',
    layer: 'engine',
    status: 504,
    grpc: 'DEADLINE_EXCEEDED',
    summary: 'the whole request took longer than its deadline',
    hint: 'HTTPRoute timeouts.request',
  },
  {
    code: 115,
    name: 'backend_timeout',
    layer: 'engine',
    status: 504,
    grpc: 'DEADLINE_EXCEEDED',
    summary: 'one attempt took longer than its limit',
    hint: 'HTTPRoute timeouts.backendRequest',
  },
  {
    code: 116,
    name: 'connect_timeout',
    layer: 'engine',
    status: 504,
    grpc: 'UNAVAILABLE',
    summary: 'the endpoint did not answer the connection attempt in time',
    hint: 'limits.connectTimeoutMs; a packet filter may drop it',
  },
  {
    code: 117,
    name: 'connect_refused',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the endpoint refused the connection',
    hint: 'is the application listening on its address, not on 127.0.0.1 only?',
  },
  {
    code: 118,
    name: 'connect_unreachable',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'no route to the endpoint, or the network refused it',
    hint: 'node network, NetworkPolicy',
  },
  {
    code: 119,
    name: 'upstream_reset',
    layer: 'engine',
    status: 502,
    grpc: 'UNAVAILABLE',
    summary: 'the server reset the connection before it answered',
    hint: 'the server\'s own log tells more',
  },
  {
    code: 120,
    name: 'upstream_closed_early',
    layer: 'engine',
    status: 502,
    grpc: 'UNAVAILABLE',
    summary: 'the server closed the connection in the middle of its answer',
    hint: 'the server\'s own log tells more',
  },
  {
    code: 121,
    name: 'downstream_reset',
    layer: 'engine',
    status: 0,
    grpc: '',
    summary: 'the client went away before the answer was complete',
    hint: 'client timeout or cancellation',
  },
  {
    code: 122,
    name: 'downstream_closed_early',
    layer: 'engine',
    status: 0,
    grpc: '',
    summary: 'the client closed in the middle of its request',
    hint: 'client timeout or cancellation',
  },
  {
    code: 123,
    name: 'buffer_limit',
    layer: 'engine',
    status: 503,
    grpc: 'RESOURCE_EXHAUSTED',
    summary: 'the workload\'s buffered bytes are at their limit',
    hint: 'Workload limits.bufferedBytes',
  },
  {
    code: 124,
    name: 'connection_limit',
    layer: 'engine',
    status: 0,
    grpc: '',
    summary: 'the workload\'s connections are at their limit',
    hint: 'Workload limits.connections',
  },
  {
    code: 125,
    name: 'pending_limit',
    layer: 'engine',
    status: 503,
    grpc: 'RESOURCE_EXHAUSTED',
    summary: 'the workload\'s requests that wait are at their limit',
    hint: 'Workload limits.pendingRequests',
  },
  {
    code: 126,
    name: 'park_timeout',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'a parked request was not resumed in time',
    hint: 'the asynchronous decision it waited for is slow',
  },
  {
    code: 127,
    name: 'park_limit',
    layer: 'engine',
    status: 503,
    grpc: 'RESOURCE_EXHAUSTED',
    summary: 'too many requests are parked',
    hint: 'the asynchronous decision they wait for is slow',
  },
  {
    code: 128,
    name: 'decide_failed',
    layer: 'engine',
    status: 500,
    grpc: 'INTERNAL',
    summary: 'the decision threw or gave an impossible verdict',
    hint: 'a defect in weft: the agent\'s log has the stack',
  },
  {
    code: 129,
    name: 'no_original_destination',
    layer: 'engine',
    status: 0,
    grpc: '',
    summary: 'an accepted connection carries no original destination',
    hint: 'nobody may dial the agent\'s listeners directly',
  },
  {
    code: 130,
    name: 'socket_stock_empty',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'no ready-made socket arrived from capture in time',
    hint: 'is capture running? see its readiness',
  },
  {
    code: 131,
    name: 'draining',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the agent is shutting down',
    hint: 'retry on a new connection',
  },
  {
    code: 132,
    name: 'peer_closed',
    layer: 'engine',
    status: 0,
    grpc: '',
    summary: 'the connection ended as its peers wished',
    hint: 'not an error',
  },
  {
    code: 133,
    name: 'retry_buffer_exceeded',
    layer: 'engine',
    status: 502,
    grpc: 'UNAVAILABLE',
    summary: 'the body outgrew the retry buffer, so the request could not be tried again',
    hint: 'limits.retryBufferBytes',
  },
  {
    code: 134,
    name: 'workload_withdrawn',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the workload left the mesh while its connection was open',
    hint: 'expected when a pod ends',
  },
  {
    code: 144,
    name: 'tls_handshake_failed',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the TLS handshake broke down: malformed, no cipher or group in common, or ended early',
    hint: 'is the other side an agent of this mesh? the detail names the TLS error',
  },
  {
    code: 145,
    name: 'tls_no_client_certificate',
    layer: 'engine',
    status: 0,
    grpc: '',
    summary: 'the client showed no certificate',
    hint: 'only workloads of the mesh may connect; is the caller enrolled?',
  },
  {
    code: 146,
    name: 'tls_untrusted_certificate',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the peer\'s certificate does not chain to the trust bundle',
    hint: 'compare kubectl weft certificates on both nodes; a root rotation needs overlap',
  },
  {
    code: 147,
    name: 'tls_expired_certificate',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the peer\'s certificate has expired or is not yet valid',
    hint: 'see kubectl weft certificates, and the clocks of both nodes',
  },
  {
    code: 148,
    name: 'tls_wrong_identity',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the peer\'s certificate does not name exactly the identity that was expected',
    hint: 'the address belongs to another workload, or the certificate to another trust domain',
  },
  {
    code: 149,
    name: 'tls_wrong_purpose',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the peer\'s certificate may not be used for this side of TLS',
    hint: 'it needs extended key usage for clients and servers, and must not be a CA',
  },
  {
    code: 150,
    name: 'tls_version_refused',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the peer does not speak TLS 1.3',
    hint: 'only TLS 1.3 is spoken inside the mesh',
  },
  {
    code: 151,
    name: 'tls_alpn_refused',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'no application protocol of this port was offered or chosen',
    hint: 'agents speak weft/h2, weft/h1 or weft/tcp, as the port is declared',
  },
  {
    code: 152,
    name: 'tls_handshake_timeout',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the TLS handshake took longer than allowed',
    hint: 'network loss, or an agent that is overloaded',
  },
  {
    code: 153,
    name: 'tls_record_failed',
    layer: 'engine',
    status: 502,
    grpc: 'UNAVAILABLE',
    summary: 'a TLS record was malformed, tampered with, or too much',
    hint: 'the connection was closed; the detail names the TLS error',
  },
  {
    code: 154,
    name: 'tls_no_identity',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the workload has no certificate yet',
    hint: 'see kubectl weft certificates; is the controller reachable?',
  },
  {
    code: 155,
    name: 'tls_truncated',
    layer: 'engine',
    status: 502,
    grpc: 'UNAVAILABLE',
    summary: 'the TLS stream ended without close_notify',
    hint: 'the peer died or somebody cut the connection',
  },
  {
    code: 156,
    name: 'tls_peer_refused',
    layer: 'engine',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the peer refused our handshake by an alert',
    hint: 'its own counters name the cause',
  },
  {
    code: 157,
    name: 'tls_session_limit',
    layer: 'engine',
    status: 503,
    grpc: 'RESOURCE_EXHAUSTED',
    summary: 'the workload\'s TLS connections are at their limit',
    hint: '12,288 for each workload: who holds them? see kubectl weft connections',
  },
  {
    code: 158,
    name: 'tls_handshake_limit',
    layer: 'engine',
    status: 503,
    grpc: 'RESOURCE_EXHAUSTED',
    summary: 'too many TLS handshakes are under way: the oldest one made room',
    hint: 'somebody begins handshakes and does not end them, or the peers are overloaded',
  },
  {
    code: 192,
    name: 'no_matching_route',
    layer: 'pipeline',
    status: 404,
    grpc: 'UNIMPLEMENTED',
    summary: 'routes are attached to the service and none matches',
    hint: 'kubectl weft why SOURCE DEST METHOD PATH',
  },
  {
    code: 193,
    name: 'no_ready_endpoint',
    layer: 'pipeline',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the chosen backend has no ready endpoint',
    hint: 'kubectl get endpointslices',
  },
  {
    code: 194,
    name: 'backend_invalid',
    layer: 'pipeline',
    status: 500,
    grpc: 'UNAVAILABLE',
    summary: 'the route\'s backend does not exist, is not permitted or weighs nothing',
    hint: 'the route\'s ResolvedRefs condition says which',
  },
  {
    code: 195,
    name: 'policy_denied',
    layer: 'pipeline',
    status: 403,
    grpc: 'PERMISSION_DENIED',
    summary: 'a DENY policy matches',
    hint: 'kubectl weft why SOURCE DEST METHOD PATH names it',
  },
  {
    code: 196,
    name: 'policy_not_allowed',
    layer: 'pipeline',
    status: 403,
    grpc: 'PERMISSION_DENIED',
    summary: 'ALLOW policies select the workload and none matches',
    hint: 'kubectl weft why SOURCE DEST METHOD PATH lists them',
  },
  {
    code: 197,
    name: 'policy_invalid',
    layer: 'pipeline',
    status: 403,
    grpc: 'PERMISSION_DENIED',
    summary: 'a policy for this workload is invalid and has no last good version, so it fails closed',
    hint: 'the policy\'s status names field, value and fix',
  },
  {
    code: 198,
    name: 'unauthenticated_source',
    layer: 'pipeline',
    status: 403,
    grpc: 'UNAUTHENTICATED',
    summary: 'the policy asks for an authenticated source and this one is known by address only',
    hint: 'mutual TLS is not on for this pair',
  },
  {
    code: 199,
    name: 'unknown_destination',
    layer: 'pipeline',
    status: 502,
    grpc: 'UNAVAILABLE',
    summary: 'the address lies in the mesh\'s ranges and belongs to nobody the agent knows',
    hint: 'a stale address, or configuration that has not arrived',
  },
  {
    code: 200,
    name: 'ambiguous_path',
    layer: 'pipeline',
    status: 400,
    grpc: 'INVALID_ARGUMENT',
    summary: 'the path has no single normal form and a policy reads the path',
    hint: 'encoded slash or dot, //, ; or a backslash',
  },
  {
    code: 201,
    name: 'protocol_mismatch',
    layer: 'pipeline',
    status: 400,
    grpc: 'INTERNAL',
    summary: 'the traffic is not of the protocol that the port declares',
    hint: 'appProtocol or port name',
  },
  {
    code: 202,
    name: 'route_filter_failed',
    layer: 'pipeline',
    status: 500,
    grpc: 'INTERNAL',
    summary: 'a filter of the route cannot be applied',
    hint: 'the route\'s Accepted condition says which',
  },
  {
    code: 203,
    name: 'retry_budget_spent',
    layer: 'pipeline',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the attempt failed and the retry budget is used up',
    hint: 'the backend fails more than its budget allows',
  },
  {
    code: 204,
    name: 'no_snapshot',
    layer: 'pipeline',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the agent has no configuration yet',
    hint: 'is a controller reachable?',
  },
  {
    code: 205,
    name: 'connect_not_allowed',
    layer: 'pipeline',
    status: 405,
    grpc: 'UNIMPLEMENTED',
    summary: 'CONNECT to a destination that declares no tunnel',
    hint: 'CONNECT is passed on only where no route is attached',
  },
  {
    code: 206,
    name: 'protocol_unsupported',
    layer: 'pipeline',
    status: 0,
    grpc: '',
    summary: 'the port declares a protocol that this agent cannot carry',
    hint: 'appProtocol',
  },
  {
    code: 207,
    name: 'plaintext_refused',
    layer: 'pipeline',
    status: 0,
    grpc: '',
    summary: 'plaintext came where the port takes TLS alone',
    hint: 'the caller is not enrolled, or the port\'s mode should be permissive',
  },
  {
    code: 208,
    name: 'detail_missing',
    layer: 'pipeline',
    status: 503,
    grpc: 'UNAVAILABLE',
    summary: 'the node does not hold what deciding needs of the destination, and the controller did not send it in time',
    hint: 'a node gets a destination\'s details when it first uses it: is a controller reachable?',
  },
  {
    code: 320,
    name: 'resource_refused',
    layer: 'control',
    status: 0,
    grpc: '',
    summary: 'a resource was refused; its last good version stays in force',
    hint: 'status and log name file, line, field, value and fix',
  },
  {
    code: 321,
    name: 'csr_malformed',
    layer: 'control',
    status: 0,
    grpc: 'INVALID_ARGUMENT',
    summary: 'a certificate request is too long or is no PKCS#10 request with one extension',
    hint: 'agent and controller of different versions, or a stranger at the socket',
  },
  {
    code: 322,
    name: 'csr_key_refused',
    layer: 'control',
    status: 0,
    grpc: 'INVALID_ARGUMENT',
    summary: 'the key of a certificate request is not ECDSA P-256',
    hint: 'other key types and sizes are not signed',
  },
  {
    code: 323,
    name: 'csr_name_refused',
    layer: 'control',
    status: 0,
    grpc: 'INVALID_ARGUMENT',
    summary: 'a certificate request does not name exactly one URI and nothing else',
    hint: 'one subject alternative name, the SPIFFE id',
  },
  {
    code: 324,
    name: 'csr_signature_invalid',
    layer: 'control',
    status: 0,
    grpc: 'INVALID_ARGUMENT',
    summary: 'a certificate request is not signed by its own key',
    hint: 'whoever asks must hold the private key',
  },
  {
    code: 325,
    name: 'identity_not_on_node',
    layer: 'control',
    status: 0,
    grpc: 'PERMISSION_DENIED',
    summary: 'an identity was asked for that no enrolled workload of the asking node has now',
    hint: 'the workload has just moved or left, or somebody asks for what is not theirs',
  },
  {
    code: 326,
    name: 'identity_mismatch',
    layer: 'control',
    status: 0,
    grpc: 'PERMISSION_DENIED',
    summary: 'a certificate request names another identity than its workload has',
    hint: 'trust domain, namespace and service account make the identity',
  },
  {
    code: 327,
    name: 'node_not_authenticated',
    layer: 'control',
    status: 0,
    grpc: 'UNAUTHENTICATED',
    summary: 'an agent that asks for a certificate does not prove its node',
    hint: 'who reaches the controller’s socket',
  },
  {
    code: 328,
    name: 'issuer_failed',
    layer: 'control',
    status: 0,
    grpc: 'UNAVAILABLE',
    summary: 'the issuer of certificates cannot sign, or signed what was not asked',
    hint: 'the controller’s log says why: files of the authority, or the external signer',
  },
  {
    code: 329,
    name: 'authority_busy',
    layer: 'control',
    status: 0,
    grpc: 'RESOURCE_EXHAUSTED',
    summary: 'too many certificate requests are under way',
    hint: 'agents ask again by themselves',
  },
  {
    code: 330,
    name: 'certificate_refused',
    layer: 'control',
    status: 0,
    grpc: '',
    summary: 'an issued certificate is not put in force',
    hint: 'chain, name, key or dates are wrong; are the clocks of node and controller together?',
  },
  {
    code: 331,
    name: 'authority_unreachable',
    layer: 'control',
    status: 0,
    grpc: '',
    summary: 'the certificate authority does not answer; identities stay in force until they end',
    hint: 'is the controller running? weft certificates shows when they end',
  },
  {
    code: 332,
    name: 'node_token_unknown',
    layer: 'control',
    status: 0,
    grpc: 'UNAUTHENTICATED',
    summary: 'a node joins with a token that the controller did not make for it',
    hint: 'weft token create --node NAME makes one; it is good for that name alone',
  },
  {
    code: 333,
    name: 'node_token_expired',
    layer: 'control',
    status: 0,
    grpc: 'UNAUTHENTICATED',
    summary: 'a node joins with a token whose time is over',
    hint: 'make another: weft token create --node NAME --ttl 10m',
  },
  {
    code: 334,
    name: 'node_token_replayed',
    layer: 'control',
    status: 0,
    grpc: 'UNAUTHENTICATED',
    summary: 'a node joins with a token that was used before',
    hint: 'a token is good once: if this node did not use it, somebody else did; see the audit lines of the controller’s log',
  },
  {
    code: 335,
    name: 'clock_skew',
    layer: 'control',
    status: 0,
    grpc: '',
    summary: 'a certificate is right by the controller\'s clock and not by this node\'s',
    hint: 'let both keep time by NTP; weft status names the node and how far its clock is off',
  },
];

const byCode = new Map<number, ReasonEntry>(reasons.map((entry) => [entry.code, entry]));

/** The registry's entry for a code, undefined for 0 and for codes of a newer version. */
export function reasonOf(code: number): ReasonEntry | undefined {
  return byCode.get(code);
}

/** The registry's name for a code: 'none' for 0, 'unknown' for a code of a newer version. */
export function reasonName(code: number): ReasonName | 'unknown' {
  return code === 0 ? 'none' : (byCode.get(code)?.name ?? 'unknown');
}
