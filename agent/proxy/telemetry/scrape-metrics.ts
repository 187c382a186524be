/** The text of /metrics: what workers, kernel and main thread counted, merged by prom-client. */
import type { Snapshot } from '../../../model/snapshot.js';
import type { EngineStats } from '../../../native/engine.js';
import { family, type MetricFamily, type WorkerMetrics } from './worker-metrics.js';

/** What the main thread itself knows. */
export interface ControlState {
  readonly node: string;
  readonly version: string;
  readonly snapshot: Snapshot;
  readonly controllerConnected: boolean;
  /** Refused resources by kind. */
  readonly resourceRefusals: ReadonlyMap<string, number>;
}

export function collectControl(state: ControlState): MetricFamily[] {
  const kinds = new Map<string, number>();
  for (const { kind } of state.snapshot.resources.values()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const byKind = (counts: ReadonlyMap<string, number>) =>
    [...counts].map(([kind, value]) => ({ labels: { kind }, value }));
  return [
    family('gauge', 'weft_snapshot_version', 'Version of the configuration in force.', [
      { labels: {}, value: state.snapshot.version },
    ]),
    family('gauge', 'weft_resources', 'Resources in force.', byKind(kinds)),
    family(
      'counter',
      'weft_resource_refusals_total',
      'Resources that this agent refused.',
      byKind(state.resourceRefusals),
    ),
    family('gauge', 'weft_controller_connected', '1 while the configuration stream is up.', [
      { labels: {}, value: state.controllerConnected ? 1 : 0 },
    ]),
    family('gauge', 'weft_build_info', 'Always 1.', [
      { labels: { version: state.version, node: state.node }, value: 1 },
    ]),
  ];
}

/** Equal series of several threads become one. prom-client is loaded at the first scrape. */
export async function renderMetrics(threads: readonly WorkerMetrics[]): Promise<string> {
  const { AggregatorRegistry } = await import('prom-client');
  return AggregatorRegistry.aggregate(threads.map((metrics) => [...metrics])).metrics();
}

/** Sum of the engines' figures, for people. */
export function sumStats(stats: readonly EngineStats[]): EngineStats {
  const sum = (field: keyof EngineStats) => stats.reduce((total, one) => total + one[field], 0);
  return {
    connections: sum('connections'),
    exchanges: sum('exchanges'),
    pooled: sum('pooled'),
    parked: sum('parked'),
    bufferedBytes: sum('bufferedBytes'),
    sockets: sum('sockets'),
    turns: sum('turns'),
    rows: sum('rows'),
    clientHandshakes: sum('clientHandshakes'),
    serverHandshakes: sum('serverHandshakes'),
    failedHandshakes: sum('failedHandshakes'),
    resumedAsClient: sum('resumedAsClient'),
    resumedAsServer: sum('resumedAsServer'),
    outdatedTickets: sum('outdatedTickets'),
    misplacedTickets: sum('misplacedTickets'),
    tlsSessions: sum('tlsSessions'),
    tlsBytes: sum('tlsBytes'),
    tickets: sum('tickets'),
    streams: sum('streams'),
  };
}
