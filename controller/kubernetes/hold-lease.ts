/** Keeps trying to hold a lease, and tells when it is held and when no more. */
import { setTimeout as delay } from 'node:timers/promises';
import { describeError } from '../status/log.js';
import type { ApiAnswer, ApiClient } from './api-client.js';
import { asRecord } from './api-object.js';
import {
  addressAnnotation,
  LeaseObserver,
  type LeaseTimes,
  type LeaseView,
  leaseSpec,
  readLease,
} from './leader-lease.js';

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
  readonly onTrouble: (message: string) => void;
  /** How names of processes begin that this one replaces, which have ended; absent: of none is that known. */
  readonly predecessors?: string | undefined;
}

/** What a look at the lease has shown. */
export interface SeenLease {
  /** This process holds it. */
  readonly own: boolean;
  /** Empty: nobody. */
  readonly holder: string;
  /** Where the holder is reached, `host:port`; empty: nowhere. */
  readonly address: string;
  /** For how long the lease has been as it is. */
  readonly unchangedMs: number;
}

export interface LeaseEvents {
  /** Where other replicas reach this process; empty: nowhere. */
  readonly address: string;
  /** How much longer than others this process leaves a free lease alone. */
  readonly reluctanceMs: () => number;
  /** `term`: higher than that of any holder before. The same one again: it could not be renewed for a while, and is now. */
  readonly onChange: (held: boolean, term: number) => void;
  readonly onLook: (seen: SeenLease) => void;
}

export class LeaseHolder {
  readonly #options: LeaseHolderOptions;
  readonly #observer: LeaseObserver;
  readonly #abort = new AbortController();
  #events: LeaseEvents | undefined;
  #term = 0;
  #held = false;
  #hurry = () => {};
  #renewedMs = Number.NEGATIVE_INFINITY;
  #deadline: NodeJS.Timeout | undefined;
  #trouble = '';

  constructor(options: LeaseHolderOptions) {
    this.#options = options;
    this.#observer = new LeaseObserver(options.self, options.predecessors);
  }

  /** Whether this process may write now. */
  get held(): boolean {
    const { monotonicMs, times } = this.#options;
    return this.#held && monotonicMs() - this.#renewedMs < times.deadlineMs;
  }

  /** Looks at the lease at once: something has happened to its holder. */
  hurry(): void {
    this.#hurry();
  }

  /** Runs until `stop`. */
  async run(events: LeaseEvents): Promise<void> {
    const { signal } = this.#abort;
    this.#events = events;
    while (!signal.aborted) {
      try {
        await this.#look();
        this.#trouble = '';
      } catch (error) {
        if (!signal.aborted) this.#say(describeError(error));
      }
      const hurried = new AbortController();
      this.#hurry = () => hurried.abort();
      const ended = AbortSignal.any([signal, hurried.signal]);
      await delay(this.#options.times.intervalMs, undefined, { signal: ended, ref: false }).catch(() => {});
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
    const reluctanceMs = this.#events?.reluctanceMs() ?? 0;
    const begunMs = monotonicMs();
    const answer = await this.#ask('GET', undefined, signal);
    if (answer.status !== 200 && answer.status !== 404) throw new Error(refusalOf(answer));
    const lease = answer.status === 404 ? null : readLease(answer.body);
    const step = this.#observer.decide(lease, monotonicMs(), reluctanceMs);
    if (step === 'wait') return this.#lost(lease);
    const spec = this.#spec(lease);
    const body = this.#body(spec, lease);
    const written = await this.#ask(step === 'create' ? 'POST' : 'PUT', body, signal);
    // 409: another one was faster.
    if (written.status === 409) return this.#lost(lease);
    if (written.status >= 300) throw new Error(refusalOf(written));
    this.#renewedMs = begunMs;
    this.#term = Number(spec.leaseTransitions) + 1;
    this.#set(true);
    this.#tell(lease, true);
  }

  #lost(lease: LeaseView | null): void {
    this.#set(false);
    this.#tell(lease, false);
  }

  #tell(lease: LeaseView | null, own: boolean): void {
    const { address = '', holder = '' } = lease ?? {};
    const unchangedMs = this.#observer.unchangedMs(this.#options.monotonicMs());
    this.#events?.onLook({ own, holder, address, unchangedMs });
  }

  #spec(lease: LeaseView | null): Readonly<Record<string, unknown>> {
    const { self, times, now } = this.#options;
    return leaseSpec(self, lease, times, now().toISOString().replace('Z', '000Z'));
  }

  #body(spec: Readonly<Record<string, unknown>>, lease: LeaseView | null): unknown {
    const { namespace, name } = this.#options;
    const version = lease === null ? {} : { resourceVersion: lease.resourceVersion };
    const address = this.#events?.address ?? '';
    const annotations = address === '' ? {} : { annotations: { [addressAnnotation]: address } };
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace, name, ...version, ...annotations },
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
    this.#events?.onChange(held, this.#term);
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
