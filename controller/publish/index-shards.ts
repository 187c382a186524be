/**
 * The index of all workloads, cut into resources: by node, because a node's workloads change phase together, and within
 * a node by the bits of a hash, so that one change sends a few dozen entries again and no more. The cut follows from the
 * workloads alone: it is the same in every replica.
 */
import { PersistentMap } from '../../model/persistent-map.js';
import type { Resource } from '../../model/resource.js';
import type { IndexedWorkload, WorkloadIndex } from '../../model/workload-index.js';
import { workloadLabel } from '../../model/workload-label.js';
import { makeResource } from '../resources/make-resource.js';
import type { ResourceId } from './resource-id.js';

type WorkloadResource = Extract<Resource, { kind: 'workload' }>;

interface Shard {
  readonly members: readonly WorkloadResource[];
  readonly resource: Resource;
}

/** The workloads of one node. */
interface Group {
  readonly members: ReadonlyMap<string, WorkloadResource>;
  /** By name. */
  readonly shards: ReadonlyMap<string, Shard>;
}

interface IndexParts {
  readonly partial: boolean;
  readonly groups: PersistentMap<Group>;
  readonly shards: PersistentMap<Resource>;
  readonly changed: readonly ResourceId[];
}

/** One with more is cut in two. */
export const maxShardEntries = 32;
const hashBits = 32;

export class IndexShards {
  /** Ids of the indices that came, changed or went with this version. */
  readonly changed: readonly ResourceId[];
  readonly #partial: boolean;
  /** By node. */
  readonly #groups: PersistentMap<Group>;
  /** By name. */
  readonly #shards: PersistentMap<Resource>;

  private constructor({ partial, groups, shards, changed }: IndexParts) {
    this.#partial = partial;
    this.#groups = groups;
    this.#shards = shards;
    this.changed = changed;
  }

  /** Of no workloads. */
  static empty(): IndexShards {
    const [groups, shards] = [PersistentMap.empty<Group>(), PersistentMap.empty<Resource>()];
    return new IndexShards({ partial: false, groups, shards, changed: [] });
  }

  get(name: string): Resource | undefined {
    return this.#shards.get(name);
  }

  /** By id. */
  *entries(): Generator<readonly [ResourceId, Resource]> {
    for (const [name, resource] of this.#shards.entries()) yield [`workload-index ${name}`, resource];
  }

  /** `changed`: ids of resources that differ between `before` and `after`. `partial`: not all workloads are known. */
  next(
    changed: readonly ResourceId[],
    before: PersistentMap<Resource>,
    after: PersistentMap<Resource>,
    partial: boolean,
  ): IndexShards {
    const members = new Map<string, Map<string, WorkloadResource>>();
    const membersOf = (node: string) => {
      const known = members.get(node) ?? new Map(this.#groups.get(node)?.members);
      members.set(node, known);
      return known;
    };
    for (const id of changed) {
      const [old, fresh] = [before.get(id), after.get(id)];
      if (old?.kind === 'workload') membersOf(old.body.node).delete(id);
      if (fresh?.kind === 'workload') membersOf(fresh.body.node).set(id, fresh);
    }
    // Every index says whether it is all there is.
    if (partial !== this.#partial) for (const node of this.#groups.keys()) membersOf(node);
    return this.#withGroups(members, partial);
  }

  #withGroups(
    changed: ReadonlyMap<string, ReadonlyMap<string, WorkloadResource>>,
    partial: boolean,
  ): IndexShards {
    const groups = this.#groups.edit();
    const shards = this.#shards.edit();
    const ids: ResourceId[] = [];
    for (const [node, members] of changed) {
      const before = this.#groups.get(node);
      const reusable = partial === this.#partial ? before?.shards : undefined;
      const group = { members, shards: cutGroup(node, members, partial, reusable) };
      if (members.size === 0) groups.delete(node);
      else groups.set(node, group);
      for (const name of new Set([...(before?.shards.keys() ?? []), ...group.shards.keys()])) {
        const fresh = group.shards.get(name);
        if (before?.shards.get(name)?.resource.version === fresh?.resource.version) continue;
        ids.push(`workload-index ${name}`);
        if (fresh === undefined) shards.delete(name);
        else shards.set(name, fresh.resource);
      }
    }
    return new IndexShards({ partial, groups: groups.finish(), shards: shards.finish(), changed: ids });
  }
}

/** `before` lends shards of the same members. */
function cutGroup(
  node: string,
  members: ReadonlyMap<string, WorkloadResource>,
  partial: boolean,
  before: Group['shards'] | undefined,
): Map<string, Shard> {
  const shards = new Map<string, Shard>();
  const sorted = [...members.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  const hashed = sorted.map((member) => ({ member, hash: hashText(member.name) }));
  const cut = (part: typeof hashed, bits: string): void => {
    if (part.length > maxShardEntries && bits.length < hashBits) {
      const isHigh = ({ hash }: { hash: number }) => ((hash >>> bits.length) & 1) === 1;
      cut(
        part.filter((one) => !isHigh(one)),
        `${bits}0`,
      );
      cut(part.filter(isHigh), `${bits}1`);
      return;
    }
    const name = `${node}/${bits}`;
    const own = part.map(({ member }) => member);
    const known = before?.get(name);
    const same = known?.members.length === own.length && own.every((one, at) => known.members[at] === one);
    const shard = same ? known : makeShard(name, node, own, partial);
    if (shard !== undefined) shards.set(name, shard);
  };
  cut(hashed, '');
  return shards;
}

function makeShard(
  name: string,
  node: string,
  members: readonly WorkloadResource[],
  partial: boolean,
): Shard | undefined {
  const [first] = members;
  if (first === undefined) return undefined;
  const { trustDomain, cluster, network } = first.body;
  const workloads = members.map(entryOf);
  const body: WorkloadIndex = { trustDomain, cluster, network, node, partial, workloads };
  return { members, resource: makeResource('workload-index', name, '', body) };
}

function entryOf({ body }: WorkloadResource): IndexedWorkload {
  const { kind, uid, name, namespace, serviceAccount, addresses, captured, mtls, transport } = body;
  const label = workloadLabel(body);
  return { kind, uid, name, namespace, serviceAccount, label, addresses, captured, mtls, transport };
}

/** 32-bit FNV-1a. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
