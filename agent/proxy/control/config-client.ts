/**
 * Keeps one configuration stream to the controller. What the agent holds stays in force while nobody answers; each
 * new stream opens with what is held, so that only differences travel.
 */
import type {
  AgentMessage,
  NodeReportMessage,
  ReceivedDelta,
  RefusalMessage,
  ResourceVersionMessage,
  WorkloadTransportMessage,
} from '../../../proto/messages.js';
import { describeError, type ProcessLog } from '../start/process-log.js';
import type { Timer, Timers } from './timers.js';

/** One stream, opened by {@link ConfigClientParts.open}. */
export interface ConfigStream {
  send(message: AgentMessage): void;
  /** Ends it; none of its handlers is called afterwards. */
  cancel(): void;
}

export interface ConfigStreamHandlers {
  readonly onDelta: (delta: ReceivedDelta) => void;
  /** Once. */
  readonly onEnd: (error: Error | undefined) => void;
}

export interface ConfigClientParts {
  readonly open: (handlers: ConfigStreamHandlers) => ConfigStream;
  readonly node: string;
  readonly version: string;
  readonly protocol: number;
  readonly held: () => ResourceVersionMessage[];
  /** Phases of the workloads that are held, but for plaintext. */
  readonly transports: () => WorkloadTransportMessage[];
  /** Takes what can be taken and returns what had to be refused. */
  readonly apply: (delta: ReceivedDelta) => RefusalMessage[];
  /** Told of each stream, and of each delta that is in force before its acknowledgement; absent: nothing is reported. */
  readonly reporter?: { opened(): void; applied(): void; closed(): void } | undefined;
  readonly timers: Timers;
  /** 0 to 1. */
  readonly random: () => number;
  readonly log: ProcessLog;
}

type State =
  | { readonly kind: 'waiting'; readonly timer: Timer }
  | { readonly kind: 'open'; readonly stream: ConfigStream; readonly answered: boolean }
  | { readonly kind: 'closed' };

const firstBackoffMs = 100;
const maxBackoffMs = 10_000;

export class ConfigClient {
  readonly #parts: ConfigClientParts;
  #state: State = { kind: 'closed' };
  #failures = 0;

  constructor(parts: ConfigClientParts) {
    this.#parts = parts;
  }

  /** The controller has answered on the present stream. */
  get connected(): boolean {
    return this.#state.kind === 'open' && this.#state.answered;
  }

  start(): void {
    if (this.#state.kind === 'closed') this.#open();
  }

  /** Says how the node's workloads stand; lost while there is no stream. */
  report(report: NodeReportMessage): void {
    if (this.#state.kind === 'open') this.#state.stream.send({ report });
  }

  /** Opens another stream in place of the present one, which must end soon. Nothing is lost: it says what is held. */
  reopen(): void {
    if (this.#state.kind !== 'open') return;
    this.#state.stream.cancel();
    this.#open();
  }

  close(): void {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    this.#parts.reporter?.closed();
    if (state.kind === 'open') state.stream.cancel();
    if (state.kind === 'waiting') state.timer.cancel();
  }

  #open(): void {
    const { node, version, protocol } = this.#parts;
    const stream = this.#parts.open({
      onDelta: (delta) => this.#receive(stream, delta),
      onEnd: (error) => this.#ended(error),
    });
    this.#state = { kind: 'open', stream, answered: false };
    const held = this.#parts.held();
    const transports = this.#parts.transports();
    stream.send({ hello: { protocol, node, agentVersion: version, held, transports } });
    this.#parts.reporter?.opened();
  }

  #receive(stream: ConfigStream, delta: ReceivedDelta): void {
    if (!this.connected)
      this.#parts.log('info', 'the controller answers', { version: delta.snapshotVersion });
    this.#state = { kind: 'open', stream, answered: true };
    this.#failures = 0;
    try {
      const refusals = this.#parts.apply(delta);
      this.#parts.reporter?.applied();
      stream.send({ ack: { nonce: delta.nonce, refusals } });
    } catch (error) {
      // Nothing of the delta is in force; a new stream says again what is held.
      this.#parts.log('error', 'a configuration delta could not be applied', { error: describeError(error) });
      stream.cancel();
      this.#retry();
    }
  }

  #ended(error: Error | undefined): void {
    if (this.#state.kind === 'closed') return;
    if (this.#failures === 0) {
      const details = error === undefined ? {} : { error: describeError(error) };
      this.#parts.log('warn', 'no controller; the last good configuration stays in force', details);
    }
    this.#retry();
  }

  #retry(): void {
    this.#parts.reporter?.closed();
    const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    const delayMs = backoffMs * (0.5 + 0.5 * this.#parts.random());
    this.#state = { kind: 'waiting', timer: this.#parts.timers.after(delayMs, () => this.#open()) };
  }
}
