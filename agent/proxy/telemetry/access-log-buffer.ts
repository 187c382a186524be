/**
 * Collects a worker's access-log lines as bytes and hands them on in batches that can be moved to another thread. When
 * the writer is too slow, lines are dropped and counted. Memory goes to the writer and comes back: as garbage of the
 * writer's thread it would be collected by all of V8's threads at once, several times a second, and a worker that shares
 * a processor with them waits a scheduler's tick for each.
 */
import type { Timer, Timers } from '../control/timers.js';

/** A batch has so many bytes at most … */
const batchBytes = 128 * 1024;
/** … and is handed on when it is so old. */
const batchAgeMs = 100;
/** Bytes handed on and not yet written, at most. */
const maxInFlight = 8 * 1024 * 1024;
/** Batches that came back and wait to be filled again, at most. */
const maxSpare = 8;
/** A line has so many characters at most; a longer one is dropped. Targets and authorities are bounded well below. */
const maxLine = 40_000;

/** Node's Buffer has this, undocumented in its types; write(…, 'latin1') ends here after checks. */
type Latin1Buffer = Buffer<ArrayBuffer> & { latin1Write(text: string, offset: number): number };

export class AccessLogBuffer {
  readonly #send: (lines: Uint8Array<ArrayBuffer>) => void;
  readonly #timers: Timers;
  /** Belongs to the receiver once it was handed on. */
  #batch: Latin1Buffer | undefined;
  #used = 0;
  #inFlight = 0;
  readonly #spare: Latin1Buffer[] = [];
  #timer: Timer | undefined;
  /** Lines that were lost because the writer is too slow. */
  dropped = 0;

  /** `send` takes ownership of the bytes and of the whole memory behind them, until {@link written}. */
  constructor(send: (lines: Uint8Array<ArrayBuffer>) => void, timers: Timers) {
    this.#send = send;
    this.#timers = timers;
  }

  /** Adds one line of ASCII, without its line end: V8 copies that, where UTF-8 takes a look at each character. */
  add(line: string): void {
    const bytes = line.length + 1;
    if (line.length > maxLine || this.#inFlight + this.#used + bytes > maxInFlight) {
      this.dropped += 1;
      return;
    }
    if (this.#used + bytes > batchBytes) this.flush();
    this.#batch ??= this.#spare.pop() ?? (Buffer.from(new ArrayBuffer(batchBytes)) as Latin1Buffer);
    this.#used += this.#batch.latin1Write(line, this.#used);
    this.#batch[this.#used] = 0x0a;
    this.#used += 1;
    if (this.#timer === undefined) this.#timer = this.#timers.after(batchAgeMs, () => this.flush());
  }

  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#batch === undefined) return;
    const lines = new Uint8Array(this.#batch.buffer, 0, this.#used);
    this.#inFlight += this.#used;
    this.#batch = undefined;
    this.#used = 0;
    this.#send(lines);
  }

  /** The writer is done with a batch, which comes back as it was sent. */
  written(lines: Uint8Array<ArrayBuffer>): void {
    this.#inFlight -= lines.length;
    if (this.#spare.length < maxSpare) this.#spare.push(Buffer.from(lines.buffer) as Latin1Buffer);
  }
}
