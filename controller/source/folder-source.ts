/**
 * A watched folder of manifests. Events of the kernel only say "look now"; what changed is found by comparing two
 * looks, so a lost or merged event costs at most one interval.
 */
import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { toChange } from './read-folder.js';
import { listFolder, readManifestFile } from './scan-folder.js';
import { FileSettler, looksCutOff } from './settle-files.js';
import type { Source, SourceChange } from './source.js';

/** How often the folder is looked at without any event (network file systems send none). */
const intervalMs = 500;
/** Events within so long of each other lead to one look. */
const coalesceMs = 10;

export interface FolderSourceOptions {
  readonly folder: string;
  /** What problems call the folder. */
  readonly shownAs?: string;
  /** Told when the folder itself cannot be read; it is tried again. */
  readonly onTrouble: (error: Error) => void;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

export class FolderSource implements Source {
  readonly #options: FolderSourceOptions;
  readonly #settler = new FileSettler();
  readonly #texts = new Map<string, string>();
  readonly #watchers = new Map<string, FSWatcher>();
  #apply: (changes: readonly SourceChange[]) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  /** What the last look failed of; empty where it did not. */
  #trouble = '';
  #started = false;
  #stopped = false;

  constructor(options: FolderSourceOptions) {
    this.#options = options;
  }

  /** Resolves once everything that lay in the folder has been applied. */
  async start(apply: (changes: readonly SourceChange[]) => void): Promise<void> {
    const first: SourceChange[] = [];
    this.#apply = (changes) => first.push(...changes);
    const begunMs = this.#now();
    for (;;) {
      const againMs = await this.#look();
      // A file that is being written all the time must not keep the rest from being served.
      if (againMs === null || this.#now() - begunMs > 1000) break;
      await new Promise((resolve) => setTimeout(resolve, againMs));
    }
    this.#apply = apply;
    this.#started = true;
    apply(first);
    this.#schedule(coalesceMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #origin(path: string): string {
    return join(this.#options.shownAs ?? this.#options.folder, path);
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now();
  }

  /** Looks after so long at the latest; a stream of events does not push the look away. */
  #schedule(delayMs: number): void {
    const dueMs = this.#now() + delayMs;
    if (this.#stopped || dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => this.#lookNow(), delayMs);
  }

  #onEvent(): void {
    if (!this.#started) return;
    if (this.#looking === undefined) this.#schedule(coalesceMs);
    else this.#lookAgain = true;
  }

  #lookNow(): void {
    this.#lookAgain = false;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#looking = this.#look()
      .then((againMs) => {
        this.#trouble = '';
        return againMs;
      })
      .catch((error: unknown) => this.#onTrouble(error instanceof Error ? error : new Error(String(error))))
      .then((againMs) => {
        this.#looking = undefined;
        this.#schedule(this.#lookAgain ? coalesceMs : Math.min(againMs ?? intervalMs, intervalMs));
      });
  }

  /** Tells a trouble once. What was read stays in force; watchers are made anew, for the folder may be another. */
  #onTrouble(error: Error): null {
    if (error.message !== this.#trouble) this.#options.onTrouble(error);
    this.#trouble = error.message;
    this.#watch([]);
    return null;
  }

  /** One look and its consequences; returns when to look again because something has not come to rest. */
  async #look(): Promise<number | null> {
    const { folder } = this.#options;
    const listing = await listFolder(folder);
    if (listing.tooMuch !== null) throw new Error(`${folder} holds ${listing.tooMuch}; nothing new is read`);
    this.#watch(listing.folders);
    const settled = this.#settler.look(listing.files, this.#now());
    const changes: SourceChange[] = [];
    let { againMs } = settled;
    for (const path of settled.read) {
      const change = await this.#read(path);
      if (change === null) againMs = Math.min(againMs ?? intervalMs, coalesceMs * 2);
      else changes.push(change);
    }
    for (const path of settled.gone) {
      this.#texts.delete(path);
      changes.push({ type: 'gone', origin: this.#origin(path) });
    }
    if (changes.length > 0 && !this.#stopped) this.#apply(changes);
    return againMs;
  }

  /** null where the file must rest longer. */
  async #read(path: string): Promise<SourceChange | null> {
    const file = await readManifestFile(this.#options.folder, path);
    if (file === null) return null;
    const suspect = file.ok && looksCutOff(file.text, this.#texts.get(path));
    if (!this.#settler.accept(path, file.fingerprint, suspect, this.#now())) return null;
    if (file.ok) this.#texts.set(path, file.text);
    return toChange(this.#origin(path), file);
  }

  #watch(folders: readonly string[]): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folders.includes(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) {
      if (this.#watchers.has(folder) || this.#stopped) continue;
      try {
        const watcher = watch(folder, { persistent: true }, () => this.#onEvent());
        // A watcher that fails (the folder vanished, inotify ran out) is dropped: looks at intervals go on.
        watcher.on('error', () => {
          watcher.close();
          this.#watchers.delete(folder);
        });
        this.#watchers.set(folder, watcher);
      } catch (error) {
        this.#options.onTrouble(
          new Error(`cannot watch ${folder}; it is looked at instead`, { cause: error }),
        );
      }
    }
  }
}
