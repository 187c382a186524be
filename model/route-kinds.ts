/**
 * Which routes count where several attach to one port of a service (GEP-1294, "Route types"): those of the most
 * specific kind only, a GRPCRoute before an HTTPRoute. Routes of the service's own namespace and those of each other
 * namespace are groups of their own, since no request is ever decided by two groups.
 */
import type { HttpRoute } from './route.js';

/** A service as routes name it. */
interface ParentService {
  readonly namespace: string;
  readonly name: string;
}

/** Whether a route names this port of a service as its parent. */
export function attachesTo(route: HttpRoute, service: ParentService, port: number): boolean {
  return route.parents.some(
    (parent) =>
      parent.namespace === service.namespace &&
      parent.name === service.name &&
      (parent.port === undefined || parent.port === port),
  );
}

/** Of the routes of one group that attach to one port, those that decide there. */
export function mostSpecificKind<Held extends { readonly route: HttpRoute }>(
  group: readonly Held[],
): readonly Held[] {
  const grpc = group.filter(({ route }) => route.kind === 'grpc-route');
  return grpc.length > 0 ? grpc : group;
}
