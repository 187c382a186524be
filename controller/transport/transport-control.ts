/** Keeps transport phases moving: hears agents and replicas, and looks again when time has passed. */
import type { TransportPhase } from '../../model/workload.js';
import type { Changes } from '../publish/snapshot.js';
import type { HolderMessage, ReplicaMessage } from './phase-news.js';
import { ReplicaTransport } from './replica-transport.js';

/** What agents say in a burst is taken in as one. */
const gatherMs = 20;
/** How often is looked while something waits for time to pass. */
const lookMs = 200;
/** A holder that does not answer for so long does not keep an agent waiting. */
const welcomeMs = 5_000;

export interface TransportControlParts {
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Publishes what has changed; returns the version that holds it. */
  readonly publish: (changes: Changes) => number;
  /** Whether this controller may decide at this very moment; absent: it is the only one, and always may. */
  readonly mayMove?: (() => boolean) | undefined;
}

export class TransportControl {
  readonly #parts: TransportControlParts;
  readonly #replica: ReplicaTransport;
  readonly #waiting = new Map<string, () => void>();
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(parts: TransportControlParts) {
    this.#parts = parts;
    const { publish, mayMove } = parts;
    this.#replica = new ReplicaTransport(
      {
        publish,
        mayMove: mayMove ?? (() => true),
        welcome: (node) => this.#waiting.get(node)?.(),
      },
      parts.now(),
    );
    if (mayMove === undefined) this.lead(1);
  }

  want(changes: Changes): void {
    this.#replica.want(changes, this.#parts.now());
    this.#schedule();
  }

  /** Resolves once the node may be served; undefined: at once. */
  come(node: string, held: ReadonlyMap<string, TransportPhase>): Promise<void> | undefined {
    const served = this.#replica.come(node, held, this.#parts.now());
    this.#schedule();
    if (served) return undefined;
    this.#waiting.get(node)?.();
    return new Promise((resolve) => {
      const welcome = () => {
        clearTimeout(timer);
        this.#waiting.delete(node);
        resolve();
      };
      const timer = setTimeout(welcome, welcomeMs).unref();
      this.#waiting.set(node, welcome);
    });
  }

  gone(node: string): void {
    this.#replica.gone(node, this.#parts.now());
    this.#lookSoon(gatherMs);
  }

  acked(node: string, version: number): void {
    this.#replica.acked(node, version);
    if (this.#replica.waiting) this.#lookSoon(gatherMs);
  }

  report(node: string, workloads: ReadonlyMap<string, boolean>): void {
    this.#replica.report(node, workloads);
    this.#lookSoon(gatherMs);
  }

  /** `term`: higher than that of any holder before. */
  lead(term: number): void {
    this.#replica.lead(term, this.#parts.now());
    // Also where it has led before and might not decide for a while.
    this.#lookSoon(gatherMs);
  }

  stepDown(): void {
    this.#replica.stepDown();
  }

  link(send: (message: ReplicaMessage) => void): void {
    this.#replica.link(send);
  }

  unlink(): void {
    this.#replica.unlink();
  }

  fromHolder(message: HolderMessage): void {
    this.#replica.fromHolder(message);
  }

  /** False: this controller does not lead, so the replica is wrong here. */
  fromReplica(replica: string, message: ReplicaMessage, send: (message: HolderMessage) => void): boolean {
    const taken = this.#replica.fromReplica(replica, message, send, this.#parts.now());
    if (taken) this.#lookSoon(gatherMs);
    return taken;
  }

  replicaGone(replica: string): void {
    this.#replica.replicaGone(replica, this.#parts.now());
    this.#lookSoon(gatherMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const welcome of this.#waiting.values()) welcome();
  }

  #schedule(): void {
    if (this.#replica.waiting) this.#lookSoon(lookMs);
  }

  #lookSoon(delayMs: number): void {
    const dueMs = this.#parts.now() + delayMs;
    if (dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#replica.advance(this.#parts.now());
      this.#schedule();
    }, delayMs).unref();
  }
}
