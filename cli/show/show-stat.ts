/** `weft stat`: success rate, requests per second and latency by source, destination and route. */
import { isServerFault } from '../../model/grpc-status.js';
import { formatTable } from './format-table.js';
import type { Sample } from './read-metrics.js';

export interface TrafficRow {
  readonly source: string;
  readonly destination: string;
  readonly route: string;
  readonly requests: number;
  /** Share of requests that did not fail by the server's or the mesh's fault; 0 to 1. */
  readonly success: number;
  readonly perSecond: number;
  /** Milliseconds; null where nothing was measured. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

/** What happened between two scrapes that lie `seconds` apart. The busiest first. */
export function tabulateTraffic(
  before: readonly Sample[],
  after: readonly Sample[],
  seconds: number,
): TrafficRow[] {
  const grown = growth(before, after);
  const rows: TrafficRow[] = [];
  for (const [group, samples] of groupByRoute(grown)) {
    const counts = samples.filter(({ name }) => name === 'weft_requests_total');
    const requests = sum(counts);
    if (requests <= 0) continue;
    const failed = sum(counts.filter(isFailure));
    const buckets = readBuckets(samples);
    const [source = '', destination = '', route = ''] = group.split('\0');
    rows.push({
      source,
      destination,
      route,
      requests,
      success: 1 - failed / requests,
      perSecond: requests / seconds,
      p50Ms: quantileMs(buckets, 0.5),
      p95Ms: quantileMs(buckets, 0.95),
      p99Ms: quantileMs(buckets, 0.99),
    });
  }
  return rows.sort((a, b) => b.requests - a.requests || (a.route < b.route ? -1 : 1));
}

/** No answer, a 5xx, or a gRPC status that blames the server. */
function isFailure({ labels }: Sample): boolean {
  return /^(0|5\d\d)$/.test(labels.status ?? '0') || isServerFault(Number(labels.grpc_status ?? ''));
}

export function formatStat(rows: readonly TrafficRow[]): string {
  const right = (title: string) => ({ title, align: 'right' as const });
  const columns = [
    { title: 'source' },
    { title: 'destination' },
    { title: 'route' },
    right('success'),
    right('rps'),
    right('p50'),
    right('p95'),
    right('p99'),
  ];
  const cells = rows.map((row) => [
    row.source,
    row.destination,
    row.route,
    `${(row.success * 100).toFixed(2)}%`,
    row.perSecond.toFixed(1),
    ...[row.p50Ms, row.p95Ms, row.p99Ms].map((ms) => (ms === null ? '-' : `${ms.toFixed(1)}ms`)),
  ]);
  return formatTable(columns, cells, 'no requests in that time');
}

/** What each series gained; one that began again from zero (a restarted proxy) counts from there. */
function growth(before: readonly Sample[], after: readonly Sample[]): Sample[] {
  const key = ({ name, labels }: Sample) => `${name}${JSON.stringify(Object.entries(labels).sort())}`;
  const old = new Map(before.map((sample) => [key(sample), sample.value]));
  return after.map((sample) => {
    const was = old.get(key(sample)) ?? 0;
    return { ...sample, value: sample.value >= was ? sample.value - was : sample.value };
  });
}

/** Outbound requests only: each request is counted once, where it was made. */
function groupByRoute(samples: readonly Sample[]): Map<string, Sample[]> {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { labels, name } = sample;
    const wanted = name === 'weft_requests_total' || name === 'weft_request_duration_seconds_bucket';
    if (!wanted || labels.direction !== 'outbound') continue;
    const source = `${labels.source_namespace}/${labels.source_workload}`;
    const service = labels.destination_service || labels.destination_workload;
    const group = [source, `${labels.destination_namespace}/${service}`, labels.route].join('\0');
    groups.set(group, [...(groups.get(group) ?? []), sample]);
  }
  return groups;
}

type Bucket = readonly [upperBoundSeconds: number, cumulated: number];

function readBuckets(samples: readonly Sample[]): Bucket[] {
  const byBound = new Map<number, number>();
  for (const { name, labels, value } of samples) {
    if (name !== 'weft_request_duration_seconds_bucket') continue;
    const bound = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
    byBound.set(bound, (byBound.get(bound) ?? 0) + value);
  }
  return [...byBound].sort(([a], [b]) => a - b);
}

/** As histogram_quantile of PromQL: linear within a bucket, and the last finite bound above it. */
function quantileMs(buckets: readonly Bucket[], share: number): number | null {
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total === 0) return null;
  let [lower, below] = [0, 0];
  for (const [upper, cumulated] of buckets) {
    if (cumulated >= share * total && cumulated > below) {
      if (upper === Number.POSITIVE_INFINITY) return lower * 1000;
      return (lower + ((share * total - below) / (cumulated - below)) * (upper - lower)) * 1000;
    }
    [lower, below] = [upper, cumulated];
  }
  return lower * 1000;
}

function sum(samples: readonly Sample[]): number {
  return samples.reduce((total, { value }) => total + value, 0);
}
