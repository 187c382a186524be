/** Collects a worker's access-log lines and hands them on in batches; when the writer is too slow, lines are dropped and counted. */
import type { Timer, Timers } from '../control/timers.js';

/** A batch is handed on when it has so many characters … */
const batchCharacters = 64 * 1024;
/** … or is so old. */
const batchAgeMs = 100;
/** Characters handed on and not yet written, at most. */
const maxInFlight = 8 * 1024 * 1024;

export class AccessLogBuffer {
  readonly #send: (lines: string, size: number) => void;
  readonly #timers: Timers;
  #lines = '';
  #inFlight = 0;
  #timer: Timer | undefined;
  /** Lines that were lost because the writer is too slow. */
  dropped = 0;

  constructor(send: (lines: string, size: number) => void, timers: Timers) {
    this.#send = send;
    this.#timers = timers;
  }

  /** Adds one line, without its line end. */
  add(line: string): void {
    if (this.#inFlight + this.#lines.length + line.length > maxInFlight) {
      this.dropped += 1;
      return;
    }
    this.#lines += `${line}\n`;
    if (this.#lines.length >= batchCharacters) this.flush();
    else if (this.#timer === undefined) this.#timer = this.#timers.after(batchAgeMs, () => this.flush());
  }

  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#lines === '') return;
    const lines = this.#lines;
    this.#lines = '';
    this.#inFlight += lines.length;
    this.#send(lines, lines.length);
  }

  /** The writer is done with a batch of this size. */
  written(size: number): void {
    this.#inFlight = Math.max(0, this.#inFlight - size);
  }
}
