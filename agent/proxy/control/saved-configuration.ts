/**
 * Keeps the configuration in a file, so that a proxy starts without its controller, with all that the one before it had
 * acknowledged. The file is a journal: a record with everything, then one for each delta, each on disk (in the kernel's
 * keeping, which outlives the process) before its acknowledgement is sent. So a change costs what changed, not the size
 * of the mesh. It holds what the stream holds, no secrets, in the stream's own encoding, and is read with the same
 * checks.
 *
 * A record is the length and the CRC-32 of its message (32 bits each, big-endian), then the message. A process that ends
 * within a record leaves a torn one, which nobody was told of: reading ends before it. So does what a power cut has
 * mangled; the file is flushed soon after each whole record, not waited for, since nothing of the node survives that.
 */
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Resource } from '../../../model/resource.js';
import { resourceId } from '../../../model/snapshot.js';
import type { Detail } from '../../../model/workload-index.js';
import { type DecodedDelta, decodeDelta } from '../../../proto/decode-delta.js';
import { encodeResource } from '../../../proto/encode-resource.js';
import type { ConfigServiceDefinition, ReceivedDelta } from '../../../proto/messages.js';
import { describeError, type ProcessLog } from '../start/process-log.js';

/** Deltas may grow to the size of the first record, and at least to this, before all is written anew. */
const leastJournalBytes = 1024 * 1024;
const headBytes = 8;

export interface SavedConfigurationParts {
  readonly folder: string;
  readonly definition: ConfigServiceDefinition;
  /** What is in force. */
  readonly current: () => { readonly version: number; readonly resources: readonly Resource[] };
  /** What the node wants: the same list as long as it does not change. */
  readonly wants: () => readonly Detail[];
  readonly log: ProcessLog;
}

/** The file that is being appended to. */
interface Journal {
  readonly descriptor: number;
  readonly wholeBytes: number;
  deltaBytes: number;
  /** As last written. */
  wants: readonly Detail[];
}

export class SavedConfiguration {
  readonly #parts: SavedConfigurationParts;
  readonly #file: string;
  /** undefined: the next record holds everything. */
  #journal: Journal | undefined;

  /** Throws where the folder cannot be made. */
  constructor(parts: SavedConfigurationParts) {
    this.#parts = parts;
    this.#file = join(parts.folder, 'configuration.journal');
    mkdirSync(parts.folder, { recursive: true, mode: 0o700 });
  }

  /** What was saved; null where nothing was or it cannot be read (the controller will send all). */
  load(): DecodedDelta | null {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.#file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#complain('cannot be read', error);
      return null;
    }
    try {
      const { records, rest } = readRecords(bytes);
      if (records.length === 0) throw new Error(`its first record is torn (${bytes.length} bytes)`);
      if (rest > 0) this.#complain('ends in a torn record, which is left out', `${rest} bytes`);
      const { responseDeserialize } = this.#parts.definition.Stream;
      return fold(records.map((record) => decodeDelta(responseDeserialize(record))));
    } catch (error) {
      this.#complain('is damaged; the controller will send all', error);
      return null;
    }
  }

  /**
   * Writes a delta that is in force; it outlives this process once this returns. Where that fails it is logged, what
   * was saved before stays, and the next call tries to write everything.
   *
   * @param inForce all of it is; where some of it was refused, what holds instead is written
   */
  record(delta: ReceivedDelta, inForce: boolean): void {
    const journal = this.#journal;
    try {
      const appends = journal !== undefined && inForce && !isLong(journal) && !isPartial(delta);
      if (appends) this.#append(journal, delta);
      else this.#writeWhole();
    } catch (error) {
      this.close();
      this.#complain('cannot be written', error);
    }
  }

  close(): void {
    if (this.#journal !== undefined) closeSync(this.#journal.descriptor);
    this.#journal = undefined;
  }

  #append(journal: Journal, delta: ReceivedDelta): void {
    const wants = this.#parts.wants();
    const record = this.#encode({ ...delta, wants: wants === journal.wants ? [] : [...wants] });
    journal.wants = wants;
    journal.deltaBytes += record.length;
    writeAll(journal.descriptor, record);
  }

  #writeWhole(): void {
    const { version, resources } = this.#parts.current();
    const wants = this.#parts.wants();
    const record = this.#encode({
      nonce: 0,
      snapshotVersion: version,
      complete: true,
      upserts: resources.map(encodeResource),
      removals: [],
      wants: [...wants],
    });
    this.close();
    const next = `${this.#file}.next`;
    const descriptor = openSync(next, 'w', 0o600);
    this.#journal = { descriptor, wholeBytes: record.length, deltaBytes: 0, wants };
    writeAll(descriptor, record);
    renameSync(next, this.#file);
    void this.#flush();
  }

  async #flush(): Promise<void> {
    try {
      const file = await open(this.#file);
      await file.sync().finally(() => file.close());
    } catch (error) {
      this.#complain('cannot be flushed', error);
    }
  }

  #encode(delta: Parameters<ConfigServiceDefinition['Stream']['responseSerialize']>[0]): Buffer {
    const message = this.#parts.definition.Stream.responseSerialize(delta);
    const head = Buffer.alloc(headBytes);
    head.writeUInt32BE(message.length, 0);
    head.writeUInt32BE(crc32(message), 4);
    return Buffer.concat([head, message]);
  }

  #complain(what: string, error: unknown): void {
    this.#parts.log('warn', `the saved configuration ${what}`, {
      file: this.#file,
      error: describeError(error),
    });
  }
}

function isLong({ wholeBytes, deltaBytes }: Journal): boolean {
  return deltaBytes > Math.max(wholeBytes, leastJournalBytes);
}

/** What it brings is in force together with what was there before. */
function isPartial({ upserts }: ReceivedDelta): boolean {
  return upserts.some(({ workloadIndex }) => workloadIndex?.partial === true);
}

/** All of them as one, so that nothing is put in force that a later one takes back. */
function fold(deltas: readonly DecodedDelta[]): DecodedDelta {
  const upserts = new Map<string, Resource>();
  for (const delta of deltas) {
    for (const { kind, name } of delta.removals) upserts.delete(resourceId(kind, name));
    for (const resource of delta.upserts) {
      const id = resourceId(resource.kind, resource.name);
      // In the order in which they came: of two claims to an address the later one counts.
      upserts.delete(id);
      upserts.set(id, resource);
    }
  }
  return {
    nonce: 0,
    complete: true,
    snapshotVersion: deltas.at(-1)?.snapshotVersion ?? 0,
    upserts: [...upserts.values()],
    removals: [],
    refused: deltas.flatMap(({ refused }) => refused),
    // A record without any has those of the record before.
    wants: deltas.findLast(({ wants }) => wants.length > 0)?.wants ?? [],
  };
}

/** The messages of all whole records from the start, and how many bytes come after them. */
function readRecords(bytes: Buffer): { readonly records: Buffer[]; readonly rest: number } {
  const records: Buffer[] = [];
  let at = 0;
  while (bytes.length - at >= headBytes) {
    const start = at + headBytes;
    const message = bytes.subarray(start, start + bytes.readUInt32BE(at));
    const whole = message.length === bytes.readUInt32BE(at) && crc32(message) === bytes.readUInt32BE(at + 4);
    // Nothing has length zero: that is what a hole in a file reads as.
    if (!whole || message.length === 0) break;
    records.push(message);
    at = start + message.length;
  }
  return { records, rest: bytes.length - at };
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}
