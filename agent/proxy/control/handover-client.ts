/**
 * The proxy's end of the talk with capture. It keeps one connection open, greets, and connects again when it ends:
 * what is already handed over goes on serving meanwhile.
 */

import type { Channel, ChannelHandlers } from '../../../native/channel.js';
import {
  type CaptureMessage,
  type Enrolment,
  handoverProtocol,
  type KernelRules,
  type Listener,
  maxNamespacesPerPacket,
  type PodCounters,
  type ProxyMessage,
  type ProxyStanding,
} from '../../handover/messages.js';
import { splitKernelRules } from '../../handover/split-kernel-rules.js';
import type { Family } from '../../handover/values.js';
import { describeError, type ProcessLog } from '../start/process-log.js';
import type { Timers } from './timers.js';

/** What capture says; descriptors are the receiver's from then on. */
export interface HandoverEvents {
  /** Greeted: sockets and secrets can be asked for. */
  readonly onReady: (notesMap: number) => void;
  /** This proxy leads: everything that shall be in force must be asked for, again. `standing` is from before. */
  readonly onLeading: (standing: StandingWorkloads) => void;
  /** Another proxy of the node leads now: this one asks for no changes any more. */
  readonly onSuperseded: () => void;
  /** A new pod waits for its enrolment. */
  readonly onHeld: (workload: string) => void;
  readonly onLost: () => void;
  readonly onEnrolled: (
    workload: string,
    listeners: readonly Listener[],
    descriptors: readonly number[],
  ) => void;
  readonly onWithdrawn: (workload: string) => void;
  readonly onSockets: (workload: string, family: Family, descriptors: readonly number[]) => void;
  readonly onCounters: (counters: KernelCounters) => void;
  readonly onRulesApplied: () => void;
  /** What the vault keeps of a workload; null where nothing. */
  readonly onSecret: (workload: string, secret: string | null) => void;
  /** A request to the vault is answered, also with {@link onSecret} before; a refusal comes by {@link onRefused}. */
  readonly onVaultAnswered: () => void;
  readonly onRefused: (request: ProxyMessage['type'], workload: string | undefined, message: string) => void;
}

/** What capture holds when a proxy begins to lead. */
export interface StandingWorkloads {
  /** All that are captured. */
  readonly enrolled: readonly string[];
  /** Those of them that no proxy has enrolled yet: new pods that wait for their configuration. */
  readonly held: readonly string[];
}

export interface KernelCounters {
  readonly refusals: Readonly<Record<number, number>>;
  readonly pods: readonly PodCounters[];
}

export interface HandoverParts {
  /** Throws where nobody listens. */
  readonly connect: (handlers: ChannelHandlers) => Channel;
  /** Throws where the packet is no message of capture. */
  readonly parse: (packet: Buffer, descriptors: number) => CaptureMessage;
  readonly closeDescriptor: (descriptor: number) => void;
  readonly timers: Timers;
  readonly log: ProcessLog;
}

type State =
  | { readonly kind: 'away' }
  | { readonly kind: 'greeting'; readonly channel: Channel }
  | { readonly kind: 'ready'; readonly channel: Channel }
  | { readonly kind: 'closed' };

/** A local socket is cheap to try, and new connections wait in the backlog meanwhile: no long backoff. */
const retryMs = 200;

export class HandoverClient {
  readonly #parts: HandoverParts;
  readonly #events: HandoverEvents;
  #state: State = { kind: 'away' };
  #standing: ProxyStanding = 'fresh';
  /** It can lead as soon as it may. */
  #claims = false;
  #complained = false;

  constructor(parts: HandoverParts, events: HandoverEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  get ready(): boolean {
    return this.#state.kind === 'ready';
  }

  /** `superseded`: another proxy has taken this one's place. */
  get standing(): ProxyStanding {
    return this.#standing;
  }

  /** The controller has answered: where another proxy leads, this one takes its place. */
  claimLead(): void {
    if (this.#claims) return;
    this.#claims = true;
    if (this.#standing === 'fresh') this.#request({ type: 'claim-lead' });
  }

  /** This proxy drains: another one may lead. */
  resignLead(): void {
    this.#standing = 'draining';
    this.#request({ type: 'resign-lead' });
  }

  /** Connects, now and whenever the connection ends, until {@link close}. */
  start(): void {
    if (this.#state.kind !== 'away') return;
    let channel: Channel;
    try {
      channel = this.#parts.connect({
        onMessage: (packet, descriptors) => this.#receive(packet, descriptors),
        onClose: (error) => this.#lost(error),
      });
    } catch (error) {
      this.#complain('capture cannot be reached; is it running?', error);
      this.#retry();
      return;
    }
    this.#state = { kind: 'greeting', channel };
    this.#send(channel, { type: 'hello', protocol: handoverProtocol, standing: this.#standing });
  }

  close(): void {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    if (state.kind === 'greeting' || state.kind === 'ready') state.channel.close();
  }

  /** Each request is dropped while capture is away: {@link HandoverEvents.onReady} asks for all again. */
  enrol(enrolment: Enrolment): void {
    this.#request({ type: 'enrol', enrolment });
  }

  withdraw(workload: string): void {
    this.#request({ type: 'withdraw', workload });
  }

  requestSockets(workload: string, family: Family, count: number): void {
    this.#request({ type: 'sockets', workload, family, count });
  }

  publishRules(rules: KernelRules): void {
    for (const message of splitKernelRules(rules)) this.#request(message);
  }

  /** New pods of these namespaces are held until they are enrolled; replaces all before. */
  holdNamespaces(namespaces: readonly string[]): void {
    for (let from = 0; from === 0 || from < namespaces.length; from += maxNamespacesPerPacket) {
      const to = from + maxNamespacesPerPacket;
      const more = to < namespaces.length;
      this.#request({ type: 'hold', namespaces: namespaces.slice(from, to), more });
    }
  }

  /** Keeps a secret in capture's vault, over this proxy's end. */
  putSecret(workload: string, secret: string): void {
    this.#request({ type: 'vault-put', workload, secret });
  }

  requestSecret(workload: string): void {
    this.#request({ type: 'vault-get', workload });
  }

  dropSecret(workload: string): void {
    this.#request({ type: 'vault-drop', workload });
  }

  requestCounters(): void {
    this.#request({ type: 'counters' });
  }

  #request(message: ProxyMessage): void {
    if (this.#state.kind === 'ready') this.#send(this.#state.channel, message);
  }

  #send(channel: Channel, message: ProxyMessage): void {
    try {
      channel.send(Buffer.from(JSON.stringify(message)));
    } catch (error) {
      this.#complain(`the request ${message.type} could not be sent to capture`, error);
      channel.close();
    }
  }

  #receive(packet: Buffer, descriptors: readonly number[]): void {
    let message: CaptureMessage;
    try {
      message = this.#parts.parse(packet, descriptors.length);
    } catch (error) {
      for (const descriptor of descriptors) this.#parts.closeDescriptor(descriptor);
      this.#parts.log('error', 'a message of capture is not understood', { error: describeError(error) });
      return;
    }
    this.#dispatch(message, descriptors);
  }

  #dispatch(message: CaptureMessage, descriptors: readonly number[]): void {
    switch (message.type) {
      case 'welcome':
        this.#welcome(descriptors);
        return;
      case 'leading':
        this.#lead(message);
        return;
      case 'superseded':
        this.#supersede();
        return;
      case 'enrolled':
        this.#events.onEnrolled(message.workload, message.listeners, descriptors);
        return;
      case 'held':
        this.#events.onHeld(message.workload);
        return;
      case 'awaited':
        // Nothing is wrong: the configuration is faster than the container runtime.
        this.#events.onRefused('enrol', message.workload, 'its sandbox is not made yet');
        return;
      case 'hold-applied':
        return;
      case 'withdrawn':
        this.#events.onWithdrawn(message.workload);
        return;
      case 'sockets':
        this.#events.onSockets(message.workload, message.family, descriptors);
        return;
      case 'rules-applied':
        this.#events.onRulesApplied();
        return;
      case 'counters':
        this.#events.onCounters(message);
        return;
      case 'vault-entry':
        this.#events.onSecret(message.workload, message.secret);
        this.#events.onVaultAnswered();
        return;
      case 'vault-kept':
      case 'vault-dropped':
        this.#events.onVaultAnswered();
        return;
      case 'refused':
        this.#parts.log('error', `capture refused: ${message.message}`, {
          request: message.request,
          workload: message.workload,
        });
        this.#events.onRefused(message.request, message.workload, message.message);
        return;
      default:
        message satisfies never;
    }
  }

  #welcome(descriptors: readonly number[]): void {
    const notesMap = descriptors[0];
    if (this.#state.kind !== 'greeting' || notesMap === undefined) {
      for (const descriptor of descriptors) this.#parts.closeDescriptor(descriptor);
      return;
    }
    this.#complained = false;
    this.#state = { kind: 'ready', channel: this.#state.channel };
    this.#parts.log('info', 'capture welcomed this proxy', { standing: this.#standing });
    this.#events.onReady(notesMap);
    if (this.#claims && this.#standing === 'fresh') this.#request({ type: 'claim-lead' });
  }

  #lead({ enrolled, held }: StandingWorkloads): void {
    if (this.#standing === 'draining') return;
    this.#standing = 'leading';
    this.#parts.log('info', 'this proxy leads', { enrolled: enrolled.length, held: held.length });
    this.#events.onLeading({ enrolled, held });
  }

  #supersede(): void {
    if (this.#standing === 'draining') return;
    this.#standing = 'superseded';
    this.#parts.log('info', 'another proxy of this node leads; what is served goes on');
    this.#events.onSuperseded();
  }

  #lost(error: Error | undefined): void {
    if (this.#state.kind === 'closed') return;
    const wasReady = this.#state.kind === 'ready';
    this.#state = { kind: 'away' };
    this.#complain('the connection to capture ended; what is enrolled goes on', error);
    if (wasReady) this.#events.onLost();
    this.#retry();
  }

  #retry(): void {
    this.#parts.timers.after(retryMs, () => this.start());
  }

  /** Once per absence, not once per try. */
  #complain(message: string, error: unknown): void {
    if (this.#complained) return;
    this.#complained = true;
    this.#parts.log('warn', message, error === undefined ? {} : { error: describeError(error) });
  }
}
