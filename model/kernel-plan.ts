/**
 * Everything that the kernel of one node shall know of a snapshot, followed from one snapshot to the next: an update costs
 * what differs between the two and what follows from it, not the mesh. What differs is seen from the snapshots alone.
 */
import {
  destinationAt,
  type GroupsOfAddresses,
  type KernelDestination,
  type KernelRules,
} from './compile-kernel-rules.js';
import { type Group, GroupIds, KernelGroups } from './kernel-groups.js';
import { KernelRuleTable } from './kernel-rule-table.js';
import { emptySnapshot, programOf, type Snapshot } from './snapshot.js';

export class KernelPlan {
  readonly #node: string;
  readonly #ids = new GroupIds();
  readonly #groups: KernelGroups;
  readonly #table: KernelRuleTable;
  /** Of ranges. */
  #ranges: readonly KernelDestination[] = [];
  /** By address. */
  readonly #hosts = new Map<string, KernelDestination>();
  /** Uids of workloads with details, by namespace: those that policies may select. */
  readonly #detailed = new Map<string, Set<string>>();
  readonly #locals = new Set<string>();
  #snapshot: Snapshot = emptySnapshot;
  #rules: KernelRules | null = null;

  constructor(node: string) {
    this.#node = node;
    this.#groups = new KernelGroups(node, this.#ids);
    this.#table = new KernelRuleTable(this.#ids);
  }

  /** As of the last update; another object where something differs from the update before. */
  get kernelRules(): KernelRules {
    this.#rules ??= {
      destinations: [...this.#ranges, ...this.#hosts.values()],
      rules: this.#table.rules(),
    };
    return this.#rules;
  }

  /** Uids of the node's workloads, captured or not. */
  get locals(): ReadonlySet<string> {
    return this.#locals;
  }

  /** 0: the workload is not known. */
  groupOf(uid: string): number {
    return this.#groups.groupOf(uid)?.id ?? 0;
  }

  update(snapshot: Snapshot): void {
    const before = this.#snapshot;
    this.#snapshot = snapshot;
    this.#followWorkloads(before);
    const { changed, moved } = this.#groups.settle();
    const { spoken, all, rules } = this.#table.update(changed);
    const ranges = this.#followRanges();
    const addresses =
      all || snapshot.ranges !== before.ranges
        ? this.#everyAddress(before)
        : this.#touched(before, moved, spoken);
    const hosts = this.#followAddresses(addresses);
    if (rules || ranges || hosts) this.#rules = null;
    this.#ids.endRound();
  }

  #followWorkloads(before: Snapshot): void {
    const snapshot = this.#snapshot;
    const touched = new Set(snapshot.workloads.differing(before.workloads));
    for (const uid of touched) this.#file(uid, before);
    for (const namespace of snapshot.policies.differing(before.policies)) {
      for (const uid of this.#detailed.get(namespace) ?? []) touched.add(uid);
    }
    for (const uid of touched) {
      const view = snapshot.workloads.get(uid);
      if (view === undefined) this.#groups.remove(uid);
      else this.#groups.put(view, programOf(snapshot, view));
    }
  }

  #file(uid: string, before: Snapshot): void {
    const [old, fresh] = [before.workloads.get(uid), this.#snapshot.workloads.get(uid)];
    if (fresh?.workload.node === this.#node) this.#locals.add(uid);
    else this.#locals.delete(uid);
    if (old !== undefined && !old.indexed) {
      const peers = this.#detailed.get(old.workload.namespace);
      if (peers?.delete(uid) === true && peers.size === 0) this.#detailed.delete(old.workload.namespace);
    }
    if (fresh === undefined || fresh.indexed) return;
    const peers = this.#detailed.get(fresh.workload.namespace) ?? new Set();
    this.#detailed.set(fresh.workload.namespace, peers.add(uid));
  }

  /** Returns whether they differ. */
  #followRanges(): boolean {
    const group = (action: string) => (action === 'proxy' ? this.#table.unheard : 0);
    const ranges = (this.#snapshot.mesh?.ranges ?? []).map(({ cidr, action }) => {
      return { cidr, action, group: group(action) };
    });
    const same =
      ranges.length === this.#ranges.length &&
      ranges.every((range, at) => sameDestination(range, this.#ranges[at]));
    if (!same) this.#ranges = ranges;
    return !same;
  }

  /** Returns whether any entry differs. */
  #followAddresses(addresses: Iterable<string>): boolean {
    const groups: GroupsOfAddresses = {
      groupOf: ({ workload }) => this.groupOf(workload.uid),
      isSpokenOf: (group) => this.#table.isSpokenOf(group),
    };
    let differs = false;
    for (const address of addresses) {
      const fresh = destinationAt(this.#snapshot, address, groups) ?? undefined;
      if (sameDestination(fresh, this.#hosts.get(address))) continue;
      differs = true;
      if (fresh === undefined) this.#hosts.delete(address);
      else this.#hosts.set(address, fresh);
    }
    return differs;
  }

  *#everyAddress(before: Snapshot): Generator<string> {
    for (const { workloadsByAddress, servicesByAddress } of [before, this.#snapshot]) {
      yield* workloadsByAddress.keys();
      yield* servicesByAddress.keys();
    }
  }

  /** Addresses whose entries may differ, those of services that follow from others' among them. */
  #touched(before: Snapshot, moved: ReadonlySet<string>, spoken: ReadonlySet<Group>): Set<string> {
    const snapshot = this.#snapshot;
    const owners = new Set(snapshot.workloadsByAddress.differing(before.workloadsByAddress));
    for (const uid of moved) {
      for (const address of snapshot.workloads.get(uid)?.workload.addresses ?? []) owners.add(address);
    }
    const services = new Set(snapshot.services.differing(before.services));
    for (const key of snapshot.routesByService.differing(before.routesByService)) services.add(key);
    for (const address of owners) {
      for (const key of snapshot.servicesByEndpoint.get(address) ?? []) services.add(key);
    }
    const touched = owners;
    for (const address of snapshot.servicesByAddress.differing(before.servicesByAddress))
      touched.add(address);
    for (const key of services) {
      for (const address of snapshot.services.get(key)?.service.addresses ?? []) touched.add(address);
    }
    for (const group of spoken) {
      for (const uid of group.members) {
        for (const address of snapshot.workloads.get(uid)?.workload.addresses ?? []) touched.add(address);
      }
    }
    return touched;
  }
}

function sameDestination(left: KernelDestination | undefined, right: KernelDestination | undefined): boolean {
  return left?.cidr === right?.cidr && left?.action === right?.action && left?.group === right?.group;
}
