/**
 * Kubernetes namespaces whose pods join the mesh, as the last proxy told it. Kept in a file (a JSON list of names), so that
 * capture knows them before any proxy is there, after a restart of the node too, and weft-cni while capture is away.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Field } from '../../handover/read-fields.js';
import { type CaptureLog, describeError } from '../capture-log.js';

/** More than a cluster usually has. */
export const maxNamespaces = 20_000;

export class EnrolledNamespaces {
  readonly #file: string | undefined;
  readonly #log: CaptureLog;
  #names: ReadonlySet<string>;
  #known = false;

  /** Without a file they are kept in memory alone. */
  constructor(file: string | undefined, log: CaptureLog) {
    this.#file = file;
    this.#log = log;
    this.#names = new Set(file === undefined ? [] : this.#read(file));
  }

  /** A proxy has told them once, to this process or to one before it. */
  get known(): boolean {
    return this.#known;
  }

  has(namespace: string): boolean {
    return this.#names.has(namespace);
  }

  /** Takes the place of all before. What cannot be written is in force nevertheless. */
  set(namespaces: readonly string[]): void {
    const same = namespaces.length === this.#names.size && namespaces.every((name) => this.#names.has(name));
    if (same && this.#known) return;
    this.#known = true;
    this.#names = new Set(namespaces);
    if (this.#file === undefined) return;
    const next = `${this.#file}.next`;
    try {
      writeFileSync(next, `${JSON.stringify(namespaces)}\n`, { mode: 0o600 });
      renameSync(next, this.#file);
    } catch (error) {
      this.#log('warn', 'the enrolled namespaces cannot be kept', { error: describeError(error) });
    }
  }

  #read(file: string): string[] {
    try {
      const names = Field.parse(readFileSync(file)).array(maxNamespaces, (item) => item.string(253));
      this.#known = true;
      return names;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        this.#log('warn', 'the kept list of enrolled namespaces is not readable', {
          file,
          error: describeError(error),
        });
      }
      return [];
    }
  }
}
