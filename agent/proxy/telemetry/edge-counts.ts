/**
 * Who talks to whom, by which transport, and why not encrypted where it is not: counted by numbers while traffic passes,
 * told as text for people.
 */
import { plaintextCauses } from '../../../model/plaintext-cause.js';
import { reasonName } from '../../../reasons/reasons.js';
import { Transport, transportName } from '../worker/transport.js';
import type { WorkloadLabels } from './label-table.js';

/** One of the admin socket's /edges. */
export interface Edge {
  /** `namespace/workload`, both of them labels of metrics. */
  readonly source: string;
  readonly destination: string;
  /** The destination's own port; 0 stands for all others of a pair that uses very many. */
  readonly port: number;
  /** `none`: nothing went through. */
  readonly transport: 'tls' | 'plaintext' | 'none';
  /** Why it is plaintext (model/plaintext-cause.ts), or the refusal's name; `none` for TLS. */
  readonly reason: string;
  readonly connections: number;
  readonly requests: number;
}

/**
 * What a connection or request adds to the edge of its series, as one number of 30 bits: port (16), transport (2), and
 * why not TLS (12): `cause`, an index into plaintextCauses, or `refusal`, the code of a refusal for transport's sake.
 */
export function edgeKey(port: number, transport: number, cause: number, refusal: number): number {
  const detail = refusal === 0 ? cause : firstRefusal + refusal;
  return (((port << 2) | (refusal === 0 ? transport : Transport.none)) << 12) | detail;
}

/** Edges of many more ports than that share one, of port 0: an application that scans takes bounded memory. */
const maxKeys = 64;
/** Refusals come behind the causes. */
const firstRefusal = 16;

/** One pair's uses by {@link edgeKey}. Few keys, one of which is nearly always meant. */
export class EdgeCounts {
  readonly #keys: number[] = [];
  readonly #connections: number[] = [];
  readonly #requests: number[] = [];

  countConnection(key: number): void {
    const at = this.#find(key);
    this.#connections[at] = (this.#connections[at] as number) + 1;
  }

  countRequest(key: number): void {
    const at = this.#find(key);
    this.#requests[at] = (this.#requests[at] as number) + 1;
  }

  list(source: WorkloadLabels, destination: WorkloadLabels): Edge[] {
    return this.#keys.map((key, at) => ({
      source: `${source.namespace}/${source.workload}`,
      destination: `${destination.namespace}/${destination.workload}`,
      ...readKey(key),
      connections: this.#connections[at] as number,
      requests: this.#requests[at] as number,
    }));
  }

  #find(key: number): number {
    let at = 0;
    while (at < this.#keys.length && this.#keys[at] !== key) at += 1;
    if (at < this.#keys.length) return at;
    if (at >= maxKeys && key >> 14 !== 0) return this.#find(key & 0x3fff);
    this.#keys.push(key);
    this.#connections.push(0);
    this.#requests.push(0);
    return at;
  }
}

function readKey(key: number): Pick<Edge, 'port' | 'transport' | 'reason'> {
  const detail = key & 0xfff;
  return {
    port: key >> 14,
    transport: transportName((key >> 12) & 3),
    reason: detail < firstRefusal ? (plaintextCauses[detail] ?? 'none') : reasonName(detail - firstRefusal),
  };
}

/**
 * One list of those of several workers. Where both ends are on this node each tells of the edge: it is one, and what the
 * end that saw more of it has counted is told.
 */
export function mergeEdges(
  lists: readonly { readonly outbound: readonly Edge[]; readonly inbound: readonly Edge[] }[],
): Edge[] {
  const outbound = addUp(lists.flatMap((list) => list.outbound));
  const inbound = addUp(lists.flatMap((list) => list.inbound));
  for (const [key, edge] of inbound) {
    const other = outbound.get(key);
    outbound.set(key, {
      ...edge,
      connections: Math.max(edge.connections, other?.connections ?? 0),
      requests: Math.max(edge.requests, other?.requests ?? 0),
    });
  }
  return [...outbound].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, edge]) => edge);
}

function addUp(edges: readonly Edge[]): Map<string, Edge> {
  const sums = new Map<string, Edge>();
  for (const edge of edges) {
    const key = [edge.source, edge.destination, edge.port, edge.transport, edge.reason].join(' ');
    const sum = sums.get(key);
    sums.set(key, {
      ...edge,
      connections: edge.connections + (sum?.connections ?? 0),
      requests: edge.requests + (sum?.requests ?? 0),
    });
  }
  return sums;
}
