/**
 * What the kernel decides by itself on one node: which addresses go to the proxy, and which connections are refused
 * before they begin. Whatever it cannot know (requests, authentication) it leaves to the proxy, so its verdict is
 * authorizeConnection's or none.
 *
 * A group stands for workloads with one identity and the same policies: as a source it is the identity, as a
 * destination it is the policies. One more group stands for the addresses of the mesh's ranges that no workload is known
 * to have: a workload may call before this node has heard of its address, and prove who it is.
 */

import { lookupRange } from './address-ranges.js';
import { kernelDenies, type PolicyProgram } from './authorize.js';
import type { RangeAction } from './mesh.js';
import { takesProofs } from './mtls.js';
import { programOf, type ServiceView, type Snapshot, type WorkloadView, workloadAt } from './snapshot.js';
import { type Source, unknownSource } from './source.js';

export interface KernelDestination {
  readonly cidr: string;
  readonly action: RangeAction;
  /** Group of the workloads at the address; 0 is none. */
  readonly group: number;
}

/** The most specific entry wins: (source, port), (source, 0), (0, port), (0, 0); none of them: allow. */
export interface KernelRule {
  readonly source: number;
  readonly destination: number;
  readonly port: number;
  readonly verdict: 'allow' | 'deny';
}

export interface KernelRules {
  readonly destinations: readonly KernelDestination[];
  readonly rules: readonly KernelRule[];
}

/** Ids of groups, kept from one compilation to the next so that they are stable. */
export interface GroupTable {
  readonly ids: ReadonlyMap<string, number>;
  /** Ids that nothing has used since the compilation before the last one, ascending. */
  readonly free: readonly number[];
  /** Ids that the last compilation gave up: the kernel may still hold entries with them, so they rest once. */
  readonly resting: readonly number[];
}

export const noGroups: GroupTable = { ids: new Map(), free: [], resting: [] };

export interface CompiledKernelRules {
  readonly kernelRules: KernelRules;
  /** Pass it to the next compilation. */
  readonly groups: GroupTable;
  /** Group of each workload of the node, by uid: what its enrolment carries. */
  readonly groupOf: ReadonlyMap<string, number>;
}

interface Group {
  readonly id: number;
  readonly source: Source;
  readonly program: PolicyProgram;
  /** Whether one of its workloads is enrolled on the node. */
  local: boolean;
  /** Whether callers can prove themselves to one of those. */
  takesProofs: boolean;
}

/** As no key of a group begins. */
const unheardKey = ' unheard of';

/** Compiles what the node's kernel shall know of a snapshot. Costs the size of the mesh: call it once per burst. */
export function compileKernelRules(
  snapshot: Snapshot,
  node: string,
  before: GroupTable,
): CompiledKernelRules {
  const allocator = new GroupAllocator(before);
  const groups = new Map<PolicyProgram, Map<string, Group>>();
  const groupOf = new Map<string, number>();
  const local = new Map<string, number>();
  for (const view of snapshot.workloads.values()) {
    const { uid, node: home, capture } = view.workload;
    const group = groupFor(groups, allocator, view, programOf(snapshot, view));
    groupOf.set(uid, group.id);
    if (home === node) local.set(uid, group.id);
    const enrolled = home === node && capture !== null;
    group.local ||= enrolled;
    group.takesProofs ||= enrolled && takesProofs(view.workload);
  }
  const all = [...groups.values()].flatMap((byIdentity) => [...byIdentity.values()]);
  const unheard = all.some(shutsOutProofs) ? allocator.idOf(unheardKey) : 0;
  const rules = all.flatMap((group) => rulesFor(group, all, unheard));
  return {
    kernelRules: {
      destinations: [
        ...rangeDestinations(snapshot, unheard),
        ...workloadDestinations(snapshot, groupOf, spokenOf(rules, unheard)),
        ...serviceDestinations(snapshot, groupOf),
      ],
      rules,
    },
    groups: allocator.finish(),
    groupOf: local,
  };
}

/** The group of a workload, made where it is the first. */
function groupFor(
  groups: Map<PolicyProgram, Map<string, Group>>,
  allocator: GroupAllocator,
  view: WorkloadView,
  program: PolicyProgram,
): Group {
  let byIdentity = groups.get(program);
  if (byIdentity === undefined) {
    byIdentity = new Map();
    groups.set(program, byIdentity);
  }
  let group = byIdentity.get(view.addressed.spiffeId);
  if (group === undefined) {
    group = {
      id: allocator.idOf(groupKey(view, program)),
      source: view.addressed,
      program,
      local: false,
      takesProofs: false,
    };
    byIdentity.set(view.addressed.spiffeId, group);
  }
  return group;
}

function groupKey(view: WorkloadView, program: PolicyProgram): string {
  return [view.addressed.spiffeId, ...program.policies.map((policy) => policy.key)].join(' ');
}

/** Gives out ids: the ones from before, then free ones, then new ones. */
class GroupAllocator {
  readonly #before: GroupTable;
  readonly #ids = new Map<string, number>();
  readonly #free: number[];
  #next: number;

  constructor(before: GroupTable) {
    this.#before = before;
    this.#free = [...before.free];
    this.#next = 1 + before.ids.size + before.free.length + before.resting.length;
  }

  idOf(key: string): number {
    let id = this.#ids.get(key) ?? this.#before.ids.get(key);
    if (id === undefined) {
      id = this.#free.shift() ?? this.#next;
      if (id === this.#next) this.#next += 1;
    }
    this.#ids.set(key, id);
    return id;
  }

  finish(): GroupTable {
    const resting = [...this.#before.ids].filter(([key]) => !this.#ids.has(key)).map(([, id]) => id);
    const free = [...this.#free, ...this.#before.resting].sort((a, b) => a - b);
    return { ids: this.#ids, free, resting };
  }
}

function rangeDestinations(snapshot: Snapshot, unheard: number): KernelDestination[] {
  return (snapshot.mesh?.ranges ?? []).map(({ cidr, action }) => {
    return { cidr, action, group: action === 'proxy' ? unheard : 0 };
  });
}

/** Whether its verdict on unknown sources would refuse some that can prove themselves. */
function shutsOutProofs({ program, takesProofs: proofs }: Group): boolean {
  if (!proofs) return false;
  const ports = kernelPorts(program) ?? [];
  return [0, ...ports].some((port) => kernelDenies(program, unknownSource, port));
}

/** Groups that a rule names; null: an address without an entry would be taken for one that nobody has heard of. */
function spokenOf(rules: readonly KernelRule[], unheard: number): ReadonlySet<number> | null {
  if (unheard !== 0) return null;
  return new Set(rules.flatMap(({ source, destination }) => [source, destination]));
}

/** Inside a proxy range an address of whose group no rule speaks needs no entry: a mesh without rules needs none. */
function workloadDestinations(
  snapshot: Snapshot,
  groupOf: ReadonlyMap<string, number>,
  spoken: ReadonlySet<number> | null,
): KernelDestination[] {
  const found: KernelDestination[] = [];
  for (const [address, claims] of snapshot.workloadsByAddress.entries()) {
    const owner = claims[0];
    // A virtual address is looked up first by the proxy too.
    if (owner === undefined || snapshot.servicesByAddress.has(address)) continue;
    const group = groupOf.get(owner.workload.uid) ?? 0;
    const silent = spoken !== null && !spoken.has(group);
    if (silent && lookupRange(snapshot.ranges, address) === 'proxy') continue;
    found.push({ cidr: hostRange(address), action: 'proxy', group });
  }
  return found;
}

function serviceDestinations(snapshot: Snapshot, groupOf: ReadonlyMap<string, number>): KernelDestination[] {
  const found: KernelDestination[] = [];
  for (const [address, key] of snapshot.servicesByAddress.entries()) {
    const view = snapshot.services.get(key);
    const group = view === undefined ? 0 : groupBehind(snapshot, view, groupOf);
    // Inside a proxy range an address without a group needs no entry of its own.
    if (group === 0 && lookupRange(snapshot.ranges, address) === 'proxy') continue;
    found.push({ cidr: hostRange(address), action: 'proxy', group });
  }
  return found;
}

/**
 * The one group behind a virtual address, 0 where the kernel cannot know it: a route may choose other backends,
 * endpoints may differ in group, and policies speak of the workload's port, so that ports must be the same.
 */
function groupBehind(snapshot: Snapshot, view: ServiceView, groupOf: ReadonlyMap<string, number>): number {
  if (snapshot.routesByService.has(view.key)) return 0;
  let group = 0;
  for (const endpoint of view.endpoints?.endpoints ?? []) {
    const owner = workloadAt(snapshot, endpoint.address);
    const own = owner === undefined ? 0 : (groupOf.get(owner.workload.uid) ?? 0);
    const samePorts = view.service.ports.every(({ port }) => endpoint.ports[port] === port);
    if (own === 0 || !samePorts || (group !== 0 && own !== group)) return 0;
    group = own;
  }
  return group;
}

function hostRange(address: string): string {
  return address.includes(':') ? `${address}/128` : `${address}/32`;
}

/**
 * The entries of one destination: the verdicts for an unknown source, then each source's where it differs. Sources of
 * other nodes matter only for destinations on this one.
 */
function rulesFor(destination: Group, groups: readonly Group[], unheard: number): KernelRule[] {
  const { program } = destination;
  const rules: KernelRule[] = [];
  const ports = kernelPorts(program);
  if (ports === null) return rules;
  const add = (source: number, port: number, denied: boolean) => {
    rules.push({ source, destination: destination.id, port, verdict: denied ? 'deny' : 'allow' });
  };
  const anyPort = kernelDenies(program, unknownSource, 0);
  if (anyPort) add(0, 0, true);
  const byPort = ports.map((port) => kernelDenies(program, unknownSource, port));
  for (const [at, port] of ports.entries()) {
    if (byPort[at] !== anyPort) add(0, port, byPort[at] === true);
  }
  const addSource = (id: number, denies: (port: number) => boolean) => {
    const own = denies(0);
    if (own !== anyPort) add(id, 0, own);
    for (const [at, port] of ports.entries()) {
      const fallback = own === anyPort ? byPort[at] : own;
      if (denies(port) !== fallback) add(id, port, denies(port));
    }
  };
  for (const { id, source, local } of groups) {
    if (local || destination.local) addSource(id, (port) => kernelDenies(program, source, port));
  }
  if (unheard !== 0) {
    addSource(unheard, (port) => !destination.takesProofs && kernelDenies(program, unknownSource, port));
  }
  return rules;
}

/** The ports that rules of connections name, ascending; null where no policy speaks to the kernel. */
function kernelPorts(program: PolicyProgram): number[] | null {
  const speaking = [...program.deny, ...(program.allowByConnection ? program.allow : [])];
  const rules = speaking.flatMap((policy) => policy.rules).filter((rule) => rule.http === null);
  if (rules.length === 0 && program.allow.length === 0) return null;
  return [...new Set(rules.flatMap((rule) => [...(rule.ports ?? [])]))].sort((a, b) => a - b);
}
