/** `weft edges`: who talks to whom, encrypted or not, and why not. */
import { formatTable } from './format-table.js';

/** One of the proxy's /edges. */
export interface ShownEdge {
  /** `namespace/workload` */
  readonly source: string;
  readonly destination: string;
  /** The destination's own; 0: all others of a pair that uses very many. */
  readonly port: number;
  readonly transport: 'tls' | 'plaintext' | 'none';
  /** Why it is plaintext or nothing went through; `none` for TLS. */
  readonly reason: string;
  readonly connections: number;
  readonly requests: number;
}

export function formatEdges(edges: readonly ShownEdge[]): string {
  const columns = [
    { title: 'source' },
    { title: 'destination' },
    { title: 'port', align: 'right' as const },
    { title: 'transport' },
    { title: 'connections', align: 'right' as const },
    { title: 'requests', align: 'right' as const },
    { title: 'why not encrypted' },
  ];
  const rows = edges.map((edge) => [
    nameWorkload(edge.source),
    nameWorkload(edge.destination),
    edge.port === 0 ? 'others' : String(edge.port),
    edge.transport === 'none' ? 'refused' : edge.transport,
    String(edge.connections),
    String(edge.requests),
    explain(edge.reason),
  ]);
  return formatTable(columns, rows, 'nobody has talked to anybody yet');
}

function nameWorkload(name: string): string {
  return name === 'unknown/unknown' ? 'outside the mesh' : name;
}

/** Causes as sentences; a refusal keeps its name in the registry, by which `weft why` and the log speak of it. */
const explanations: Readonly<Record<string, string>> = {
  none: '',
  destination_outside: 'the destination is no workload of the mesh',
  mode_disabled: 'mutual TLS of that port is disabled',
  destination_not_captured: 'the destination is not captured',
  destination_not_ready: 'the destination is not ready for TLS (weft workloads, weft certificates)',
  source_unknown: 'the caller is no workload of the mesh',
  source_not_captured: 'the caller is not captured',
  source_not_ready: 'the caller is not ready for TLS (weft workloads, weft certificates)',
};

function explain(reason: string): string {
  return explanations[reason] ?? reason;
}
