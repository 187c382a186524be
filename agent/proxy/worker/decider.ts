/**
 * Decides each batch: completions first, so that choices see their load, then rows. A row whose decision throws fails
 * closed by itself; the others of its batch do not notice.
 */
import { formatAddress } from '../../../model/address.js';
import type { Snapshot } from '../../../model/snapshot.js';
import { Direction, type Engine, RowKind } from '../../../native/engine.js';
import {
  inboundConnection,
  inboundRequest,
  securedConnection,
  sniffedConnection,
} from '../inbound-pipeline.js';
import { outboundConnection, outboundRequest } from '../outbound-pipeline.js';
import { retryAttempt } from '../stages/retry-attempt.js';
import { retryTunnel } from '../stages/retry-tunnel.js';
import type { ConnectionRecord } from './connection-record.js';
import type { DecisionContext } from './decision-context.js';
import type { HeldConnections } from './held-connections.js';
import { type Pipeline, runPipeline } from './pipeline.js';
import type { RecordPool } from './record-pool.js';
import type { RequestRecord } from './request-record.js';
import type { RowRequest } from './row-request.js';
import type { ServedWorkload } from './served-workload.js';
import type { TrafficLedger } from './traffic-ledger.js';
import { Transport } from './transport.js';

export interface DeciderParts {
  readonly engine: Engine;
  readonly context: DecisionContext & { nowMs: number; snapshot: Snapshot };
  readonly head: RowRequest;
  readonly connections: RecordPool<ConnectionRecord>;
  readonly requests: RecordPool<RequestRecord>;
  readonly ledger: TrafficLedger;
  readonly held: HeldConnections;
  readonly workloads: ReadonlyMap<number, ServedWorkload>;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** A decision threw; the row fails closed. */
  readonly onDefect: (error: unknown) => void;
}

export class Decider {
  readonly #parts: DeciderParts;

  constructor(parts: DeciderParts) {
    this.#parts = parts;
  }

  decide(rows: number, completions: number): void {
    const { context, ledger } = this.#parts;
    context.nowMs = this.#parts.now();
    context.verdict.begin();
    for (let at = 0; at < completions; at += 1) {
      try {
        ledger.complete(at, context.nowMs);
      } catch (error) {
        this.#parts.onDefect(error);
      }
    }
    for (let row = 0; row < rows; row += 1) this.#decideRow(row);
  }

  /** Decides a held connection again, under the present snapshot. */
  decideHeld(connection: ConnectionRecord): void {
    this.#parts.context.nowMs = this.#parts.now();
    runPipeline(pipelineOf(connection), this.#parts.context, connection);
  }

  #decideRow(row: number): void {
    this.#parts.context.verdict.bind(row);
    switch (this.#parts.engine.rows.kind[row]) {
      case RowKind.connection:
        this.#decideConnection(row, this.#openConnection(row));
        return;
      case RowKind.secured:
      case RowKind.sniffed:
        this.#continueConnection(row);
        return;
      case RowKind.request:
        this.#decideRequest(row);
        return;
      case RowKind.attemptFailed:
        if (this.#parts.engine.rows.requestTag[row] === 0) this.#decideTunnelRetry(row);
        else this.#decideRetry(row);
        return;
      default:
      // Left without a verdict it fails closed.
    }
  }

  #decideConnection(row: number, connection: ConnectionRecord): void {
    const { engine, context, held } = this.#parts;
    try {
      runPipeline(pipelineOf(connection), context, connection);
      if (held.wants(connection)) {
        held.hold(engine.rows.id[row] as number, engine.rows.generation[row] as number, connection);
      } else {
        context.verdict.connection(connection);
      }
    } catch (error) {
      context.verdict.fail(false, connection.tag);
      this.#parts.onDefect(error);
    }
  }

  /** Its handshake is done, or did not come. */
  #continueConnection(row: number): void {
    const { rows } = this.#parts.engine;
    const tag = rows.connectionTag[row] as number;
    const connection = this.#parts.connections.find(tag);
    if (connection === undefined) {
      this.#parts.context.verdict.fail(false, tag);
      this.#parts.onDefect(new Error('a connection went on that is not known'));
      return;
    }
    connection.stage = rows.kind[row] as number;
    if (connection.stage === RowKind.secured) {
      connection.transport = Transport.tls;
      connection.alpn = rows.alpn[row] as number;
      connection.peerId = this.#parts.engine.readText(
        rows.peerOffset[row] as number,
        rows.peerLength[row] as number,
      );
    }
    this.#decideConnection(row, connection);
  }

  #openConnection(row: number): ConnectionRecord {
    const { rows } = this.#parts.engine;
    const connection = this.#parts.connections.take();
    connection.reset();
    connection.workload = this.#parts.workloads.get(rows.workload[row] as number) ?? null;
    connection.direction = rows.direction[row] as number;
    connection.sourceAddress = formatAddress(rows.sourceIp, row * 16, 16);
    connection.sourcePort = rows.sourcePort[row] as number;
    connection.destinationAddress = formatAddress(rows.destinationIp, row * 16, 16);
    connection.destinationPort = rows.destinationPort[row] as number;
    this.#parts.ledger.opened(connection);
    return connection;
  }

  #decideRequest(row: number): void {
    const { engine, context, head } = this.#parts;
    const request = this.#parts.requests.take();
    request.reset();
    try {
      const connection = this.#parts.connections.find(engine.rows.connectionTag[row] as number);
      if (connection === undefined) throw new Error('a request came on a connection that is not known');
      head.bind(row);
      request.connection = connection;
      connection.request = request;
      request.snapshotVersion = context.snapshot.version;
      const outbound = connection.direction === Direction.outbound;
      if (context.logging || !outbound) request.keep(head);
      runPipeline(outbound ? outboundRequest : inboundRequest, context, request);
    } catch (error) {
      context.verdict.fail(true, request.tag);
      this.#parts.onDefect(error);
    }
  }

  #decideTunnelRetry(row: number): void {
    const { engine, context } = this.#parts;
    const tag = engine.rows.connectionTag[row] as number;
    try {
      const connection = this.#parts.connections.find(tag);
      if (connection === undefined) throw new Error('an attempt failed of a connection that is not known');
      retryTunnel(context, connection, engine.rows.reason[row] as number);
      context.verdict.connection(connection);
    } catch (error) {
      context.verdict.fail(false, tag);
      this.#parts.onDefect(error);
    }
  }

  #decideRetry(row: number): void {
    const { engine, context } = this.#parts;
    const tag = engine.rows.requestTag[row] as number;
    try {
      const request = this.#parts.requests.find(tag);
      if (request === undefined) throw new Error('an attempt failed of a request that is not known');
      this.#parts.head.bind(row);
      retryAttempt(context, request, engine.rows, row);
    } catch (error) {
      context.verdict.fail(true, tag);
      this.#parts.onDefect(error);
    }
  }
}

function pipelineOf(connection: ConnectionRecord): Pipeline<ConnectionRecord> {
  if (connection.direction === Direction.outbound) return outboundConnection;
  switch (connection.stage) {
    case RowKind.secured:
      return securedConnection;
    case RowKind.sniffed:
      return sniffedConnection;
    default:
      return inboundConnection;
  }
}
