/** Puts a service, its endpoints and its routes together into what a request needs. */
import { type Candidate, type CandidateTiers, endpointKey } from './choose-endpoint.js';
import type { CompiledRoute } from './compile-route.js';
import { buildRouteTable, type RouteTable } from './match-route.js';
import { attachesTo, mostSpecificKind } from './route-kinds.js';
import type { Endpoint, EndpointSet, Service } from './service.js';
import type { ServicePortView, ServiceView } from './snapshot.js';

/**
 * Builds the view of a service.
 *
 * @param routes every route that names the service as a parent
 * @param previous the view before, whose unchanged parts are kept
 */
export function buildServiceView(
  service: Service,
  endpoints: EndpointSet | undefined,
  routes: readonly CompiledRoute[],
  previous: ServiceView | undefined,
): ServiceView {
  const key = `${service.namespace}/${service.name}`;
  const sameEndpoints =
    previous !== undefined && previous.endpoints === endpoints && previous.service === service;
  const ports = new Map<number, ServicePortView>();
  for (const port of service.ports) {
    const kept = sameEndpoints ? previous.ports.get(port.port) : undefined;
    ports.set(port.port, {
      serviceKey: key,
      service,
      port,
      ...attachRoutes(routes, service, port.port),
      tiers: kept?.tiers ?? buildTiers(endpoints?.endpoints ?? [], port.port),
    });
  }
  const endpointsByAddress = sameEndpoints
    ? previous.endpointsByAddress
    : new Map((endpoints?.endpoints ?? []).map((endpoint) => [endpoint.address, endpoint]));
  return { key, service, ports, endpoints, endpointsByAddress };
}

function buildTiers(endpoints: readonly Endpoint[], port: number): CandidateTiers {
  const ready: Candidate[] = [];
  const serving: Candidate[] = [];
  for (const { address, workloadUid, zone, ports, ...state } of endpoints) {
    const own = ports[port];
    if (own === undefined || !(state.ready || state.serving)) continue;
    const key = endpointKey(address, own);
    (state.ready ? ready : serving).push({ key, address, port: own, workloadUid, zone });
  }
  return [ready, serving];
}

function attachRoutes(
  routes: readonly CompiledRoute[],
  service: Service,
  port: number,
): Pick<ServicePortView, 'producerRoutes' | 'consumerRoutes'> {
  const byNamespace = new Map<string, CompiledRoute[]>();
  for (const compiled of routes) {
    if (!attachesTo(compiled.route, service, port)) continue;
    const list = byNamespace.get(compiled.route.namespace);
    if (list === undefined) byNamespace.set(compiled.route.namespace, [compiled]);
    else list.push(compiled);
  }
  const producerRoutes = buildRouteTable(mostSpecificKind(byNamespace.get(service.namespace) ?? []));
  const consumerRoutes = new Map<string, RouteTable>();
  for (const [namespace, list] of byNamespace) {
    const table = namespace === service.namespace ? null : buildRouteTable(mostSpecificKind(list));
    if (table !== null) consumerRoutes.set(namespace, table);
  }
  return { producerRoutes, consumerRoutes };
}
