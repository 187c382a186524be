/**
 * Which details belong to what a node uses. It follows changes one by one, so that neither a change nor a node's answer
 * costs the size of the mesh.
 */
import type { Resource, ResourceBodies, ResourceKind } from '../../model/resource.js';
import type { HttpRoute } from '../../model/route.js';
import type { EndpointSet } from '../../model/service.js';
import type { Workload } from '../../model/workload.js';
import type { Detail } from '../../model/workload-index.js';
import { type ResourceId, resourceId } from './resource-id.js';

/** The details of one node. */
export interface DetailScope {
  /** In the order in which they must travel: what an endpoint set needs comes before it. */
  readonly ordered: readonly ResourceId[];
  readonly ids: ReadonlySet<ResourceId>;
  /** Namespaces whose policies belong to them, all of them, beside what is named. */
  readonly policySpaces: ReadonlySet<string>;
  /** What it was found by: where a change touches one of these it must be found again. */
  readonly keys: ReadonlySet<string>;
}

const nodeKey = (node: string) => `n ${node}`;
const serviceKey = (service: string) => `s ${service}`;
const workloadKey = (uid: string) => `w ${uid}`;
const policyKey = (namespace: string) => `p ${namespace}`;

export class DetailGraph {
  readonly #resources = new Map<ResourceId, Resource>();
  readonly #workloads = new Map<string, Workload>();
  readonly #workloadsByNode = new SetMap();
  readonly #servicesByWorkload = new SetMap();
  readonly #routesByService = new SetMap();
  readonly #policiesByNamespace = new SetMap();

  /** A resource came, changed or went; adds what that touches to `touched`. */
  replace(before: Resource | undefined, after: Resource | undefined, touched: Set<string>): void {
    const { kind, name } = (after ?? before) as Resource;
    const id = resourceId({ kind, name });
    if (after === undefined) this.#resources.delete(id);
    else this.#resources.set(id, after);
    switch (kind) {
      case 'workload':
        if (after === undefined) this.#workloads.delete(name);
        else this.#workloads.set(name, after.body as Workload);
        this.#replaceWorkload(name, bodyOf('workload', before), bodyOf('workload', after), touched);
        break;
      case 'endpoints':
        this.#replaceEndpoints(name, bodyOf('endpoints', before), bodyOf('endpoints', after), touched);
        break;
      case 'http-route':
      case 'grpc-route':
        this.#replaceRoute(id, routeBody(before), routeBody(after), touched);
        break;
      case 'authorization-policy': {
        // One more or less touches nothing: a scope names namespaces, not policies.
        const namespace = (after ?? before)?.ownerNamespace ?? '';
        const had = this.hasPolicies(namespace);
        this.#policiesByNamespace[after === undefined ? 'delete' : 'add'](namespace, id);
        if (had !== this.hasPolicies(namespace)) touched.add(policyKey(namespace));
        break;
      }
      case 'mesh':
      case 'service':
      case 'workload-index':
        break;
    }
  }

  /** The details of the node's own workloads and of what it wants. */
  scopeOf(node: string, wants: Iterable<Detail>): DetailScope {
    const walk = new Walk(this);
    walk.keys.add(nodeKey(node));
    for (const uid of this.#workloadsByNode.get(node)) walk.visitWorkload(uid);
    for (const { kind, name } of wants) {
      if (kind === 'service') walk.visitService(name);
      else walk.visitWorkload(name);
    }
    return walk.finish();
  }

  workload(uid: string): Workload | undefined {
    return this.#workloads.get(uid);
  }

  endpoints(service: string): EndpointSet | undefined {
    return bodyOf('endpoints', this.#resources.get(`endpoints ${service}`));
  }

  servicesBefore(uid: string): Iterable<string> {
    return this.#servicesByWorkload.get(uid);
  }

  hasPolicies(namespace: string): boolean {
    return this.#policiesByNamespace.get(namespace).size > 0;
  }

  routesOf(service: string): Iterable<ResourceId> {
    return this.#routesByService.get(service);
  }

  /** Services that a route names as backends. */
  backendsOf(route: ResourceId): string[] {
    return backendsOf(routeBody(this.#resources.get(route)));
  }

  /** Most changes are of weights, matches and filters, which touch nothing. */
  #replaceRoute(
    id: ResourceId,
    before: HttpRoute | undefined,
    after: HttpRoute | undefined,
    touched: Set<string>,
  ): void {
    const [left, joined] = [parentsOf(before), parentsOf(after)];
    const sameBackends = backendsOf(before).join() === backendsOf(after).join();
    for (const service of new Set([...left, ...joined])) {
      if (left.has(service) && joined.has(service) && sameBackends) continue;
      this.#routesByService[joined.has(service) ? 'add' : 'delete'](service, id);
      touched.add(serviceKey(service));
    }
  }

  #replaceWorkload(
    uid: string,
    before: Workload | undefined,
    after: Workload | undefined,
    touched: Set<string>,
  ): void {
    if (before?.node === after?.node && before?.namespace === after?.namespace) return;
    touched.add(workloadKey(uid));
    for (const service of this.#servicesByWorkload.get(uid)) touched.add(serviceKey(service));
    if (before !== undefined) {
      this.#workloadsByNode.delete(before.node, uid);
      touched.add(nodeKey(before.node));
    }
    if (after !== undefined) {
      this.#workloadsByNode.add(after.node, uid);
      touched.add(nodeKey(after.node));
    }
  }

  /** Most changes are of readiness, which touches nothing. */
  #replaceEndpoints(
    service: string,
    before: EndpointSet | undefined,
    after: EndpointSet | undefined,
    touched: Set<string>,
  ): void {
    const old = new Set(before?.endpoints.map(({ workloadUid }) => workloadUid));
    const fresh = new Set(after?.endpoints.map(({ workloadUid }) => workloadUid));
    if (before === undefined || after === undefined) touched.add(serviceKey(service));
    for (const uid of new Set([...old, ...fresh])) {
      if (uid === '' || old.has(uid) === fresh.has(uid)) continue;
      this.#servicesByWorkload[fresh.has(uid) ? 'add' : 'delete'](uid, service);
      touched.add(workloadKey(uid)).add(serviceKey(service));
    }
  }
}

/** Gathers a scope: everything once, and what a service's endpoints need before them. */
class Walk {
  readonly #graph: DetailGraph;
  readonly keys = new Set<string>();
  readonly #first = new Set<ResourceId>();
  readonly #policySpaces = new Set<string>();
  readonly #endpoints = new Set<ResourceId>();
  /** Work to do, the last one next: routes may chain many services. */
  readonly #stack: (() => void)[] = [];
  #running = false;

  constructor(graph: DetailGraph) {
    this.#graph = graph;
  }

  /** Its routes, the services that those name, and the workloads behind it that policies protect. */
  visitService(service: string): void {
    if (this.keys.has(serviceKey(service))) return;
    this.keys.add(serviceKey(service));
    this.#stack.push(() => this.#endpoints.add(`endpoints ${service}`));
    for (const route of this.#graph.routesOf(service)) {
      this.#first.add(route);
      for (const backend of this.#graph.backendsOf(route)) this.#stack.push(() => this.visitService(backend));
    }
    for (const { workloadUid } of this.#graph.endpoints(service)?.endpoints ?? []) {
      this.#visitEndpoint(workloadUid);
    }
    this.#run();
  }

  /** All of it, its namespace's policies, and the services in front of it. */
  visitWorkload(uid: string): void {
    const id = `workload ${uid}`;
    this.keys.add(workloadKey(uid));
    const workload = this.#graph.workload(uid);
    if (workload === undefined || this.#first.has(id)) return;
    this.#first.add(id);
    this.keys.add(policyKey(workload.namespace));
    this.#policySpaces.add(workload.namespace);
    for (const service of this.#graph.servicesBefore(uid)) this.#stack.push(() => this.visitService(service));
    this.#run();
  }

  /**
   * The policies in front of it: the kernel beside who calls it refuses what they forbid, and those of a workload without
   * an agent are enforced by nobody else.
   */
  #visitEndpoint(uid: string): void {
    const workload = this.#graph.workload(uid);
    if (workload === undefined) return;
    this.keys.add(policyKey(workload.namespace));
    if (this.#graph.hasPolicies(workload.namespace)) this.#stack.push(() => this.visitWorkload(uid));
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    for (let next = this.#stack.pop(); next !== undefined; next = this.#stack.pop()) next();
    this.#running = false;
  }

  finish(): DetailScope {
    const ordered = [...this.#first, ...this.#endpoints];
    return { ordered, ids: new Set(ordered), policySpaces: this.#policySpaces, keys: this.keys };
  }
}

/** Sets of texts by a text; an empty one is no entry. */
class SetMap {
  readonly #sets = new Map<string, Set<string>>();

  get(key: string): ReadonlySet<string> {
    return this.#sets.get(key) ?? nothing;
  }

  add(key: string, value: string): void {
    const set = this.#sets.get(key);
    if (set === undefined) this.#sets.set(key, new Set([value]));
    else set.add(value);
  }

  delete(key: string, value: string): void {
    const set = this.#sets.get(key);
    if (set?.delete(value) === true && set.size === 0) this.#sets.delete(key);
  }
}

const nothing: ReadonlySet<string> = new Set();

function routeBody(resource: Resource | undefined): HttpRoute | undefined {
  return resource?.kind === 'http-route' || resource?.kind === 'grpc-route' ? resource.body : undefined;
}

function parentsOf(route: HttpRoute | undefined): Set<string> {
  return new Set(route?.parents.map(({ namespace, name }) => `${namespace}/${name}`));
}

function backendsOf(route: HttpRoute | undefined): string[] {
  return (route?.rules ?? []).flatMap(({ backends }) =>
    backends.flatMap(({ service }) => (service === null ? [] : [`${service.namespace}/${service.name}`])),
  );
}

function bodyOf<Kind extends ResourceKind>(
  kind: Kind,
  resource: Resource | undefined,
): ResourceBodies[Kind] | undefined {
  return resource?.kind === kind ? (resource.body as ResourceBodies[Kind]) : undefined;
}
