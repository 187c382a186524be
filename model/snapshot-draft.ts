/** A snapshot in the making: takes resources in and out and keeps every index in step; see apply-delta.ts. */
import { buildRangeTable } from './address-ranges.js';
import { buildServiceView } from './build-service.js';
import { type CompiledRoute, compileRoute } from './compile-route.js';
import { HeaderDraft } from './header-draft.js';
import type { Mesh } from './mesh.js';
import type { MapEdit } from './persistent-map.js';
import { PolicyDraft } from './policy-draft.js';
import type { Resource, ResourceKey, ResourceKind } from './resource.js';
import type { HttpRoute } from './route.js';
import type { EndpointSet, Service } from './service.js';
import { resourceId, type Snapshot, type WorkloadView } from './snapshot.js';
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
  readonly #headers: HeaderDraft;
  readonly #policies: PolicyDraft;
  readonly #touchedWorkloads = new Set<string>();
  readonly #touchedServices = new Set<string>();

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
    this.#headers = new HeaderDraft(before);
    this.#policies = new PolicyDraft(before.policies);
  }

  /** The resource in force. */
  resource<Kind extends ResourceKind>(
    kind: Kind,
    name: string,
  ): Extract<Resource, { kind: Kind }> | undefined {
    return this.#resources.get(resourceId(kind, name)) as Extract<Resource, { kind: Kind }> | undefined;
  }

  /** Key of the service that has a virtual address. */
  serviceAt(address: string): string | undefined {
    return this.#servicesByAddress.get(address);
  }

  /** Takes a resource in, in place of the one of its name. */
  put(resource: Resource): void {
    const { name } = resource;
    switch (resource.kind) {
      case 'mesh':
        this.#mesh = resource.body;
        break;
      case 'workload':
        this.#replaceWorkload(this.resource('workload', name)?.body, resource.body);
        break;
      case 'service':
        this.#dropStanding(resource);
        this.#addService(name, resource.body);
        break;
      case 'endpoints':
        this.#replaceEndpoints(name, this.resource('endpoints', name)?.body, resource.body);
        break;
      case 'http-route':
        this.#dropStanding(resource);
        this.#addRoute(compileRoute(resource.body));
        break;
      case 'authorization-policy':
        this.#dropStanding(resource);
        this.#headers.count(this.#policies.put(resource.body).headerNames, 1);
        break;
    }
    this.#resources.set(resourceId(resource.kind, name), resource);
  }

  #dropStanding({ kind, name }: ResourceKey): void {
    const standing = this.resource(kind, name);
    if (standing !== undefined) this.#drop(standing);
  }

  remove({ kind, name }: ResourceKey): void {
    const standing = this.resource(kind, name);
    if (standing === undefined) return;
    this.#drop(standing);
    this.#resources.delete(resourceId(kind, name));
  }

  #drop(resource: Resource): void {
    switch (resource.kind) {
      case 'mesh':
        this.#mesh = null;
        break;
      case 'workload':
        this.#replaceWorkload(resource.body, undefined);
        break;
      case 'service':
        for (const address of resource.body.addresses) this.#servicesByAddress.delete(address);
        this.#touchedServices.add(resource.name);
        break;
      case 'endpoints':
        this.#replaceEndpoints(resource.name, resource.body, undefined);
        break;
      case 'http-route':
        this.#dropRoute(resource.name, resource.body);
        break;
      case 'authorization-policy':
        this.#headers.count(this.#policies.drop(resource.body)?.headerNames ?? [], -1);
        break;
    }
  }

  /** The newest claim of an address comes first; a workload that only changes keeps its place. */
  #replaceWorkload(before: Workload | undefined, after: Workload | undefined): void {
    const uid = (after ?? before)?.uid ?? '';
    const view = after === undefined ? undefined : viewOf(after);
    if (view === undefined) this.#workloads.delete(uid);
    else this.#workloads.set(uid, view);
    for (const address of new Set([...(before?.addresses ?? []), ...(after?.addresses ?? [])])) {
      const claims = this.#workloadsByAddress.get(address) ?? [];
      const held = claims.some((claim) => claim.workload.uid === uid);
      const claimed = view !== undefined && after?.addresses.includes(address) === true;
      if (claimed && held)
        this.#workloadsByAddress.set(
          address,
          claims.map((claim) => (claim.workload.uid === uid ? view : claim)),
        );
      else if (claimed) this.#workloadsByAddress.set(address, [view, ...claims]);
      else
        setOrDelete(
          this.#workloadsByAddress,
          address,
          claims.filter((claim) => claim.workload.uid !== uid),
        );
    }
    this.#touchedWorkloads.add(uid);
  }

  #addService(key: string, service: Service): void {
    for (const address of service.addresses) this.#servicesByAddress.set(address, key);
    this.#touchedServices.add(key);
  }

  /** Only addresses that come or go are touched: most changes of endpoints are of their readiness. */
  #replaceEndpoints(key: string, before: EndpointSet | undefined, after: EndpointSet | undefined): void {
    const coming = new Set(after?.endpoints.map(({ address }) => address));
    const going = new Set(before?.endpoints.map(({ address }) => address));
    for (const address of coming) {
      if (going.delete(address)) continue;
      const keys = new Set(this.#servicesByEndpoint.get(address)).add(key);
      this.#servicesByEndpoint.set(address, [...keys].sort());
    }
    for (const address of going) {
      const keys = this.#servicesByEndpoint.get(address) ?? [];
      const others = keys.filter((other) => other !== key);
      setOrDelete(this.#servicesByEndpoint, address, others);
    }
    this.#touchedServices.add(key);
    const set = after ?? before;
    if (set !== undefined) this.#policies.touchService(set.namespace, set.name);
  }

  #addRoute(compiled: CompiledRoute): void {
    this.#routes.set(compiled.key, compiled);
    for (const key of parentKeys(compiled.route)) {
      this.#routesByService.set(key, [...(this.#routesByService.get(key) ?? []), compiled]);
      this.#touchedServices.add(key);
    }
    this.#headers.count(compiled.headerNames, 1);
  }

  #dropRoute(routeKey: string, route: HttpRoute): void {
    for (const key of parentKeys(route)) {
      const others = (this.#routesByService.get(key) ?? []).filter((other) => other.key !== routeKey);
      setOrDelete(this.#routesByService, key, others);
      this.#touchedServices.add(key);
    }
    this.#headers.count(this.#routes.get(routeKey)?.headerNames ?? [], -1);
    this.#routes.delete(routeKey);
  }

  finish(version: number): { snapshot: Snapshot; touched: Touched } {
    const before = this.#before;
    const mesh = this.#mesh;
    const ranges = (mesh?.ranges ?? []).map(({ cidr, action }) => [cidr, action] as const);
    const snapshot: Snapshot = {
      version,
      mesh,
      ranges: mesh === before.mesh ? before.ranges : buildRangeTable(ranges),
      resources: this.#resources.finish(),
      workloads: this.#workloads.finish(),
      workloadsByAddress: this.#workloadsByAddress.finish(),
      services: this.#buildServices(),
      servicesByAddress: this.#servicesByAddress.finish(),
      servicesByEndpoint: this.#servicesByEndpoint.finish(),
      routes: this.#routes.finish(),
      routesByService: this.#routesByService.finish(),
      policies: this.#policies.finish((key) => this.resource('endpoints', key)?.body),
      ...this.#headers.finish(),
    };
    const touched: Touched = {
      workloads: this.#touchedWorkloads,
      services: this.#touchedServices,
      policies: this.#policies.touched,
      mesh: mesh !== before.mesh,
    };
    return { snapshot, touched };
  }

  #buildServices(): Snapshot['services'] {
    const before = this.#before.services;
    const edit = before.edit();
    for (const key of this.#touchedServices) {
      const service = this.resource('service', key)?.body;
      const endpoints = this.resource('endpoints', key)?.body;
      const routes = this.#routesByService.get(key) ?? [];
      if (service === undefined) edit.delete(key);
      else edit.set(key, buildServiceView(service, endpoints, routes, before.get(key)));
    }
    return edit.finish();
  }
}

function viewOf(workload: Workload): WorkloadView {
  return {
    workload,
    label: workloadLabel(workload),
    addressed: sourceOf(workload, false),
    authenticated: sourceOf(workload, true),
  };
}

function setOrDelete<Value>(edit: MapEdit<readonly Value[]>, key: string, list: readonly Value[]): void {
  if (list.length > 0) edit.set(key, list);
  else edit.delete(key);
}

function parentKeys(route: HttpRoute): Set<string> {
  return new Set(route.parents.map(({ namespace, name }) => `${namespace}/${name}`));
}
