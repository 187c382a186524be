/**
 * Connections and requests live long: when policies or workloads change, what would now be refused ends. Opaque
 * connections are held against the policies again, and so are requests under way, as their heads came. A peer that is no
 * longer who it proved to be is cut, and so is plaintext whose port has become strict.
 *
 * The cost is bounded: so many records a turn, and a record that nothing changed for costs a few look-ups.
 */
import { authorizeConnection, authorizeRequest } from '../../../model/authorize.js';
import { Action, Direction, type Engine } from '../../../native/engine.js';
import { Reason, type ReasonCode } from '../../../reasons/reasons.js';
import type { Timers } from '../control/timers.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import { KeptRequest } from '../worker/kept-request.js';
import type { RecordPool, Tagged } from '../worker/record-pool.js';
import type { RequestRecord } from '../worker/request-record.js';
import { recheckPlaintext } from './accept-transport.js';
import { decideUncaptured } from './authorize.js';
import { isImpostor, lookUpInbound } from './find-inbound.js';

export interface RecheckParts {
  readonly context: DecisionContext;
  readonly engine: Pick<Engine, 'closeConnections' | 'drainConnections' | 'endRequests'>;
  readonly connections: RecordPool<ConnectionRecord>;
  readonly requests: RecordPool<RequestRecord>;
  readonly timers: Timers;
  /** Judging a record threw; the others are judged all the same. */
  readonly onDefect: (error: unknown) => void;
}

/** Records that one turn looks at. */
const sliceRecords = 512;
/** A caller that has left the configuration may finish what it asked for. */
const departedGraceMs = 500;

export class TrafficRecheck {
  readonly #parts: RecheckParts;
  readonly #connections: Round<ConnectionRecord>;
  readonly #requests: Round<RequestRecord>;
  #scheduled = false;

  constructor(parts: RecheckParts) {
    this.#parts = parts;
    this.#connections = new Round(parts.connections, (connection) => this.#judgeConnection(connection));
    this.#requests = new Round(parts.requests, (request) => this.#judgeRequest(request));
  }

  /** A new snapshot is in force that may refuse what the one before allowed. */
  begin(): void {
    this.#connections.restart();
    this.#requests.restart();
    if (!this.#scheduled) this.#step();
  }

  #step(): void {
    const left = this.#requests.advance(this.#connections.advance(sliceRecords));
    this.#scheduled = left === 0;
    if (this.#scheduled) this.#parts.timers.after(0, () => this.#step());
  }

  #judgeConnection(connection: ConnectionRecord): void {
    try {
      const reason = judgeConnection(this.#parts.context, connection);
      if (reason === Reason.none) return;
      const match = { connectionTag: connection.tag };
      const departed = reason === Reason.tls_wrong_identity && connection.peer === null;
      if (departed) this.#parts.engine.drainConnections(reason as ReasonCode, match, departedGraceMs);
      else this.#parts.engine.closeConnections(reason as ReasonCode, match);
    } catch (error) {
      this.#parts.onDefect(error);
    }
  }

  #judgeRequest(request: RequestRecord): void {
    try {
      const reason = judgeRequest(this.#parts.context, request);
      if (reason === Reason.none) return;
      this.#parts.engine.endRequests(reason as ReasonCode, { requestTag: request.tag });
    } catch (error) {
      this.#parts.onDefect(error);
    }
  }
}

/** Goes round a pool once from wherever it stands: a record that comes behind it was decided by the new snapshot. */
class Round<Entry extends Tagged> {
  readonly #pool: RecordPool<Entry>;
  readonly #judge: (entry: Entry) => void;
  #tag = 0;
  #left = 0;
  #capacity = 0;

  constructor(pool: RecordPool<Entry>, judge: (entry: Entry) => void) {
    this.#pool = pool;
    this.#judge = judge;
  }

  restart(): void {
    this.#capacity = this.#pool.capacity;
    this.#left = this.#capacity;
  }

  /** Looks at `most` records; returns how many fewer it needed. */
  advance(most: number): number {
    // Where the pool has grown since, the way round is longer.
    if (this.#left > 0) this.#left += this.#pool.capacity - this.#capacity;
    this.#capacity = this.#pool.capacity;
    let used = 0;
    for (; used < most && this.#left > 0; used += 1) {
      this.#left -= 1;
      this.#tag = this.#tag >= this.#pool.capacity ? 1 : this.#tag + 1;
      const entry = this.#pool.find(this.#tag);
      if (entry !== undefined) this.#judge(entry);
    }
    return most - used;
  }
}

function judgeConnection(context: DecisionContext, connection: ConnectionRecord): number {
  const opaque = connection.action === Action.tunnel;
  if (connection.direction === Direction.outbound) {
    return opaque ? decideUncaptured(context, connection, connection.endpoint, null) : Reason.none;
  }
  // What is not decided yet will be, by this snapshot.
  if (!opaque && !connection.http) return Reason.none;
  const { program, source, protocol } = connection;
  // A workload that has left is withdrawn with a grace of its own.
  if (lookUpInbound(context, connection) !== Reason.none) return Reason.none;
  // The bytes are what they are, whatever the port is declared to carry by now.
  connection.protocol = protocol;
  if (isImpostor(connection)) return Reason.tls_wrong_identity;
  const plaintext = recheckPlaintext(connection);
  if (plaintext !== Reason.none) return plaintext;
  // Where requests are read they are judged one by one, also those under way.
  const same = connection.program === program && connection.source === source;
  if (!opaque || same) return Reason.none;
  return authorizeConnection(connection.program, connection.source, connection.destinationPort, 'opaque')
    .reason;
}

function judgeRequest(context: DecisionContext, request: RequestRecord): number {
  const { connection } = request;
  if (connection === null) return Reason.none;
  if (connection.direction === Direction.outbound) {
    return decideUncaptured(context, connection, request.endpoint, new KeptRequest(request));
  }
  // Its connection was looked at before, in this round or the last.
  const { program, source, destinationPort } = connection;
  if (request.program === program && request.source === source) return Reason.none;
  request.program = program;
  request.source = source;
  return authorizeRequest(program, source, destinationPort, new KeptRequest(request)).reason;
}
