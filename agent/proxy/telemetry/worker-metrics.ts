/** Metrics as they travel from a worker to the main thread: prom-client's own JSON form, so that it can merge them. */

export type Labels = Readonly<Record<string, string | number>>;

export interface MetricValue {
  readonly labels: Labels;
  readonly value: number;
  /** For the parts of a histogram: `…_bucket`, `…_sum`, `…_count`. */
  readonly metricName?: string;
}

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** How values of several workers with equal labels become one. */
  readonly aggregator: 'sum' | 'max';
  readonly values: readonly MetricValue[];
}

export type WorkerMetrics = readonly MetricFamily[];

/** A family whose equal values add up. */
export function family(
  type: MetricFamily['type'],
  name: string,
  help: string,
  values: readonly MetricValue[],
): MetricFamily {
  return { name, help, type, aggregator: 'sum', values };
}
