/** `weft edges`: who talks to whom, encrypted or not, and why not. */
import type { Edge } from '../../model/edge.js';
import { formatTable } from './format-table.js';

export function formatEdges(edges: readonly Edge[]): string {
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
