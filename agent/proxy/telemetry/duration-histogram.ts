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
  /** Microseconds in all, then observations per bucket, not cumulative; the last one is above every bound. */
  readonly #numbers = new Float64Array(boundsUs.length + 2);

  observe(microseconds: number): void {
    const numbers = this.#numbers;
    let bucket = 0;
    while (bucket < boundsUs.length && microseconds > (boundsUs[bucket] as number)) bucket += 1;
    numbers[0] = (numbers[0] as number) + microseconds;
    numbers[bucket + 1] = (numbers[bucket + 1] as number) + 1;
  }

  /** Adds the series of a Prometheus histogram in seconds: cumulative buckets, sum and count. */
  collect(name: string, labels: Labels, into: MetricValue[]): void {
    let total = 0;
    const [sumUs = 0, ...counts] = this.#numbers;
    for (const [bucket, count] of counts.entries()) {
      total += count;
      const bound = boundsUs[bucket];
      const le = bound === undefined ? '+Inf' : bound / 1e6;
      into.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: total });
    }
    into.push({ metricName: `${name}_sum`, labels, value: sumUs / 1e6 });
    into.push({ metricName: `${name}_count`, labels, value: total });
  }
}
