/** Capture's socket: who may connect, the sessions of proxies, and the way out for a successor. */
import type { Channel, ChannelFunctions, ChannelHandlers, ChannelServer } from '../../native/channel.js';
import { type CaptureLog, describeError } from './capture-log.js';
import type { EnrolmentRegister } from './enrolment-register.js';
import { ProxyLead } from './proxy-lead.js';
import type { RuleStore } from './rule-store.js';
import type { EnrolledNamespaces } from './runtime/enrolled-namespaces.js';
import type { PodBook } from './runtime/pod-book.js';
import { ProxySession } from './serve-proxy.js';
import { callIn, handOver, readSuccessorMessage } from './take-over.js';
import type { Vault } from './vault.js';
import type { ProxyWatch, Timer } from './watch-proxy.js';

export interface ServerParts {
  readonly functions: Pick<ChannelFunctions, 'listenChannel'>;
  readonly socket: string;
  readonly proxyUid: number;
  /** Who may take over: capture's own user. */
  readonly ownUid: number;
  readonly register: EnrolmentRegister;
  readonly pods: PodBook;
  readonly namespaces: EnrolledNamespaces;
  readonly rules: RuleStore;
  readonly vault: Vault;
  readonly watch: ProxyWatch;
  /** A proxy was there when the capture before handed over. */
  readonly hasLed: boolean;
  readonly notesMap: number;
  readonly readRefusals: () => Record<number, number>;
  /** A descriptor for a process. Throws where it cannot be watched. */
  readonly openProcess: (pid: number) => number;
  readonly closeDescriptor: (descriptor: number) => void;
  readonly after: (delayMs: number, call: () => void) => Timer;
  /** Everything is being handed over: nothing may change until the successor has it, or has left without. */
  readonly onHandOver: () => void;
  /** A successor has everything; or it left, and this one serves on. */
  readonly onHandedOver: (replaced: boolean) => void;
  readonly log: CaptureLog;
}

export class CaptureServer {
  readonly #parts: ServerParts;
  readonly #server: ChannelServer;
  readonly #sessions = new Set<ProxySession>();
  readonly #lead: ProxyLead<ProxySession>;
  /** Captures that this one has replaced, and that wait for its end; the latest last. */
  readonly #standBys = new Set<Channel>();
  /** What proxies ask while a successor takes everything up; undefined: nobody does. */
  #waiting: (() => void)[] | undefined;

  /** Throws where it cannot listen. */
  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#lead = new ProxyLead({
      after: parts.after,
      hasLed: parts.hasLed,
      onLeading: (session) => session.tellLeading(),
      onSuperseded: (session) => session.tellSuperseded(),
    });
    this.#server = parts.functions.listenChannel(parts.socket, parts.proxyUid, (channel) =>
      this.#admit(channel),
    );
  }

  /** Whether a capture stands by; it is called, and takes over soon. */
  callSuccessor(): boolean {
    const successor = [...this.#standBys].at(-1);
    if (successor !== undefined) callIn(successor);
    return successor !== undefined;
  }

  close(): void {
    this.#server.close();
    this.#lead.close();
    for (const channel of this.#standBys) channel.close();
    for (const session of this.#sessions) session.close();
  }

  /** Tells the proxies of a pod that waits for its enrolment. */
  tellHeld(workload: string): void {
    for (const session of this.#sessions) session.tellHeld(workload);
  }

  /** The first packet shows whether it is a proxy or a successor; undefined refuses the peer. */
  #admit(channel: Channel): ChannelHandlers | undefined {
    const { uid, pid } = channel.peer;
    const { proxyUid, ownUid, log } = this.#parts;
    if (uid !== proxyUid && uid !== ownUid) {
      log('warn', 'a stranger was refused', { uid, pid });
      return undefined;
    }
    let handlers: ChannelHandlers | undefined;
    return {
      onMessage: (packet, descriptors) => {
        if (uid === ownUid) handlers ??= this.#admitCapture(channel, packet);
        if (uid === proxyUid) handlers ??= this.#startSession(channel);
        if (handlers === undefined) channel.close();
        else handlers.onMessage(packet, descriptors);
      },
      onClose: (error) => handlers?.onClose(error),
    };
  }

  #admitCapture(channel: Channel, packet: Uint8Array): ChannelHandlers | undefined {
    switch (readSuccessorMessage(packet)?.type) {
      case 'take-over':
        return this.#handOver(channel);
      case 'stand-by':
        this.#standBys.add(channel);
        return { onMessage: () => {}, onClose: () => void this.#standBys.delete(channel) };
      default:
        return undefined;
    }
  }

  #startSession(channel: Channel): ChannelHandlers {
    const { watch, closeDescriptor } = this.#parts;
    let proxy = this.#openProxy(channel.peer.pid);
    const session = new ProxySession(channel, {
      ...this.#parts,
      lead: this.#lead,
      onGreeted: () => {
        watch.greeted(proxy);
        proxy = undefined;
      },
      onGone: () => watch.disconnected(),
    });
    this.#sessions.add(session);
    return {
      onMessage: (packet, descriptors) => {
        const receive = () => session.handlers.onMessage(packet, descriptors);
        if (this.#waiting === undefined) receive();
        else this.#waiting.push(receive);
      },
      onClose: (error) => {
        this.#sessions.delete(session);
        if (proxy !== undefined) closeDescriptor(proxy);
        session.handlers.onClose(error);
      },
    };
  }

  /** Undefined where the process cannot be watched (another pid namespace): then its connection speaks for it. */
  #openProxy(pid: number): number | undefined {
    try {
      return this.#parts.openProcess(pid);
    } catch (error) {
      this.#parts.log('warn', 'the process of the proxy cannot be watched', {
        pid,
        error: describeError(error),
      });
      return undefined;
    }
  }

  /** Once the successor says that it has everything, the path is let go; then the closed channel tells it to serve. */
  #handOver(channel: Channel): ChannelHandlers {
    const { register, vault, watch, log } = this.#parts;
    let pods = 0;
    let replaced = false;
    return {
      onMessage: (packet) => {
        const message = readSuccessorMessage(packet);
        if (message?.type === 'take-over') {
          this.#waiting = [];
          this.#parts.onHandOver();
          pods = register.pods.length;
          const held = new Set(this.#parts.pods.held);
          const proxyGone = watch.kind === 'gone';
          const handed = { pods: register.pods, held, secrets: vault.entries, proxyGone };
          if (handOver(channel, message.reads, handed)) return;
        }
        replaced = message?.type === 'taken';
        if (replaced) this.#server.close();
        channel.close();
      },
      onClose: () => {
        const { pid } = channel.peer;
        if (replaced) log('info', 'handed over to a successor', { pid, pods });
        else log('warn', 'a successor left without taking over', { pid });
        const waiting = this.#waiting ?? [];
        this.#waiting = undefined;
        this.#parts.onHandedOver(replaced);
        if (!replaced) for (const receive of waiting) receive();
      },
    };
  }
}
