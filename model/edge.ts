/** Who talks to whom, by which transport, as proxies count it and people are told. */

/** Both ends are labels of metrics; one edge stands for all pods of a workload. */
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

/** What one counter saw: edges of connections that its workloads made, and of those that came to them. */
export interface EdgeEnds {
  readonly outbound: readonly Edge[];
  readonly inbound: readonly Edge[];
}

/**
 * One list of those of several counters (workers, nodes). Each end tells of the edge: it is one, and what the end that
 * saw more of it has counted is told.
 */
export function mergeEdges(lists: readonly EdgeEnds[]): Edge[] {
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
