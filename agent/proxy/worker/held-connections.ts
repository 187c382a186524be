/**
 * Connections to or from addresses that nobody owns yet, or another than who calls: held a while, since their configuration
 * may be on the way.
 */
import { Action, Direction, type Engine } from '../../../native/engine.js';
import type { ReasonCode } from '../../../reasons/reasons.js';
import type { Timer, Timers } from '../control/timers.js';
import type { ConnectionRecord } from './connection-record.js';
import type { VerdictWriter } from './verdict-writer.js';

interface Held {
  readonly id: number;
  readonly generation: number;
  readonly connection: ConnectionRecord;
  readonly expiresMs: number;
}

/** How long a connection waits to an address that may never be anybody's. */
const holdMs = 2_000;
/**
 * How long one waits whose caller may be a new pod, since the API learns a pod's address some time after the pod has it. On
 * a node where a hundred pods start at once kubelet took 29 seconds.
 */
const newPodMs = 60_000;
/**
 * How long one waits whose address is known as another pod's: that one has ended, and its address went to the next before
 * the API heard of the end.
 */
const formerMs = 5_000;
/** Connections that wait at most; more are refused at once. */
const maxHeld = 1_024;

export class HeldConnections {
  readonly #engine: Pick<Engine, 'resume'>;
  readonly #verdict: VerdictWriter;
  readonly #timers: Timers;
  #held: Held[] = [];
  #timer: Timer | undefined;
  /** When the timer fires. */
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(engine: Pick<Engine, 'resume'>, verdict: VerdictWriter, timers: Timers) {
    this.#engine = engine;
    this.#verdict = verdict;
    this.#timers = timers;
  }

  get size(): number {
    return this.#held.length;
  }

  /** Whether the pipeline asked to hold it; where no more can be held it is reset instead. */
  wants(connection: ConnectionRecord): boolean {
    if (connection.action !== Action.park) return false;
    if (this.#held.length < maxHeld) return true;
    connection.action = Action.reset;
    return false;
  }

  hold(id: number, generation: number, connection: ConnectionRecord): void {
    const waitMs = waitOf(connection);
    this.#held.push({ id, generation, connection, expiresMs: this.#timers.now() + waitMs });
    this.#verdict.park(connection.tag, 2 * waitMs);
    this.#arm();
  }

  /** A new snapshot: `decide` asks again, and what it no longer holds goes on. */
  retry(decide: (connection: ConnectionRecord) => void): void {
    const waiting = this.#held;
    this.#held = [];
    for (const held of waiting) {
      decide(held.connection);
      if (held.connection.action === Action.park) this.#held.push(held);
      else this.#resume(held);
    }
  }

  /** The client has left: its record will serve another connection. */
  forget(connection: ConnectionRecord): void {
    if (connection.action === Action.park) {
      this.#held = this.#held.filter((held) => held.connection !== connection);
    }
  }

  #arm(): void {
    const dueMs = Math.min(...this.#held.map(({ expiresMs }) => expiresMs));
    if (dueMs >= this.#dueMs) return;
    this.#timer?.cancel();
    this.#dueMs = dueMs;
    this.#timer = this.#timers.after(Math.max(1, dueMs - this.#timers.now()), () => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#expire();
      this.#arm();
    });
  }

  #expire(): void {
    const now = this.#timers.now();
    const expired = this.#held.filter(({ expiresMs }) => expiresMs <= now);
    this.#held = this.#held.filter(({ expiresMs }) => expiresMs > now);
    for (const held of expired) {
      held.connection.action = Action.reset;
      this.#resume(held);
    }
  }

  /** The engine says false where the client has left meanwhile: its completion tells the rest. */
  #resume({ id, generation, connection }: Held): void {
    this.#engine.resume(id, generation, {
      action: connection.action,
      flags: connection.flags,
      reason: connection.reason as ReasonCode,
      endpoint: connection.endpointId,
      tag: connection.tag,
    });
  }
}

function waitOf({ direction, peer }: ConnectionRecord): number {
  if (direction === Direction.outbound) return holdMs;
  return peer === null ? newPodMs : formerMs;
}
