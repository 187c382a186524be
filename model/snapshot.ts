/**
 * Everything that decisions read, immutable: a request is decided by exactly one snapshot. The next snapshot
 * shares whatever did not change (see apply-delta.ts).
 */
import { buildRangeTable, type RangeTable } from './address-ranges.js';
import { buildProgram, openProgram, type PolicyProgram } from './authorize.js';
import type { CandidateTiers } from './choose-endpoint.js';
import type { CompiledPolicy } from './compile-policy.js';
import type { CompiledRoute } from './compile-route.js';
import type { RouteTable } from './match-route.js';
import type { Mesh, RangeAction } from './mesh.js';
import { PersistentMap } from './persistent-map.js';
import type { PolicyTarget } from './policy.js';
import type { Resource } from './resource.js';
import type { Endpoint, EndpointSet, Service, ServicePort } from './service.js';
import type { Source } from './source.js';
import type { Workload } from './workload.js';
import type { IndexedWorkload } from './workload-index.js';

/** A workload with what is derived from it alone. */
export interface WorkloadView {
  readonly workload: Workload;
  /** The workload label of metrics. */
  readonly label: string;
  /** The workload as a source that is known by its address. */
  readonly addressed: Source;
  /** The workload as a source that mutual TLS has proven. */
  readonly authenticated: Source;
  /** Known from an index alone: its ports, its labels and the policies that select it are not known. */
  readonly indexed: boolean;
}

/** A workload that an index names. */
export interface IndexedView {
  /** Name of the index that named it last: only that one takes it away. */
  readonly index: string;
  readonly entry: IndexedWorkload;
  readonly view: WorkloadView;
}

/** One port of a service, with everything a request to it needs. */
export interface ServicePortView {
  /** `namespace/name` of its service. */
  readonly serviceKey: string;
  readonly service: Service;
  readonly port: ServicePort;
  /** Routes of the service's own namespace: they decide for every client that has no routes of its own. */
  readonly producerRoutes: RouteTable | null;
  /** Routes of other namespaces, by namespace: each decides for its own namespace's clients only (GEP-1294). */
  readonly consumerRoutes: ReadonlyMap<string, RouteTable>;
  readonly tiers: CandidateTiers;
}

export interface ServiceView {
  /** `namespace/name` */
  readonly key: string;
  readonly service: Service;
  /** By port number. */
  readonly ports: ReadonlyMap<number, ServicePortView>;
  /**
   * What the ports were made of; undefined until the service's endpoints have arrived. They come last: then the routes
   * attached to it, and the same of the services that those name, are there too.
   */
  readonly endpoints: EndpointSet | undefined;
  readonly endpointsByAddress: ReadonlyMap<string, Endpoint>;
}

/** The policies of one namespace. */
export interface NamespacePolicies {
  /** By name. */
  readonly policies: readonly CompiledPolicy[];
  /** Uids and addresses behind the services that policies of the namespace target, by the service's name. */
  readonly members: ReadonlyMap<string, ReadonlySet<string>>;
  /** Programs already put together, by workload and by the keys of their policies: only {@link programOf} looks. */
  readonly programs: WeakMap<WorkloadView, PolicyProgram>;
  readonly programsByPolicies: Map<string, PolicyProgram>;
}

export interface Snapshot {
  /** The controller's number of the view that it reflects; grows. */
  readonly version: number;
  /** null until the mesh resource has arrived: everything is outside. */
  readonly mesh: Mesh | null;
  readonly ranges: RangeTable<RangeAction>;
  /** Every resource in force, by {@link resourceId}. */
  readonly resources: PersistentMap<Resource>;
  /** By uid, those with details and those that an index names. */
  readonly workloads: PersistentMap<WorkloadView>;
  /** By uid. */
  readonly indexed: PersistentMap<IndexedView>;
  /** By address, the newest claim first: an address may be given to a new pod before the old one is gone. */
  readonly workloadsByAddress: PersistentMap<readonly WorkloadView[]>;
  /** By `namespace/name`. */
  readonly services: PersistentMap<ServiceView>;
  /** Service key by virtual address. */
  readonly servicesByAddress: PersistentMap<string>;
  /** Keys of the services that an endpoint's address stands behind, sorted. */
  readonly servicesByEndpoint: PersistentMap<readonly string[]>;
  /** By the parent service's key. */
  readonly routesByService: PersistentMap<readonly CompiledRoute[]>;
  /** By namespace. */
  readonly policies: PersistentMap<NamespacePolicies>;
  /** Uses of each header name that matches and policies read. */
  readonly headerUses: PersistentMap<number>;
  /** Those names, sorted: what {@link RequestHead.header} must be able to answer. */
  readonly headerNames: readonly string[];
}

/** A snapshot of nothing. */
export const emptySnapshot: Snapshot = {
  version: 0,
  mesh: null,
  ranges: buildRangeTable([]),
  resources: PersistentMap.empty(),
  workloads: PersistentMap.empty(),
  indexed: PersistentMap.empty(),
  workloadsByAddress: PersistentMap.empty(),
  services: PersistentMap.empty(),
  servicesByAddress: PersistentMap.empty(),
  servicesByEndpoint: PersistentMap.empty(),
  routesByService: PersistentMap.empty(),
  policies: PersistentMap.empty(),
  headerUses: PersistentMap.empty(),
  headerNames: [],
};

/** Key of {@link Snapshot.resources}. */
export function resourceId(kind: Resource['kind'], name: string): string {
  return `${kind}:${name}`;
}

/** The workload that owns an address, or undefined. */
export function workloadAt(snapshot: Snapshot, address: string): WorkloadView | undefined {
  return snapshot.workloadsByAddress.get(address)?.[0];
}

/** The routes that decide for a client of a namespace, or null: its requests go to the service's own endpoints. */
export function routesFor(port: ServicePortView, clientNamespace: string): RouteTable | null {
  if (port.consumerRoutes.size === 0) return port.producerRoutes;
  return port.consumerRoutes.get(clientNamespace) ?? port.producerRoutes;
}

/**
 * The policies that select a workload. Put together at first use and kept with the namespace's policies. None for one
 * that is known from an index alone: some of its namespace's policies without the others could refuse too much.
 */
export function programOf(snapshot: Snapshot, view: WorkloadView): PolicyProgram {
  if (view.indexed) return openProgram;
  const space = snapshot.policies.get(view.workload.namespace);
  if (space === undefined) return openProgram;
  const kept = space.programs.get(view);
  if (kept !== undefined) return kept;
  const selected = space.policies.filter((policy) => selects(space, policy, view.workload));
  const key = selected.map((policy) => policy.key).join(' ');
  let program = space.programsByPolicies.get(key);
  if (program === undefined) {
    program = selected.length === 0 ? openProgram : buildProgram(selected);
    space.programsByPolicies.set(key, program);
  }
  space.programs.set(view, program);
  return program;
}

function selects(space: NamespacePolicies, { policy }: CompiledPolicy, workload: Workload): boolean {
  if (policy.targets.length === 0) return true;
  return policy.targets.some((target) => isTarget(space, target, workload));
}

function isTarget(space: NamespacePolicies, target: PolicyTarget, workload: Workload): boolean {
  switch (target.kind) {
    case 'Selector':
      return Object.entries(target.labels).every(([name, value]) => workload.labels[name] === value);
    case 'Service': {
      const members = space.members.get(target.name);
      if (members === undefined) return false;
      return members.has(workload.uid) || workload.addresses.some((address) => members.has(address));
    }
  }
}
