/** What is published at one version: an immutable view of all resources, one per node. */
import type { Resource, ResourceKey } from '../../model/resource.js';
import { hashText, makeResource } from '../resources/make-resource.js';
import type { DetailScope } from './detail-graph.js';
import { IndexShards } from './index-shards.js';
import { describeScope, type NodeScopes, noScopes, scopeEndpoints, scopeKey } from './scope-endpoints.js';

/** A resource's kind and name as one text. */
export type ResourceId = string;

export function resourceId({ kind, name }: ResourceKey): ResourceId {
  return `${kind} ${name}`;
}

/** What one node gets. */
export interface NodeView {
  readonly version: number;
  /** True: this controller has never understood everything, so what it does not hold is not surely gone. */
  readonly incomplete: boolean;
  get(id: ResourceId): Resource | undefined;
  /** All resources, in the order in which they must travel. */
  ids(): Iterable<ResourceId>;
  /** What may differ from the view at an earlier version, in that order; null where that is not known any more. */
  changedSince(version: number): Iterable<ResourceId> | null;
}

/**
 * Policies travel before what they protect, so that an agent never serves a workload without them; endpoints last: with
 * them a service's details are complete.
 */
const order: readonly Resource['kind'][] = [
  'mesh',
  'authorization-policy',
  'workload',
  'workload-index',
  'service',
  'http-route',
  'grpc-route',
  'endpoints',
];

/** What changed at a version. */
interface Change {
  readonly version: number;
  readonly ids: readonly ResourceId[];
}

/** So many versions back it is known what changed since. */
const maxHistory = 100;

export class Snapshot {
  readonly version: number;
  readonly incomplete: boolean;
  readonly resources: ReadonlyMap<ResourceId, Resource>;
  /** Workloads as other nodes see them: how its own node captures one is no concern of theirs. */
  readonly #foreign: ReadonlyMap<ResourceId, Resource>;
  readonly #scopes: NodeScopes;
  /** Endpoints as nodes see them, by scopeKey; made when a node asks. */
  readonly #scoped = new Map<ResourceId, Map<string, Resource>>();
  readonly #shards: IndexShards;
  /** Changes of this version and those before, the oldest first; what came before them may be anything. */
  readonly #history: readonly Change[];
  readonly #serviceIds: readonly ResourceId[];
  /** What is new, changed or gone since the previous version. */
  readonly changed: readonly ResourceId[];

  /** `previous` lends unchanged resources, so that equal versions are the same objects. */
  constructor(
    version: number,
    resources: readonly Resource[],
    incomplete: boolean,
    previous?: Snapshot,
    scopes: NodeScopes = noScopes,
  ) {
    this.#scopes = scopes;
    this.version = version;
    this.incomplete = incomplete;
    const own = new Map<ResourceId, Resource>();
    const foreign = new Map<ResourceId, Resource>();
    const changed: ResourceId[] = [];
    const byKind = Map.groupBy(resources, ({ kind }) => kind);
    for (const whole of order.flatMap((kind) => byKind.get(kind) ?? [])) {
      const resource = withScope(whole, scopes);
      const id = resourceId(resource);
      const known = previous?.resources.get(id);
      const same = known !== undefined && known.version === resource.version;
      const kept = same ? known : resource;
      if (!same) changed.push(id);
      own.set(id, kept);
      const scoped = same && previous !== undefined ? previous.#scoped.get(id) : undefined;
      if (scoped !== undefined) this.#scoped.set(id, scoped);
      if (kept.kind !== 'workload' || kept.body.capture === null) continue;
      const lent = same && previous !== undefined ? previous.#foreign.get(id) : undefined;
      foreign.set(id, lent ?? hideCapture(kept));
    }
    for (const id of previous?.resources.keys() ?? []) if (!own.has(id)) changed.push(id);
    this.resources = own;
    this.#foreign = foreign;
    this.#serviceIds = [...own.keys()].filter((id) => id.startsWith('service '));
    const workloads = [...own.values()].filter((resource) => resource.kind === 'workload');
    const shardsBefore = previous === undefined ? undefined : previous.#shards;
    this.#shards = new IndexShards(workloads, incomplete, shardsBefore);
    changed.push(...this.#shards.changedSince(shardsBefore));
    this.changed = changed;
    // While something is unknown, and once it is known, what agents hold must be compared as a whole.
    const known = previous !== undefined && !incomplete && !previous.incomplete;
    const before = known ? previous.#history.slice(-maxHistory) : [];
    this.#history = [...before, { version, ids: known ? changed : [] }];
  }

  /** Whether this snapshot holds the same as the previous one that it was made with. */
  equals(previous: Snapshot): boolean {
    if (this.resources.size !== previous.resources.size || this.incomplete !== previous.incomplete)
      return false;
    for (const [id, resource] of this.resources) if (previous.resources.get(id) !== resource) return false;
    return true;
  }

  #scopeFor(resource: Resource & { readonly kind: 'endpoints' }, node: string): Resource {
    const scope = this.#scopes.services.get(resource.name);
    if (scope === undefined) return resource;
    const place = { name: node, zone: this.#scopes.zones.get(node) ?? '' };
    const id = resourceId(resource);
    const variants = this.#scoped.get(id) ?? new Map<string, Resource>();
    if (variants.size === 0) this.#scoped.set(id, variants);
    const key = scopeKey(scope, place);
    const known = variants.get(key);
    if (known !== undefined) return known;
    const { kind, name, ownerNamespace, body } = resource;
    const variant = makeResource(kind, name, ownerNamespace, scopeEndpoints(body, scope, place));
    variants.set(key, variant);
    return variant;
  }

  /** Everything: for agents that know neither indices nor wants. */
  viewFor(node: string): NodeView {
    return {
      version: this.version,
      incomplete: this.incomplete,
      get: (id) => this.#get(id, node),
      ids: () => this.resources.keys(),
      changedSince: (version) => this.#changedSince(version),
    };
  }

  /** The index, the services and the details of a scope. `since`: the scope of what the node holds. */
  scopedViewFor(node: string, scope: DetailScope, since: DetailScope | null): NodeView {
    const get = (id: ResourceId): Resource | undefined => {
      const kind = kindOf(id);
      if (kind === 'workload-index') return this.#shards.shards.get(id.slice(kind.length + 1));
      return kind === 'mesh' || kind === 'service' || scope.ids.has(id) ? this.#get(id, node) : undefined;
    };
    return {
      version: this.version,
      incomplete: this.incomplete,
      get,
      ids: () => sortIds([...this.#commonIds(), ...scope.ordered]),
      changedSince: (version) => {
        const changed = this.#changedSince(version);
        if (changed === null || scope === since) return changed;
        if (since === null) return null;
        return sortIds([...scope.ordered, ...since.ids, ...changed]);
      },
    };
  }

  *#commonIds(): Generator<ResourceId> {
    if (this.resources.has('mesh mesh')) yield 'mesh mesh';
    for (const name of this.#shards.shards.keys()) yield `workload-index ${name}`;
    yield* this.#serviceIds;
  }

  #get(id: ResourceId, node: string): Resource | undefined {
    const resource = this.resources.get(id);
    if (resource?.kind === 'endpoints') return this.#scopeFor(resource, node);
    const ours = resource?.kind !== 'workload' || resource.body.node === node;
    return ours ? resource : (this.#foreign.get(id) ?? resource);
  }

  #changedSince(version: number): readonly ResourceId[] | null {
    const at = this.#history.findIndex((change) => change.version === version);
    if (at === -1) return null;
    const later = this.#history.slice(at + 1);
    return later.length === 1 ? this.changed : sortIds(later.flatMap(({ ids }) => ids));
  }
}

function kindOf(id: ResourceId): Resource['kind'] {
  return id.slice(0, id.indexOf(' ')) as Resource['kind'];
}

/** Each once, by kind in the order of travel; within a kind the first one stays first. */
function sortIds(ids: readonly ResourceId[]): ResourceId[] {
  const byKind = Map.groupBy(new Set(ids), kindOf);
  return order.flatMap((kind) => byKind.get(kind) ?? []);
}

/** Endpoints that not every node may use change whenever that changes, though the set itself may not. */
function withScope(resource: Resource, { services, zones }: NodeScopes): Resource {
  const scope = resource.kind === 'endpoints' ? services.get(resource.name) : undefined;
  if (scope === undefined) return resource;
  const version = hashText(`${resource.version} ${describeScope(scope, zones)}`);
  return { ...resource, version };
}

function hideCapture(resource: Resource & { readonly kind: 'workload' }): Resource {
  const { kind, name, ownerNamespace, body } = resource;
  return makeResource(kind, name, ownerNamespace, { ...body, capture: null });
}
