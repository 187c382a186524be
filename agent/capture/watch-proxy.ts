/**
 * Decides when the proxy counts as gone: every proxy that was there has ended (its process, not only its connection),
 * for longer than the grace. A slow proxy is not gone.
 */

/** A pending call; time is passed in. */
export interface Timer {
  cancel(): void;
}

export interface ProxyWatchParts {
  readonly graceMs: number;
  readonly after: (delayMs: number, call: () => void) => Timer;
  /** Whether the process behind the descriptor (pidfd) has ended. */
  readonly hasEnded: (process: number) => boolean;
  readonly closeDescriptor: (descriptor: number) => void;
  readonly onGone: () => void;
}

type State =
  | { readonly kind: 'present'; readonly channels: number }
  /** No connection, but a process that may come back and holds its listeners. */
  | { readonly kind: 'silent'; readonly timer: Timer }
  | { readonly kind: 'leaving'; readonly timer: Timer }
  | { readonly kind: 'gone' };

/** A process without a connection is looked at so often. */
const lookMs = 100;

export class ProxyWatch {
  readonly #parts: ProxyWatchParts;
  readonly #processes = new Set<number>();
  #state: State;

  /** Begins without a proxy, and with the grace; `gone`: the capture before had waited for it already. */
  constructor(parts: ProxyWatchParts, gone = false) {
    this.#parts = parts;
    this.#state = gone ? { kind: 'gone' } : this.#leave();
  }

  get kind(): State['kind'] {
    return this.#state.kind;
  }

  /** A proxy was greeted. Takes the descriptor of its process, undefined where it cannot be watched. */
  greeted(process: number | undefined): void {
    this.#cancel();
    const channels = this.#state.kind === 'present' ? this.#state.channels : 0;
    if (process !== undefined) this.#processes.add(process);
    this.#state = { kind: 'present', channels: channels + 1 };
  }

  /** The connection of a greeted proxy ended. */
  disconnected(): void {
    if (this.#state.kind !== 'present') return;
    const channels = this.#state.channels - 1;
    if (channels > 0) this.#state = { kind: 'present', channels };
    else this.#look();
  }

  close(): void {
    this.#cancel();
    for (const process of this.#processes) this.#parts.closeDescriptor(process);
    this.#processes.clear();
  }

  #look(): void {
    for (const process of this.#processes) {
      if (!this.#parts.hasEnded(process)) continue;
      this.#parts.closeDescriptor(process);
      this.#processes.delete(process);
    }
    this.#state =
      this.#processes.size === 0
        ? this.#leave()
        : { kind: 'silent', timer: this.#parts.after(lookMs, () => this.#look()) };
  }

  #leave(): State {
    const timer = this.#parts.after(this.#parts.graceMs, () => {
      this.#state = { kind: 'gone' };
      this.#parts.onGone();
    });
    return { kind: 'leaving', timer };
  }

  #cancel(): void {
    if (this.#state.kind === 'silent' || this.#state.kind === 'leaving') this.#state.timer.cancel();
  }
}
