/** The rules between all groups, followed as groups change: one pair of groups at a time. */
import type { KernelRule } from './compile-kernel-rules.js';
import type { Group, GroupIds } from './kernel-groups.js';

/** The rules of one destination. */
interface Column {
  unknown: readonly KernelRule[];
  /** Only of sources that have any. */
  readonly sources: Map<Group, readonly KernelRule[]>;
  unheard: readonly KernelRule[];
}

/** What follows from an update. */
export interface TableChanges {
  /** Rules begin or cease to speak of these groups. */
  readonly spoken: ReadonlySet<Group>;
  /** Every address may need another entry. */
  readonly all: boolean;
  /** Some rule is another one. */
  readonly rules: boolean;
}

const none: readonly KernelRule[] = [];

export class KernelRuleTable {
  readonly #ids: GroupIds;
  /** Groups by id, those that are gone until the end of an update. */
  readonly #groups = new Map<number, Group>();
  readonly #columns = new Map<Group, Column>();
  /** Those whose verdict on unknown sources would refuse some that can prove themselves. */
  readonly #shuttingOut = new Set<Group>();
  /** How many rules name a group. */
  readonly #named = new Map<number, number>();
  /** Groups whose rules are being changed, and whether any spoke of them before. */
  readonly #spokenBefore = new Map<number, boolean>();
  #unheard = 0;
  #differs = false;

  constructor(ids: GroupIds) {
    this.#ids = ids;
  }

  /** Group of the addresses that no workload is known to have; 0: it is not needed. */
  get unheard(): number {
    return this.#unheard;
  }

  isSpokenOf(group: number): boolean {
    return this.#unheard !== 0 || (this.#named.get(group) ?? 0) > 0;
  }

  rules(): KernelRule[] {
    return [...this.#columns.values()].flatMap(({ unknown, sources, unheard }) => [
      ...unknown,
      ...[...sources.values()].flat(),
      ...unheard,
    ]);
  }

  update(changed: ReadonlySet<Group>): TableChanges {
    for (const group of changed) {
      this.#groups.set(group.id, group);
      const shutsOut = isThere(group) && group.takesProofs && group.verdicts?.refusesUnknown === true;
      this.#shuttingOut[shutsOut ? 'add' : 'delete'](group);
    }
    const all = this.#followUnheard();
    for (const group of changed) this.#fill(group);
    for (const [destination, column] of this.#columns) {
      if (changed.has(destination)) continue;
      for (const source of changed) this.#pair(destination, column, source);
    }
    const spoken = new Set<Group>();
    for (const [id, before] of this.#spokenBefore) {
      const group = this.#groups.get(id);
      if (group !== undefined && before !== (this.#named.get(id) ?? 0) > 0) spoken.add(group);
    }
    for (const group of changed) if (!isThere(group)) this.#groups.delete(group.id);
    const rules = this.#differs;
    this.#differs = false;
    this.#spokenBefore.clear();
    return { spoken, all, rules };
  }

  /** Returns whether it came or went. */
  #followUnheard(): boolean {
    const needed = this.#shuttingOut.size > 0;
    if (needed === (this.#unheard !== 0)) return false;
    if (!needed) this.#ids.giveUp(this.#unheard);
    this.#unheard = needed ? this.#ids.take() : 0;
    return true;
  }

  #fill(destination: Group): void {
    const { verdicts, id, takesProofs } = destination;
    const known = this.#columns.get(destination);
    if (verdicts === null || !isThere(destination)) {
      if (known !== undefined) this.#drop(destination, known);
      return;
    }
    const column = known ?? { unknown: none, sources: new Map(), unheard: none };
    this.#columns.set(destination, column);
    column.unknown = this.#replace(column.unknown, verdicts.unknown(id));
    for (const source of this.#groups.values()) this.#pair(destination, column, source);
    // Where none of those whose callers can prove themselves refuses unknown sources there are no such rules.
    const unheard = this.#unheard !== 0 && takesProofs ? verdicts.unheard(id, this.#unheard) : none;
    column.unheard = this.#replace(column.unheard, unheard);
  }

  #drop(destination: Group, { unknown, sources, unheard }: Column): void {
    this.#columns.delete(destination);
    for (const rules of [unknown, ...sources.values(), unheard]) this.#replace(rules, none);
  }

  /** Sources of other nodes matter only for destinations on this one. */
  #pair(destination: Group, { sources }: Column, source: Group): void {
    const { verdicts, id } = destination;
    const applies = isThere(source) && (source.local || destination.local);
    const fresh = (applies ? verdicts?.of(id, source.id, source.source) : undefined) ?? none;
    const kept = this.#replace(sources.get(source) ?? none, fresh);
    if (kept.length === 0) sources.delete(source);
    else sources.set(source, kept);
  }

  /** What is in force from now on, with its books. */
  #replace(before: readonly KernelRule[], fresh: readonly KernelRule[]): readonly KernelRule[] {
    if (sameRules(before, fresh)) return before;
    this.#differs = true;
    this.#count(before, -1);
    this.#count(fresh, 1);
    return fresh;
  }

  #count(rules: readonly KernelRule[], change: 1 | -1): void {
    for (const { source, destination } of rules) {
      for (const id of [source, destination]) {
        const count = this.#named.get(id) ?? 0;
        if (!this.#spokenBefore.has(id)) this.#spokenBefore.set(id, count > 0);
        if (count + change === 0) this.#named.delete(id);
        else this.#named.set(id, count + change);
      }
    }
  }
}

function isThere(group: Group): boolean {
  return group.members.size > 0;
}

function sameRules(left: readonly KernelRule[], right: readonly KernelRule[]): boolean {
  return (
    left.length === right.length &&
    left.every(({ source, port, verdict }, at) => {
      const other = right[at];
      return source === other?.source && port === other.port && verdict === other.verdict;
    })
  );
}
