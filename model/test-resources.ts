/** Resources for tests: complete, valid, and changed only in what a test speaks of. */
import { applyDelta } from './apply-delta.js';
import type { GrpcMethodMatch } from './grpc-expression.js';
import type { Mesh } from './mesh.js';
import { normalizePath, pathAmbiguities } from './normal-path.js';
import type { AuthorizationPolicy, HttpAttributes, PolicyRule } from './policy.js';
import type { RequestHead } from './request-head.js';
import { normalizeHost, pathEnd } from './request-head.js';
import type { Delta, Resource, ResourceBodies, ResourceKey, ResourceKind } from './resource.js';
import type { HttpRoute, HttpRouteMatch, HttpRouteRule, PathMatch } from './route.js';
import type { Endpoint, EndpointSet, Service } from './service.js';
import { emptySnapshot, type Snapshot } from './snapshot.js';
import type { Workload } from './workload.js';

export function mesh(changes: Partial<Mesh> = {}): Mesh {
  const ranges = [
    { cidr: '10.0.0.0/8', action: 'proxy' as const },
    { cidr: 'fd00::/8', action: 'proxy' as const },
  ];
  return {
    trustDomain: 'mesh.test',
    cluster: 'one',
    network: 'one',
    ranges,
    enrolledNamespaces: [],
    ...changes,
  };
}

export function workload(changes: Partial<Workload> = {}): Workload {
  const uid = changes.uid ?? 'cart-1';
  return {
    kind: 'unit',
    uid,
    name: uid,
    namespace: 'shop',
    serviceAccount: 'cart',
    trustDomain: 'mesh.test',
    cluster: 'one',
    network: 'one',
    node: 'node-1',
    locality: { region: '', zone: '' },
    labels: {},
    addresses: ['10.0.0.1'],
    ports: [],
    limits: { connections: 0, pendingRequests: 0, bufferedBytes: 0, cpuShare: 0 },
    captured: changes.capture !== null,
    capture: { netns: uid, failMode: 'closed', udp: 'allow', probePorts: [] },
    mtls: { mode: 'permissive', ports: {} },
    transport: 'plaintext',
    ...changes,
  };
}

export function service(changes: Partial<Service> = {}): Service {
  return {
    namespace: 'shop',
    name: 'cart',
    addresses: ['10.96.0.1'],
    ports: [{ name: 'http', port: 80, protocol: 'http' }],
    balancing: 'round-robin',
    affinitySeconds: 0,
    ...changes,
  };
}

export function endpoint(changes: Partial<Endpoint> = {}): Endpoint {
  return {
    workloadUid: 'cart-1',
    address: '10.0.0.1',
    ports: { 80: 8080 },
    ready: true,
    serving: true,
    zone: '',
    ...changes,
  };
}

export function endpointSet(endpoints: readonly Endpoint[], changes: Partial<EndpointSet> = {}): EndpointSet {
  return { namespace: 'shop', name: 'cart', endpoints, ...changes };
}

export function pathMatch(
  type: Exclude<PathMatch, GrpcMethodMatch>['type'],
  value: string,
  changes: Partial<HttpRouteMatch> = {},
): HttpRouteMatch {
  return { path: { type, value }, headers: [], queryParams: [], method: undefined, ...changes };
}

/** A match of gRPC methods; an empty part is any. */
export function grpcMatch(
  service: string,
  method: string,
  changes: Partial<HttpRouteMatch> = {},
): HttpRouteMatch {
  const path = { type: 'GrpcExact', service, method } as const;
  return { path, headers: [], queryParams: [], method: 'POST', ...changes };
}

export function rule(changes: Partial<HttpRouteRule> = {}): HttpRouteRule {
  return {
    name: '',
    matches: [pathMatch('PathPrefix', '/')],
    filters: [],
    backends: [{ service: { namespace: 'shop', name: 'cart', port: 80 }, weight: 1, filters: [] }],
    requestTimeoutMs: 0,
    backendTimeoutMs: 0,
    retry: undefined,
    ...changes,
  };
}

export function route(changes: Partial<HttpRoute> = {}): HttpRoute {
  return {
    kind: 'http-route',
    namespace: 'shop',
    name: 'cart',
    parents: [{ namespace: 'shop', name: 'cart', port: undefined }],
    hostnames: [],
    rules: [rule()],
    createdMs: 0,
    ...changes,
  };
}

export function policyRule(changes: Partial<PolicyRule> = {}): PolicyRule {
  return {
    sources: { serviceAccounts: [], namespaces: [], spiffeIds: [] },
    ports: [],
    http: null,
    ...changes,
  };
}

export function httpAttributes(changes: Partial<HttpAttributes> = {}): HttpAttributes {
  return { methods: [], paths: [], hosts: [], headers: [], ...changes };
}

export function policy(changes: Partial<AuthorizationPolicy> = {}): AuthorizationPolicy {
  return {
    namespace: 'shop',
    name: 'policy',
    targets: [],
    action: 'ALLOW',
    mode: 'Enforce',
    requireAuthenticated: false,
    rules: [],
    broken: false,
    ...changes,
  };
}

/** A resource under its own name and namespace. */
export function resource<Kind extends ResourceKind>(
  kind: Kind,
  body: ResourceBodies[Kind],
  version = '1',
): Resource {
  const { name, namespace } = keyOf(kind, body);
  return { kind, name, ownerNamespace: namespace, version, body } as Resource;
}

function keyOf<Kind extends ResourceKind>(
  kind: Kind,
  body: ResourceBodies[Kind],
): { name: string; namespace: string } {
  if (kind === 'mesh') return { name: 'mesh', namespace: '' };
  const { namespace, name, uid } = body as { namespace: string; name: string; uid?: string };
  return { name: kind === 'workload' ? (uid ?? '') : `${namespace}/${name}`, namespace };
}

export function delta(upserts: readonly Resource[], removals: readonly ResourceKey[] = []): Delta {
  return { upserts, removals };
}

/** A snapshot of resources that are all valid; throws where one is refused. */
export function snapshotOf(...resources: Resource[]): Snapshot {
  const { snapshot, refusals } = applyDelta(emptySnapshot, delta(resources), 1);
  if (refusals.length > 0) throw new Error(JSON.stringify(refusals));
  return snapshot;
}

/** A request as the proxy would present it. `headers` by lower-case name. */
export function request(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): RequestHead {
  const { authority, target } = splitUrl(url);
  const end = pathEnd(target);
  return {
    method,
    authority,
    host: normalizeHost(authority),
    path: normalizePath(target.slice(0, end)),
    ambiguities: pathAmbiguities(target.slice(0, end)),
    query: target.slice(end + 1),
    header: (name) => headers[name] ?? null,
  };
}

/** `http://host:port/path?query`, or a path alone for the authority `cart.shop`. */
function splitUrl(url: string): { authority: string; target: string } {
  const match = /^http:\/\/([^/]+)(.*)$/.exec(url);
  return match === null
    ? { authority: 'cart.shop', target: url }
    : { authority: match[1] ?? '', target: match[2] ?? '' };
}

/** Repeatable pseudo-random numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
