/** Says where an HTTPRoute decides nothing because a GRPCRoute decides there (model/route-kinds.ts). */
import type { HttpRoute } from '../../model/route.js';
import { attachesTo, mostSpecificKind } from '../../model/route-kinds.js';
import type { Grouping } from '../derive/grouping.js';
import type { Table } from '../derive/table.js';
import type { RouteManifest, ServiceManifest } from '../parse/manifest.js';
import type { CrossCheck, Stored } from './cross-check.js';

/** A route that is attached to at least one service. */
export interface BuiltRoute {
  readonly stored: Stored<RouteManifest>;
  readonly route: HttpRoute;
}

/** `grpc`: GRPCRoutes by namespace. */
export function checkRouteKinds(
  { stored, route }: BuiltRoute,
  grpc: Grouping<BuiltRoute>,
  services: Table<Stored<ServiceManifest>>,
  check: CrossCheck,
): void {
  if (route.kind === 'grpc-route') return;
  // Routes of one namespace are one group: producers' where it is the service's own, consumers' elsewhere.
  const rivals = grpc.get(route.namespace);
  if (rivals.length === 0) return;
  const parents = new Set(route.parents.map(({ namespace, name }) => `${namespace}/${name}`));
  for (const parent of [...parents].sort()) {
    const service = services.get(parent)?.manifest.service;
    for (const { port } of service?.ports ?? []) {
      if (service === undefined || !attachesTo(route, service, port)) continue;
      const group = [{ route }, ...rivals.filter((other) => attachesTo(other.route, service, port))];
      const [first] = mostSpecificKind(group);
      if (first === undefined || first.route === route) continue;
      const winner = `GRPCRoute ${first.route.namespace}/${first.route.name}`;
      const message = `of ${service.namespace}/${service.name} is decided by ${winner} alone (GEP-1294)`;
      const fix = 'attach each kind to a port of its own, or write all as one kind';
      check.error(stored, ['spec', 'parentRefs'], `port ${port}`, message, fix, 'nothing', 'Conflicted');
    }
  }
}
