/** What is published at one version: an immutable view of all resources, one per node. */
import { PersistentMap } from '../../model/persistent-map.js';
import type { Resource } from '../../model/resource.js';
import { makeResource } from '../resources/make-resource.js';
import type { DetailScope } from './detail-graph.js';
import { IndexShards } from './index-shards.js';
import type { ResourceId } from './resource-id.js';
import { type NodeScopes, noScopes, scopeEndpoints, scopeKey } from './scope-endpoints.js';

export type Entry = readonly [id: ResourceId, resource: Resource];

/** What one node gets. */
export interface NodeView {
  readonly version: number;
  /** True: this controller has never understood everything, so what it does not hold is not surely gone. */
  readonly incomplete: boolean;
  get(id: ResourceId): Resource | undefined;
  /** All resources, in the order in which they must travel. */
  entries(): readonly Entry[];
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

/** Resources that came or changed, and those that are gone (undefined). */
export type Changes = ReadonlyMap<ResourceId, Resource | undefined>;

interface SnapshotParts {
  readonly version: number;
  readonly incomplete: boolean;
  readonly resources: PersistentMap<Resource>;
  readonly services: PersistentMap<ResourceId>;
  readonly policies: PersistentMap<ReadonlySet<ResourceId>>;
  readonly shards: IndexShards;
  readonly scopes: NodeScopes;
  readonly changed: readonly ResourceId[];
  readonly history: readonly Change[];
  readonly scoped: WeakMap<Resource, Map<string, Resource>>;
}

/** Shares with the one before whatever did not change, and costs what did. */
export class Snapshot {
  readonly version: number;
  readonly incomplete: boolean;
  readonly resources: PersistentMap<Resource>;
  /** What is new, changed or gone since the previous version, in the order in which it must travel. */
  readonly changed: readonly ResourceId[];
  readonly #services: PersistentMap<ResourceId>;
  /** By namespace. */
  readonly #policies: PersistentMap<ReadonlySet<ResourceId>>;
  readonly #shards: IndexShards;
  readonly #scopes: NodeScopes;
  /** Changes of this version and those before, the oldest first; what came before them may be anything. */
  readonly #history: readonly Change[];
  /** Endpoints as nodes see them, by scopeKey; made when a node asks. */
  readonly #scoped: WeakMap<Resource, Map<string, Resource>>;
  #gathered: ReadonlyMap<Resource['kind'], readonly Entry[]> | undefined;

  private constructor(parts: SnapshotParts) {
    this.version = parts.version;
    this.incomplete = parts.incomplete;
    this.resources = parts.resources;
    this.changed = parts.changed;
    this.#services = parts.services;
    this.#policies = parts.policies;
    this.#shards = parts.shards;
    this.#scopes = parts.scopes;
    this.#history = parts.history;
    this.#scoped = parts.scoped;
  }

  /** The first one. `scopes`: of all versions, as they are at each moment; a resource's version tells its scope's too. */
  static first(
    version: number,
    changes: Changes,
    incomplete: boolean,
    scopes: NodeScopes = noScopes,
  ): Snapshot {
    return new Snapshot({
      version: 0,
      incomplete: true,
      resources: PersistentMap.empty(),
      services: PersistentMap.empty(),
      policies: PersistentMap.empty(),
      shards: IndexShards.empty(),
      scopes,
      changed: [],
      history: [],
      scoped: new WeakMap(),
    }).next(version, changes, incomplete);
  }

  next(version: number, changes: Changes, incomplete: boolean): Snapshot {
    const resources = this.resources.edit();
    const services = this.#services.edit();
    const policies = this.#policies.edit();
    const changed: ResourceId[] = [];
    for (const [id, after] of changes) {
      const before = this.resources.get(id);
      if (before?.version === after?.version) continue;
      changed.push(id);
      if (after === undefined) resources.delete(id);
      else resources.set(id, after);
      const { kind, ownerNamespace } = (after ?? before) as Resource;
      if (kind === 'service' && after === undefined) services.delete(id);
      else if (kind === 'service') services.set(id, id);
      if (kind !== 'authorization-policy' || (before !== undefined && after !== undefined)) continue;
      const others = new Set(policies.get(ownerNamespace));
      others[after === undefined ? 'delete' : 'add'](id);
      policies.set(ownerNamespace, others);
    }
    const all = resources.finish();
    const shards = this.#shards.next(changed, this.resources, all, incomplete);
    const ordered = sortIds([...changed, ...shards.changed]);
    // While something is unknown, and once it is known, what agents hold must be compared as a whole.
    const known = !incomplete && !this.incomplete;
    const before = known ? this.#history.slice(-maxHistory) : [];
    return new Snapshot({
      version,
      incomplete,
      resources: all,
      services: services.finish(),
      policies: policies.finish(),
      shards,
      scopes: this.#scopes,
      changed: ordered,
      history: [...before, { version, ids: known ? ordered : [] }],
      scoped: this.#scoped,
    });
  }

  #scopeFor(resource: Resource & { readonly kind: 'endpoints' }, node: string): Resource {
    const scope = this.#scopes.services.get(resource.name);
    if (scope === undefined) return resource;
    const place = { name: node, zone: this.#scopes.zones.get(node) ?? '' };
    const variants = this.#scoped.get(resource) ?? new Map<string, Resource>();
    if (variants.size === 0) this.#scoped.set(resource, variants);
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
      entries: () => look(sortIds(this.resources.keys()), (id) => this.#get(id, node)),
      changedSince: (version) => this.#changedSince(version),
    };
  }

  /** The index, the services and the details of a scope. `since`: the scope of what the node holds. */
  scopedViewFor(node: string, scope: DetailScope, since: DetailScope | null): NodeView {
    const get = (id: ResourceId): Resource | undefined => {
      const kind = kindOf(id);
      if (kind === 'workload-index') return this.#shards.get(id.slice(kind.length + 1));
      if (kind === 'authorization-policy') {
        const policy = this.resources.get(id);
        return policy !== undefined && scope.policySpaces.has(policy.ownerNamespace) ? policy : undefined;
      }
      return kind === 'mesh' || kind === 'service' || scope.ids.has(id) ? this.#get(id, node) : undefined;
    };
    return {
      version: this.version,
      incomplete: this.incomplete,
      get,
      entries: () => {
        const own = Map.groupBy([...this.#policiesOf(scope.policySpaces), ...scope.ordered], kindOf);
        return order.flatMap((kind) => this.#common.get(kind) ?? look(own.get(kind) ?? [], get));
      },
      changedSince: (version) => {
        const changed = this.#changedSince(version);
        if (changed === null || scope === since) return changed;
        if (since === null) return null;
        const spaces = differing(scope.policySpaces, since.policySpaces);
        return sortIds([...scope.ordered, ...since.ids, ...this.#policiesOf(spaces), ...changed]);
      },
    };
  }

  #policiesOf(namespaces: Iterable<string>): ResourceId[] {
    return [...namespaces].flatMap((namespace) => [...(this.#policies.get(namespace) ?? [])]);
  }

  /** What every node gets, by kind. It is most of what a node gets, and many may come at once. */
  get #common(): ReadonlyMap<Resource['kind'], readonly Entry[]> {
    this.#gathered ??= new Map([
      ['mesh', look(['mesh mesh'], (id) => this.resources.get(id))],
      ['workload-index', [...this.#shards.entries()]],
      ['service', look(this.#services.keys(), (id) => this.resources.get(id))],
    ]);
    return this.#gathered;
  }

  #get(id: ResourceId, node: string): Resource | undefined {
    const resource = this.resources.get(id);
    if (resource?.kind === 'endpoints') return this.#scopeFor(resource, node);
    if (resource?.kind !== 'workload' || resource.body.node === node) return resource;
    return hideCapture(resource);
  }

  #changedSince(version: number): readonly ResourceId[] | null {
    const at = this.#history.findIndex((change) => change.version === version);
    if (at === -1) return null;
    const later = this.#history.slice(at + 1);
    return later.length === 1 ? this.changed : sortIds(later.flatMap(({ ids }) => ids));
  }
}

/** Those that there are. */
function look(ids: Iterable<ResourceId>, get: (id: ResourceId) => Resource | undefined): Entry[] {
  const found: Entry[] = [];
  for (const id of ids) {
    const resource = get(id);
    if (resource !== undefined) found.push([id, resource]);
  }
  return found;
}

/** What is in one of two sets alone. */
function differing(left: ReadonlySet<string>, right: ReadonlySet<string>): string[] {
  return [...[...left].filter((one) => !right.has(one)), ...[...right].filter((one) => !left.has(one))];
}

function kindOf(id: ResourceId): Resource['kind'] {
  return id.slice(0, id.indexOf(' ')) as Resource['kind'];
}

/** Each once, by kind in the order of travel; within a kind the first one stays first. */
function sortIds(ids: Iterable<ResourceId>): ResourceId[] {
  const byKind = Map.groupBy(new Set(ids), kindOf);
  return order.flatMap((kind) => byKind.get(kind) ?? []);
}

const foreign = new WeakMap<Resource, Resource>();

/** A workload as other nodes see it: how its own node captures it is no concern of theirs. */
function hideCapture(resource: Resource & { readonly kind: 'workload' }): Resource {
  const { kind, name, ownerNamespace, body } = resource;
  if (body.capture === null) return resource;
  const known = foreign.get(resource);
  if (known !== undefined) return known;
  const hidden = makeResource(kind, name, ownerNamespace, { ...body, capture: null });
  foreign.set(resource, hidden);
  return hidden;
}
