/** /metrics as Prometheus's own Python parser reads it, and what follows from its samples. */

import { runCommand } from './run-command.js';
import { fixture, python } from './services.js';

/** One sample of /metrics. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Throws where the parser refuses the text. */
export async function parseMetrics(text: string): Promise<Sample[]> {
  return JSON.parse(await runCommand([python, fixture('parse-metrics.py')], { input: text })) as Sample[];
}

/** Sum of the samples of a name whose labels hold all the given values. */
export function sumSamples(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const wanted = Object.entries(labels);
  return samples
    .filter(
      (sample) => sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value),
    )
    .reduce((sum, sample) => sum + sample.value, 0);
}

/** The traffic of one source, destination and route. */
export interface TrafficRow {
  readonly source: string;
  readonly destination: string;
  readonly route: string;
  readonly requests: number;
  /** Share of requests that did not end in a 5xx or without an answer. */
  readonly success: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** Outbound requests by source, destination and route between two scrapes `seconds` apart. */
export function tabulateTraffic(
  before: readonly Sample[],
  after: readonly Sample[],
  seconds: number,
): TrafficRow[] {
  const groups = new Set(after.filter(isOutboundRequest).map(groupOf));
  const rows = [...groups].map((group) => {
    const count = (samples: readonly Sample[], keep: (sample: Sample) => boolean) =>
      samples
        .filter((sample) => isOutboundRequest(sample) && groupOf(sample) === group && keep(sample))
        .reduce((sum, sample) => sum + sample.value, 0);
    const grown = (keep: (sample: Sample) => boolean) => count(after, keep) - count(before, keep);
    const requests = grown(() => true);
    const failed = grown((sample) => /^(0|5..)$/.test(sample.labels.status ?? '0'));
    const [source = '', destination = '', route = ''] = group.split(' ');
    const buckets = growBuckets(before, after, group);
    return {
      source,
      destination,
      route,
      requests,
      success: requests === 0 ? 1 : 1 - failed / requests,
      perSecond: requests / seconds,
      p50Ms: quantile(buckets, 0.5) * 1000,
      p95Ms: quantile(buckets, 0.95) * 1000,
      p99Ms: quantile(buckets, 0.99) * 1000,
    };
  });
  return rows.filter((row) => row.requests > 0).sort((a, b) => b.requests - a.requests);
}

type Bucket = readonly [upperBound: number, cumulated: number];

/** As histogram_quantile of PromQL: linear within the bucket. */
export function quantile(buckets: readonly Bucket[], share: number): number {
  const total = buckets.at(-1)?.[1] ?? 0;
  let [lowerBound, below] = [0, 0];
  for (const [upperBound, cumulated] of buckets) {
    if (cumulated >= share * total && cumulated > below) {
      if (upperBound === Number.POSITIVE_INFINITY) return lowerBound;
      return lowerBound + ((share * total - below) / (cumulated - below)) * (upperBound - lowerBound);
    }
    [lowerBound, below] = [upperBound, cumulated];
  }
  return Number.NaN;
}

function growBuckets(before: readonly Sample[], after: readonly Sample[], group: string): Bucket[] {
  const byBound = new Map<number, number>();
  for (const [samples, sign] of [
    [after, 1],
    [before, -1],
  ] as const) {
    for (const sample of samples) {
      if (sample.name !== 'weft_request_duration_seconds_bucket' || groupOf(sample) !== group) continue;
      const bound = sample.labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(sample.labels.le);
      byBound.set(bound, (byBound.get(bound) ?? 0) + sign * sample.value);
    }
  }
  return [...byBound].sort(([a], [b]) => a - b);
}

function isOutboundRequest(sample: Sample): boolean {
  return sample.name === 'weft_requests_total' && sample.labels.direction === 'outbound';
}

function groupOf({ labels }: Sample): string {
  const destination = labels.destination_service || labels.destination_workload;
  return `${labels.source_workload} ${destination} ${labels.route}`;
}
