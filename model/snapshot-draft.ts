/** A snapshot in the making: takes resources in and out and keeps every index in step; see apply-delta.ts. */
import { buildRangeTable } from './address-ranges.js';
import { buildServiceView } from './build-service.js';
import { type CompiledRoute, compileRoute } from './compile-route.js';
import { HeaderDraft } from './header-draft.js';
import type { Mesh } from './mesh.js';
import type { MapEdit } from './persistent-map.js';
import { PolicyDraft } from './policy-draft.js';
import type { Resource, ResourceBodies, ResourceKey, ResourceKind } from './resource.js';
import type { HttpRoute } from './route.js';
import type { EndpointSet, Service } from './service.js';
import { type IndexedView, resourceId, type Snapshot, type WorkloadView } from './snapshot.js';
import { type Source, sourceOf } from './source.js';
import { spiffeId, type Workload } from './workload.js';
import { type IndexedWorkload, indexedWorkload, sameIndexed, type WorkloadIndex } from './workload-index.js';
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
  readonly #indexed: MapEdit<IndexedView>;
  readonly #workloadsByAddress: MapEdit<readonly WorkloadView[]>;
  readonly #servicesByAddress: MapEdit<string>;
  readonly #servicesByEndpoint: MapEdit<readonly string[]>;
  readonly #routesByService: MapEdit<readonly CompiledRoute[]>;
  readonly #headers: HeaderDraft;
  readonly #policies: PolicyDraft;
  readonly #touchedWorkloads = new Set<string>();
  readonly #touchedServices = new Set<string>();
  /** Sources of indexed workloads by SPIFFE id: many share one. */
  readonly #sources = new Map<string, Pick<WorkloadView, 'addressed' | 'authenticated'>>();

  constructor(before: Snapshot) {
    this.#before = before;
    this.#mesh = before.mesh;
    this.#resources = before.resources.edit();
    this.#workloads = before.workloads.edit();
    this.#indexed = before.indexed.edit();
    this.#workloadsByAddress = before.workloadsByAddress.edit();
    this.#servicesByAddress = before.servicesByAddress.edit();
    this.#servicesByEndpoint = before.servicesByEndpoint.edit();
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

  /** Names of headers for which there is no room if the resource came in. */
  headersBeyondLimit(resource: Resource): string[] {
    return this.#headers.beyondLimit(resource, this.resource(resource.kind, resource.name));
  }

  /** Takes a resource in, in place of the one of its name. */
  put(resource: Resource): void {
    const whole = resource.kind === 'workload-index' ? this.#completeIndex(resource) : resource;
    this.#replace(whole, this.resource(whole.kind, whole.name), whole);
    this.#resources.set(resourceId(whole.kind, whole.name), whole);
  }

  remove(key: ResourceKey): void {
    const standing = this.resource(key.kind, key.name);
    if (standing === undefined) return;
    this.#replace(key, standing, undefined);
    this.#resources.delete(resourceId(key.kind, key.name));
  }

  #replace({ kind, name }: ResourceKey, before: Resource | undefined, after: Resource | undefined): void {
    if (before !== undefined) this.#headers.count(before, -1);
    if (after !== undefined) this.#headers.count(after, 1);
    switch (kind) {
      case 'mesh':
        this.#mesh = bodyOf(kind, after) ?? null;
        break;
      case 'workload':
        this.#replaceWorkload(name, bodyOf(kind, after));
        break;
      case 'workload-index':
        this.#replaceIndex(name, bodyOf(kind, before), bodyOf(kind, after));
        break;
      case 'service':
        this.#replaceService(name, bodyOf(kind, before), bodyOf(kind, after));
        break;
      case 'endpoints':
        this.#replaceEndpoints(name, bodyOf(kind, before), bodyOf(kind, after));
        break;
      case 'http-route':
      case 'grpc-route':
        this.#replaceRoute(bodyOf(kind, before), bodyOf(kind, after));
        break;
      case 'authorization-policy':
        this.#policies.replace(bodyOf(kind, before), bodyOf(kind, after));
        break;
    }
  }

  /** Without details the workload is what an index says of it. */
  #replaceWorkload(uid: string, after: Workload | undefined): void {
    this.#show(uid, after === undefined ? this.#indexed.get(uid)?.view : viewOf(after));
  }

  #replaceIndex(name: string, before: WorkloadIndex | undefined, after: WorkloadIndex | undefined): void {
    const named = new Set<string>();
    for (const entry of after?.workloads ?? []) {
      named.add(entry.uid);
      const known = this.#indexed.get(entry.uid);
      const same = known !== undefined && after !== undefined && sayTheSame(known, after, entry);
      const view = same ? known.view : this.#indexedViewOf(after as WorkloadIndex, entry);
      this.#indexed.set(entry.uid, { index: name, entry, view });
      if (this.resource('workload', entry.uid) === undefined) this.#show(entry.uid, view);
    }
    for (const { uid } of before?.workloads ?? []) {
      if (named.has(uid) || this.#indexed.get(uid)?.index !== name) continue;
      this.#indexed.delete(uid);
      if (this.resource('workload', uid) === undefined) this.#show(uid, undefined);
    }
  }

  /** A partial index keeps what its name held before. */
  #completeIndex(resource: Extract<Resource, { kind: 'workload-index' }>): Resource {
    const { name, body } = resource;
    const standing = body.partial ? this.resource('workload-index', name) : undefined;
    if (standing === undefined) return resource;
    const named = new Set(body.workloads.map(({ uid }) => uid));
    const kept = standing.body.workloads.filter(
      ({ uid }) => !named.has(uid) && this.#indexed.get(uid)?.index === name,
    );
    return { ...resource, body: { ...body, workloads: [...body.workloads, ...kept] } };
  }

  #indexedViewOf(index: WorkloadIndex, entry: IndexedWorkload): WorkloadView {
    const workload = indexedWorkload(index, entry);
    const id = spiffeId(workload);
    const sources = this.#sources.get(id) ?? sourcesOf(workload);
    this.#sources.set(id, sources);
    return { workload, label: entry.label, ...sources, indexed: true };
  }

  /** The newest claim of an address comes first; a workload that only changes keeps its place. */
  #show(uid: string, view: WorkloadView | undefined): void {
    const before = this.#workloads.get(uid);
    if (before === view) return;
    if (view === undefined) this.#workloads.delete(uid);
    else this.#workloads.set(uid, view);
    const addresses = view?.workload.addresses ?? [];
    for (const address of new Set([...(before?.workload.addresses ?? []), ...addresses])) {
      const claims = this.#workloadsByAddress.get(address) ?? [];
      const held = claims.some((claim) => claim.workload.uid === uid);
      const claimed = view !== undefined && addresses.includes(address);
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

  #replaceService(key: string, before: Service | undefined, after: Service | undefined): void {
    for (const address of before?.addresses ?? []) this.#servicesByAddress.delete(address);
    for (const address of after?.addresses ?? []) this.#servicesByAddress.set(address, key);
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

  #replaceRoute(before: HttpRoute | undefined, after: HttpRoute | undefined): void {
    for (const key of parentKeys(before)) {
      const others = (this.#routesByService.get(key) ?? []).filter(({ route }) => route !== before);
      setOrDelete(this.#routesByService, key, others);
      this.#touchedServices.add(key);
    }
    const compiled = after === undefined ? [] : [compileRoute(after)];
    for (const key of parentKeys(after)) {
      this.#routesByService.set(key, [...(this.#routesByService.get(key) ?? []), ...compiled]);
      this.#touchedServices.add(key);
    }
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
      indexed: this.#indexed.finish(),
      workloadsByAddress: this.#workloadsByAddress.finish(),
      services: this.#buildServices(),
      servicesByAddress: this.#servicesByAddress.finish(),
      servicesByEndpoint: this.#servicesByEndpoint.finish(),
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
  return { workload, label: workloadLabel(workload), ...sourcesOf(workload), indexed: false };
}

function sourcesOf(workload: Workload): { readonly addressed: Source; readonly authenticated: Source } {
  return { addressed: sourceOf(workload, false), authenticated: sourceOf(workload, true) };
}

function sayTheSame({ entry, view }: IndexedView, index: WorkloadIndex, other: IndexedWorkload): boolean {
  const { trustDomain, cluster, network, node } = view.workload;
  const sameIndex =
    node === index.node &&
    trustDomain === index.trustDomain &&
    cluster === index.cluster &&
    network === index.network;
  return sameIndex && sameIndexed(entry, other);
}

function setOrDelete<Value>(edit: MapEdit<readonly Value[]>, key: string, list: readonly Value[]): void {
  if (list.length > 0) edit.set(key, list);
  else edit.delete(key);
}

function bodyOf<Kind extends ResourceKind>(
  kind: Kind,
  resource: Resource | undefined,
): ResourceBodies[Kind] | undefined {
  return resource?.kind === kind ? (resource.body as ResourceBodies[Kind]) : undefined;
}

function parentKeys(route: HttpRoute | undefined): Set<string> {
  return new Set(route?.parents.map(({ namespace, name }) => `${namespace}/${name}`));
}
