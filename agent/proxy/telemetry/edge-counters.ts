/**
 * Who talks to whom, by which transport, and why not encrypted where it is not: counted by numbers while traffic passes,
 * told as text for people.
 */
import { plaintextCauses } from '../../../model/plaintext-cause.js';
import { reasonName } from '../../../reasons/reasons.js';
import { Transport, transportName } from '../worker/transport.js';
import type { LabelTable } from './label-table.js';

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

interface Counts {
  connections: number;
  requests: number;
}

/** What a connection or request adds to an edge. */
export interface EdgeUse {
  readonly sourceId: number;
  readonly destinationId: number;
  readonly port: number;
  readonly transport: number;
  /** Index into plaintextCauses. */
  readonly cause: number;
  /** Reason code of a refusal for the sake of transport; 0 for none. */
  readonly refusal: number;
}

const maxPairs = 10_000;
const maxPortsOfPair = 256;
/** Refusals come behind the causes. */
const firstRefusal = 16;

export class EdgeCounters {
  readonly #labels: LabelTable;
  /** By source × 32768 + destination; then by port, transport and reason. */
  readonly #pairs = new Map<number, Map<number, Counts>>();

  constructor(labels: LabelTable) {
    this.#labels = labels;
  }

  countConnection(use: EdgeUse): void {
    this.#find(use).connections += 1;
  }

  countRequest(use: EdgeUse): void {
    this.#find(use).requests += 1;
  }

  list(): Edge[] {
    const edges: Edge[] = [];
    for (const [pair, byKey] of this.#pairs) {
      const [source, destination] = [this.#name(Math.floor(pair / 32768)), this.#name(pair % 32768)];
      for (const [key, counts] of byKey) edges.push({ source, destination, ...readKey(key), ...counts });
    }
    return edges;
  }

  #find(use: EdgeUse): Counts {
    const pair = use.sourceId * 32768 + use.destinationId;
    const byKey = this.#pairs.get(pair) ?? this.#addPair(pair);
    const key = keyOf(use, use.port);
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const room = byKey.size < maxPortsOfPair;
    const made = (room ? undefined : byKey.get(keyOf(use, 0))) ?? { connections: 0, requests: 0 };
    byKey.set(room ? key : keyOf(use, 0), made);
    return made;
  }

  #addPair(pair: number): Map<number, Counts> {
    const key = this.#pairs.size < maxPairs ? pair : 0;
    const byKey = this.#pairs.get(key) ?? new Map<number, Counts>();
    this.#pairs.set(key, byKey);
    return byKey;
  }

  #name(id: number): string {
    const { namespace, workload } = this.#labels.workload(id);
    return `${namespace}/${workload}`;
  }
}

function keyOf({ transport, cause, refusal }: EdgeUse, port: number): number {
  const detail = refusal === 0 ? cause : firstRefusal + refusal;
  return (port * 4 + (refusal === 0 ? transport : Transport.none)) * 2048 + detail;
}

function readKey(key: number): Pick<Edge, 'port' | 'transport' | 'reason'> {
  const detail = key % 2048;
  const rest = Math.floor(key / 2048);
  return {
    port: Math.floor(rest / 4),
    transport: transportName(rest % 4),
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
