/** Says where an HTTPRoute decides nothing because a GRPCRoute decides there (model/route-kinds.ts). */
import type { HttpRoute } from '../../model/route.js';
import { attachesTo, mostSpecificKind } from '../../model/route-kinds.js';
import type { RouteManifest, ServiceManifest } from '../parse/manifest.js';
import type { CrossCheck, Stored } from './manifests-by-kind.js';

/** A route that is attached to at least one service. */
export interface BuiltRoute {
  readonly stored: Stored<RouteManifest>;
  readonly route: HttpRoute;
}

export function checkRouteKinds(
  built: readonly BuiltRoute[],
  services: ReadonlyMap<string, ServiceManifest>,
  check: CrossCheck,
): void {
  const grpcRoutes = built.filter(({ route }) => route.kind === 'grpc-route');
  if (grpcRoutes.length === 0) return;
  for (const { stored, route } of built) {
    if (route.kind === 'grpc-route') continue;
    // Routes of one namespace are one group: producers' where it is the service's own, consumers' elsewhere.
    const rivals = grpcRoutes.filter((other) => other.route.namespace === route.namespace);
    for (const { service } of services.values()) {
      for (const { port } of service.ports) {
        const group = [{ route }, ...rivals].filter((one) => attachesTo(one.route, service, port));
        if (group[0]?.route !== route) continue;
        const [first] = mostSpecificKind(group);
        if (first === undefined || first.route === route) continue;
        const winner = `GRPCRoute ${first.route.namespace}/${first.route.name}`;
        const message = `of ${service.namespace}/${service.name} is decided by ${winner} alone (GEP-1294)`;
        const fix = 'attach each kind to a port of its own, or write all as one kind';
        check.error(stored, ['spec', 'parentRefs'], `port ${port}`, message, fix, 'nothing', 'Conflicted');
      }
    }
  }
}
