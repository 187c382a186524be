/** The values of a table by something that they have in common. */
import { Readers } from './graph.js';
import type { Table } from './table.js';

/** The members of one group: one, as a rule, so there is a map only beside the first. */
class Members<Value> {
  #first: readonly [key: string, value: Value] | null = null;
  #others: Map<string, Value> | null = null;
  #sorted: readonly Value[] | null = null;

  get isEmpty(): boolean {
    return this.#first === null && (this.#others?.size ?? 0) === 0;
  }

  put(key: string, value: Value): void {
    this.#sorted = null;
    if (this.#others?.has(key) !== true && (this.#first === null || this.#first[0] === key)) {
      this.#first = [key, value];
      return;
    }
    this.#others ??= new Map();
    this.#others.set(key, value);
  }

  remove(key: string): void {
    this.#sorted = null;
    if (this.#first?.[0] === key) this.#first = null;
    else this.#others?.delete(key);
  }

  /** In the order of keys. */
  sorted(): readonly Value[] {
    if (this.#sorted !== null) return this.#sorted;
    const members = [...(this.#first === null ? [] : [this.#first]), ...(this.#others ?? [])];
    members.sort(([left], [right]) => (left < right ? -1 : 1));
    const values = members.map(([, value]) => value);
    if (values.length > 1) this.#sorted = values;
    return values;
  }

  some(isSo: (value: Value) => boolean): boolean {
    if (this.#first !== null && isSo(this.#first[1])) return true;
    for (const value of this.#others?.values() ?? []) if (isSo(value)) return true;
    return false;
  }
}

export class Grouping<Value> {
  readonly #groups = new Map<string, Members<Value>>();
  readonly #groupsOf: (value: Value) => Iterable<string>;
  readonly #memberReaders: Readers;
  readonly #presenceReaders: Readers;

  /** `groupsOf`: none, one or many; always the same of the same value. */
  constructor(table: Table<Value>, groupsOf: (value: Value) => Iterable<string>) {
    this.#groupsOf = groupsOf;
    this.#memberReaders = new Readers(table.graph);
    this.#presenceReaders = new Readers(table.graph);
    table.watch((key, before, after) => this.#replace(key, before, after));
  }

  /** In the order of the table's keys. */
  get(group: string): readonly Value[] {
    this.#memberReaders.note(group);
    return this.#groups.get(group)?.sorted() ?? [];
  }

  /** Whether a member is so, looked at in no particular order. */
  some(group: string, isSo: (value: Value) => boolean): boolean {
    this.#memberReaders.note(group);
    return this.#groups.get(group)?.some(isSo) ?? false;
  }

  /** Whether there is any member. */
  has(group: string): boolean {
    this.#presenceReaders.note(group);
    return this.#groups.has(group);
  }

  #replace(key: string, before: Value | undefined, after: Value | undefined): void {
    const left = new Set(before === undefined ? [] : this.#groupsOf(before));
    for (const group of new Set(after === undefined ? [] : this.#groupsOf(after))) {
      left.delete(group);
      this.#put(group, key, after as Value);
    }
    for (const group of left) this.#remove(group, key);
  }

  #put(group: string, key: string, value: Value): void {
    let members = this.#groups.get(group);
    if (members === undefined) {
      members = new Members();
      this.#groups.set(group, members);
      this.#presenceReaders.stale(group);
    }
    members.put(key, value);
    this.#memberReaders.stale(group);
  }

  #remove(group: string, key: string): void {
    const members = this.#groups.get(group);
    members?.remove(key);
    if (members?.isEmpty === true) {
      this.#groups.delete(group);
      this.#presenceReaders.stale(group);
    }
    this.#memberReaders.stale(group);
  }
}
