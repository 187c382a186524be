/** How many connections the engine accepted for each workload: the proxy's side of the coverage metric. */
import { Direction } from '../../../native/engine.js';
import type { ServedWorkload } from '../worker/served-workload.js';
import type { LabelTable } from './label-table.js';
import { family, type MetricFamily, type MetricValue } from './worker-metrics.js';

export const coverageMetric = 'weft_workload_connections_total';
export const coverageHelp = "The kernel's counts of a workload's connections beside the proxy's.";

export class SeenConnections {
  readonly #labels: LabelTable;
  /** By label number: outbound, inbound. */
  readonly #counts = new Map<number, Float64Array>();

  constructor(labels: LabelTable) {
    this.#labels = labels;
  }

  count(workload: ServedWorkload, direction: number): void {
    const counts = this.#counts.get(workload.labelId) ?? new Float64Array(2);
    counts[direction] = (counts[direction] ?? 0) + 1;
    this.#counts.set(workload.labelId, counts);
  }

  collect(): MetricFamily {
    const values: MetricValue[] = [];
    for (const [id, counts] of this.#counts) {
      const { namespace, workload } = this.#labels.workload(id);
      for (const direction of [Direction.outbound, Direction.inbound]) {
        const path = direction === Direction.outbound ? 'seen_outbound' : 'seen_inbound';
        values.push({ labels: { namespace, workload, path }, value: counts[direction] ?? 0 });
      }
    }
    return family('counter', coverageMetric, coverageHelp, values);
  }
}
