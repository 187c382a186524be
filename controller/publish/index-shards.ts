/**
 * The index of all workloads, cut into resources: by node, because a node's workloads change phase together, and within
 * a node by the bits of a hash, so that one change sends a few dozen entries again and no more. The cut follows from the
 * workloads alone: it is the same in every replica.
 */
import type { Resource } from '../../model/resource.js';
import type { IndexedWorkload, WorkloadIndex } from '../../model/workload-index.js';
import { workloadLabel } from '../../model/workload-label.js';
import { makeResource } from '../resources/make-resource.js';

type WorkloadResource = Extract<Resource, { kind: 'workload' }>;

interface Group {
  readonly members: readonly WorkloadResource[];
  /** By name. */
  readonly shards: ReadonlyMap<string, Resource>;
}

/** One with more is cut in two. */
export const maxShardEntries = 32;
const hashBits = 32;

export class IndexShards {
  readonly partial: boolean;
  /** By name. */
  readonly shards: ReadonlyMap<string, Resource>;
  readonly #groups = new Map<string, Group>();

  /** `previous` lends the shards of what has not changed. `partial`: not all workloads are known. */
  constructor(workloads: Iterable<WorkloadResource>, partial: boolean, previous?: IndexShards) {
    this.partial = partial;
    const shards = new Map<string, Resource>();
    const byNode = new Map<string, WorkloadResource[]>();
    for (const workload of workloads) {
      const members = byNode.get(workload.body.node);
      if (members === undefined) byNode.set(workload.body.node, [workload]);
      else members.push(workload);
    }
    for (const [node, members] of byNode) {
      const before = previous?.partial === partial ? previous.#groups.get(node) : undefined;
      const unchanged =
        before?.members.length === members.length &&
        members.every((member, at) => before.members[at] === member);
      const group = unchanged ? before : { members, shards: cutGroup(node, members, partial, before) };
      this.#groups.set(node, group);
      for (const [name, shard] of group.shards) shards.set(name, shard);
    }
    this.shards = shards;
  }

  /** Ids of the indices that came, changed or went. */
  changedSince(before: IndexShards | undefined): string[] {
    const changed = [...this.shards].filter(([name, shard]) => before?.shards.get(name) !== shard);
    const gone = [...(before?.shards.keys() ?? [])].filter((name) => !this.shards.has(name));
    return [...changed.map(([name]) => name), ...gone].map((name) => `workload-index ${name}`);
  }
}

function cutGroup(
  node: string,
  members: readonly WorkloadResource[],
  partial: boolean,
  before: Group | undefined,
): Map<string, Resource> {
  const shards = new Map<string, Resource>();
  const hashed = members.map((member) => ({ member, hash: hashText(member.name) }));
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
    const [first] = part;
    if (first === undefined) return;
    const name = `${node}/${bits}`;
    const entries = part.map(({ member }) => entryOf(member));
    const { trustDomain, cluster, network } = first.member.body;
    const body: WorkloadIndex = { trustDomain, cluster, network, node, partial, workloads: entries };
    const made = makeResource('workload-index', name, '', body);
    const known = before?.shards.get(name);
    shards.set(name, known?.version === made.version ? known : made);
  };
  cut(hashed, '');
  return shards;
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
