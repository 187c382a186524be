/** Keeps trying to hold a lease, and tells when it is held and when no more. */
import { setTimeout as delay } from 'node:timers/promises';
import { describeError } from '../status/log.js';
import type { ApiAnswer, ApiClient } from './api-client.js';
import { asRecord } from './api-object.js';
import { LeaseObserver, type LeaseTimes, type LeaseView, leaseSpec, readLease } from './leader-lease.js';

export interface LeaseHolderOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly name: string;
  /** This process's name in the lease: no other has it, nor had it before a restart. */
  readonly self: string;
  readonly times: LeaseTimes;
  /** Wall clock. */
  readonly now: () => Date;
  /** Monotonic clock in milliseconds. */
  readonly monotonicMs: () => number;
  readonly onChange: (held: boolean) => void;
  readonly onTrouble: (message: string) => void;
}

export class LeaseHolder {
  readonly #options: LeaseHolderOptions;
  readonly #observer: LeaseObserver;
  readonly #abort = new AbortController();
  #held = false;
  #renewedMs = Number.NEGATIVE_INFINITY;
  #deadline: NodeJS.Timeout | undefined;
  #trouble = '';

  constructor(options: LeaseHolderOptions) {
    this.#options = options;
    this.#observer = new LeaseObserver(options.self);
  }

  /** Whether this process may write now. */
  get held(): boolean {
    const { monotonicMs, times } = this.#options;
    return this.#held && monotonicMs() - this.#renewedMs < times.deadlineMs;
  }

  /** Runs until `stop`. */
  async run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#look();
        this.#trouble = '';
      } catch (error) {
        if (!signal.aborted) this.#say(describeError(error));
      }
      await delay(this.#options.times.intervalMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** Gives the lease up, so that another need not wait for the silence. */
  async stop(): Promise<void> {
    this.#abort.abort();
    if (!this.#held) return;
    this.#set(false);
    const signal = AbortSignal.timeout(2000);
    try {
      const lease = readLease((await this.#ask('GET', undefined, signal)).body);
      if (lease?.holder !== this.#options.self) return;
      const spec = { ...this.#spec(lease), holderIdentity: '' };
      await this.#ask('PUT', this.#body(spec, lease), signal);
    } catch (error) {
      this.#say(`could not be given up: ${describeError(error)}`);
    }
  }

  async #look(): Promise<void> {
    const { signal } = this.#abort;
    const { monotonicMs } = this.#options;
    const begunMs = monotonicMs();
    const answer = await this.#ask('GET', undefined, signal);
    if (answer.status !== 200 && answer.status !== 404) throw new Error(refusalOf(answer));
    const lease = answer.status === 404 ? null : readLease(answer.body);
    const step = this.#observer.decide(lease, monotonicMs());
    if (step === 'wait') return this.#set(false);
    const body = this.#body(this.#spec(lease), lease);
    const written = await this.#ask(step === 'create' ? 'POST' : 'PUT', body, signal);
    // 409: another one was faster.
    if (written.status === 409) return this.#set(false);
    if (written.status >= 300) throw new Error(refusalOf(written));
    this.#renewedMs = begunMs;
    this.#set(true);
  }

  #spec(lease: LeaseView | null): Readonly<Record<string, unknown>> {
    const { self, times, now } = this.#options;
    return leaseSpec(self, lease, times, now().toISOString().replace('Z', '000Z'));
  }

  #body(spec: Readonly<Record<string, unknown>>, lease: LeaseView | null): unknown {
    const { namespace, name } = this.#options;
    const version = lease === null ? {} : { resourceVersion: lease.resourceVersion };
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace, name, ...version },
      spec,
    };
  }

  #ask(method: 'GET' | 'POST' | 'PUT', body: unknown, signal: AbortSignal): Promise<ApiAnswer> {
    const { client, namespace, name, times } = this.#options;
    const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
    const path = method === 'POST' ? collection : `${collection}/${name}`;
    return client.send({ method, path, body, silenceMs: times.intervalMs }, signal);
  }

  /** Held: the deadline begins anew. A deadline that passes without renewal ends the hold by itself. */
  #set(held: boolean): void {
    clearTimeout(this.#deadline);
    if (held) {
      const left = this.#renewedMs + this.#options.times.deadlineMs - this.#options.monotonicMs();
      this.#deadline = setTimeout(() => this.#set(false), left).unref();
    }
    if (held === this.#held) return;
    this.#held = held;
    this.#options.onChange(held);
  }

  #say(message: string): void {
    const { namespace, name } = this.#options;
    if (message !== this.#trouble) this.#options.onTrouble(`lease ${namespace}/${name}: ${message}`);
    this.#trouble = message;
  }
}

function refusalOf({ status, body }: ApiAnswer): string {
  const message = asRecord(body)?.message;
  return `refused with ${status}${typeof message === 'string' ? `: ${message}` : ''}`;
}
