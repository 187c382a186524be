/** Which headers the decisions of a snapshot in the making read; see snapshot-draft.ts. */
import type { MapEdit } from './persistent-map.js';
import type { Snapshot } from './snapshot.js';

export class HeaderDraft {
  readonly #names: readonly string[];
  readonly #uses: MapEdit<number>;

  constructor(before: Pick<Snapshot, 'headerNames' | 'headerUses'>) {
    this.#names = before.headerNames;
    this.#uses = before.headerUses.edit();
  }

  /** A resource that reads these headers comes or goes. */
  count(names: readonly string[], change: 1 | -1): void {
    for (const name of names) {
      const uses = (this.#uses.get(name) ?? 0) + change;
      if (uses > 0) this.#uses.set(name, uses);
      else this.#uses.delete(name);
    }
  }

  /** The list of names is the one from before where nothing changed. */
  finish(): Pick<Snapshot, 'headerNames' | 'headerUses'> {
    const headerUses = this.#uses.finish();
    const names = [...headerUses.entries()].map(([name]) => name).sort();
    const same = names.length === this.#names.length && names.every((name, at) => name === this.#names[at]);
    return { headerUses, headerNames: same ? this.#names : names };
  }
}
