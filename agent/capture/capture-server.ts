/** Capture's socket: who may connect, the sessions of proxies, and the way out for a successor. */
import type { Channel, ChannelFunctions, ChannelHandlers, ChannelServer } from '../../native/channel.js';
import { type CaptureLog, describeError } from './capture-log.js';
import type { EnrolmentRegister } from './enrolment-register.js';
import type { RuleStore } from './rule-store.js';
import type { EnrolledNamespaces } from './runtime/enrolled-namespaces.js';
import type { PodBook } from './runtime/pod-book.js';
import { ProxySession } from './serve-proxy.js';
import { handOver, isTaken, isTakeOver } from './take-over.js';
import type { Vault } from './vault.js';
import type { ProxyWatch } from './watch-proxy.js';

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
  readonly notesMap: number;
  readonly readRefusals: () => Record<number, number>;
  /** A descriptor for a process. Throws where it cannot be watched. */
  readonly openProcess: (pid: number) => number;
  readonly closeDescriptor: (descriptor: number) => void;
  /** A successor has everything. */
  readonly onReplaced: () => void;
  readonly log: CaptureLog;
}

export class CaptureServer {
  readonly #parts: ServerParts;
  readonly #server: ChannelServer;
  readonly #sessions = new Set<ProxySession>();

  /** Throws where it cannot listen. */
  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#server = parts.functions.listenChannel(parts.socket, parts.proxyUid, (channel) =>
      this.#admit(channel),
    );
  }

  close(): void {
    this.#server.close();
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
        if (uid === ownUid && isTakeOver(packet)) handlers ??= this.#handOver(channel);
        if (uid === proxyUid) handlers ??= this.#startSession(channel);
        if (handlers === undefined) channel.close();
        else handlers.onMessage(packet, descriptors);
      },
      onClose: (error) => handlers?.onClose(error),
    };
  }

  #startSession(channel: Channel): ChannelHandlers {
    const { watch, closeDescriptor } = this.#parts;
    let proxy = this.#openProxy(channel.peer.pid);
    const session = new ProxySession(channel, {
      ...this.#parts,
      onGreeted: () => {
        watch.greeted(proxy);
        proxy = undefined;
      },
      onGone: () => watch.disconnected(),
    });
    this.#sessions.add(session);
    return {
      onMessage: session.handlers.onMessage,
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
    const { register, vault, log, onReplaced } = this.#parts;
    const { pods } = register;
    const held = new Set(this.#parts.pods.held);
    let replaced = false;
    return {
      onMessage: (packet) => {
        if (isTakeOver(packet)) {
          handOver(channel, { pods, held, secrets: vault.entries });
          return;
        }
        replaced = isTaken(packet);
        if (replaced) this.#server.close();
        channel.close();
      },
      onClose: () => {
        const { pid } = channel.peer;
        if (!replaced) {
          log('warn', 'a successor left without taking over', { pid });
          return;
        }
        log('info', 'handed over to a successor', { pid, pods: pods.length });
        onReplaced();
      },
    };
  }
}
