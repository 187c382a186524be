/** Tables whose values follow from others. */
import { CrossCheck } from '../resources/cross-check.js';
import type { StatusProblem } from '../resources/status-problem.js';
import type { Graph, Node, ReaderList, Settled } from './graph.js';
import { Table } from './table.js';

/** A table whose values are worked out; `check` takes what is found wrong on the way. */
export abstract class Derived<Value> extends Table<Value> implements Settled {
  readonly #nodes = new Map<string, DerivedNode<Value>>();
  readonly #problems = new Map<string, readonly StatusProblem[]>();
  #stale = new Set<DerivedNode<Value>>();

  constructor(graph: Graph) {
    super(graph);
    graph.add(this);
  }

  /** By key: only of values with which something is wrong. */
  get problems(): ReadonlyMap<string, readonly StatusProblem[]> {
    return this.#problems;
  }

  /** Works the value out again with the next {@link settle}. */
  stale(key: string): void {
    const node = this.#nodes.get(key) ?? new DerivedNode(this, key);
    this.#nodes.set(key, node);
    this.#stale.add(node);
  }

  settle(): void {
    const stale = this.#stale;
    this.#stale = new Set();
    for (const { key } of stale) this.workOut(key);
  }

  sweep(): void {}

  /** Whether the key has a value, or would have one. */
  protected knows(key: string): boolean {
    return this.#nodes.has(key);
  }

  protected abstract work(key: string, check: CrossCheck): Value | undefined;

  protected workOut(key: string): void {
    const node = this.#nodes.get(key) ?? new DerivedNode(this, key);
    this.#nodes.set(key, node);
    const check = new CrossCheck();
    const value = this.graph.run(node, () => this.work(key, check));
    if (check.problems.length > 0) this.#problems.set(key, check.problems);
    else this.#problems.delete(key);
    this.replace(key, value);
  }

  protected drop(key: string): void {
    const node = this.#nodes.get(key);
    if (node !== undefined) this.graph.forget(node);
    this.#nodes.delete(key);
    this.#problems.delete(key);
    this.replace(key, undefined);
  }
}

class DerivedNode<Value> implements Node {
  reads: ReaderList[] = [];
  readonly key: string;
  readonly #table: Derived<Value>;

  constructor(table: Derived<Value>, key: string) {
    this.#table = table;
    this.key = key;
  }

  stale(): void {
    this.#table.stale(this.key);
  }
}

/** One value for each value of another table, by the same key. */
export class Each<Item, Value> extends Derived<Value> {
  readonly #source: Table<Item>;
  readonly #work: (item: Item, check: CrossCheck, key: string) => Value | undefined;

  constructor(source: Table<Item>, work: (item: Item, check: CrossCheck, key: string) => Value | undefined) {
    super(source.graph);
    this.#source = source;
    this.#work = work;
    for (const key of source.entries().keys()) this.stale(key);
    source.watch((key) => this.stale(key));
  }

  protected override workOut(key: string): void {
    if (this.#source.entries().has(key)) super.workOut(key);
    else this.drop(key);
  }

  protected work(key: string, check: CrossCheck): Value | undefined {
    return this.#work(this.#source.entries().get(key) as Item, check, key);
  }
}

/** Values that are worked out when one is first read, and kept for as long as somebody reads them. */
export class OnDemand<Value> extends Derived<Value> {
  readonly #work: (key: string, check: CrossCheck) => Value | undefined;
  readonly #unread = new Set<string>();

  constructor(graph: Graph, work: (key: string, check: CrossCheck) => Value | undefined) {
    super(graph);
    this.#work = work;
  }

  override get(key: string): Value | undefined {
    if (!this.knows(key)) this.workOut(key);
    return super.get(key);
  }

  override sweep(): void {
    for (const key of this.#unread) if (!this.isRead(key)) this.drop(key);
    this.#unread.clear();
  }

  protected override unread(key: string): void {
    this.#unread.add(key);
  }

  protected work(key: string, check: CrossCheck): Value | undefined {
    return this.#work(key, check);
  }
}
