/** Counts who still speaks plaintext to ports that would take TLS. */
import type { WorkloadView } from '../../../model/snapshot.js';
import type { LabelTable } from './label-table.js';
import { unknownId } from './label-table.js';
import { family, type MetricFamily } from './worker-metrics.js';

/** Pairs counted at most: a caller of many is counted as unknown then. */
const maxPairs = 10_000;

export class PlaintextCallers {
  readonly #labels: LabelTable;
  /** By numbers of labels: source × 32768 + destination. */
  readonly #counts = new Map<number, number>();

  constructor(labels: LabelTable) {
    this.#labels = labels;
  }

  count(caller: WorkloadView | null, destination: WorkloadView): void {
    const callerId = caller === null ? unknownId : this.#idOf(caller);
    const destinationId = this.#idOf(destination);
    const key = callerId * 32768 + destinationId;
    const counted = this.#counts.has(key) || this.#counts.size < maxPairs ? key : destinationId;
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
  }

  collect(): MetricFamily {
    const values = [...this.#counts].map(([key, value]) => {
      const source = this.#labels.workload(Math.floor(key / 32768));
      const destination = this.#labels.workload(key % 32768);
      return {
        labels: {
          source_namespace: source.namespace,
          source_workload: source.workload,
          destination_namespace: destination.namespace,
          destination_workload: destination.workload,
        },
        value,
      };
    });
    return family(
      'counter',
      'weft_plaintext_connections_total',
      'Connections that came in plaintext to a permissive port that would have taken TLS.',
      values,
    );
  }

  #idOf(view: WorkloadView): number {
    return this.#labels.workloadId(view.workload.namespace, view.label);
  }
}
