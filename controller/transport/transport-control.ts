/** Keeps transport phases moving: hears the agents, looks again when time has passed, and has changes published. */
import type { Resource } from '../../model/resource.js';
import type { TransportPhase } from '../../model/workload.js';
import { TransportPhases } from './transport-phases.js';

/** What agents say in a burst is taken in as one. */
const gatherMs = 20;
/** How often is looked while something waits for time to pass. */
const lookMs = 200;

export interface TransportControlParts {
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Publishes resources; returns the version that holds them. */
  readonly publish: (resources: readonly Resource[]) => number;
}

export class TransportControl {
  readonly #parts: TransportControlParts;
  readonly #phases: TransportPhases;
  #wanted: readonly Resource[] | null = null;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #waiting = false;

  constructor(parts: TransportControlParts) {
    this.#parts = parts;
    this.#phases = new TransportPhases(parts.now());
  }

  /** Publishes what the manifests want, workloads in the phases that they have come to. */
  want(resources: readonly Resource[]): void {
    this.#wanted = resources;
    this.#phases.want(resources);
    this.#waiting = this.#phases.advance(this.#parts.now()).waiting;
    this.#publish(resources);
    this.#schedule();
  }

  come(node: string, held: ReadonlyMap<string, TransportPhase>): void {
    this.#phases.come(node, held, this.#parts.now());
    // What the agent brought must be in force before its first delta, which follows at once.
    this.#advance();
  }

  gone(node: string): void {
    this.#phases.gone(node, this.#parts.now());
    this.#lookSoon(gatherMs);
  }

  acked(node: string, version: number): void {
    this.#phases.acked(node, version);
    if (this.#waiting) this.#lookSoon(gatherMs);
  }

  report(node: string, workloads: ReadonlyMap<string, boolean>): void {
    this.#phases.report(node, workloads);
    this.#lookSoon(gatherMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #advance(): void {
    const { changed, waiting } = this.#phases.advance(this.#parts.now());
    this.#waiting = waiting;
    if (changed && this.#wanted !== null) this.#publish(this.#wanted);
    this.#schedule();
  }

  #publish(resources: readonly Resource[]): void {
    const version = this.#parts.publish(this.#phases.inForce(resources));
    this.#phases.published(version, this.#parts.now());
  }

  #schedule(): void {
    if (this.#waiting) this.#lookSoon(lookMs);
  }

  #lookSoon(delayMs: number): void {
    const dueMs = this.#parts.now() + delayMs;
    if (dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#advance();
    }, delayMs).unref();
  }
}
