/** The kernel's own counters, as capture reports them, by the labels of metrics instead of by pod. */
import { reasonOf } from '../../../reasons/reasons.js';
import type { PodCounters } from '../../handover/messages.js';
import type { WorkloadLabels } from './label-table.js';
import { coverageHelp, coverageMetric } from './seen-connections.js';
import { family, type MetricFamily, type MetricValue } from './worker-metrics.js';

const paths = ['steered', 'direct', 'arrived', 'passed'] as const;
type PathCounts = Record<(typeof paths)[number], number>;

interface Pod {
  readonly labels: WorkloadLabels;
  readonly counts: PathCounts;
}

export class KernelCounters {
  #refusals: Readonly<Record<number, number>> = {};
  #pods = new Map<string, Pod>();
  /** What pods that are gone have counted: a sum over an application must not fall. */
  readonly #gone = new Map<string, Pod>();

  /** `labelsOf` undefined: the workload is not known (any more); what is known of it is kept. */
  update(
    refusals: Readonly<Record<number, number>>,
    pods: readonly PodCounters[],
    labelsOf: (uid: string) => WorkloadLabels | undefined,
  ): void {
    this.#refusals = refusals;
    const before = this.#pods;
    this.#pods = new Map();
    for (const { workload, steered, direct, arrived, passed } of pods) {
      const labels = labelsOf(workload) ?? before.get(workload)?.labels;
      if (labels !== undefined)
        this.#pods.set(workload, { labels, counts: { steered, direct, arrived, passed } });
    }
    for (const [uid, pod] of before) if (!this.#pods.has(uid)) addTo(this.#gone, pod);
  }

  collect(): MetricFamily[] {
    const refusals: MetricValue[] = [];
    for (const [code, value] of Object.entries(this.#refusals)) {
      const reason = reasonOf(Number(code))?.name ?? 'unknown';
      if (value > 0) refusals.push({ labels: { layer: 'kernel', reason }, value });
    }
    const sums = new Map<string, Pod>();
    for (const pod of [...this.#gone.values(), ...this.#pods.values()]) addTo(sums, pod);
    const values = [...sums.values()].flatMap(({ labels, counts }) =>
      paths.map((path) => ({ labels: { ...labels, path }, value: counts[path] })),
    );
    return [
      family('counter', 'weft_refusals_total', 'Refusals by their name in the registry.', refusals),
      family('counter', coverageMetric, coverageHelp, values),
    ];
  }
}

function addTo(sums: Map<string, Pod>, pod: Pod): void {
  const key = `${pod.labels.namespace}/${pod.labels.workload}`;
  const sum = sums.get(key);
  if (sum === undefined) {
    sums.set(key, { labels: pod.labels, counts: { ...pod.counts } });
    return;
  }
  for (const path of paths) sum.counts[path] += pod.counts[path];
}
