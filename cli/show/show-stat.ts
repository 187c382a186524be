/** `weft stat`: success rate, requests per second and latency of edges, workloads, services or routes. */
import { isServerFault } from '../../model/grpc-status.js';
import { formatTable } from './format-table.js';
import type { Sample } from './read-metrics.js';

/** What rows stand for. Each request is counted once: where it was made, or for workloads where it came. */
export interface Grouping {
  readonly direction: 'outbound' | 'inbound';
  /** Names of a row, by their columns. */
  readonly names: (labels: Readonly<Record<string, string>>) => Readonly<Partial<RowNames>>;
  /** Namespaces that a row is of. */
  readonly namespaces: (labels: Readonly<Record<string, string>>) => readonly (string | undefined)[];
}

export interface RowNames {
  /** `namespace/name`, as are the next three. */
  readonly source: string;
  readonly destination: string;
  readonly workload: string;
  readonly service: string;
  /** `namespace/name/rule`, or `default`. */
  readonly route: string;
}

const service = (labels: Readonly<Record<string, string>>) =>
  `${labels.destination_namespace}/${labels.destination_service || labels.destination_workload}`;

export const groupings = {
  edges: {
    direction: 'outbound',
    names: (labels) => ({
      source: `${labels.source_namespace}/${labels.source_workload}`,
      destination: service(labels),
      route: labels.route ?? '',
    }),
    namespaces: ({ source_namespace: source, destination_namespace: destination }) => [source, destination],
  },
  workloads: {
    direction: 'inbound',
    names: (labels) => ({ workload: `${labels.destination_namespace}/${labels.destination_workload}` }),
    namespaces: ({ destination_namespace: destination }) => [destination],
  },
  services: {
    direction: 'outbound',
    names: (labels) => ({ service: service(labels) }),
    namespaces: ({ destination_namespace: destination }) => [destination],
  },
  routes: {
    direction: 'outbound',
    names: (labels) => ({ service: service(labels), route: labels.route ?? '' }),
    namespaces: ({ destination_namespace: destination }) => [destination],
  },
} as const satisfies Readonly<Record<string, Grouping>>;

export interface TrafficRow extends Partial<RowNames> {
  readonly requests: number;
  /** Share of requests that did not fail by the server's or the mesh's fault; 0 to 1. */
  readonly success: number;
  readonly perSecond: number;
  /** Milliseconds; null where nothing was measured. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

/**
 * What happened between two scrapes that lie `seconds` apart. The busiest first.
 *
 * @param namespace null: of all
 */
export function tabulateTraffic(
  before: readonly Sample[],
  after: readonly Sample[],
  seconds: number,
  grouping: Grouping = groupings.edges,
  namespace: string | null = null,
): TrafficRow[] {
  const rows: TrafficRow[] = [];
  for (const { names, samples } of group(growth(before, after), grouping, namespace)) {
    const counts = samples.filter(({ name }) => name === 'weft_requests_total');
    const requests = sum(counts);
    if (requests <= 0) continue;
    const failed = sum(counts.filter(isFailure));
    const buckets = readBuckets(samples);
    rows.push({
      ...names,
      requests,
      success: 1 - failed / requests,
      perSecond: requests / seconds,
      p50Ms: quantileMs(buckets, 0.5),
      p95Ms: quantileMs(buckets, 0.95),
      p99Ms: quantileMs(buckets, 0.99),
    });
  }
  const key = ({ route = '', service: of = '', workload = '' }: TrafficRow) => `${of}${workload}${route}`;
  return rows.sort((a, b) => b.requests - a.requests || (key(a) < key(b) ? -1 : 1));
}

/** No answer, a 5xx, or a gRPC status that blames the server. */
function isFailure({ labels }: Sample): boolean {
  return /^(0|5\d\d)$/.test(labels.status ?? '0') || isServerFault(Number(labels.grpc_status ?? ''));
}

export function formatStat(rows: readonly TrafficRow[], grouping: Grouping = groupings.edges): string {
  const right = (title: string) => ({ title, align: 'right' as const });
  const titles = Object.keys(grouping.names({})) as (keyof RowNames)[];
  const columns = [
    ...titles.map((title) => ({ title })),
    right('success'),
    right('rps'),
    right('p50'),
    right('p95'),
    right('p99'),
  ];
  const cells = rows.map((row) => [
    ...titles.map((title) => row[title] ?? ''),
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

interface Group {
  readonly names: Readonly<Partial<RowNames>>;
  readonly samples: Sample[];
}

function group(samples: readonly Sample[], grouping: Grouping, namespace: string | null): Iterable<Group> {
  const groups = new Map<string, Group>();
  for (const sample of samples) {
    const { labels, name } = sample;
    const wanted = name === 'weft_requests_total' || name === 'weft_request_duration_seconds_bucket';
    if (!wanted || labels.direction !== grouping.direction) continue;
    if (namespace !== null && !grouping.namespaces(labels).includes(namespace)) continue;
    const names = grouping.names(labels);
    const key = Object.values(names).join('\0');
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { names, samples: [sample] });
    else known.samples.push(sample);
  }
  return groups.values();
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
