/** How far a mesh has come to mutual TLS. */
import type { TransportPhase, Workload } from './workload.js';

/** Workloads by phase, those of the mesh; and those that nobody captures. */
export type TransportCounts = Readonly<Record<TransportPhase | 'outside', number>>;

export function countTransports(workloads: Iterable<Workload>): TransportCounts {
  const counts = { plaintext: 0, arriving: 0, 'weft-tls': 0, leaving: 0, outside: 0 };
  for (const { captured, transport } of workloads) {
    counts[!captured && transport === 'plaintext' ? 'outside' : transport] += 1;
  }
  return counts;
}
