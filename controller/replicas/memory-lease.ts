/** For tests: an API server that holds one Lease, as the real one answers for it. */
import type { ApiAnswer, ApiClient, ApiRequest } from '../kubernetes/api-client.js';
import { LeaseHolder } from '../kubernetes/hold-lease.js';
import { readLease } from '../kubernetes/leader-lease.js';

interface StoredLease {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly resourceVersion: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

export class MemoryLease {
  #stored: StoredLease | null = null;
  #version = 0;
  /** Nobody reaches it. */
  away = false;

  get holder(): string {
    return String(this.#stored?.spec.holderIdentity ?? '');
  }

  /** Where its holder is reached. */
  get address(): string {
    return readLease(this.#stored)?.address ?? '';
  }

  /** One process's view of it; a tenth of the usual times. */
  open(self: string): LeaseHolder {
    const client = { send: (request: ApiRequest) => this.#answer(request) } as unknown as ApiClient;
    return new LeaseHolder({
      client,
      namespace: 'weft-system',
      name: 'weft-controller',
      self,
      times: { durationMs: 1500, deadlineMs: 1000, intervalMs: 200 },
      now: () => new Date(),
      monotonicMs: () => performance.now(),
      onTrouble: () => {},
    });
  }

  async #answer({ method, body }: ApiRequest): Promise<ApiAnswer> {
    if (this.away) throw new Error('no answer');
    const reply = (status: number): ApiAnswer => ({ status, body: this.#stored, retryAfterMs: 0 });
    if (method === 'GET') return reply(this.#stored === null ? 404 : 200);
    const given = body as StoredLease;
    const known = this.#stored?.metadata.resourceVersion;
    if (given.metadata.resourceVersion !== known) return reply(409);
    this.#version += 1;
    this.#stored = { ...given, metadata: { ...given.metadata, resourceVersion: String(this.#version) } };
    return reply(method === 'POST' ? 201 : 200);
  }
}
