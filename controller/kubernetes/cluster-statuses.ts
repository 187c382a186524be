/** The statuses of the cluster's objects, written by whichever controller holds the lease. */
import type { Log } from '../status/log.js';
import type { ApiClient } from './api-client.js';
import type { ObjectDelta } from './object-index.js';
import type { ResourceType } from './resource-type.js';
import { type StatusKnowledge, StatusReporter } from './status-reporter.js';

export class ClusterStatuses {
  readonly #reporter: StatusReporter;
  #report: () => StatusKnowledge = () => {
    throw new Error('statuses have not been started');
  };

  constructor(client: ApiClient, log: Log) {
    this.#reporter = new StatusReporter({
      client,
      report: () => this.#report(),
      onTrouble: (message) => log.warn(message),
      random: Math.random,
      now: () => new Date(),
    });
  }

  /** Whether this controller writes statuses. */
  get leading(): boolean {
    return this.#reporter.leading;
  }

  /** Statuses that this controller has written. */
  get written(): number {
    return this.#reporter.written;
  }

  /** Sees every change of the cluster's objects. */
  observe(type: ResourceType, deltas: readonly ObjectDelta[]): void {
    this.#reporter.observe(type, deltas);
  }

  /** What statuses are made of, before the first {@link lead}. */
  reportFrom(report: () => StatusKnowledge): void {
    this.#report = report;
  }

  /** Begins to write, or stops. */
  lead(leading: boolean): void {
    this.#reporter.lead(leading);
  }

  /** What the controller knows has changed. */
  changed(): void {
    this.#reporter.changed();
  }
}
