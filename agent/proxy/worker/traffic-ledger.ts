/** Takes what began and ended into counters, load figures and the access log, and releases the records. */
import { endAttempt } from '../../../model/choose-endpoint.js';
import { isServerFault } from '../../../model/grpc-status.js';
import type { Snapshot } from '../../../model/snapshot.js';
import { Action, CompletionKind, Direction, type Engine } from '../../../native/engine.js';
import { Reason } from '../../../reasons/reasons.js';
import type { AccessLog } from '../telemetry/access-log.js';
import { edgeKey } from '../telemetry/edge-counts.js';
import type { LabelTable } from '../telemetry/label-table.js';
import { labelConnection, labelRequest } from '../telemetry/label-traffic.js';
import type { SeenConnections } from '../telemetry/seen-connections.js';
import {
  connectionKey,
  countAttempt,
  requestKey,
  type TrafficCounters,
} from '../telemetry/traffic-counters.js';
import type { ConnectionRecord } from './connection-record.js';
import type { EndpointTable } from './endpoint-table.js';
import type { HeldConnections } from './held-connections.js';
import type { RecordPool } from './record-pool.js';
import type { RequestRecord } from './request-record.js';
import { isTlsReason, Transport } from './transport.js';

export interface LedgerParts {
  readonly engine: Engine;
  readonly context: { readonly snapshot: Snapshot };
  readonly connections: RecordPool<ConnectionRecord>;
  readonly requests: RecordPool<RequestRecord>;
  readonly endpoints: EndpointTable;
  readonly labels: LabelTable;
  readonly counters: TrafficCounters;
  readonly seen: SeenConnections;
  readonly held: HeldConnections;
  /** undefined: no log. */
  readonly accessLog: AccessLog | undefined;
}

export class TrafficLedger {
  readonly #parts: LedgerParts;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  opened(connection: ConnectionRecord): void {
    connection.open = true;
    this.#parts.counters.countOpen(connection.direction, 1);
    if (connection.workload !== null) this.#parts.seen.count(connection.workload, connection.direction);
  }

  /** Completion `at` of the present batch. */
  complete(at: number, nowMs: number): void {
    const { completions } = this.#parts.engine;
    switch (completions.kind[at]) {
      case CompletionKind.attempt:
        this.#endAttempt(at, nowMs);
        return;
      case CompletionKind.request:
        this.#endRequest(at, nowMs);
        return;
      case CompletionKind.connection:
        this.#endConnection(at, nowMs);
        return;
      default:
        throw new Error(`completion of an unknown kind ${completions.kind[at]}`);
    }
  }

  #endAttempt(at: number, nowMs: number): void {
    const { completions } = this.#parts.engine;
    const request = this.#parts.requests.find(completions.requestTag[at] as number);
    if (request === undefined) {
      this.#endTunnelAttempt(at, nowMs);
      return;
    }
    if (!request.attempting) return;
    request.attempting = false;
    const status = completions.status[at] as number;
    const reason = completions.reason[at] as number;
    const failed = isFailure(reason) || status >= 500 || isServerFault(completions.grpcStatus[at] as number);
    this.#parts.counters.countTlsFailure(Direction.outbound, reason);
    if (request.traffic !== null) countAttempt(request.traffic.attempts, failed, request.attempts > 1);
    const entry = this.#parts.endpoints.find(completions.endpoint[at] as number) ?? request.endpoint;
    if (entry !== null) endAttempt(entry.load, completions.firstByteUs[at] as number, failed, nowMs);
  }

  /** A tunnel counts as under way at its endpoint from its decision to its end; what it costs is its connect. */
  #endTunnelAttempt(at: number, nowMs: number): void {
    const { completions } = this.#parts.engine;
    const connection = this.#parts.connections.find(completions.connectionTag[at] as number);
    if (connection === undefined || connection.endpoint === null || !connection.attempting) return;
    connection.attempting = false;
    const reason = completions.reason[at] as number;
    const failed = isConnectFailure(reason) || isTlsReason(reason);
    endAttempt(connection.endpoint.load, completions.connectUs[at] as number, failed, nowMs);
    if (connection.traffic !== null) countAttempt(connection.traffic.attempts, failed, false);
  }

  #endRequest(at: number, nowMs: number): void {
    const { completions } = this.#parts.engine;
    const { counters } = this.#parts;
    const reason = completions.reason[at] as number;
    const status = completions.status[at] as number;
    counters.countRefusal(reason);
    const request = this.#parts.requests.find(completions.requestTag[at] as number);
    if (request === undefined) {
      this.#endMalformed(at, status, reason);
      return;
    }
    labelRequest(this.#parts.labels, this.#parts.context.snapshot, request);
    const authenticated = request.connection?.authenticated === true;
    const grpcStatus = completions.grpcStatus[at] as number;
    const key = requestKey(status, grpcStatus, reason, request.transport, authenticated);
    counters.countRequest(request, key, completions.totalUs[at] as number, requestEdge(request, reason));
    this.#parts.accessLog?.request(request, at);
    this.#forget(request, nowMs);
  }

  /** An attempt that ended without a completion of its own only is no longer under way. */
  #forget(request: RequestRecord, nowMs: number): void {
    if (request.attempting && request.endpoint !== null) {
      const { load } = request.endpoint;
      endAttempt(load, load.latencyUs, false, nowMs);
    }
    request.attempting = false;
    this.#parts.requests.release(request);
  }

  /** A head that never became a row: it is counted under its connection's labels. */
  #endMalformed(at: number, status: number, reason: number): void {
    const { completions } = this.#parts.engine;
    const connection = this.#parts.connections.find(completions.connectionTag[at] as number);
    if (connection === undefined) return;
    labelConnection(this.#parts.labels, this.#parts.context.snapshot, connection);
    const { authenticated, transport } = connection;
    const grpcStatus = completions.grpcStatus[at] as number;
    const key = requestKey(status, grpcStatus, reason, transport, authenticated);
    this.#parts.counters.countRequest(connection, key, completions.totalUs[at] as number, -1);
    this.#parts.accessLog?.malformed(connection, at);
  }

  #endConnection(at: number, nowMs: number): void {
    const { completions } = this.#parts.engine;
    const ended = completions.reason[at] as number;
    const reason = ended === Reason.peer_closed ? Reason.none : ended;
    this.#parts.counters.countRefusal(reason);
    const connection = this.#parts.connections.find(completions.connectionTag[at] as number);
    if (connection === undefined) return;
    labelConnection(this.#parts.labels, this.#parts.context.snapshot, connection);
    this.#parts.counters.countOpen(connection.direction, -1);
    const { http, transport, authenticated } = connection;
    this.#parts.counters.countTlsFailure(connection.direction, reason);
    this.#parts.counters.countConnection(
      connection,
      connectionKey(http, reason, transport, authenticated),
      completions.bytesReceived[at] as number,
      completions.bytesSent[at] as number,
      connectionEdge(connection, reason, completions.bytesSent[at] as number),
    );
    this.#parts.accessLog?.connection(connection, at);
    this.#parts.held.forget(connection);
    // Neither an attempt nor a request that the engine dropped with its connection has a completion of its own.
    if (connection.attempting && connection.endpoint !== null) {
      const { load } = connection.endpoint;
      endAttempt(load, load.latencyUs, false, nowMs);
    }
    const { request } = connection;
    if (request !== null && request.connection === connection) this.#forget(request, nowMs);
    this.#parts.connections.release(connection);
  }
}

function isConnectFailure(reason: number): boolean {
  return (
    reason === Reason.connect_refused ||
    reason === Reason.connect_timeout ||
    reason === Reason.connect_unreachable
  );
}

/** Requests that found no endpoint concern no edge. */
function requestEdge(request: RequestRecord, reason: number): number {
  const { direction, endpoint, transport, cause } = request;
  const outbound = direction === Direction.outbound;
  if (outbound && endpoint === null) return -1;
  const port = endpoint?.candidate.port ?? (request.connection as ConnectionRecord).destinationPort;
  return edgeKey(port, transport, cause, outbound ? transportRefusal(reason) : Reason.none);
}

/** An application's own connection whose requests go ways of their own is no edge. */
function connectionEdge(connection: ConnectionRecord, reason: number, bytesSent: number): number {
  const { direction, endpoint, transport, cause, http } = connection;
  const outbound = direction === Direction.outbound;
  if (outbound && http) return -1;
  // What went through and was cut later did go through.
  const passed = outbound ? bytesSent > 0 : http || connection.action === Action.tunnel;
  const refusal = passed ? Reason.none : transportRefusal(reason);
  if (transport === Transport.none && refusal === Reason.none) return -1;
  return edgeKey(endpoint?.candidate.port ?? connection.destinationPort, transport, cause, refusal);
}

/** A reason that says why one end does not take the other's transport. */
function transportRefusal(reason: number): number {
  return reason === Reason.plaintext_refused || isTlsReason(reason) ? reason : Reason.none;
}

function isFailure(reason: number): boolean {
  return reason !== Reason.none && reason !== Reason.peer_closed && reason !== Reason.downstream_reset;
}
