/** What nodes were refused besides certificates: connections and streams. Each is counted by its name, and recorded. */
import { boundLines } from '../status/bound-lines.js';
import type { Log } from '../status/log.js';
import type { Refused } from './refusal.js';

export class NodeRefusals {
  readonly #warn: Log['warn'];
  readonly #counts = new Map<string, number>();

  /** `now` is wall-clock time in milliseconds. */
  constructor(log: Log, now: () => number) {
    this.#warn = boundLines(log, now);
  }

  /** By reason. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** `from` is what is known of the asker: the node that it names, its address. */
  record(from: { readonly node?: string; readonly address?: string }, { reason, message }: Refused): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    const { node, address } = from;
    this.#warn(`a node was refused: ${message}`, {
      audit: 'node-refused',
      reason,
      ...(node === undefined ? {} : { node: node.slice(0, 253) }),
      ...(address === undefined ? {} : { address }),
    });
  }
}
