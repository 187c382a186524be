/**
 * What a reflector does next and what it learns: list in pages, watch from the list's version, begin again where the
 * server has forgotten that version. Decides only; reflector.ts asks the server and waits.
 * (Kubernetes API concepts: "Efficient detection of changes", "Retrieving large results sets in chunks".)
 */
import { type ApiObject, objectKey } from './api-object.js';
import { type BackoffSettings, backoffMs } from './backoff.js';
import { type ObjectDelta, ObjectIndex } from './object-index.js';

/** What to ask of the server. */
export type ReflectorStep =
  /** A page of the list. `token` continues one; `whole`: without pages, because pages outlive etcd's compaction. */
  | { readonly type: 'list'; readonly token: string; readonly whole: boolean }
  | { readonly type: 'watch'; readonly resourceVersion: string };

export type ReflectorState =
  | { readonly phase: 'asking'; readonly step: ReflectorStep }
  | { readonly phase: 'waiting'; readonly delayMs: number; readonly step: ReflectorStep };

/** What comes of a step. */
export type ReflectorInput =
  | {
      readonly type: 'page';
      readonly objects: readonly ApiObject[];
      readonly resourceVersion: string;
      /** Empty on the last page. */
      readonly token: string;
    }
  | { readonly type: 'changed'; readonly object: ApiObject }
  | { readonly type: 'deleted'; readonly object: ApiObject }
  | { readonly type: 'bookmark'; readonly resourceVersion: string }
  /** The watch ended as watches do. */
  | { readonly type: 'ended' }
  /** An answer other than success: an HTTP status, or the code of an ERROR event. */
  | { readonly type: 'refused'; readonly status: number; readonly retryAfterMs: number }
  /** No answer at all. */
  | { readonly type: 'unreachable' }
  /** An answer that broke off, or that cannot be read. */
  | { readonly type: 'broken' }
  /** The delay of `waiting` is over. */
  | { readonly type: 'waited' };

export interface ReflectorOutput {
  readonly deltas: readonly ObjectDelta[];
  /** All that there is has been told; stays true. */
  readonly synced: boolean;
}

/**
 * For so long at most nothing is heard of an API server that is back: pods that end meanwhile are asked in vain once their
 * grace is over. A server that is busy says itself how long to wait.
 */
export const reflectorBackoff: BackoffSettings = { firstMs: 250, mostMs: 5_000 };
/**
 * So often in a row, over seconds, must the server say that a kind does not exist before its objects count as gone, or
 * as none at the start: without policies, what they refuse would be let in.
 */
const absentAnswers = 5;
/** Answers that break so often in a row at one place lead to a new list: what they choke on may be behind that. */
const brokenAnswers = 3;
/** So many refusals in a row do, too: a version from before a restored backup is one that the server never reaches. */
const refusedAnswers = 6;
/** How long at most until a kind that was not installed is looked for again. */
const absentBackoff: BackoffSettings = { firstMs: 250, mostMs: 5000 };

const firstPage: ReflectorStep = { type: 'list', token: '', whole: false };

export class ReflectorMachine {
  readonly #index = new ObjectIndex();
  #state: ReflectorState = { phase: 'asking', step: firstPage };
  /** Of the list that is being read: what it holds so far and what that changes, told as a whole at its end. */
  #listed = new Set<string>();
  #pending: ObjectDelta[] = [];
  #synced = false;
  /** Failures in a row. */
  #attempt = 0;
  #absent = 0;
  #broken = 0;

  get state(): ReflectorState {
    return this.#state;
  }

  get size(): number {
    return this.#index.size;
  }

  /** @param random uniform in [0, 1), for the delay where there is one */
  receive(input: ReflectorInput, random: number): ReflectorOutput {
    const { step } = this.#state;
    switch (input.type) {
      case 'page':
        return this.#takePage(input);
      case 'changed':
        return this.#advance(input.object.metadata.resourceVersion, this.#index.put(input.object));
      case 'deleted':
        return this.#advance(input.object.metadata.resourceVersion, this.#index.remove(input.object));
      case 'bookmark':
        return this.#advance(input.resourceVersion, []);
      case 'waited':
        this.#state = { phase: 'asking', step };
        return this.#tell([]);
      case 'ended':
        // One that ended without a word may end so again: no hot loop.
        return this.#attempt === 0 ? this.#ask(step) : this.#retry(step, random, 0);
      case 'unreachable':
        return this.#retry(step, random, 0);
      case 'broken':
        this.#broken += 1;
        return this.#retry(this.#broken >= brokenAnswers ? firstPage : step, random, 0);
      case 'refused':
        return this.#refuse(step, input.status, input.retryAfterMs, random);
    }
  }

  #takePage(page: Extract<ReflectorInput, { type: 'page' }>): ReflectorOutput {
    const { step } = this.#state;
    const whole = step.type === 'list' && step.whole;
    this.#absent = 0;
    this.#broken = 0;
    // A list that is begun anew is a new list; what the pages before have changed is still to be told.
    if (step.type === 'list' && step.token === '') this.#listed = new Set();
    for (const object of page.objects) {
      this.#listed.add(objectKey(object.metadata));
      this.#pending.push(...this.#index.put(object));
    }
    if (page.token !== '') return this.#ask({ type: 'list', token: page.token, whole });
    const deltas = this.#endList(this.#listed);
    // Counts as a failure until the watch says something: a server that lists and never watches is asked ever less.
    this.#attempt += 1;
    return this.#ask({ type: 'watch', resourceVersion: page.resourceVersion }, deltas);
  }

  #advance(resourceVersion: string, deltas: readonly ObjectDelta[]): ReflectorOutput {
    this.#attempt = 0;
    this.#broken = 0;
    return this.#ask({ type: 'watch', resourceVersion }, deltas);
  }

  #refuse(step: ReflectorStep, status: number, retryAfterMs: number, random: number): ReflectorOutput {
    if (status === 404) return this.#countAbsent(random, retryAfterMs);
    this.#absent = 0;
    // Gone: the version (of the watch, of the pages) is older than what the server remembers.
    if (status === 410)
      return this.#retry({ type: 'list', token: '', whole: step.type === 'list' }, random, 0);
    const passing = status === 429 || (status >= 500 && this.#attempt < refusedAnswers);
    const again = passing ? step : firstPage;
    return this.#retry(again, random, retryAfterMs);
  }

  /** The kind itself is not there, or the server does not know it yet. */
  #countAbsent(random: number, retryAfterMs: number): ReflectorOutput {
    this.#absent += 1;
    const gone = this.#absent >= absentAnswers;
    const deltas = gone ? this.#endList(new Set()) : [];
    return { ...this.#retry(firstPage, random, retryAfterMs, absentBackoff), deltas };
  }

  #retry(step: ReflectorStep, random: number, leastMs: number, backoff = reflectorBackoff): ReflectorOutput {
    this.#attempt += 1;
    const delayMs = Math.max(leastMs, backoffMs(backoff, this.#attempt, random));
    this.#state = { phase: 'waiting', delayMs, step };
    return this.#tell([]);
  }

  #ask(step: ReflectorStep, deltas: readonly ObjectDelta[] = []): ReflectorOutput {
    this.#state = { phase: 'asking', step };
    return this.#tell(deltas);
  }

  /** Ends a list that holds exactly these: what it changes as a whole. */
  #endList(keys: ReadonlySet<string>): ObjectDelta[] {
    const deltas = [...this.#pending, ...this.#index.keepOnly(keys)];
    this.#listed = new Set();
    this.#pending = [];
    this.#synced = true;
    return deltas;
  }

  #tell(deltas: readonly ObjectDelta[]): ReflectorOutput {
    return { deltas, synced: this.#synced };
  }
}
