/** A clock that stands still until a test moves it. */
import type { Timer, Timers } from './timers.js';

interface Waiting {
  readonly dueMs: number;
  readonly run: () => void;
}

export class PausedTimers implements Timers {
  #nowMs = 0;
  #waiting: Waiting[] = [];

  now(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): Timer {
    const entry = { dueMs: this.#nowMs + ms, run };
    this.#waiting.push(entry);
    return { cancel: () => this.#remove(entry) };
  }

  /** Moves the clock and runs what falls due, in order, also what those runs start. */
  advance(ms: number): void {
    const end = this.#nowMs + ms;
    for (;;) {
      const due = this.#waiting.filter((entry) => entry.dueMs <= end).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      this.#remove(due);
      this.#nowMs = due.dueMs;
      due.run();
    }
    this.#nowMs = end;
  }
  #remove(entry: Waiting): void {
    this.#waiting = this.#waiting.filter((other) => other !== entry);
  }
}
