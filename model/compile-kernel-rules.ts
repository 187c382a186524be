/**
 * What the kernel decides by itself on one node: which addresses go to the proxy, and which connections are refused
 * before they begin. Whatever it cannot know (requests, authentication) it leaves to the proxy, so its verdict is
 * authorizeConnection's or none. Here are the entries for one address and for one pair of groups; kernel-plan.ts has all
 * of them.
 *
 * A group stands for workloads with one identity and the same policies: as a source it is the identity, as a
 * destination it is the policies. One more group stands for the addresses of the mesh's ranges that no workload is known
 * to have: a workload may call before this node has heard of its address, and prove who it is.
 */

import { lookupRange } from './address-ranges.js';
import { kernelDenies, type PolicyProgram } from './authorize.js';
import type { RangeAction } from './mesh.js';
import { type ServiceView, type Snapshot, type WorkloadView, workloadAt } from './snapshot.js';
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

/** How entries for addresses see the groups. */
export interface GroupsOfAddresses {
  /** Group of a workload. */
  readonly groupOf: (view: WorkloadView) => number;
  /** Whether a rule speaks of the group, or an address without an entry would be taken for one that nobody has heard of. */
  readonly isSpokenOf: (group: number) => boolean;
}

/** What one destination's policies tell the kernel: verdicts by port, for an unknown source and for others. */
export class KernelVerdicts {
  readonly #program: PolicyProgram;
  readonly #ports: readonly number[];
  readonly #anyPort: boolean;
  readonly #byPort: readonly boolean[];

  private constructor(program: PolicyProgram, ports: readonly number[]) {
    this.#program = program;
    this.#ports = ports;
    this.#anyPort = kernelDenies(program, unknownSource, 0);
    this.#byPort = ports.map((port) => kernelDenies(program, unknownSource, port));
  }

  /** null where no policy speaks to the kernel. */
  static of(program: PolicyProgram): KernelVerdicts | null {
    const speaking = [...program.deny, ...(program.allowByConnection ? program.allow : [])];
    const rules = speaking.flatMap((policy) => policy.rules).filter((rule) => rule.http === null);
    if (rules.length === 0 && program.allow.length === 0) return null;
    const ports = new Set(rules.flatMap((rule) => [...(rule.ports ?? [])]));
    return new KernelVerdicts(
      program,
      [...ports].sort((a, b) => a - b),
    );
  }

  get refusesUnknown(): boolean {
    return this.#anyPort || this.#byPort.includes(true);
  }

  /** The entries for an unknown source. */
  unknown(destination: number): KernelRule[] {
    const rules: KernelRule[] = [];
    if (this.#anyPort) rules.push(entry(0, destination, 0, true));
    for (const [at, port] of this.#ports.entries()) {
      if (this.#byPort[at] !== this.#anyPort) rules.push(entry(0, destination, port, !this.#anyPort));
    }
    return rules;
  }

  /** Those of a source, where they differ. */
  of(destination: number, id: number, source: Source): KernelRule[] {
    return this.#differing(destination, id, (port) => kernelDenies(this.#program, source, port));
  }

  /** Those of sources that nobody has heard of, where callers can prove themselves: that is left to the proxy. */
  unheard(destination: number, id: number): KernelRule[] {
    return this.#differing(destination, id, () => false);
  }

  #differing(destination: number, source: number, denies: (port: number) => boolean): KernelRule[] {
    const rules: KernelRule[] = [];
    const own = denies(0);
    if (own !== this.#anyPort) rules.push(entry(source, destination, 0, own));
    for (const [at, port] of this.#ports.entries()) {
      const fallback = own === this.#anyPort ? this.#byPort[at] : own;
      const denied = denies(port);
      if (denied !== fallback) rules.push(entry(source, destination, port, denied));
    }
    return rules;
  }
}

function entry(source: number, destination: number, port: number, denied: boolean): KernelRule {
  return { source, destination, port, verdict: denied ? 'deny' : 'allow' };
}

/**
 * The entry of one address that a service or a workload has; null: it needs none. Inside a proxy range that is one of
 * whose group no rule speaks, so a mesh without rules needs none at all.
 */
export function destinationAt(
  snapshot: Snapshot,
  address: string,
  groups: GroupsOfAddresses,
): KernelDestination | null {
  // A virtual address is looked up first by the proxy too.
  const service = snapshot.servicesByAddress.get(address);
  const owner = workloadAt(snapshot, address);
  if (service === undefined && owner === undefined) return null;
  const group =
    service !== undefined
      ? groupBehind(snapshot, snapshot.services.get(service), groups)
      : groups.groupOf(owner as WorkloadView);
  const silent = service !== undefined ? group === 0 : !groups.isSpokenOf(group);
  if (silent && lookupRange(snapshot.ranges, address) === 'proxy') return null;
  return { cidr: address.includes(':') ? `${address}/128` : `${address}/32`, action: 'proxy', group };
}

/**
 * The one group behind a virtual address, 0 where the kernel cannot know it: a route may choose other backends,
 * endpoints may differ in group, and policies speak of the workload's port, so that ports must be the same.
 */
function groupBehind(
  snapshot: Snapshot,
  view: ServiceView | undefined,
  { groupOf }: GroupsOfAddresses,
): number {
  if (view === undefined || snapshot.routesByService.has(view.key)) return 0;
  let group = 0;
  for (const endpoint of view.endpoints?.endpoints ?? []) {
    const owner = workloadAt(snapshot, endpoint.address);
    const own = owner === undefined ? 0 : groupOf(owner);
    const samePorts = view.service.ports.every(({ port }) => endpoint.ports[port] === port);
    if (own === 0 || !samePorts || (group !== 0 && own !== group)) return 0;
    group = own;
  }
  return group;
}
