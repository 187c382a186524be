/** The groups of compile-kernel-rules.ts, followed from one snapshot to the next. */
import type { PolicyProgram } from './authorize.js';
import { KernelVerdicts } from './compile-kernel-rules.js';
import { takesProofs } from './mtls.js';
import type { WorkloadView } from './snapshot.js';
import type { Source } from './source.js';

export interface Group {
  readonly key: string;
  readonly id: number;
  readonly source: Source;
  /** Uids. None: it is gone. */
  readonly members: ReadonlySet<string>;
  /** null: it leaves all to the proxy. */
  readonly verdicts: KernelVerdicts | null;
  /** Whether one of its workloads is enrolled on the node. */
  readonly local: boolean;
  /** Whether callers can prove themselves to one of those. */
  readonly takesProofs: boolean;
}

/** What moved with an update. */
export interface MovedGroups {
  /** Groups that came, changed as a destination or a source, or went. */
  readonly changed: ReadonlySet<Group>;
  /** Uids of workloads that came into another group. */
  readonly moved: ReadonlySet<string>;
}

/**
 * Numbers from 1. One that is given up rests for one round before it serves again: the kernel may still hold entries with
 * it while those of the next round come in.
 */
export class GroupIds {
  #next = 1;
  /** Ascending. */
  #free: number[] = [];
  #resting: number[] = [];
  #givenUp: number[] = [];

  take(): number {
    const id = this.#free.shift() ?? this.#next;
    if (id === this.#next) this.#next += 1;
    return id;
  }

  giveUp(id: number): void {
    this.#givenUp.push(id);
  }

  endRound(): void {
    if (this.#resting.length > 0) this.#free = [...this.#free, ...this.#resting].sort((a, b) => a - b);
    this.#resting = this.#givenUp;
    this.#givenUp = [];
  }
}

class FollowedGroup implements Group {
  readonly key: string;
  readonly id: number;
  readonly source: Source;
  readonly members = new Set<string>();
  locals = 0;
  proofs = 0;
  program: PolicyProgram;
  verdicts: KernelVerdicts | null;

  constructor(key: string, id: number, source: Source, program: PolicyProgram) {
    this.key = key;
    this.id = id;
    this.source = source;
    this.program = program;
    this.verdicts = KernelVerdicts.of(program);
  }

  get local(): boolean {
    return this.locals > 0;
  }

  get takesProofs(): boolean {
    return this.proofs > 0;
  }

  /** Equal policies may be another program, and others may have the same names. */
  follow(program: PolicyProgram): void {
    if (program === this.program) return;
    this.program = program;
    this.verdicts = KernelVerdicts.of(program);
  }

  /** What other entries depend on. */
  standing(): readonly unknown[] {
    return [this.members.size > 0, this.verdicts, this.local, this.takesProofs];
  }
}

interface Place {
  readonly group: FollowedGroup;
  /** Whether it is enrolled on the node, and whether callers can prove themselves to it then. */
  readonly local: boolean;
  readonly proofs: boolean;
}

export class KernelGroups {
  readonly #ids: GroupIds;
  readonly #node: string;
  readonly #groups = new Map<string, FollowedGroup>();
  readonly #places = new Map<string, Place>();
  /** Groups that are being changed, as they stood before. */
  readonly #before = new Map<FollowedGroup, readonly unknown[]>();
  #moved = new Set<string>();

  constructor(node: string, ids: GroupIds) {
    this.#node = node;
    this.#ids = ids;
  }

  /** undefined: the workload is not known. */
  groupOf(uid: string): Group | undefined {
    return this.#places.get(uid)?.group;
  }

  /** A workload came or may have changed; `program`: its policies. */
  put({ workload, addressed }: WorkloadView, program: PolicyProgram): void {
    const { uid, node, capture } = workload;
    const key = [addressed.spiffeId, ...program.policies.map((policy) => policy.key)].join(' ');
    const known = this.#groups.get(key);
    const group = known ?? new FollowedGroup(key, this.#ids.take(), addressed, program);
    if (known === undefined) this.#groups.set(key, group);
    const local = node === this.#node && capture !== null;
    const place: Place = { group, local, proofs: local && takesProofs(workload) };
    const before = this.#places.get(uid);
    this.#note(group, known === undefined);
    group.follow(program);
    if (before?.group === group && before.local === place.local && before.proofs === place.proofs) return;
    this.#leave(uid, before);
    this.#places.set(uid, place);
    group.members.add(uid);
    group.locals += place.local ? 1 : 0;
    group.proofs += place.proofs ? 1 : 0;
    if (before?.group !== group) this.#moved.add(uid);
  }

  remove(uid: string): void {
    this.#leave(uid, this.#places.get(uid));
    this.#places.delete(uid);
  }

  /** Ends an update. Groups without workloads are gone. */
  settle(): MovedGroups {
    const changed = new Set<Group>();
    for (const [group, before] of this.#before) {
      if (group.members.size === 0) {
        this.#groups.delete(group.key);
        this.#ids.giveUp(group.id);
      }
      if (group.standing().some((one, at) => one !== before[at])) changed.add(group);
    }
    const moved = this.#moved;
    this.#before.clear();
    this.#moved = new Set();
    return { changed, moved };
  }

  #leave(uid: string, place: Place | undefined): void {
    if (place === undefined) return;
    const { group, local, proofs } = place;
    this.#note(group, false);
    group.members.delete(uid);
    group.locals -= local ? 1 : 0;
    group.proofs -= proofs ? 1 : 0;
  }

  #note(group: FollowedGroup, isNew: boolean): void {
    if (!this.#before.has(group)) this.#before.set(group, isNew ? [] : group.standing());
  }
}
