/**
 * What this node wants of the configuration beside its own workloads' part: what its connections use, until nothing has
 * used it for an hour.
 */
import { type Detail, detailKey } from '../../../model/workload-index.js';

export interface WantedDetailsParts {
  /** Monotonic. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  readonly onChange: (added: readonly Detail[], removed: readonly Detail[]) => void;
}

interface Want {
  readonly detail: Detail;
  readonly endMs: number;
}

/** Without use for so long, and up to a tenth longer, so that nodes do not let go together. */
export const unusedMs = 3_600_000;
/** More than a node can use; the one that was used longest ago goes. */
const maxWants = 20_000;

export class WantedDetails {
  readonly #parts: WantedDetailsParts;
  /** By key, the one that was used longest ago first. */
  readonly #wants = new Map<string, Want>();
  #all: readonly Detail[] | undefined;

  constructor(parts: WantedDetailsParts) {
    this.#parts = parts;
  }

  /** The same list as long as it does not change. */
  get all(): readonly Detail[] {
    this.#all ??= [...this.#wants.values()].map(({ detail }) => detail);
    return this.#all;
  }

  /** Connections use these; open ones say so again every minute. */
  used(details: readonly Detail[]): void {
    const added = details.filter((detail) => this.#note(detail));
    const removed: Detail[] = [];
    for (const [key, { detail }] of this.#wants) {
      if (this.#wants.size <= maxWants) break;
      this.#wants.delete(key);
      removed.push(detail);
    }
    this.#changed(added, removed);
  }

  /** Lets go of what nothing has used for long. */
  expire(): void {
    const now = this.#parts.now();
    const removed = [...this.#wants].filter(([, { endMs }]) => endMs <= now);
    for (const [key] of removed) this.#wants.delete(key);
    this.#changed(
      [],
      removed.map(([, { detail }]) => detail),
    );
  }

  #changed(added: readonly Detail[], removed: readonly Detail[]): void {
    if (added.length + removed.length === 0) return;
    this.#all = undefined;
    this.#parts.onChange(added, removed);
  }

  /** True where it was not wanted before. */
  #note(detail: Detail): boolean {
    const key = detailKey(detail);
    const fresh = !this.#wants.delete(key);
    const endMs = this.#parts.now() + unusedMs * (1 + 0.1 * this.#parts.random());
    this.#wants.set(key, { detail, endMs });
    return fresh;
  }
}
