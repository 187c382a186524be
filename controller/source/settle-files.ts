/**
 * Decides when a file of a watched folder may be read, from what repeated looks at the folder show. A file counts
 * only once it has rested: a writer that truncates and then writes shows a half file in between, an editor that
 * renames shows none at all. Pure: time is passed in.
 */

/** Everything that changes when a file is written or replaced (device, inode, size, change time). */
export type Fingerprint = string;

export interface SettleTimes {
  /** A file, or its absence, must be unchanged for so long. */
  readonly restMs: number;
  /** A text that looks cut off must rest for so long. */
  readonly suspectRestMs: number;
  /** A file that never rests is read after so long. */
  readonly patienceMs: number;
}

export const settleTimes: SettleTimes = { restMs: 25, suspectRestMs: 400, patienceMs: 250 };

/** `undefined` as fingerprint means that the file is not there. */
interface Pending {
  readonly fingerprint: Fingerprint | undefined;
  readonly firstMs: number;
  readonly sinceMs: number;
}

export interface Settled {
  /** Files to read now. */
  readonly read: readonly string[];
  /** Files that are gone for good. */
  readonly gone: readonly string[];
  /** Look again after so long; null where nothing is pending. */
  readonly againMs: number | null;
}

export class FileSettler {
  readonly #times: SettleTimes;
  /** Fingerprints of what was read and accepted. */
  readonly #accepted = new Map<string, Fingerprint>();
  readonly #pending = new Map<string, Pending>();

  constructor(times: SettleTimes = settleTimes) {
    this.#times = times;
  }

  /** One look at the folder: all its files with their fingerprints. */
  look(files: ReadonlyMap<string, Fingerprint>, nowMs: number): Settled {
    const read: string[] = [];
    const gone: string[] = [];
    let againMs: number | null = null;
    for (const path of new Set([...files.keys(), ...this.#accepted.keys(), ...this.#pending.keys()])) {
      const fingerprint = files.get(path);
      if (fingerprint === this.#accepted.get(path)) {
        this.#pending.delete(path);
        continue;
      }
      const waitMs = this.#wait(path, fingerprint, nowMs);
      if (waitMs > 0) againMs = Math.min(againMs ?? waitMs, waitMs);
      else if (fingerprint !== undefined) read.push(path);
      else {
        this.#accepted.delete(path);
        this.#pending.delete(path);
        gone.push(path);
      }
    }
    return { read, gone, againMs };
  }

  /**
   * Whether a text that was just read is to be believed; if not, it must rest longer. `fingerprint` is that of
   * the file after reading: one that differs from the look's was written meanwhile.
   */
  accept(path: string, fingerprint: Fingerprint | undefined, suspect: boolean, nowMs: number): boolean {
    const pending = this.#pending.get(path);
    const looked = pending?.fingerprint;
    const restedMs = nowMs - (pending?.sinceMs ?? nowMs);
    if (fingerprint === undefined || fingerprint !== looked) return false;
    if (suspect && restedMs < this.#times.suspectRestMs) return false;
    this.#accepted.set(path, fingerprint);
    this.#pending.delete(path);
    return true;
  }

  /** Milliseconds until the file may be read; 0: now. */
  #wait(path: string, fingerprint: Fingerprint | undefined, nowMs: number): number {
    const before = this.#pending.get(path);
    const same = before !== undefined && before.fingerprint === fingerprint;
    const pending = same ? before : { fingerprint, firstMs: before?.firstMs ?? nowMs, sinceMs: nowMs };
    this.#pending.set(path, pending);
    const restLeft = pending.sinceMs + this.#times.restMs - nowMs;
    const patienceLeft = pending.firstMs + this.#times.patienceMs - nowMs;
    return Math.max(0, Math.min(restLeft, fingerprint === undefined ? restLeft : patienceLeft));
  }
}

/**
 * Whether a text may be the beginning of one that is still being written: nothing yet, the start of what was there
 * before, or an end in the middle of a line.
 */
export function looksCutOff(text: string, previous: string | undefined): boolean {
  if (text.trim() === '' || !text.endsWith('\n')) return true;
  return previous !== undefined && previous.length > text.length && previous.startsWith(text);
}
