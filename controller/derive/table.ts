/** Tables of values by key, and the one kind of them that is put in. */
import { sameJson } from '../kubernetes/same-json.js';
import { type Graph, Readers } from './graph.js';

type OnChange<Value> = (key: string, before: Value | undefined, after: Value | undefined) => void;

/** Values by key. */
export abstract class Table<Value> {
  readonly graph: Graph;
  readonly #values = new Map<string, Value>();
  readonly #readers: Readers;
  readonly #watchers: OnChange<never>[] = [];

  constructor(graph: Graph) {
    this.graph = graph;
    this.#readers = new Readers(graph, (key) => this.unread(key));
  }

  get(key: string): Value | undefined {
    this.#readers.note(key);
    return this.#values.get(key);
  }

  /** Is told of every change, in the moment. For what is made of the whole table, and not by key. */
  watch(onChange: OnChange<Value>): void {
    this.#watchers.push(onChange);
  }

  /** Everything. No reader may depend on that: use a {@link Grouping}. */
  entries(): ReadonlyMap<string, Value> {
    return this.#values;
  }

  protected isRead(key: string): boolean {
    return this.#readers.has(key);
  }

  /** Nobody reads this value any more. */
  protected unread(_key: string): void {}

  /** undefined: there is none. The same value again changes nothing. */
  protected replace(key: string, after: Value | undefined): void {
    const before = this.#values.get(key);
    if (sameJson(before, after)) return;
    if (after === undefined) this.#values.delete(key);
    else this.#values.set(key, after);
    this.#readers.stale(key);
    for (const onChange of this.#watchers as OnChange<Value>[]) onChange(key, before, after);
  }
}

/** What everything follows from. */
export class Input<Value> extends Table<Value> {
  /** undefined: there is none. Takes effect with {@link Graph.settle}. */
  set(key: string, value: Value | undefined): void {
    this.replace(key, value);
  }
}
