/** `weft connections`: what is open right now. */
import { formatAge, formatBytes, formatTable } from './format-table.js';

/** One of the proxy's /connections. */
export interface ShownConnection {
  readonly direction: string;
  readonly source: string;
  readonly destination: string;
  /** Empty where the mesh does not know it. */
  readonly sourceNamespace: string;
  readonly sourceWorkload: string;
  readonly destinationNamespace: string;
  readonly destinationWorkload: string;
  readonly service: string;
  readonly protocol: string;
  readonly transport: string;
  /** SPIFFE id of the far end under TLS. */
  readonly peer: string;
  readonly state: string;
  readonly ageMs: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly bufferedBytes: number;
}

/** The oldest first. */
export function formatConnections(connections: readonly ShownConnection[]): string {
  const columns = [
    { title: 'direction' },
    { title: 'source' },
    { title: 'destination' },
    { title: 'service' },
    { title: 'protocol' },
    { title: 'transport' },
    { title: 'peer' },
    { title: 'state' },
    { title: 'age', align: 'right' as const },
    { title: 'received', align: 'right' as const },
    { title: 'sent', align: 'right' as const },
    { title: 'buffered', align: 'right' as const },
  ];
  const rows = [...connections]
    .sort((a, b) => b.ageMs - a.ageMs)
    .map((one) => [
      one.direction,
      nameAddress(one.sourceNamespace, one.sourceWorkload, one.source),
      nameAddress(one.destinationNamespace, one.destinationWorkload, one.destination),
      one.service || '-',
      one.protocol,
      one.transport === 'none' ? '-' : one.transport,
      one.peer || '-',
      one.state,
      formatAge(one.ageMs),
      formatBytes(one.bytesReceived),
      formatBytes(one.bytesSent),
      formatBytes(one.bufferedBytes),
    ]);
  return formatTable(columns, rows, 'no open connections');
}

function nameAddress(namespace: string, workload: string, address: string): string {
  return namespace === '' ? address : `${namespace}/${workload} (${address})`;
}
