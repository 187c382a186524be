/**
 * Which services and workloads this worker's connections use: told at the first use, so that their details come, and
 * again every now and then, so that they stay.
 */
import type { Detail } from '../../../model/workload-index.js';

export class DetailUses {
  readonly #tell: (uses: readonly Detail[]) => void;
  /** Told and not due again yet, names by kind. */
  #told: Record<Detail['kind'], Set<string>> = emptyNames();
  /** Used since {@link refresh}. */
  #used: Record<Detail['kind'], Set<string>> = emptyNames();

  constructor(tell: (uses: readonly Detail[]) => void) {
    this.#tell = tell;
  }

  /** A connection goes there. Allocates nothing where that is known. */
  note(kind: Detail['kind'], name: string): void {
    this.#used[kind].add(name);
    if (this.#told[kind].has(name)) return;
    this.#told[kind].add(name);
    this.#tell([{ kind, name }]);
  }

  /** Time to tell again: what was noted since the last time, by open connections too. */
  refresh(): void {
    const uses = listDetails(this.#used);
    if (uses.length > 0) this.#tell(uses);
    this.#told = this.#used;
    this.#used = emptyNames();
  }
}

function emptyNames(): Record<Detail['kind'], Set<string>> {
  return { service: new Set(), workload: new Set() };
}

function listDetails({ service, workload }: Record<Detail['kind'], ReadonlySet<string>>): Detail[] {
  return [
    ...[...service].map((name) => ({ kind: 'service' as const, name })),
    ...[...workload].map((name) => ({ kind: 'workload' as const, name })),
  ];
}
