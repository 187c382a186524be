/** A histogram of durations in preallocated memory. */
import type { Labels, MetricValue } from './worker-metrics.js';

/** Upper bounds in microseconds, 0.5 ms to 60 s, close enough together for p50, p95 and p99. */
const boundsUs = Float64Array.from(
  [
    0.5, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000,
    3000, 5000, 10_000, 30_000, 60_000,
  ].map((ms) => ms * 1000),
);

export class DurationHistogram {
  /** Observations per bucket, not cumulative; the last one is above every bound. */
  readonly #counts = new Float64Array(boundsUs.length + 1);
  #sumUs = 0;

  observe(microseconds: number): void {
    let bucket = 0;
    while (bucket < boundsUs.length && microseconds > (boundsUs[bucket] ?? 0)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sumUs += microseconds;
  }

  /** Adds the series of a Prometheus histogram in seconds: cumulative buckets, sum and count. */
  collect(name: string, labels: Labels, into: MetricValue[]): void {
    let total = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      total += count;
      const bound = boundsUs[bucket];
      const le = bound === undefined ? '+Inf' : bound / 1e6;
      into.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: total });
    }
    into.push({ metricName: `${name}_sum`, labels, value: this.#sumUs / 1e6 });
    into.push({ metricName: `${name}_count`, labels, value: total });
  }
}
