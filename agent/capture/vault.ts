/**
 * What must outlive a proxy and nobody else may know: the workloads' keys and certificates, in this process's memory
 * alone, and the node's own, which may be kept in a file too. Capture does not read them; it keeps each until it is
 * dropped or its workload leaves.
 */
import { nodeSecretName } from '../handover/messages.js';
import type { SecretFile } from './secret-file.js';

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
  readonly #nodeFile: SecretFile | undefined;
  #characters = 0;

  /** Begins with the node's own secret where `nodeFile` has it. */
  constructor(nodeFile?: SecretFile) {
    this.#nodeFile = nodeFile;
    const secret = nodeFile?.read() ?? null;
    if (secret !== null) this.#set(nodeSecretName, secret);
  }

  get entries(): VaultEntry[] {
    return [...this.#secrets].map(([workload, secret]) => ({ workload, secret }));
  }

  /** Takes the place of what was kept. Throws where the vault is full: then that stays. */
  put(workload: string, secret: string): void {
    const characters = this.#characters - (this.#secrets.get(workload)?.length ?? 0) + secret.length;
    const before = this.#secrets.has(workload);
    if (characters > maxCharacters || (!before && this.#secrets.size >= maxEntries)) {
      throw new Error(`the vault is full: it keeps ${this.#secrets.size} secrets`);
    }
    this.#set(workload, secret);
    if (workload === nodeSecretName) this.#nodeFile?.write(secret);
  }

  /** Null where nothing is kept. */
  get(workload: string): string | null {
    return this.#secrets.get(workload) ?? null;
  }

  drop(workload: string): void {
    this.#characters -= this.#secrets.get(workload)?.length ?? 0;
    this.#secrets.delete(workload);
    if (workload === nodeSecretName) this.#nodeFile?.remove();
  }

  #set(workload: string, secret: string): void {
    this.#characters += secret.length - (this.#secrets.get(workload)?.length ?? 0);
    this.#secrets.set(workload, secret);
  }
}
