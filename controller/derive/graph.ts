/**
 * Values that follow from others, worked out again only where something that they were worked out from has changed.
 * What a derivation reads while it runs is what it depends on, so no dependency can be forgotten; where it comes out as
 * before, nothing that reads it runs. Tables are settled in the order in which they were made: each reads earlier ones only.
 */
import type { StatusProblem } from '../resources/status-problem.js';

/** One value of one table, as a reader of others. */
export interface Node {
  /** Lists that it is in. */
  readonly reads: Set<ReaderList>;
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

/** The readers of one thing. */
export class ReaderList {
  readonly #nodes = new Set<Node>();
  readonly #onUnread: () => void;

  constructor(onUnread: () => void) {
    this.#onUnread = onUnread;
  }

  add(node: Node): void {
    this.#nodes.add(node);
    node.reads.add(this);
  }

  remove(node: Node): void {
    this.#nodes.delete(node);
    if (this.#nodes.size === 0) this.#onUnread();
  }

  /** What they read has changed. */
  stale(): void {
    for (const node of this.#nodes) node.stale();
  }
}

/** Readers by what they read. */
export class Readers {
  readonly #graph: Graph;
  readonly #lists = new Map<string, ReaderList>();
  readonly #onUnread: (key: string) => void;

  constructor(graph: Graph, onUnread: (key: string) => void = () => {}) {
    this.#graph = graph;
    this.#onUnread = onUnread;
  }

  /** Whatever is being worked out reads this. */
  note(key: string): void {
    const node = this.#graph.running;
    if (node === null) return;
    let list = this.#lists.get(key);
    if (list === undefined) {
      list = new ReaderList(() => {
        this.#lists.delete(key);
        this.#onUnread(key);
      });
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
    }
  }

  /** The node depends on nothing. */
  forget(node: Node): void {
    for (const list of node.reads) list.remove(node);
    node.reads.clear();
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
