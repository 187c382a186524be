/** Records that live as long as a connection or a request, found by the tag that the engine hands back. */

export interface Tagged {
  /** 1 and up, while in use. */
  readonly tag: number;
}

/** Keeps released records for reuse, so that a request allocates nothing once the pool is warm. */
export class RecordPool<Entry extends Tagged> {
  readonly #make: (tag: number) => Entry;
  /** By tag − 1. */
  readonly #records: Entry[] = [];
  readonly #live: boolean[] = [];
  readonly #free: Entry[] = [];

  constructor(make: (tag: number) => Entry) {
    this.#make = make;
  }

  /** A record with whatever its last user left in it. */
  take(): Entry {
    const reused = this.#free.pop();
    if (reused !== undefined) {
      this.#live[reused.tag - 1] = true;
      return reused;
    }
    const made = this.#make(this.#records.length + 1);
    this.#records.push(made);
    this.#live.push(true);
    return made;
  }

  /** The record in use under a tag; undefined for 0 and for a tag that was released. */
  find(tag: number): Entry | undefined {
    return this.#live[tag - 1] === true ? this.#records[tag - 1] : undefined;
  }

  release(entry: Entry): void {
    if (this.#live[entry.tag - 1] !== true) return;
    this.#live[entry.tag - 1] = false;
    this.#free.push(entry);
  }

  get size(): number {
    return this.#records.length - this.#free.length;
  }

  /** The highest tag there ever was. */
  get capacity(): number {
    return this.#records.length;
  }
}
