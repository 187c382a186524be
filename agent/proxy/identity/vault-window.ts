/**
 * Few requests to the vault at a time: a channel queues no more than a thousand packets, and after a reconnection every
 * pod is enrolled anew and every identity is put again.
 */
import type { IdentityManagerParts } from './identity-manager.js';

type Vault = IdentityManagerParts['vault'];

const maxUnanswered = 32;

export class VaultWindow implements Vault {
  readonly #vault: Vault;
  readonly #waiting: (() => void)[] = [];
  #unanswered = 0;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  putSecret(workload: string, secret: string): void {
    this.#ask(() => this.#vault.putSecret(workload, secret));
  }

  requestSecret(workload: string): void {
    this.#ask(() => this.#vault.requestSecret(workload));
  }

  dropSecret(workload: string): void {
    this.#ask(() => this.#vault.dropSecret(workload));
  }

  /** Capture has answered one request, or refused it. */
  answered(): void {
    this.#unanswered = Math.max(0, this.#unanswered - 1);
    this.#send();
  }

  /** Another connection: what went to the one before, or to nobody, is never answered. The manager asks for all again. */
  reset(): void {
    this.#waiting.length = 0;
    this.#unanswered = 0;
  }

  #ask(request: () => void): void {
    this.#waiting.push(request);
    this.#send();
  }

  #send(): void {
    while (this.#unanswered < maxUnanswered) {
      const request = this.#waiting.shift();
      if (request === undefined) return;
      this.#unanswered += 1;
      request();
    }
  }
}
