/**
 * Values that follow from others, worked out again only where something that they were worked out from has changed.
 * What a derivation reads while it runs is what it depends on, so no dependency can be forgotten; where it comes out as
 * before, nothing that reads it runs. Tables are settled in the order in which they were made: each reads earlier ones only.
 */
import type { StatusProblem } from '../resources/status-problem.js';

/** One value of one table, as a reader of others. */
export interface Node {
  /** Where it is known as a reader. */
  reads: ReaderList[];
  stale(): void;
}

/** A table that has to be brought up to date. */
export interface Settled {
  settle(): void;
  /** What is wrong with its values, by key. */
  readonly problems: ReadonlyMap<string, readonly StatusProblem[]>;
  /** Drops what nobody reads any more. */
  sweep(): void;
}

/** The readers of one thing: one, as a rule, so there is a set only beside the first. */
class ReaderList {
  #first: Node | null = null;
  #others: Set<Node> | null = null;
  readonly #home: Readers;
  readonly #key: string;

  constructor(home: Readers, key: string) {
    this.#home = home;
    this.#key = key;
  }

  add(node: Node): void {
    if (this.#first === node || this.#others?.has(node) === true) return;
    if (this.#first === null) this.#first = node;
    else {
      this.#others ??= new Set();
      this.#others.add(node);
    }
    node.reads.push(this);
  }

  remove(node: Node): void {
    if (this.#first === node) this.#first = null;
    else this.#others?.delete(node);
    if (this.#first === null && (this.#others?.size ?? 0) === 0) this.#home.unread(this.#key);
  }

  /** What they read has changed. */
  stale(): void {
    this.#first?.stale();
    for (const node of this.#others ?? []) node.stale();
  }
}

export type { ReaderList };

/** Readers by what they read. */
export class Readers {
  readonly #graph: Graph;
  readonly #lists = new Map<string, ReaderList>();
  readonly #onUnread: ((key: string) => void) | undefined;

  constructor(graph: Graph, onUnread?: (key: string) => void) {
    this.#graph = graph;
    this.#onUnread = onUnread;
  }

  /** Whatever is being worked out reads this. */
  note(key: string): void {
    const node = this.#graph.running;
    if (node === null) return;
    let list = this.#lists.get(key);
    if (list === undefined) {
      list = new ReaderList(this, key);
      this.#lists.set(key, list);
    }
    list.add(node);
  }

  has(key: string): boolean {
    return this.#lists.has(key);
  }

  stale(key: string): void {
    this.#lists.get(key)?.stale();
  }

  /** Its last reader has gone. */
  unread(key: string): void {
    this.#lists.delete(key);
    this.#onUnread?.(key);
  }
}

/** All tables that depend on each other. */
export class Graph {
  readonly #tables: Settled[] = [];
  #running: Node | null = null;

  get running(): Node | null {
    return this.#running;
  }

  add(table: Settled): void {
    this.#tables.push(table);
  }

  /** Runs what works a node out; what it reads is what it depends on from now on. */
  run<Value>(node: Node, work: () => Value): Value {
    this.forget(node);
    const outer = this.#running;
    this.#running = node;
    try {
      return work();
    } finally {
      this.#running = outer;
      // An array that has grown keeps room for a dozen more, and there are as many nodes as values.
      node.reads = node.reads.slice();
    }
  }

  /** The node depends on nothing. */
  forget(node: Node): void {
    const { reads } = node;
    node.reads = [];
    for (const list of reads) list.remove(node);
  }

  /** What is wrong with all values, by table and then by key. */
  problems(): StatusProblem[] {
    return this.#tables.flatMap(({ problems }) =>
      [...problems].sort(([left], [right]) => (left < right ? -1 : 1)).flatMap(([, found]) => found),
    );
  }

  /** Brings everything up to date. */
  settle(): void {
    for (const table of this.#tables) table.settle();
    for (const table of this.#tables.toReversed()) table.sweep();
  }
}
