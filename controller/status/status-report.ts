/** What the controller tells about itself: resources, problems, nodes. */
import { countTransports, type TransportCounts } from '../../model/count-transports.js';
import type { Resource } from '../../model/resource.js';
import type { NodeStatus, Publisher } from '../publish/publisher.js';
import type { StatusProblem } from '../resources/status-problem.js';

export interface StatusReport {
  /** Version of what is published; 0 before the first time. */
  readonly version: number;
  /** For people: "reached 2 of 3 nodes at version 17". */
  readonly summary: string;
  readonly resources: readonly {
    readonly kind: string;
    readonly name: string;
    readonly ownerNamespace: string;
    readonly version: string;
  }[];
  readonly problems: readonly StatusProblem[];
  readonly nodes: readonly NodeStatus[];
  readonly transports: TransportCounts;
}

export function reportStatus(
  { snapshot }: Publisher,
  nodes: readonly NodeStatus[],
  problems: readonly StatusProblem[],
): StatusReport {
  const version = snapshot?.version ?? 0;
  const reached = nodes.filter((node) => node.connected && node.ackedVersion === version).length;
  return {
    version,
    summary: `reached ${reached} of ${nodes.length} nodes at version ${version}`,
    resources: [...(snapshot?.resources.values() ?? [])].map(
      ({ kind, name, ownerNamespace, version: resourceVersion }) => ({
        kind,
        name,
        ownerNamespace,
        version: resourceVersion,
      }),
    ),
    problems,
    nodes,
    transports: countTransports(
      [...(snapshot?.resources.values() ?? [])].flatMap((one) => (one.kind === 'workload' ? [one.body] : [])),
    ),
  };
}

/** The routes that are published, whole: nodes hold those alone that their workloads use. */
export function publishedRoutes({ snapshot }: Pick<Publisher, 'snapshot'>): {
  readonly version: number;
  readonly resources: readonly Resource[];
} {
  const resources = [...(snapshot?.resources.values() ?? [])].filter(
    ({ kind }) => kind === 'http-route' || kind === 'grpc-route',
  );
  return { version: snapshot?.version ?? 0, resources };
}
