/**
 * An immutable map with string keys that shares structure with the map it was made from: a change copies one leaf
 * and its branch (about 150 references), however many entries there are.
 *
 * Two fixed levels of 64 spread 4,096 leaves by the key's hash; a leaf is a Map that is never changed once the edit
 * that made it has been finished. With 100,000 entries a leaf holds about 25.
 */

const fanOut = 64;

interface Leaf<Value> {
  readonly edit: object;
  readonly entries: Map<string, Value>;
}

interface Branch<Value> {
  readonly edit: object;
  readonly leaves: (Leaf<Value> | undefined)[];
}

/** 32-bit FNV-1a over the key's code units, folded so that both levels depend on every one. */
function hashKey(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}

export class PersistentMap<Value> {
  readonly size: number;
  readonly #branches: readonly (Branch<Value> | undefined)[];

  private constructor(branches: readonly (Branch<Value> | undefined)[], size: number) {
    this.#branches = branches;
    this.size = size;
  }

  static empty<Value>(): PersistentMap<Value> {
    return new PersistentMap<Value>(new Array(fanOut).fill(undefined), 0);
  }

  get(key: string): Value | undefined {
    const hash = hashKey(key);
    return this.#branches[hash & 63]?.leaves[(hash >>> 6) & 63]?.entries.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** Starts a batch of changes; this map stays as it is. */
  edit(): MapEdit<Value> {
    return new MapEdit(this.#branches, this.size, (branches, size) => new PersistentMap(branches, size));
  }

  /**
   * Keys whose values are not the very same in another map: what both share is passed over. Each once, in no particular
   * order.
   */
  *differing(other: PersistentMap<Value>): Generator<string> {
    for (let at = 0; at < fanOut; at += 1) {
      const [branch, others] = [this.#branches[at], other.#branches[at]];
      if (branch === others) continue;
      for (let slot = 0; slot < fanOut; slot += 1) {
        const [leaf, otherLeaf] = [branch?.leaves[slot]?.entries, others?.leaves[slot]?.entries];
        if (leaf === otherLeaf) continue;
        for (const [key, value] of leaf ?? []) if (otherLeaf?.get(key) !== value) yield key;
        for (const key of otherLeaf?.keys() ?? []) if (leaf?.has(key) !== true) yield key;
      }
    }
  }

  /** In no particular order. */
  *entries(): Generator<[string, Value]> {
    for (const branch of this.#branches) {
      for (const leaf of branch?.leaves ?? []) {
        if (leaf !== undefined) yield* leaf.entries;
      }
    }
  }

  /** In no particular order. */
  *keys(): Generator<string> {
    for (const branch of this.#branches) {
      for (const leaf of branch?.leaves ?? []) {
        if (leaf !== undefined) yield* leaf.entries.keys();
      }
    }
  }

  /** In no particular order. */
  *values(): Generator<Value> {
    for (const branch of this.#branches) {
      for (const leaf of branch?.leaves ?? []) {
        if (leaf !== undefined) yield* leaf.entries.values();
      }
    }
  }
}

/**
 * A batch of changes to a {@link PersistentMap}: each leaf is copied at most once. Undefined cannot be stored.
 * An edit that changed nothing finishes as the map it began with.
 */
export class MapEdit<Value> {
  readonly #branches: (Branch<Value> | undefined)[];
  readonly #make: (branches: readonly (Branch<Value> | undefined)[], size: number) => PersistentMap<Value>;
  #edit: object = {};
  #size: number;

  constructor(
    branches: readonly (Branch<Value> | undefined)[],
    size: number,
    make: (branches: readonly (Branch<Value> | undefined)[], size: number) => PersistentMap<Value>,
  ) {
    this.#branches = [...branches];
    this.#size = size;
    this.#make = make;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): Value | undefined {
    const hash = hashKey(key);
    return this.#branches[hash & 63]?.leaves[(hash >>> 6) & 63]?.entries.get(key);
  }

  set(key: string, value: Value): void {
    const entries = this.#ownLeaf(hashKey(key));
    if (!entries.has(key)) this.#size += 1;
    entries.set(key, value);
  }

  delete(key: string): void {
    if (this.get(key) === undefined) return;
    this.#ownLeaf(hashKey(key)).delete(key);
    this.#size -= 1;
  }

  /** The changed map. The edit may go on; what was finished stays as it is. */
  finish(): PersistentMap<Value> {
    this.#edit = {};
    return this.#make([...this.#branches], this.#size);
  }

  /** The leaf for a hash, copied unless this edit already made it. */
  #ownLeaf(hash: number): Map<string, Value> {
    let branch = this.#branches[hash & 63];
    if (branch === undefined || branch.edit !== this.#edit) {
      branch = { edit: this.#edit, leaves: branch === undefined ? [] : [...branch.leaves] };
      this.#branches[hash & 63] = branch;
    }
    const slot = (hash >>> 6) & 63;
    let leaf = branch.leaves[slot];
    if (leaf === undefined || leaf.edit !== this.#edit) {
      leaf = { edit: this.#edit, entries: new Map(leaf?.entries) };
      branch.leaves[slot] = leaf;
    }
    return leaf.entries;
  }
}
