/** Keeps weft-cni in the node's network configuration, whoever rewrites it. */
import { type FSWatcher, watch } from 'node:fs';
import { type CaptureLog, describeError } from '../capture-log.js';
import type { Timer } from '../watch-proxy.js';
import type { ChainEntry } from './chain-plugin.js';
import { type ChainState, chainInto, installProgram } from './plugin-files.js';

export interface KeeperParts {
  readonly entry: ChainEntry;
  /** The program as the image brings it. */
  readonly program: string;
  readonly configFolder: string;
  readonly programFolder: string;
  /** False until the namespaces that the entry's file lists are known: nobody may be let past for want of the list. */
  readonly mayChain: () => boolean;
  readonly after: (delayMs: number, call: () => void) => Timer;
  readonly log: CaptureLog;
}

/** A network plugin that rewrites its file does so in several steps; and two that insist shall not fight faster. */
const settleMs = 250;
/** A folder may be replaced under the watch: it is looked at anyway. */
const lookMs = 5_000;

export class ChainKeeper {
  readonly #parts: KeeperParts;
  #watcher: FSWatcher | undefined;
  #timer: Timer | undefined;
  #due = Number.POSITIVE_INFINITY;
  /** What was said last, so that it is said once. */
  #said = '';

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** Installs now, and again whenever the folder changes. */
  start(): void {
    this.#look();
  }

  /** What is installed stays: pods wait for capture's successor. */
  close(): void {
    this.#timer?.cancel();
    this.#watcher?.close();
  }

  #look(): void {
    this.#due = Number.POSITIVE_INFINITY;
    const { entry, program, configFolder, programFolder, mayChain } = this.#parts;
    try {
      this.#watch();
      if (mayChain()) {
        installProgram(program, programFolder);
        this.#tell(chainInto(configFolder, entry));
      }
    } catch (error) {
      this.#say('error', 'weft-cni cannot be installed: new pods are held by NRI alone', {
        error: describeError(error),
        fix: 'name the runtime’s folders by cni.configFolder and cni.programFolder, or set cni.enabled to false',
      });
    }
    this.#schedule(lookMs);
  }

  #tell(state: ChainState): void {
    switch (state.kind) {
      case 'chained':
        if (state.changed) this.#said = '';
        this.#say('info', 'weft-cni is the last plugin of the pods’ network', { file: state.file });
        return;
      case 'no-network':
        this.#say('warn', 'there is no network configuration to chain weft-cni to', {
          folder: this.#parts.configFolder,
        });
        return;
      case 'no-list':
        this.#say('warn', 'the pods’ network is no list of plugins: weft-cni cannot be chained to it', {
          file: state.file,
          fix: 'make it a .conflist, or rely on NRI',
        });
        return;
      default:
        state satisfies never;
    }
  }

  #say(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void {
    const text = JSON.stringify([message, fields]);
    if (text === this.#said) return;
    this.#said = text;
    this.#parts.log(level, message, fields);
  }

  #watch(): void {
    if (this.#watcher !== undefined) return;
    const watcher = watch(this.#parts.configFolder, () => this.#schedule(settleMs));
    const drop = () => {
      watcher.close();
      if (this.#watcher === watcher) this.#watcher = undefined;
    };
    watcher.on('error', drop);
    this.#watcher = watcher;
  }

  #schedule(delayMs: number): void {
    const due = performance.now() + delayMs;
    if (due >= this.#due) return;
    this.#timer?.cancel();
    this.#due = due;
    this.#timer = this.#parts.after(delayMs, () => this.#look());
  }
}
