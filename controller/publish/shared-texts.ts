/**
 * One copy of texts that many hold. Each agent's session keeps the ids and versions of all that its agent holds, mostly
 * the same for all: as texts of its own that is more than all the rest of it.
 */
const maxTexts = 100_000;

export class SharedTexts {
  readonly #texts = new Map<string, string>();
  readonly #most: number;

  constructor(most = maxTexts) {
    this.#most = most;
  }

  get size(): number {
    return this.#texts.size;
  }

  /** An equal text, the same for all who ask. What is no longer used goes when there are too many, and sharing begins anew. */
  share(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= this.#most) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }
}
