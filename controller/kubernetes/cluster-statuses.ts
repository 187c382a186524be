/** The statuses of the cluster's objects, written by whichever controller holds the lease. */
import type { Log } from '../status/log.js';
import type { ApiClient } from './api-client.js';
import { LeaseHolder } from './hold-lease.js';
import { type LeaseTimes, usualLeaseTimes } from './leader-lease.js';
import type { ObjectDelta } from './object-index.js';
import type { ResourceType } from './resource-type.js';
import { type StatusKnowledge, StatusReporter } from './status-reporter.js';

export interface ClusterStatusesOptions {
  readonly client: ApiClient;
  /** Namespace of the lease. */
  readonly namespace: string;
  /** This process's name in the lease; no other process has or had it. */
  readonly self: string;
  readonly log: Log;
  readonly times?: LeaseTimes;
}

const leaseName = 'weft-controller';

export class ClusterStatuses {
  readonly #reporter: StatusReporter;
  readonly #lease: LeaseHolder;
  #report: () => StatusKnowledge = () => {
    throw new Error('statuses have not been started');
  };

  constructor({ client, namespace, self, log, times = usualLeaseTimes }: ClusterStatusesOptions) {
    const onTrouble = (message: string) => log.warn(message);
    this.#reporter = new StatusReporter({
      client,
      report: () => this.#report(),
      onTrouble,
      random: Math.random,
      now: () => new Date(),
    });
    this.#lease = new LeaseHolder({
      client,
      namespace,
      name: leaseName,
      self,
      times,
      now: () => new Date(),
      monotonicMs: () => performance.now(),
      onTrouble,
      onChange: (held) => {
        log.info(held ? 'writes statuses: holds the lease' : 'writes no statuses: does not hold the lease');
        this.#reporter.lead(held);
      },
    });
  }

  /** Whether this controller writes statuses. */
  get leading(): boolean {
    return this.#lease.held;
  }

  /** Statuses that this controller has written. */
  get written(): number {
    return this.#reporter.written;
  }

  /** Sees every change of the cluster's objects. */
  observe(type: ResourceType, deltas: readonly ObjectDelta[]): void {
    this.#reporter.observe(type, deltas);
  }

  /** Once everything has been read: nobody is told that something is missing which is only not read yet. */
  start(report: () => StatusKnowledge): void {
    this.#report = report;
    void this.#lease.run();
  }

  /** What the controller knows has changed. */
  changed(): void {
    this.#reporter.changed();
  }

  /** Gives the lease up. */
  async stop(): Promise<void> {
    this.#reporter.stop();
    await this.#lease.stop();
  }
}
