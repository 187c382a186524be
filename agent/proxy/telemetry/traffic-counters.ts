/** Counters of requests, connections and attempts, kept by numbers and turned into metrics at a scrape. */
import type { Edge } from '../../../model/edge.js';
import { knownGrpcStatus } from '../../../model/grpc-status.js';
import { Direction } from '../../../native/engine.js';
import { Reason, reasonName, reasonOf } from '../../../reasons/reasons.js';
import { isTlsReason, transportName } from '../worker/transport.js';
import { DurationHistogram } from './duration-histogram.js';
import { EdgeCounts } from './edge-counts.js';
import type { LabelTable } from './label-table.js';
import { isSeriesOf, KeyedCounts, type Series, type SeriesKey } from './series.js';
import { family, type Labels, type MetricFamily, type MetricValue } from './worker-metrics.js';

/** Attempts at one service's endpoints. */
export interface AttemptCounts {
  readonly namespace: string;
  readonly service: string;
  /** By result and kind: first ok, first failed, retry ok, retry failed. */
  readonly counts: Float64Array;
}

/**
 * How a request ended, as one number of 29 bits: status (10), gRPC status and one (5), reason (10), transport (2),
 * authenticated. `grpcStatus` -1: it was none of gRPC.
 */
export function requestKey(
  status: number,
  grpcStatus: number,
  reason: number,
  transport: number,
  authenticated: boolean,
): number {
  const ended = (((status << 5) | (knownGrpcStatus(grpcStatus) + 1)) << 10) | reason;
  return (ended << 3) | (transport << 1) | (authenticated ? 1 : 0);
}

/** How a connection ended, as one number: reason, HTTP, transport (2), authenticated. */
export function connectionKey(
  http: boolean,
  reason: number,
  transport: number,
  authenticated: boolean,
): number {
  return (reason << 4) | (http ? 8 : 0) | (transport << 1) | (authenticated ? 1 : 0);
}

/** Series kept at most; what does not fit is counted under `unknown` labels. */
const maxSeries = 20_000;

export class TrafficCounters {
  readonly #labels: LabelTable;
  readonly #series = new Map<number, Map<number, Series>>();
  #seriesCount = 0;
  readonly #attempts: AttemptCounts[] = [];
  /** By reason code. */
  readonly #refusals = new Float64Array(512);
  /** By reason code and direction. */
  readonly #tlsFailures = new Float64Array(1024);
  readonly #open = new Float64Array(2);

  constructor(labels: LabelTable) {
    this.#labels = labels;
  }

  /** A request ended; `key` by {@link requestKey}, `edge` by {@link edgeKey}, -1 where it concerns no edge. */
  countRequest(series: SeriesKey, key: number, durationUs: number, edge: number): void {
    const found = this.#find(series);
    found.requests.increment(key);
    found.durations.observe(durationUs);
    if (edge >= 0) found.edges.countRequest(edge);
  }

  /**
   * A connection ended; `key` by {@link connectionKey}, `edge` by {@link edgeKey}, -1 where it concerns no edge. Bytes are
   * counted for opaque ones only.
   */
  countConnection(
    series: SeriesKey,
    key: number,
    bytesReceived: number,
    bytesSent: number,
    edge: number,
  ): void {
    const found = this.#find(series);
    found.connections.increment(key);
    if (edge >= 0) found.edges.countConnection(edge);
    if ((key & 8) !== 0) return;
    found.bytesReceived += bytesReceived;
    found.bytesSent += bytesSent;
  }

  /** A record for a service's attempts; the caller keeps it and counts with {@link countAttempt}. */
  attemptsOf(namespace: string, service: string): AttemptCounts {
    const counts = { namespace, service, counts: new Float64Array(4) };
    this.#attempts.push(counts);
    return counts;
  }

  countRefusal(reason: number): void {
    if (reason !== Reason.none) this.#refusals[reason] = (this.#refusals[reason] ?? 0) + 1;
  }

  /** TLS with another workload failed, or a connection of it ended by it. */
  countTlsFailure(direction: number, reason: number): void {
    if (!isTlsReason(reason)) return;
    const slot = reason * 2 + direction;
    this.#tlsFailures[slot] = (this.#tlsFailures[slot] ?? 0) + 1;
  }

  countOpen(direction: number, change: 1 | -1): void {
    this.#open[direction] = (this.#open[direction] ?? 0) + change;
  }

  /** Who talked to whom, as seen from one direction; one pair may be in it several times. */
  listEdges(direction: number): Edge[] {
    const edges: Edge[] = [];
    for (const inner of this.#series.values()) {
      for (const { direction: own, sourceId, destinationId, edges: counts } of inner.values()) {
        if (own !== direction) continue;
        edges.push(...counts.list(this.#labels.workload(sourceId), this.#labels.workload(destinationId)));
      }
    }
    return edges;
  }

  collect(): MetricFamily[] {
    return [
      ...this.#collectSeries(),
      this.#collectAttempts(),
      this.#collectRefusals(),
      this.#collectTlsFailures(),
      this.#collectOpen(),
    ];
  }

  #find(key: SeriesKey): Series {
    const kept = key.memo?.series;
    if (kept !== undefined && kept !== null && isSeriesOf(kept, key)) return kept;
    const found = this.#lookUp(key);
    if (key.memo !== null) key.memo.series = found;
    return found;
  }

  #lookUp(key: SeriesKey): Series {
    const outer = key.targetId * 2 + key.direction;
    const inner = this.#series.get(outer) ?? new Map<number, Series>();
    if (inner.size === 0) this.#series.set(outer, inner);
    const innerKey = key.sourceId * 32768 + key.destinationId;
    const found = inner.get(innerKey);
    return found ?? this.#create(key, inner, innerKey);
  }

  #create(key: SeriesKey, inner: Map<number, Series>, innerKey: number): Series {
    if (this.#seriesCount >= maxSeries && (key.targetId | key.sourceId | key.destinationId) !== 0) {
      return this.#lookUp({
        direction: key.direction,
        sourceId: 0,
        destinationId: 0,
        targetId: 0,
        memo: null,
      });
    }
    const series: Series = {
      direction: key.direction,
      sourceId: key.sourceId,
      destinationId: key.destinationId,
      targetId: key.targetId,
      requests: new KeyedCounts(),
      durations: new DurationHistogram(),
      connections: new KeyedCounts(),
      edges: new EdgeCounts(),
      bytesReceived: 0,
      bytesSent: 0,
    };
    this.#seriesCount += 1;
    inner.set(innerKey, series);
    return series;
  }

  #collectSeries(): MetricFamily[] {
    const requests: MetricValue[] = [];
    const durations: MetricValue[] = [];
    const connections: MetricValue[] = [];
    const bytes: MetricValue[] = [];
    for (const inner of this.#series.values()) {
      for (const series of inner.values()) {
        collectRequests(series, this.#targetLabels(series), requests, durations);
        collectConnections(series, this.#peerLabels(series), this.#labels.target(series.targetId).service, {
          connections,
          bytes,
        });
      }
    }
    return [
      family('counter', 'weft_requests_total', 'Requests that ended.', requests),
      family('histogram', durationName, "From the head's first byte to the end of the response.", durations),
      family('counter', 'weft_connections_total', 'Connections that ended.', connections),
      family('counter', 'weft_connection_bytes_total', 'Bytes of opaque connections.', bytes),
    ];
  }

  #peerLabels(series: Series): Labels {
    const source = this.#labels.workload(series.sourceId);
    const destination = this.#labels.workload(series.destinationId);
    return {
      direction: directionName(series.direction),
      source_namespace: source.namespace,
      source_workload: source.workload,
      destination_namespace: destination.namespace,
      destination_workload: destination.workload,
    };
  }

  #targetLabels(series: Series): Labels {
    const target = this.#labels.target(series.targetId);
    return { ...this.#peerLabels(series), destination_service: target.service, route: target.route };
  }

  #collectAttempts(): MetricFamily {
    const values: MetricValue[] = [];
    for (const { namespace, service, counts } of this.#attempts) {
      for (const [slot, value] of counts.entries()) {
        if (value === 0) continue;
        const result = slot % 2 === 0 ? 'ok' : 'failed';
        const retry = slot < 2 ? 'false' : 'true';
        values.push({
          labels: { destination_namespace: namespace, destination_service: service, result, retry },
          value,
        });
      }
    }
    return family('counter', 'weft_attempts_total', 'Attempts at endpoints.', mergeEqual(values));
  }

  #collectRefusals(): MetricFamily {
    const values: MetricValue[] = [];
    for (const [code, value] of this.#refusals.entries()) {
      const entry = value === 0 ? undefined : reasonOf(code);
      if (entry !== undefined) values.push({ labels: { layer: entry.layer, reason: entry.name }, value });
    }
    return family('counter', 'weft_refusals_total', 'Refusals by their name in the registry.', values);
  }

  #collectTlsFailures(): MetricFamily {
    const values: MetricValue[] = [];
    for (const [slot, value] of this.#tlsFailures.entries()) {
      const labels = { direction: directionName(slot & 1), reason: reasonName(slot >> 1) };
      if (value > 0) values.push({ labels, value });
    }
    return family('counter', 'weft_tls_failures_total', 'What went wrong between TLS ends.', values);
  }

  #collectOpen(): MetricFamily {
    const values = [Direction.outbound, Direction.inbound].map((direction) => ({
      labels: { direction: directionName(direction) },
      value: this.#open[direction] ?? 0,
    }));
    return family('gauge', 'weft_open_connections', 'Connections open now.', values);
  }
}

/** Counts one attempt into a record of {@link TrafficCounters.attemptsOf}. */
export function countAttempt(attempts: AttemptCounts, failed: boolean, retry: boolean): void {
  const slot = (retry ? 2 : 0) + (failed ? 1 : 0);
  attempts.counts[slot] = (attempts.counts[slot] ?? 0) + 1;
}

export function directionName(direction: number): 'outbound' | 'inbound' {
  return direction === Direction.outbound ? 'outbound' : 'inbound';
}

const durationName = 'weft_request_duration_seconds';

function collectRequests(
  series: Series,
  labels: Labels,
  requests: MetricValue[],
  durations: MetricValue[],
): void {
  if (series.requests.size === 0) return;
  for (const [key, value] of series.requests.entries()) {
    requests.push({ labels: { ...labels, ...readRequestKey(key) }, value });
  }
  series.durations.collect(durationName, labels, durations);
}

function readRequestKey(key: number): Labels {
  const grpc = ((key >> 13) & 31) - 1;
  return {
    status: key >> 18,
    grpc_status: grpc < 0 ? '' : String(grpc),
    reason: reasonName((key >> 3) & 1023),
    transport: transportName((key >> 1) & 3),
    authenticated: (key & 1) === 1 ? 'true' : 'false',
  };
}

function readConnectionKey(key: number): Labels {
  return {
    protocol: (key & 8) === 0 ? 'tcp' : 'http',
    reason: reasonName(key >> 4),
    transport: transportName((key >> 1) & 3),
    authenticated: (key & 1) === 1 ? 'true' : 'false',
  };
}

function collectConnections(
  series: Series,
  labels: Labels,
  service: string,
  into: { connections: MetricValue[]; bytes: MetricValue[] },
): void {
  for (const [key, value] of series.connections.entries()) {
    into.connections.push({
      labels: { ...labels, destination_service: service, ...readConnectionKey(key) },
      value,
    });
  }
  if (series.bytesReceived > 0) {
    into.bytes.push({ labels: { ...labels, flow: 'received' }, value: series.bytesReceived });
  }
  if (series.bytesSent > 0) into.bytes.push({ labels: { ...labels, flow: 'sent' }, value: series.bytesSent });
}

/** Several records of one service (one per port, or after it came back) are one series. */
function mergeEqual(values: readonly MetricValue[]): MetricValue[] {
  const merged = new Map<string, MetricValue>();
  for (const entry of values) {
    const key = JSON.stringify(entry.labels);
    merged.set(key, { labels: entry.labels, value: entry.value + (merged.get(key)?.value ?? 0) });
  }
  return [...merged.values()];
}
