/** Mirrors all objects of one kind: carries out what reflector-machine.ts decides, and tells what changes. */
import { setTimeout as delay } from 'node:timers/promises';
import { describeError } from '../status/log.js';
import type { ApiAnswer, ApiClient } from './api-client.js';
import { asList, asRecord, readApiObject } from './api-object.js';
import type { ObjectDelta } from './object-index.js';
import { type ReflectorInput, ReflectorMachine, type ReflectorStep } from './reflector-machine.js';
import { apiVersionOf, collectionPath, type ResourceType } from './resource-type.js';
import { readWatchEvent } from './watch-event.js';

export interface ReflectorOptions {
  readonly client: ApiClient;
  readonly type: ResourceType;
  /** Changes, in order, each list as a whole. Also called, without changes, when the first list is complete. */
  readonly onChange: (deltas: readonly ObjectDelta[]) => void;
  /** Told of what did not work, once until it works again or fails in another way; it is tried again by itself. */
  readonly onTrouble: (message: string) => void;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly limits?: ReflectorLimits;
}

export interface ReflectorLimits {
  readonly pageSize: number;
  /** A list that is silent for so long is broken. */
  readonly listSilenceMs: number;
  /** A watch, too: the server sends a bookmark every minute. */
  readonly watchSilenceMs: number;
  /** The server is asked to end a watch after this to twice this time. */
  readonly watchSeconds: number;
}

const usualLimits: ReflectorLimits = {
  pageSize: 500,
  listSilenceMs: 60_000,
  watchSilenceMs: 150_000,
  watchSeconds: 300,
};

export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #limits: ReflectorLimits;
  readonly #machine = new ReflectorMachine();
  readonly #abort = new AbortController();
  #synced = false;
  #trouble = '';
  #failures = 0;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#limits = options.limits ?? usualLimits;
  }

  /** All that there is has been told. Where the kind is not installed, that is nothing. */
  get synced(): boolean {
    return this.#synced;
  }

  get kind(): string {
    return this.#options.type.kind;
  }

  /** Lists and watches that failed, and were tried again. */
  get failures(): number {
    return this.#failures;
  }

  /** Objects that are known. */
  get size(): number {
    return this.#machine.size;
  }

  /** Runs until `stop`; never rejects but for a mistake of its own or of `onChange`. */
  async run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      const { state } = this.#machine;
      if (state.phase === 'waiting') {
        await delay(state.delayMs, undefined, { signal, ref: false }).catch(() => {});
        this.#receive({ type: 'waited' });
      } else if (state.step.type === 'list') await this.#list(state.step);
      else await this.#watch(state.step.resourceVersion);
    }
  }

  stop(): void {
    this.#abort.abort();
  }

  #receive(input: ReflectorInput): void {
    const { deltas, synced } = this.#machine.receive(input, this.#options.random());
    const first = synced && !this.#synced;
    this.#synced = synced;
    if ((deltas.length > 0 || first) && !this.#abort.signal.aborted) this.#options.onChange(deltas);
  }

  async #list({ token, whole }: Extract<ReflectorStep, { type: 'list' }>): Promise<void> {
    const { client, type } = this.#options;
    const query = {
      ...(whole ? {} : { limit: String(this.#limits.pageSize) }),
      ...(token === '' ? {} : { continue: token }),
    };
    const request = { method: 'GET', path: collectionPath(type), query } as const;
    let answer: ApiAnswer;
    try {
      answer = await client.send({ ...request, silenceMs: this.#limits.listSilenceMs }, this.#abort.signal);
    } catch (error) {
      return this.#fail('unreachable', 'cannot be listed', error);
    }
    if (answer.status !== 200) return this.#refused(answer.status, answer.body, answer.retryAfterMs);
    const list = asRecord(answer.body);
    const { resourceVersion, continue: next = '' } = asRecord(list?.metadata) ?? {};
    if (typeof resourceVersion !== 'string' || !Array.isArray(list?.items)) {
      return this.#fail('broken', 'cannot be listed', new Error('the answer is no list'));
    }
    const objects = asList(list.items).flatMap(
      (item) => readApiObject(item, apiVersionOf(type), type.kind) ?? [],
    );
    if (next === '') this.#trouble = '';
    this.#receive({ type: 'page', objects, resourceVersion, token: typeof next === 'string' ? next : '' });
  }

  async #watch(resourceVersion: string): Promise<void> {
    const { client, type, random } = this.#options;
    const seconds = Math.ceil(this.#limits.watchSeconds * (1 + random()));
    const query = {
      watch: 'true',
      resourceVersion,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(seconds),
    };
    const path = collectionPath(type);
    const request = { method: 'GET', path, query, silenceMs: this.#limits.watchSilenceMs } as const;
    const lines = client.watch(request, this.#abort.signal);
    let opened = false;
    try {
      for (;;) {
        const { done, value } = await lines.next();
        if (done === true) {
          if (value === null) return this.#receive({ type: 'ended' });
          return this.#refused(value.status, value.body, value.retryAfterMs);
        }
        opened = true;
        const event = readWatchEvent(value, type);
        if (event === null) throw new Error(`event cannot be read: ${value.slice(0, 200)}`);
        if (event.type === 'error') return this.#refused(event.status, event.body, 0);
        this.#trouble = '';
        this.#receive(event);
      }
    } catch (error) {
      this.#fail(opened ? 'broken' : 'unreachable', 'cannot be watched', error);
    } finally {
      await lines.return(null).catch(() => {});
    }
  }

  #refused(status: number, body: unknown, retryAfterMs: number): void {
    const { type } = this.#options;
    const absent = status === 404 && type.optional;
    const said = asRecord(body)?.message;
    const message = typeof said === 'string' ? said : 'no reason given';
    // 410 is how a server says that it has forgotten an old version: nothing is wrong.
    if (status !== 410 && !absent) this.#say(`is refused with ${status}: ${message}${hint(status, type)}`);
    this.#receive({ type: 'refused', status, retryAfterMs });
  }

  #fail(kind: 'unreachable' | 'broken', what: string, error: unknown): void {
    if (this.#abort.signal.aborted) return;
    this.#say(`${what}: ${describeError(error)}`);
    this.#receive({ type: kind });
  }

  #say(message: string): void {
    this.#failures += 1;
    const text = `${collectionPath(this.#options.type)} ${message}`;
    if (text !== this.#trouble) this.#options.onTrouble(text);
    this.#trouble = text;
  }
}

function hint(status: number, { plural, group }: ResourceType): string {
  if (status === 403) return `; fix: let the controller list and watch ${plural} of group "${group}" (RBAC)`;
  if (status === 401) return '; fix: renew the credentials';
  return '';
}
