/**
 * What must outlive a proxy and nobody else may know: the workloads' keys and certificates, in this process's memory
 * alone. Capture does not read them; it keeps each until it is dropped or its workload leaves.
 */

export interface VaultEntry {
  readonly workload: string;
  /** Base64, opaque. */
  readonly secret: string;
}

/** As many as capture takes workloads, and some that are about to be enrolled. */
const maxEntries = 1100;
const maxCharacters = 32 * 1024 * 1024;

export class Vault {
  readonly #secrets = new Map<string, string>();
  #characters = 0;

  get entries(): VaultEntry[] {
    return [...this.#secrets].map(([workload, secret]) => ({ workload, secret }));
  }

  /** Takes the place of what was kept. Throws where the vault is full: then that stays. */
  put(workload: string, secret: string): void {
    const before = this.#secrets.get(workload);
    const characters = this.#characters - (before?.length ?? 0) + secret.length;
    if (characters > maxCharacters || (before === undefined && this.#secrets.size >= maxEntries)) {
      throw new Error(`the vault is full: it keeps ${this.#secrets.size} secrets`);
    }
    this.#secrets.set(workload, secret);
    this.#characters = characters;
  }

  /** Null where nothing is kept. */
  get(workload: string): string | null {
    return this.#secrets.get(workload) ?? null;
  }

  drop(workload: string): void {
    this.#characters -= this.#secrets.get(workload)?.length ?? 0;
    this.#secrets.delete(workload);
  }
}
