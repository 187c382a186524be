/** How far a mesh has come to mutual TLS. */
import type { Snapshot } from './snapshot.js';
import type { TransportPhase } from './workload.js';

/** Workloads by phase, those of the mesh; and those that nobody captures. */
export type TransportCounts = Readonly<Record<TransportPhase | 'outside', number>>;

/** Costs the number of workloads. */
export function countTransports(snapshot: Snapshot): TransportCounts {
  const counts = { plaintext: 0, arriving: 0, 'weft-tls': 0, leaving: 0, outside: 0 };
  for (const { workload } of snapshot.workloads.values()) {
    const outside = !workload.captured && workload.transport === 'plaintext';
    counts[outside ? 'outside' : workload.transport] += 1;
  }
  return counts;
}
