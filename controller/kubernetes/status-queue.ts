/** Writes statuses, a few at a time. The newest wish for an object replaces an older one that still waits. */
import { setTimeout as delay } from 'node:timers/promises';
import { describeError } from '../status/log.js';
import type { ApiAnswer } from './api-client.js';
import { type BackoffSettings, backoffMs } from './backoff.js';

export interface StatusQueueOptions<Write> {
  readonly write: (write: Write, signal: AbortSignal) => Promise<ApiAnswer>;
  /** Told of the end of each write: an answer, or null where it was given up. */
  readonly onDone: (key: string, write: Write, answer: ApiAnswer | null) => void;
  readonly onTrouble: (message: string) => void;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Who wants more at once is told so, and comes again: wishes follow from what is, so none is lost. */
export const maxPending = 10_000;
const maxWriting = 4;
const maxAttempts = 5;
const backoff: BackoffSettings = { firstMs: 200, mostMs: 5000 };

export class StatusQueue<Write> {
  readonly #options: StatusQueueOptions<Write>;
  readonly #pending = new Map<string, Write>();
  readonly #writing = new Set<string>();
  #abort = new AbortController();

  constructor(options: StatusQueueOptions<Write>) {
    this.#options = options;
  }

  /** Written now, or waiting. */
  get size(): number {
    return this.#pending.size + this.#writing.size;
  }

  isWriting(key: string): boolean {
    return this.#writing.has(key);
  }

  /** False: the queue is full. */
  put(key: string, write: Write): boolean {
    if (!this.#pending.has(key) && this.#pending.size >= maxPending) return false;
    this.#pending.set(key, write);
    this.#next();
    return true;
  }

  /** Forgets what waits and ends what is being written: somebody else writes now. */
  clear(): void {
    this.#pending.clear();
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  #next(): void {
    for (const [key, write] of this.#pending) {
      if (this.#writing.size >= maxWriting) return;
      if (this.#writing.has(key)) continue;
      this.#pending.delete(key);
      this.#writing.add(key);
      void this.#write(key, write, this.#abort.signal);
    }
  }

  async #write(key: string, write: Write, signal: AbortSignal): Promise<void> {
    let answer: ApiAnswer | null = null;
    for (let attempt = 1; attempt <= maxAttempts && !signal.aborted; attempt += 1) {
      try {
        answer = await this.#options.write(write, signal);
        if (answer.status < 500 && answer.status !== 429) break;
      } catch (error) {
        if (!signal.aborted) this.#options.onTrouble(describeError(error));
      }
      const delayMs = Math.max(
        answer?.retryAfterMs ?? 0,
        backoffMs(backoff, attempt, this.#options.random()),
      );
      await delay(delayMs, undefined, { signal, ref: false }).catch(() => {});
    }
    this.#writing.delete(key);
    if (!signal.aborted) this.#options.onDone(key, write, answer);
    this.#next();
  }
}
