/**
 * Keeps one configuration stream to the controller. What the agent holds stays in force while nobody answers; each
 * new stream opens with what is held, so that only differences travel.
 */
import { type Detail, detailKey, detailOf } from '../../../model/workload-index.js';
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
  /** Details that the node wants now. */
  readonly wants: () => readonly Detail[];
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
  | {
      readonly kind: 'open';
      readonly stream: ConfigStream;
      readonly answered: boolean;
      /** The controller understands wants; an older one sends everything. */
      readonly scoped: boolean;
      /** Keys of the wants that it was told. */
      readonly told: Set<string>;
    }
  | { readonly kind: 'closed' };

const firstBackoffMs = 100;
const maxBackoffMs = 10_000;
const otherAgentMs = 4_000;
/** gRPC's status. */
const aborted = 10;

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

  /** Says which details are wanted from now on, and which not any more. Without a stream the next Hello says it. */
  want(added: readonly Detail[], removed: readonly Detail[]): void {
    const state = this.#state;
    // Before the first delta it is not known what the controller understands; then the difference is sent.
    if (state.kind !== 'open' || !state.scoped) return;
    for (const detail of removed) state.told.delete(detailKey(detail));
    for (const detail of added) state.told.add(detailKey(detail));
    state.stream.send({ wants: { added: [...added], removed: [...removed] } });
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
    const wants = [...this.#parts.wants()];
    const told = new Set(wants.map(detailKey));
    this.#state = { kind: 'open', stream, answered: false, scoped: false, told };
    const held = this.#parts.held();
    const transports = this.#parts.transports();
    stream.send({
      hello: { protocol, node, agentVersion: version, held, transports, scoped: true, wants },
    });
    this.#parts.reporter?.opened();
  }

  #receive(stream: ConfigStream, delta: ReceivedDelta): void {
    if (!this.connected)
      this.#parts.log('info', 'the controller answers', { version: delta.snapshotVersion });
    this.#answered(delta.scoped);
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

  #answered(scoped: boolean): void {
    const state = this.#state;
    if (state.kind !== 'open' || (state.answered && state.scoped === scoped)) return;
    this.#state = { ...state, answered: true, scoped };
    const wants = this.#parts.wants();
    const keys = new Set(wants.map(detailKey));
    const added = wants.filter((detail) => !state.told.has(detailKey(detail)));
    const removed = [...state.told].filter((key) => !keys.has(key)).map(detailOf);
    if (added.length + removed.length > 0) this.want(added, removed);
  }

  #ended(error: Error | undefined): void {
    if (this.#state.kind === 'closed') return;
    if (this.#failures === 0) {
      const details = error === undefined ? {} : { error: describeError(error) };
      this.#parts.log('warn', 'no controller; the last good configuration stays in force', details);
    }
    // Another proxy of this node speaks with the controller: soon it leads, or has ended.
    const isAborted = (error as { readonly code?: number } | undefined)?.code === aborted;
    this.#retry(isAborted ? otherAgentMs : firstBackoffMs);
  }

  #retry(leastMs = firstBackoffMs): void {
    this.#parts.reporter?.closed();
    const backoffMs = Math.min(maxBackoffMs, leastMs * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    const delayMs = backoffMs * (0.5 + 0.5 * this.#parts.random());
    this.#state = { kind: 'waiting', timer: this.#parts.timers.after(delayMs, () => this.#open()) };
  }
}
