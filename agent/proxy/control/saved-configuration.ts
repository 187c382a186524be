/**
 * Keeps the last configuration in a folder, so that a proxy starts without its controller. It holds what the stream
 * holds, no secrets, in the stream's own encoding, and is read with the same checks.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Resource } from '../../../model/resource.js';
import { decodeDelta } from '../../../proto/decode-delta.js';
import { encodeResource } from '../../../proto/encode-resource.js';
import type { ConfigServiceDefinition } from '../../../proto/messages.js';
import { describeError, type ProcessLog } from '../start/process-log.js';
import type { IncomingDelta } from './configuration.js';
import type { Timer, Timers } from './timers.js';

/** Changes in a burst are written once. */
const settleMs = 250;

export interface SavedConfigurationParts {
  readonly folder: string;
  readonly definition: ConfigServiceDefinition;
  /** What is in force when the time to write comes. */
  readonly current: () => { readonly version: number; readonly resources: readonly Resource[] };
  readonly timers: Timers;
  readonly log: ProcessLog;
}

export class SavedConfiguration {
  readonly #parts: SavedConfigurationParts;
  readonly #file: string;
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** Throws where the folder cannot be made. */
  constructor(parts: SavedConfigurationParts) {
    this.#parts = parts;
    this.#file = join(parts.folder, 'configuration.binpb');
    mkdirSync(parts.folder, { recursive: true, mode: 0o700 });
  }

  /** What was saved; null where nothing was or it cannot be read (the controller will send all). */
  load(): IncomingDelta | null {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.#file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#complain('cannot be read', error);
      return null;
    }
    try {
      return decodeDelta(this.#parts.definition.Stream.responseDeserialize(bytes));
    } catch (error) {
      this.#complain('is damaged; the controller will send all', error);
      return null;
    }
  }

  /** Notes that something changed; it is written soon. */
  changed(): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#parts.timers.after(settleMs, () => {
      this.#timer = undefined;
      void this.write();
    });
  }

  /** Writes now; a failure is logged, and the file of before stays whole. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeOnce());
    return this.#writing;
  }

  async #writeOnce(): Promise<void> {
    const { version, resources } = this.#parts.current();
    const message = {
      nonce: 0,
      snapshotVersion: version,
      complete: true,
      upserts: resources.map(encodeResource),
      removals: [],
    };
    const next = `${this.#file}.next`;
    try {
      await writeFile(next, this.#parts.definition.Stream.responseSerialize(message), { mode: 0o600 });
      await rename(next, this.#file);
    } catch (error) {
      this.#complain('cannot be written', error);
    }
  }

  #complain(what: string, error: unknown): void {
    this.#parts.log('warn', `the saved configuration ${what}`, {
      file: this.#file,
      error: describeError(error),
    });
  }
}
