/**
 * Which endpoints of a service one node may use, as kube-proxy on that node would: internalTrafficPolicy, and the hints
 * that the API server's EndpointSlice controller gives for trafficDistribution (k8s.io/kubernetes/pkg/proxy/topology.go).
 */
import type { Endpoint, EndpointSet } from '../../model/service.js';

/** Where an endpoint is, and for whom it is meant. */
export interface EndpointPlace {
  /** Empty where the slice does not say. */
  readonly node: string;
  /** `hints.forZones`; empty: for everybody. */
  readonly forZones: readonly string[];
  /** `hints.forNodes`; empty: for everybody. */
  readonly forNodes: readonly string[];
}

/** What narrows a service's endpoints down by node. */
export interface EndpointScope {
  /** internalTrafficPolicy Local: endpoints of the caller's own node alone, even if there is none. */
  readonly localOnly: boolean;
  /** By address. */
  readonly places: ReadonlyMap<string, EndpointPlace>;
}

/** All scopes, and what they need to know of nodes. */
export interface NodeScopes {
  /** By `namespace/name` of the service; only of services whose endpoints are not for everybody. */
  readonly services: ReadonlyMap<string, EndpointScope>;
  /** Zone by node. */
  readonly zones: ReadonlyMap<string, string>;
}

export const noScopes: NodeScopes = { services: new Map(), zones: new Map() };

/** A node, as scopes see it. */
export interface NodePlace {
  readonly name: string;
  /** Empty where its labels do not say. */
  readonly zone: string;
}

/**
 * The set as one node gets it. Endpoints that it must not use stay in it, neither ready nor serving: they are still the
 * service's, to which policies and protocols refer.
 */
export function scopeEndpoints(set: EndpointSet, scope: EndpointScope, node: NodePlace): EndpointSet {
  const usable = chooseUsable(set.endpoints, scope, node);
  if (usable === null) return set;
  const endpoints = set.endpoints.map((endpoint) =>
    usable(endpoint) ? endpoint : { ...endpoint, ready: false, serving: false },
  );
  return { ...set, endpoints };
}

/** Nodes of the same text get the same set: those that share a zone, but for the nodes that endpoints are named for. */
export function scopeKey({ localOnly, places }: EndpointScope, { name, zone }: NodePlace): string {
  const named = [...places.values()].some(({ node, forNodes }) =>
    localOnly ? node === name : forNodes.includes(name),
  );
  if (named) return `node ${name}`;
  return localOnly ? '' : `zone ${zone}`;
}

/** A scope as one text: equal texts narrow equal sets down alike. */
export function describeScope({ localOnly, places }: EndpointScope, zones: NodeScopes['zones']): string {
  const sorted = [...places].sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([localOnly, sorted, localOnly ? [] : [...zones].sort()]);
}

/** null: all of them. */
function chooseUsable(
  endpoints: readonly Endpoint[],
  { localOnly, places }: EndpointScope,
  node: NodePlace,
): ((endpoint: Endpoint) => boolean) | null {
  if (localOnly) return ({ address }) => places.get(address)?.node === node.name;
  const ready = endpoints.filter((endpoint) => endpoint.ready).map(({ address }) => places.get(address));
  if (ready.length === 0) return null;
  // One endpoint without a hint: the hints are not complete, so nobody goes by them.
  const byNode = ready.every((place) => (place?.forNodes.length ?? 0) > 0);
  if (byNode && ready.some((place) => place?.forNodes.includes(node.name))) {
    return ({ address }) => places.get(address)?.forNodes.includes(node.name) === true;
  }
  const byZone = node.zone !== '' && ready.every((place) => (place?.forZones.length ?? 0) > 0);
  if (byZone && ready.some((place) => place?.forZones.includes(node.zone))) {
    return ({ address }) => places.get(address)?.forZones.includes(node.zone) === true;
  }
  return null;
}
