/** Writes the workers' access-log batches in order to a file or to standard output. */
import { closeSync, openSync, write } from 'node:fs';
import type { AccessLogTarget } from '../start/parse-flags.js';
import { describeError, type ProcessLog } from '../start/process-log.js';

const standardOutput = 1;

export class AccessLogWriter {
  readonly #descriptor: number;
  readonly #log: ProcessLog;
  #queue: { readonly bytes: Uint8Array; readonly done: () => void }[] = [];
  #writing = false;
  #complained = false;

  /** Throws where the file cannot be opened. */
  constructor(target: Exclude<AccessLogTarget, { kind: 'off' }>, log: ProcessLog) {
    this.#descriptor = target.kind === 'stdout' ? standardOutput : openLog(target.path);
    this.#log = log;
  }

  /** Calls `done` when the lines are written, or lost with an error in the log. Workers bound what is in flight. */
  write(lines: Uint8Array, done: () => void): void {
    this.#queue.push({ bytes: lines, done });
    this.#next();
  }

  /** Resolves when nothing is left to write. */
  drained(): Promise<void> {
    return new Promise((resolve) => this.write(new Uint8Array(0), resolve));
  }

  close(): void {
    if (this.#descriptor !== standardOutput) closeSync(this.#descriptor);
  }

  #next(): void {
    const batch = this.#queue[0];
    if (this.#writing || batch === undefined) return;
    this.#writing = true;
    this.#writeFrom(batch.bytes, 0, () => {
      this.#writing = false;
      this.#queue.shift();
      batch.done();
      this.#next();
    });
  }

  #writeFrom(bytes: Uint8Array, offset: number, done: () => void): void {
    write(this.#descriptor, bytes, offset, bytes.length - offset, null, (error, written) => {
      if (error !== null && error.code === 'EAGAIN') {
        setTimeout(() => this.#writeFrom(bytes, offset, done), 5);
      } else if (error !== null) {
        if (!this.#complained)
          this.#log('error', 'the access log cannot be written', { error: describeError(error) });
        this.#complained = true;
        done();
      } else if (offset + written < bytes.length) {
        this.#writeFrom(bytes, offset + written, done);
      } else {
        this.#complained = false;
        done();
      }
    });
  }
}

function openLog(path: string): number {
  try {
    return openSync(path, 'a', 0o640);
  } catch (cause) {
    throw new Error(`the access log ${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}
