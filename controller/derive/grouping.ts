/** The values of a table by something that they have in common. */
import { Readers } from './graph.js';
import type { Table } from './table.js';

export class Grouping<Value> {
  /** By group, then by the table's key. */
  readonly #groups = new Map<string, Map<string, Value>>();
  /** Members in the order of their keys; of groups that were asked for it. */
  readonly #sorted = new Map<string, readonly Value[]>();
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
    const known = this.#sorted.get(group);
    if (known !== undefined) return known;
    const members = [...(this.#groups.get(group) ?? [])];
    members.sort(([left], [right]) => (left < right ? -1 : 1));
    const values = members.map(([, value]) => value);
    if (values.length > 0) this.#sorted.set(group, values);
    return values;
  }

  /** Whether a member is so, looked at in no particular order. */
  some(group: string, isSo: (value: Value) => boolean): boolean {
    this.#memberReaders.note(group);
    for (const value of this.#groups.get(group)?.values() ?? []) if (isSo(value)) return true;
    return false;
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
    const members = this.#groups.get(group);
    if (members === undefined) {
      this.#groups.set(group, new Map([[key, value]]));
      this.#presenceReaders.stale(group);
    } else members.set(key, value);
    this.#changed(group);
  }

  #remove(group: string, key: string): void {
    const members = this.#groups.get(group);
    members?.delete(key);
    if (members?.size === 0) {
      this.#groups.delete(group);
      this.#presenceReaders.stale(group);
    }
    this.#changed(group);
  }

  #changed(group: string): void {
    this.#sorted.delete(group);
    this.#memberReaders.stale(group);
  }
}
