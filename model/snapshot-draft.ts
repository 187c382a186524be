/** A snapshot in the making: takes resources in and out and keeps every index in step; see apply-delta.ts. */
import { buildRangeTable } from './address-ranges.js';
import { buildServiceView } from './build-service.js';
import { CompiledPolicy } from './compile-policy.js';
import { type CompiledRoute, compileRoute } from './compile-route.js';
import type { Mesh } from './mesh.js';
import type { MapEdit, PersistentMap } from './persistent-map.js';
import type { AuthorizationPolicy } from './policy.js';
import type { Resource, ResourceKey, ResourceKind } from './resource.js';
import type { HttpRoute } from './route.js';
import type { EndpointSet, Service } from './service.js';
import { type NamespacePolicies, resourceId, type Snapshot, type WorkloadView } from './snapshot.js';
import { sourceOf } from './source.js';
import type { Workload } from './workload.js';
import { workloadLabel } from './workload-label.js';

/** What a delta touched, derived views included: what a holder of state for them must look at. */
export interface Touched {
  /** Uids. */
  readonly workloads: ReadonlySet<string>;
  /** Keys: the service, its endpoints or its routes changed. */
  readonly services: ReadonlySet<string>;
  /** Namespaces whose policies or their targets changed. */
  readonly policies: ReadonlySet<string>;
  readonly mesh: boolean;
}

export class SnapshotDraft {
  readonly #before: Snapshot;
  #mesh: Mesh | null;
  readonly #resources: MapEdit<Resource>;
  readonly #workloads: MapEdit<WorkloadView>;
  readonly #workloadsByAddress: MapEdit<readonly WorkloadView[]>;
  readonly #servicesByAddress: MapEdit<string>;
  readonly #servicesByEndpoint: MapEdit<readonly string[]>;
  readonly #routes: MapEdit<CompiledRoute>;
  readonly #routesByService: MapEdit<readonly CompiledRoute[]>;
  readonly #headerUses: MapEdit<number>;
  /** Policies of the namespaces that change, by name. */
  readonly #policies = new Map<string, Map<string, CompiledPolicy>>();
  readonly #touchedWorkloads = new Set<string>();
  readonly #touchedServices = new Set<string>();
  readonly #touchedPolicies = new Set<string>();

  constructor(before: Snapshot) {
    this.#before = before;
    this.#mesh = before.mesh;
    this.#resources = before.resources.edit();
    this.#workloads = before.workloads.edit();
    this.#workloadsByAddress = before.workloadsByAddress.edit();
    this.#servicesByAddress = before.servicesByAddress.edit();
    this.#servicesByEndpoint = before.servicesByEndpoint.edit();
    this.#routes = before.routes.edit();
    this.#routesByService = before.routesByService.edit();
    this.#headerUses = before.headerUses.edit();
  }

  /** The resource in force. */
  resource(kind: ResourceKind, name: string): Resource | undefined {
    return this.#resources.get(resourceId(kind, name));
  }

  /** Key of the service that has a virtual address. */
  serviceAt(address: string): string | undefined {
    return this.#servicesByAddress.get(address);
  }

  /** Takes a resource in, in place of the one of its name. */
  put(resource: Resource): void {
    this.#index(resource, this.resource(resource.kind, resource.name));
    this.#resources.set(resourceId(resource.kind, resource.name), resource);
  }

  remove({ kind, name }: ResourceKey): void {
    const standing = this.resource(kind, name);
    if (standing === undefined) return;
    this.#unindex(standing);
    this.#resources.delete(resourceId(kind, name));
  }

  #index(resource: Resource, standing: Resource | undefined): void {
    if (standing !== undefined) this.#unindex(standing);
    switch (resource.kind) {
      case 'mesh':
        this.#mesh = resource.body;
        break;
      case 'workload':
        this.#addWorkload(resource.body);
        break;
      case 'service':
        this.#addService(resource.name, resource.body);
        break;
      case 'endpoints':
        this.#addEndpoints(resource.name, resource.body);
        break;
      case 'http-route':
        this.#addRoute(compileRoute(resource.body));
        break;
      case 'authorization-policy':
        this.#addPolicy(resource.body);
        break;
    }
  }

  #unindex(resource: Resource): void {
    switch (resource.kind) {
      case 'mesh':
        this.#mesh = null;
        break;
      case 'workload':
        this.#dropWorkload(resource.body);
        break;
      case 'service':
        for (const address of resource.body.addresses) this.#servicesByAddress.delete(address);
        this.#touchedServices.add(resource.name);
        break;
      case 'endpoints':
        this.#dropEndpoints(resource.name, resource.body);
        break;
      case 'http-route':
        this.#dropRoute(resource.name, resource.body);
        break;
      case 'authorization-policy':
        this.#dropPolicy(resource.body);
        break;
    }
  }

  #addWorkload(workload: Workload): void {
    const view: WorkloadView = {
      workload,
      label: workloadLabel(workload),
      addressed: sourceOf(workload, false),
      authenticated: sourceOf(workload, true),
    };
    this.#workloads.set(workload.uid, view);
    for (const address of workload.addresses) {
      this.#workloadsByAddress.set(address, [view, ...(this.#workloadsByAddress.get(address) ?? [])]);
    }
    this.#touchedWorkloads.add(workload.uid);
  }

  #dropWorkload(workload: Workload): void {
    this.#workloads.delete(workload.uid);
    for (const address of workload.addresses) {
      const claims = this.#workloadsByAddress.get(address) ?? [];
      const others = claims.filter((view) => view.workload.uid !== workload.uid);
      setOrDelete(this.#workloadsByAddress, address, others);
    }
    this.#touchedWorkloads.add(workload.uid);
  }

  #addService(key: string, service: Service): void {
    for (const address of service.addresses) this.#servicesByAddress.set(address, key);
    this.#touchedServices.add(key);
  }

  #addEndpoints(key: string, set: EndpointSet): void {
    for (const { address } of set.endpoints) {
      const keys = new Set(this.#servicesByEndpoint.get(address)).add(key);
      this.#servicesByEndpoint.set(address, [...keys].sort());
    }
    this.#touchEndpoints(key, set);
  }

  #dropEndpoints(key: string, set: EndpointSet): void {
    for (const { address } of set.endpoints) {
      const keys = this.#servicesByEndpoint.get(address) ?? [];
      const others = keys.filter((other) => other !== key);
      setOrDelete(this.#servicesByEndpoint, address, others);
    }
    this.#touchEndpoints(key, set);
  }

  /** Endpoints are their service's, and say whom policies that target the service select. */
  #touchEndpoints(key: string, { namespace, name }: EndpointSet): void {
    this.#touchedServices.add(key);
    const targeted = [...this.#policiesOf(namespace).values()].some((policy) => targetsService(policy, name));
    if (targeted) this.#touchedPolicies.add(namespace);
  }

  #addRoute(compiled: CompiledRoute): void {
    this.#routes.set(compiled.key, compiled);
    for (const key of parentKeys(compiled.route)) {
      this.#routesByService.set(key, [...(this.#routesByService.get(key) ?? []), compiled]);
      this.#touchedServices.add(key);
    }
    this.#useHeaders(compiled.headerNames, 1);
  }

  #dropRoute(routeKey: string, route: HttpRoute): void {
    for (const key of parentKeys(route)) {
      const others = (this.#routesByService.get(key) ?? []).filter((other) => other.key !== routeKey);
      setOrDelete(this.#routesByService, key, others);
      this.#touchedServices.add(key);
    }
    this.#useHeaders(this.#routes.get(routeKey)?.headerNames ?? [], -1);
    this.#routes.delete(routeKey);
  }

  #addPolicy(policy: AuthorizationPolicy): void {
    const compiled = new CompiledPolicy(policy);
    this.#policiesOf(policy.namespace).set(policy.name, compiled);
    this.#useHeaders(compiled.headerNames, 1);
    this.#touchedPolicies.add(policy.namespace);
  }

  #dropPolicy({ namespace, name }: AuthorizationPolicy): void {
    const policies = this.#policiesOf(namespace);
    this.#useHeaders(policies.get(name)?.headerNames ?? [], -1);
    policies.delete(name);
    this.#touchedPolicies.add(namespace);
  }

  #policiesOf(namespace: string): Map<string, CompiledPolicy> {
    let policies = this.#policies.get(namespace);
    if (policies === undefined) {
      const before = this.#before.policies.get(namespace)?.policies ?? [];
      policies = new Map(before.map((policy) => [policy.policy.name, policy]));
      this.#policies.set(namespace, policies);
    }
    return policies;
  }

  #useHeaders(names: readonly string[], change: 1 | -1): void {
    for (const name of names) {
      const uses = (this.#headerUses.get(name) ?? 0) + change;
      if (uses > 0) this.#headerUses.set(name, uses);
      else this.#headerUses.delete(name);
    }
  }

  finish(version: number): { snapshot: Snapshot; touched: Touched } {
    const before = this.#before;
    const services = before.services.edit();
    for (const key of this.#touchedServices) {
      const service = this.resource('service', key);
      if (service?.kind !== 'service') services.delete(key);
      else {
        const routes = this.#routesByService.get(key) ?? [];
        services.set(
          key,
          buildServiceView(service.body, this.#endpointsOf(key), routes, before.services.get(key)),
        );
      }
    }
    const policies = before.policies.edit();
    for (const namespace of this.#touchedPolicies) {
      const space = this.#buildPolicies(namespace);
      if (space === null) policies.delete(namespace);
      else policies.set(namespace, space);
    }
    const headerUses = this.#headerUses.finish();
    const mesh = this.#mesh;
    const snapshot: Snapshot = {
      version,
      mesh,
      ranges:
        mesh === before.mesh
          ? before.ranges
          : buildRangeTable((mesh?.ranges ?? []).map(({ cidr, action }) => [cidr, action])),
      resources: this.#resources.finish(),
      workloads: this.#workloads.finish(),
      workloadsByAddress: this.#workloadsByAddress.finish(),
      services: services.finish(),
      servicesByAddress: this.#servicesByAddress.finish(),
      servicesByEndpoint: this.#servicesByEndpoint.finish(),
      routes: this.#routes.finish(),
      routesByService: this.#routesByService.finish(),
      policies: policies.finish(),
      headerUses,
      headerNames: namesOf(headerUses, before),
    };
    const touched: Touched = {
      workloads: this.#touchedWorkloads,
      services: this.#touchedServices,
      policies: this.#touchedPolicies,
      mesh: mesh !== before.mesh,
    };
    return { snapshot, touched };
  }

  #endpointsOf(serviceKey: string): EndpointSet | undefined {
    const resource = this.resource('endpoints', serviceKey);
    return resource?.kind === 'endpoints' ? resource.body : undefined;
  }

  #buildPolicies(namespace: string): NamespacePolicies | null {
    const policies = [...this.#policiesOf(namespace).values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    if (policies.length === 0) return null;
    const members = new Map<string, ReadonlySet<string>>();
    for (const { policy } of policies) {
      for (const target of policy.targets) {
        if (target.kind === 'Service')
          members.set(target.name, this.#membersOf(`${namespace}/${target.name}`));
      }
    }
    return { policies, members, programs: new Map(), programsByPolicies: new Map() };
  }

  #membersOf(serviceKey: string): ReadonlySet<string> {
    const endpoints = this.#endpointsOf(serviceKey)?.endpoints ?? [];
    return new Set(endpoints.flatMap(({ workloadUid, address }) => [workloadUid, address]));
  }
}

function setOrDelete<Value>(edit: MapEdit<readonly Value[]>, key: string, list: readonly Value[]): void {
  if (list.length > 0) edit.set(key, list);
  else edit.delete(key);
}

function targetsService({ policy }: CompiledPolicy, name: string): boolean {
  return policy.targets.some((target) => target.kind === 'Service' && target.name === name);
}

function parentKeys(route: HttpRoute): Set<string> {
  return new Set(route.parents.map(({ namespace, name }) => `${namespace}/${name}`));
}

/** The sorted names; the list before where it is the same. */
function namesOf(uses: PersistentMap<number>, before: Snapshot): readonly string[] {
  const names = [...uses.entries()].map(([name]) => name).sort();
  const same =
    names.length === before.headerNames.length && names.every((name, at) => name === before.headerNames[at]);
  return same ? before.headerNames : names;
}
