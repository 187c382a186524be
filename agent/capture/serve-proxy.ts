/** One proxy's connection: every message is answered, and what cannot be done is refused with a reason. */
import type { Channel, ChannelHandlers } from '../../native/channel.js';
import {
  type CaptureMessage,
  handoverProtocol,
  type KernelRules,
  maxMessageBytes,
  maxRuleEntries,
  type ProxyMessage,
  type ProxyStanding,
} from '../handover/messages.js';
import { parseProxyMessage } from '../handover/parse-proxy-message.js';
import { type CaptureLog, describeError } from './capture-log.js';
import type { EnrolmentRegister } from './enrolment-register.js';
import type { ProxyLead } from './proxy-lead.js';
import type { RuleStore } from './rule-store.js';
import { type EnrolledNamespaces, maxNamespaces } from './runtime/enrolled-namespaces.js';
import { AwaitedPod, type PodBook } from './runtime/pod-book.js';
import type { Vault } from './vault.js';

export interface ServeParts {
  readonly register: EnrolmentRegister;
  readonly pods: PodBook;
  readonly namespaces: EnrolledNamespaces;
  readonly rules: RuleStore;
  readonly vault: Vault;
  readonly notesMap: number;
  /** Refusals by reason code, zeros left out. */
  readonly readRefusals: () => Record<number, number>;
  readonly closeDescriptor: (descriptor: number) => void;
  readonly lead: ProxyLead<ProxySession>;
  readonly onGreeted: () => void;
  readonly onGone: () => void;
  readonly log: CaptureLog;
}

type State = 'connected' | 'greeted' | 'closed';

/** What changes the node; a proxy that another one replaces, or that waits to replace it, must not. */
const leadersAlone: ReadonlySet<ProxyMessage['type']> = new Set([
  'enrol',
  'withdraw',
  'kernel-rules',
  'hold',
]);

export class ProxySession {
  readonly #parts: ServeParts;
  readonly #channel: Channel;
  #state: State = 'connected';
  /** Rules whose rest is still to come. */
  #partial: KernelRules = { destinations: [], rules: [] };

  /** Namespaces whose rest is still to come. */
  #partialNamespaces: readonly string[] = [];

  constructor(channel: Channel, parts: ServeParts) {
    this.#channel = channel;
    this.#parts = parts;
  }

  readonly handlers: ChannelHandlers = {
    onMessage: (packet, descriptors) => {
      // A proxy has nothing that capture would take.
      for (const descriptor of descriptors) this.#parts.closeDescriptor(descriptor);
      this.#receive(packet);
    },
    onClose: (error) => {
      const greeted = this.#state === 'greeted';
      this.#state = 'closed';
      const { pid } = this.#channel.peer;
      this.#parts.log(error === undefined ? 'info' : 'warn', 'the connection of a proxy ended', {
        pid,
        ...(error === undefined ? {} : { error: describeError(error) }),
      });
      if (!greeted) return;
      this.#parts.lead.gone(this);
      this.#parts.onGone();
    },
  };

  close(): void {
    this.#channel.close();
  }

  /** Tells the proxy that leads of a new pod. */
  tellHeld(workload: string): void {
    if (this.#parts.lead.leads(this)) this.#send({ type: 'held', workload });
  }

  tellLeading(): void {
    const { enrolled } = this.#parts.register;
    const { held } = this.#parts.pods;
    this.#send({ type: 'leading', enrolled, held });
  }

  tellSuperseded(): void {
    this.#send({ type: 'superseded' });
  }

  #receive(packet: Buffer): void {
    let message: ProxyMessage;
    try {
      message = parseProxyMessage(packet);
    } catch (error) {
      // A peer that does not speak the protocol is not answered: its next message could be anything.
      this.#parts.log('error', 'a packet is no message; the connection is closed', {
        error: describeError(error),
      });
      this.#channel.close();
      return;
    }
    try {
      this.#answer(message);
    } catch (error) {
      if (error instanceof AwaitedPod && message.type === 'enrol') {
        this.#send({ type: 'awaited', workload: message.enrolment.workload });
      } else this.#refuse(message, describeError(error));
    }
  }

  #answer(message: ProxyMessage): void {
    if (message.type === 'hello') {
      this.#greet(message.protocol, message.standing);
      return;
    }
    const { lead } = this.#parts;
    if (this.#state !== 'greeted') throw new Error('hello comes first');
    if (leadersAlone.has(message.type) && !lead.leads(this)) throw new Error('another proxy leads');
    switch (message.type) {
      case 'claim-lead':
        lead.claim(this);
        return;
      case 'resign-lead':
        lead.resign(this);
        return;
      case 'enrol': {
        const listeners = this.#parts.pods.enrol(message.enrolment);
        this.#send(
          {
            type: 'enrolled',
            workload: message.enrolment.workload,
            listeners: listeners.map(({ direction, family }) => ({ direction, family })),
          },
          listeners.map(({ descriptor }) => descriptor),
        );
        return;
      }
      case 'withdraw':
        this.#parts.pods.withdraw(message.workload);
        this.#parts.vault.drop(message.workload);
        this.#send({ type: 'withdrawn', workload: message.workload });
        return;
      case 'sockets':
        this.#sendSockets(message);
        return;
      case 'kernel-rules':
        this.#takeRules(message);
        return;
      case 'counters':
        this.#send({
          type: 'counters',
          refusals: this.#parts.readRefusals(),
          pods: this.#parts.register.readCounters(),
        });
        return;
      case 'hold':
        this.#takeNamespaces(message);
        return;
      case 'vault-put':
      case 'vault-get':
      case 'vault-drop':
        this.#openVault(message);
        return;
      default:
        message satisfies never;
    }
  }

  #openVault(message: Extract<ProxyMessage, { type: `vault-${string}` }>): void {
    const { vault } = this.#parts;
    const { workload } = message;
    switch (message.type) {
      case 'vault-put':
        vault.put(workload, message.secret);
        this.#send({ type: 'vault-kept', workload });
        return;
      case 'vault-get':
        this.#send({ type: 'vault-entry', workload, secret: vault.get(workload) });
        return;
      case 'vault-drop':
        vault.drop(workload);
        this.#send({ type: 'vault-dropped', workload });
        return;
      default:
        message satisfies never;
    }
  }

  #greet(protocol: number, standing: ProxyStanding): void {
    if (this.#state === 'greeted') throw new Error('hello was said');
    if (protocol !== handoverProtocol) {
      throw new Error(
        `capture speaks protocol ${handoverProtocol}, not ${protocol}: upgrade the older of the two`,
      );
    }
    this.#state = 'greeted';
    this.#parts.onGreeted();
    const leads = this.#parts.lead.greeted(this, standing);
    this.#parts.log('info', 'a proxy was welcomed', { pid: this.#channel.peer.pid, leads });
    this.#send({ type: 'welcome', protocol: handoverProtocol }, [this.#parts.notesMap]);
    if (leads) this.tellLeading();
    else if (standing === 'leading') this.tellSuperseded();
  }

  #sendSockets({ workload, family, count }: Extract<ProxyMessage, { type: 'sockets' }>): void {
    const sockets = this.#parts.register.makeSockets(workload, family, count);
    try {
      this.#send({ type: 'sockets', workload, family }, sockets);
    } finally {
      for (const socket of sockets) this.#parts.closeDescriptor(socket);
    }
  }

  #takeRules({ rules, more }: Extract<ProxyMessage, { type: 'kernel-rules' }>): void {
    const whole: KernelRules = {
      destinations: [...this.#partial.destinations, ...rules.destinations],
      rules: [...this.#partial.rules, ...rules.rules],
    };
    this.#partial = { destinations: [], rules: [] };
    if (whole.destinations.length > maxRuleEntries || whole.rules.length > maxRuleEntries) {
      throw new Error(`there are more than ${maxRuleEntries} kernel rules`);
    }
    if (more === true) {
      this.#partial = whole;
      return;
    }
    this.#parts.rules.apply(whole);
    this.#send({ type: 'rules-applied' });
  }

  #takeNamespaces({ namespaces, more }: Extract<ProxyMessage, { type: 'hold' }>): void {
    const whole = [...this.#partialNamespaces, ...namespaces];
    if (whole.length > maxNamespaces) throw new Error(`there are more than ${maxNamespaces} namespaces`);
    this.#partialNamespaces = more ? whole : [];
    if (more) return;
    this.#parts.namespaces.set(whole);
    this.#send({ type: 'hold-applied' });
  }

  #refuse(message: ProxyMessage, why: string): void {
    const workload = workloadOf(message);
    this.#parts.log('warn', 'a request was refused', { request: message.type, workload, why });
    this.#send({ type: 'refused', request: message.type, workload, message: why });
  }

  #send(message: CaptureMessage, descriptors: readonly number[] = []): void {
    if (this.#state === 'closed') return;
    const packet = Buffer.from(JSON.stringify(message));
    if (packet.length > maxMessageBytes)
      throw new Error(`the answer ${message.type} is too long for a packet`);
    try {
      this.#channel.send(packet, descriptors);
    } catch (error) {
      // It does not read: it will come again, and ask again.
      this.#parts.log('error', 'a proxy does not take its answers; its connection is closed', {
        error: describeError(error),
      });
      this.#channel.close();
    }
  }
}

/** The workload that a request names. */
function workloadOf(message: ProxyMessage): string | undefined {
  if (message.type === 'enrol') return message.enrolment.workload;
  return 'workload' in message ? message.workload : undefined;
}
