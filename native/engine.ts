// Long because it is one contract: what crosses between engine and decision is read side by side.
/**
 * The engine's one TypeScript surface. The engine (C++, one per worker thread) accepts, parses, dials and moves
 * bytes; once per turn of the event loop it calls {@link Decide} with a batch, and does what the verdicts say.
 *
 * A batch is rows (things to decide) and completions (things that ended), both as columns of shared typed arrays.
 * Text lies in {@link Engine.text}; offsets are valid only inside the call: the memory is reused, and the reading
 * functions throw afterwards.
 */
import type { ReasonCode } from '../reasons/reasons.js';

/** What a row asks. */
export const RowKind = {
  /** A connection was accepted: which protocol, or which endpoint? */
  connection: 0,
  /** A request's head is complete: where to? */
  request: 1,
  /**
   * An attempt failed before anything reached the client, and its verdict asked to be asked. `requestTag` 0: an opaque
   * connection, of which nothing was read; its answer is tunnel or reset.
   */
  attemptFailed: 2,
  /** An inbound connection's TLS handshake is done: who it is stands in `peerOffset`, what it speaks in `alpn`. */
  secured: 3,
  /** {@link Action.sniff} found no TLS of the mesh; the connection is plaintext, and its bytes are kept. */
  sniffed: 4,
} as const;

/** What the engine shall do with a row. 0 is not a verdict: the row fails closed (decide_failed). */
export const Action = {
  /**
   * connection, secured, sniffed: read HTTP requests from it; each becomes a request row. Plaintext: HTTP/2 where the
   * first bytes are its preface (RFC 9113 section 3.4), else HTTP/1.1. TLS: as ALPN has chosen; `weft/tcp` as plaintext.
   */
  http: 1,
  /** connection, secured, sniffed: copy bytes to `endpoint` and back, half-close included. */
  tunnel: 2,
  /** request, attemptFailed: send it to `endpoint`. */
  forward: 3,
  /** request, attemptFailed: answer with the local reply `reply` (plus `reason`). */
  reply: 4,
  /** Keep it until {@link Engine.resume}, `deadlineMs` at most; then it fails closed (park_timeout). */
  park: 5,
  /** connection, secured, sniffed: reset it; request: reset its connection. `reason` says why. */
  reset: 6,
  /** attemptFailed: pass the response that was held back on to the client. */
  pass: 7,
  /**
   * connection, inbound: TLS with the workload's own identity, then a `secured` row. A first byte that is no TLS ends the
   * connection with plaintext_refused; a workload without an identity, with tls_no_identity.
   */
  secure: 8,
  /**
   * connection, inbound: look at the first bytes, `deadlineMs` at most (0: the engine's limit). A ClientHello that offers
   * an {@link Alpn} of the mesh is handled as `secure`; all else, and silence, becomes a `sniffed` row.
   */
  sniff: 9,
} as const;

/** {@link Rows.alpn}: the application protocol that both ends agreed on (RFC 7301). */
export const Alpn = {
  /** The connection is plaintext. */
  none: 0,
  /** `weft/h1` */
  h1: 1,
  /** `weft/tcp`: one TCP connection's bytes; a half-close is a close_notify. */
  tcp: 2,
  /** `weft/h2` */
  h2: 3,
} as const;

export const Direction = { outbound: 0, inbound: 1 } as const;

/** {@link Rows.method}; other methods are 0 and stand in the text. */
export const Method = {
  other: 0,
  GET: 1,
  HEAD: 2,
  POST: 3,
  PUT: 4,
  DELETE: 5,
  CONNECT: 6,
  OPTIONS: 7,
  TRACE: 8,
  PATCH: 9,
} as const;

/** Bits of {@link Rows.flags}. */
export const RowFlag = {
  http10: 1,
  /** The client asks for an upgrade (RFC 9110 section 7.8); the engine forwards it and tunnels after a 101. */
  upgrade: 2,
  hasBody: 4,
  /** The body's length is unknown (chunked). */
  chunked: 8,
  /** The path holds no `%`, `//`, `/.`, `;` or backslash: it already is its normal form. */
  plainPath: 16,
  /** attemptFailed: it failed while connecting, so nothing of the request was sent. */
  notSent: 32,
  /**
   * attemptFailed: it went out on a kept connection that ended before a byte of the response came, as happens when
   * a server closes an idle connection. Whether the request took effect is not known (RFC 9110 section 9.2.2).
   */
  unanswered: 64,
} as const;

/** Bits of {@link Verdicts.flags}. */
export const VerdictFlag = {
  /**
   * forward, tunnel: ask again (attemptFailed) when the connect fails, a reused connection was closed before it took the request, or the
   * destination's own agent answers (503 or 504 with `x-weft-reason`) that it did not reach the application; then
   * `notSent` is set and the answer is held back.
   */
  askOnConnectFailure: 1,
  /** Ask again when the response's status is in the status set `retryStatuses`, or the attempt dies without one. */
  askOnResponse: 2,
  /** Close the downstream connection after this request's response. */
  closeAfter: 4,
  /** forward: speak HTTP/2 to a plaintext endpoint, by prior knowledge. Between TLS ends the engine chooses. */
  http2: 8,
} as const;

/** Endpoint id that stands for the connection's own original destination. */
export const originalDestination = 0;

/** Things to decide; index below the call's `rows`. Columns of one row describe one thing. */
export interface Rows {
  readonly kind: Uint8Array;
  /** Names the parked thing in {@link Engine.resume}, together with `generation`. */
  readonly id: Uint32Array;
  readonly generation: Uint32Array;
  /** Handle of the workload whose listener took the connection. */
  readonly workload: Uint32Array;
  /** See {@link Direction}. */
  readonly direction: Uint8Array;
  /** Tag that the connection's last verdict gave; 0 for connection rows. */
  readonly connectionTag: Uint32Array;
  /** Tag that the request's earlier verdict gave (attemptFailed), else 0. */
  readonly requestTag: Uint32Array;
  /** See {@link RowFlag}. */
  readonly flags: Uint16Array;
  /** See {@link Method}. */
  readonly method: Uint8Array;
  /** Attempts made before this row: 0 for a request, 1 after the first failed attempt. */
  readonly attempt: Uint8Array;
  /** attemptFailed: why, a reason code; `none` where a status was received. */
  readonly reason: Uint16Array;
  /** attemptFailed: the response's status that was held back, 0 where none came. */
  readonly status: Uint16Array;
  /** connection: the original destination. 16 bytes each, IPv4 as v4-mapped, row r at 16 r. */
  readonly destinationIp: Uint8Array;
  readonly destinationPort: Uint16Array;
  /** connection: the peer as the socket names it (outbound: the application; inbound: the source workload). */
  readonly sourceIp: Uint8Array;
  readonly sourcePort: Uint16Array;
  /** request: the method's text. */
  readonly methodOffset: Uint32Array;
  readonly methodLength: Uint16Array;
  /** request: the request target's path and query (origin form; absolute form without scheme and authority). */
  readonly pathOffset: Uint32Array;
  readonly pathLength: Uint32Array;
  /** request: the authority (Host, or the absolute target's), as it stands. */
  readonly hostOffset: Uint32Array;
  readonly hostLength: Uint16Array;
  /** request: body length in bytes, -1 where unknown. */
  readonly bodyBytes: Float64Array;
  /**
   * request: values of the wanted headers ({@link Engine.setWantedHeaders}), `maxWantedHeaders` columns a row: header h
   * of row r at r × maxWantedHeaders + h. Length 0xffff_ffff: absent. Several fields of one name are joined by `, `.
   */
  readonly headerOffset: Uint32Array;
  readonly headerLength: Uint32Array;
  /** secured: the SPIFFE id that the peer proved, as text. */
  readonly peerOffset: Uint32Array;
  readonly peerLength: Uint16Array;
  /** See {@link Alpn}; 0 but on rows of TLS connections. */
  readonly alpn: Uint8Array;
  /** request, attemptFailed: how the request came: 1 for HTTP/1, 2 for HTTP/2. */
  readonly protocol: Uint8Array;
}

/** Columns of {@link Rows.headerOffset} per row. */
export const maxWantedHeaders = 32;

/** {@link Rows.headerLength} of a header that the request does not have. */
export const absentHeader = 0xffff_ffff;

/** Answers, one per row at the same index; the engine zeroes them before each call. */
export interface Verdicts {
  readonly action: Uint8Array;
  readonly flags: Uint8Array;
  /** Why, for reply and reset. */
  readonly reason: Uint16Array;
  /** Endpoint id ({@link Engine.setEndpoint}) or {@link originalDestination}. */
  readonly endpoint: Uint32Array;
  /** Comes back in the completion, and in request rows for a connection's tag. */
  readonly tag: Uint32Array;
  /** Ids from {@link Engine.defineEdit}; 0 is none. */
  readonly requestEdit: Uint16Array;
  readonly responseEdit: Uint16Array;
  /** Id from {@link Engine.defineReply}. */
  readonly reply: Uint16Array;
  /** Id from {@link Engine.defineStatusSet}, for askOnResponse. */
  readonly retryStatuses: Uint16Array;
  /** Whole request, from its head's arrival; park: how long. 0 is none (park: the engine's limit). */
  readonly deadlineMs: Uint32Array;
  /** One attempt. 0 is none. */
  readonly backendTimeoutMs: Uint32Array;
  /** attemptFailed with forward: wait this long before the attempt. */
  readonly delayMs: Uint32Array;
  /** Keep up to so many bytes of the request's body, so that it can be sent again. */
  readonly bufferBytes: Uint32Array;
  /** New request target and new authority, as text written to {@link Engine.scratch}; length 0 leaves it as it is. */
  readonly pathOffset: Uint32Array;
  readonly pathLength: Uint32Array;
  readonly hostOffset: Uint32Array;
  readonly hostLength: Uint32Array;
  /** Further header lines, each `name: value CRLF`: on the forwarded request, or on the local reply. In scratch. */
  readonly extraOffset: Uint32Array;
  readonly extraLength: Uint32Array;
  /** The body of a local reply, instead of the registered one. In scratch. */
  readonly bodyOffset: Uint32Array;
  readonly bodyLength: Uint32Array;
}

/** What ended. */
export const CompletionKind = {
  /** A connection (HTTP or tunnel) is closed. */
  connection: 0,
  /** A request and its response are through, or failed. */
  request: 1,
  /** One attempt at an endpoint ended (precedes its request's completion): food for endpoint choice. */
  attempt: 2,
} as const;

/**
 * Things that ended; index below the call's `completions`. Times are microseconds. An attempt's times count from its
 * own start.
 */
export interface Completions {
  readonly kind: Uint8Array;
  readonly workload: Uint32Array;
  readonly direction: Uint8Array;
  readonly connectionTag: Uint32Array;
  /** 0 for a request that was refused before it became a row (a malformed head). */
  readonly requestTag: Uint32Array;
  readonly endpoint: Uint32Array;
  /** Sent to the client; 0 where none was. */
  readonly status: Uint16Array;
  /** request, attempt: the response's grpc-status, of its trailers or of a response without a body; -1 where none came. */
  readonly grpcStatus: Int16Array;
  /** Why it failed; `none` where it did not. */
  readonly reason: Uint16Array;
  readonly attempt: Uint8Array;
  /** 1 where the attempt used a pooled connection. */
  readonly reused: Uint8Array;
  /** Bytes from the client (bodies; whole streams for tunnels) and to it. */
  readonly bytesReceived: Float64Array;
  readonly bytesSent: Float64Array;
  /** From the head's first byte (connection: accept) to its verdict. */
  readonly decideUs: Float64Array;
  /** Waiting for a connection to the endpoint: connect time, 0 for a pooled one. */
  readonly connectUs: Float64Array;
  /** From the head's first byte to the first byte of the response head. */
  readonly firstByteUs: Float64Array;
  /** From the head's first byte (connection: accept) to the end. */
  readonly totalUs: Float64Array;
}

/** Called once per turn. May throw: every undecided row then fails closed and the error goes to `onDecideError`. */
export type Decide = (rows: number, completions: number) => void;

/** Bounds; every one has a default in the engine. */
export interface EngineLimits {
  readonly batchRows?: number;
  readonly headBytes?: number;
  readonly headFields?: number;
  readonly targetBytes?: number;
  readonly headerTimeoutMs?: number;
  /** HTTP: between requests, and without a byte moving in one. */
  readonly idleTimeoutMs?: number;
  /** Tunnels and upgraded connections, without a byte either way. */
  readonly tunnelIdleTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  readonly parkTimeoutMs?: number;
  readonly parked?: number;
  /** Per direction of one connection. */
  readonly bufferBytes?: number;
  /** Per turn and connection: then others get their turn. */
  readonly turnBytes?: number;
  /** Idle upstream connections kept per pool, and for how long. */
  readonly poolIdle?: number;
  readonly poolIdleTimeoutMs?: number;
  /** TLS handshakes that one turn works on, of all workloads together. */
  readonly turnHandshakes?: number;
  /** From the verdict, or the connect, until the handshake is done. */
  readonly tlsHandshakeTimeoutMs?: number;
  /** TLS connections of one workload, both directions; one more is refused with `tls_session_limit`. 12,288 by default. */
  readonly tlsSessions?: number;
  /**
   * Handshakes with callers that may be under way, of all workloads together: one more ends the oldest one, if that has had
   * a second, with `tls_handshake_limit`: whoever begins them and proves nothing holds no more memory for longer, and keeps
   * nobody out. 2,048 by default.
   */
  readonly tlsHandshakes?: number;
  /** How long {@link Action.sniff} waits for the first bytes. */
  readonly sniffTimeoutMs?: number;
  /** HTTP/2: streams that a peer may have open on one connection. */
  readonly http2ConcurrentStreams?: number;
  /** HTTP/2: flow control windows that a peer is given (RFC 9113 section 5.2). */
  readonly http2StreamWindowBytes?: number;
  readonly http2ConnectionWindowBytes?: number;
  /** How long, and how many turns in a row, the engine may go on while it finds work before the loop's other users go. */
  readonly spinUs?: number;
  readonly spinTurns?: number;
}

export interface EngineOptions {
  /** Descriptor of the notes map (bpf/abi.h); -1 in tests without a kernel: then getsockname is the destination. */
  readonly notesMap: number;
  readonly limits?: EngineLimits;
  readonly decide: Decide;
  readonly onDecideError: (error: unknown) => void;
  /** A workload's stock of ready-made sockets of a family is low; answer with {@link Engine.addSockets}. */
  readonly onStockLow: (workload: number, family: 4 | 6, missing: number) => void;
}

/** See the fields of the same names of a workload's limits; 0 is the engine's default. */
export interface WorkloadOptions {
  readonly connections: number;
  readonly pendingRequests: number;
  readonly bufferedBytes: number;
  readonly cpuShare: number;
}

export interface EndpointOptions {
  /** Canonical text; null with port 0 is not allowed. */
  readonly address: string;
  readonly port: number;
  /** Equal for equal workloads: connections are pooled by (source workload, destination, port, generation). */
  readonly destination: number;
  /** Connections of an older generation are not reused. */
  readonly generation: number;
  /**
   * `tls`: TLS 1.3 with the identity of the workload that asks; without one the attempt fails with tls_no_identity. The
   * engine chooses the protocol: `weft/tcp` for tunnels, `weft/h1` for upgrades and CONNECT, else `weft/h2`.
   */
  readonly transport: 'plaintext' | 'tls';
  /** SPIFFE id that the endpoint must prove; '' for plaintext. */
  readonly identity: string;
}

/** Who a workload is; {@link Engine.setIdentity}. All texts are PEM. */
export interface IdentityOptions {
  /** The leaf first, then its issuers. */
  readonly certificate: string;
  /** ECDSA P-256, not encrypted. */
  readonly key: string;
  /** The authorities that its peers' certificates must lead to. */
  readonly trust: string;
  /** What the certificate must name. */
  readonly spiffeId: string;
  /** Grows with each identity of a workload: connections of an older one carry no new requests. */
  readonly generation: number;
}

export interface Edit {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
  readonly remove: readonly string[];
}

export interface Reply {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** The parts of a verdict that {@link Engine.resume} takes; same meanings as the columns. */
export interface ResumeVerdict {
  readonly action: number;
  readonly flags?: number;
  readonly reason?: ReasonCode;
  readonly endpoint?: number;
  readonly tag?: number;
  readonly requestEdit?: number;
  readonly responseEdit?: number;
  readonly reply?: number;
  readonly retryStatuses?: number;
  readonly deadlineMs?: number;
  readonly backendTimeoutMs?: number;
  readonly bufferBytes?: number;
}

/** One open connection, for people. */
export interface ConnectionInfo {
  readonly workload: number;
  readonly direction: number;
  readonly connectionTag: number;
  readonly state: 'deciding' | 'securing' | 'http' | 'tunnel' | 'upgraded' | 'closing';
  /** As the engine speaks it; '' while that is not known. */
  readonly protocol: 'http1' | 'http2' | 'tcp' | '';
  readonly transport: 'plaintext' | 'tls';
  /** SPIFFE id that the peer proved, else ''. */
  readonly peer: string;
  readonly source: string;
  readonly destination: string;
  readonly ageMs: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly bufferedBytes: number;
}

export interface EngineStats {
  readonly connections: number;
  readonly exchanges: number;
  readonly pooled: number;
  readonly parked: number;
  readonly bufferedBytes: number;
  /** Ready-made sockets in stock. */
  readonly sockets: number;
  /** Turns that called decide, and rows in all. */
  readonly turns: number;
  readonly rows: number;
  /** TLS handshakes done in each role, and those that failed in either. */
  readonly clientHandshakes: number;
  readonly serverHandshakes: number;
  readonly failedHandshakes: number;
  /** Of those done: by a ticket, without proving the keys again. */
  readonly resumedAsClient: number;
  readonly resumedAsServer: number;
  /**
   * Tickets that clients offered and that were not taken, so that a full handshake followed: whose keys or time are over,
   * and those that came from another address, or to another port, than they were given for.
   */
  readonly outdatedTickets: number;
  readonly misplacedTickets: number;
  /** Open TLS connections, and the memory that their sessions take, by what one was measured to take; open HTTP/2 streams of clients. */
  readonly tlsSessions: number;
  readonly tlsBytes: number;
  /** Tickets of endpoints that wait for the next connection. */
  readonly tickets: number;
  readonly streams: number;
}

/** Which connections; an absent part matches all. */
export interface ConnectionMatch {
  readonly workload?: number;
  readonly connectionTag?: number;
}

/**
 * What draining does with idle connections. `ended`: they end at once. `handed-on`: another process accepts from the same
 * listeners, so they stay, are told to leave by their next answer, and end shortly before the time is up.
 */
export type DrainWay = 'ended' | 'handed-on';

/** One worker's engine, on the thread's own libuv loop. Every method throws TypeError or RangeError on bad arguments. */
export interface Engine {
  readonly rows: Rows;
  readonly verdicts: Verdicts;
  readonly completions: Completions;
  /** What the rows' offsets point into. */
  readonly text: Buffer;
  /** What the verdicts' offsets point into; written by the decision, emptied after each call. */
  readonly scratch: Buffer;

  /** Latin-1 text of the current call; throws after it, and for ranges outside the arena. */
  readText(offset: number, length: number): string;

  /** Names, lower case, of the headers that rows shall carry; at most {@link maxWantedHeaders}. Valid from the next turn. */
  setWantedHeaders(names: readonly string[]): void;

  addWorkload(handle: number, options: WorkloadOptions): void;
  setWorkload(handle: number, options: WorkloadOptions): void;
  /**
   * Accepts what waits at its listeners and closes them. Its connections are served as before, are told to leave by their
   * next answer, and end after `endMs` (workload_withdrawn).
   */
  retireWorkload(handle: number, endMs: number): void;
  /** Closes its listeners, stock and pools at once, and its connections after `graceMs` (workload_withdrawn). */
  removeWorkload(handle: number, graceMs: number): void;
  /** Takes ownership of the descriptor: a listening socket in the workload's namespace. */
  addListener(workload: number, direction: number, descriptor: number): void;
  /** Takes ownership of the descriptors. */
  addSockets(workload: number, family: 4 | 6, descriptors: readonly number[]): void;

  /**
   * What the workload proves to its peers from now on, for both directions. Connections of the identity before live on;
   * those to endpoints carry no new requests, and end when idle. Each TLS connection ends with the first of both ends' certificates
   * (tls_expired_certificate), and takes no new requests shortly before. Throws RangeError, and keeps the identity before, where key, chain, name or dates do not fit.
   */
  setIdentity(workload: number, identity: IdentityOptions): void;
  /** Its TLS connections of both directions take nothing new at once, and are reset after `graceMs` with `reason`. */
  removeIdentity(workload: number, reason: ReasonCode, graceMs: number): void;
  /**
   * Opaque connections to an endpoint resume the TLS of an earlier one for ten minutes at most after either side proved
   * its key, and never beyond a new or removed identity. After this every handshake, accepted or made, is a full one again:
   * for when policies change.
   */
  forgetTickets(): void;

  /** Ids are the caller's: 1 and up, dense. Setting one again replaces it for new attempts. */
  setEndpoint(id: number, endpoint: EndpointOptions): void;
  /** Closes its idle connections; running exchanges go on. */
  removeEndpoint(id: number): void;

  /** Each returns an id ≥ 1; {@link Engine.release} frees it once nothing uses it. */
  defineEdit(edit: Edit): number;
  defineReply(reply: Reply): number;
  defineStatusSet(statuses: readonly number[]): number;
  release(kind: 'edit' | 'reply' | 'status-set', id: number): void;

  /** Continues a parked row. False where it is gone (timed out, client left, stale generation). */
  resume(id: number, generation: number, verdict: ResumeVerdict): boolean;

  /** Open connections that `match` selects are reset with `reason`; returns how many. */
  closeConnections(reason: ReasonCode, match: ConnectionMatch): number;
  /**
   * Open connections that `match` selects end when their present requests are answered (GOAWAY; `connection: close`), and
   * are reset with `reason` after `graceMs`; returns how many.
   */
  drainConnections(reason: ReasonCode, match: ConnectionMatch, graceMs: number): number;
  /**
   * Running requests with this tag end with `reason`, by its reply where the client has seen nothing yet, else by a reset
   * (HTTP/2: of the stream; HTTP/1: of the connection). Returns how many.
   */
  endRequests(reason: ReasonCode, match: { readonly requestTag: number }): number;
  connections(): ConnectionInfo[];
  stats(): EngineStats;
  /**
   * Accepts no more and lets running exchanges finish; when time is up the rest is reset (draining). Resolves when no
   * connection is left, with how many were reset.
   */
  drain(deadlineMs: number, way: DrainWay): Promise<number>;
  /** Closes everything at once. */
  close(): void;
}
