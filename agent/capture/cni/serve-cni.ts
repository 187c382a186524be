/**
 * Capture's socket for weft-cni: the container runtime's plugin asks for each sandbox, and waits for the answer before
 * anything of the pod runs. Only capture's own user may ask.
 */
import type { Channel, ChannelFunctions, ChannelHandlers, ChannelServer } from '../../../native/channel.js';
import { MalformedMessage } from '../../handover/read-fields.js';
import { type CaptureLog, describeError } from '../capture-log.js';
import type { PodBook } from '../runtime/pod-book.js';
import type { Timer } from '../watch-proxy.js';
import { type CniAnswer, type CniRequest, parseCniRequest } from './cni-request.js';

export interface CniServerParts {
  readonly functions: Pick<ChannelFunctions, 'listenChannel'>;
  readonly socket: string;
  readonly ownUid: number;
  readonly pods: Pick<PodBook, 'addNetwork' | 'checkNetwork' | 'removeNetwork'>;
  readonly closeDescriptor: (descriptor: number) => void;
  readonly after: (delayMs: number, call: () => void) => Timer;
  readonly log: CaptureLog;
}

/** Runtimes make a sandbox's loopback at the same time as its other network, and capture needs both. */
const patienceMs = 2_000;
const againMs = 20;
/** The capture before this one lets go of the path a moment after it has handed over. */
const retryMs = 50;

export class CniServer {
  readonly #parts: CniServerParts;
  #server: ChannelServer | undefined;
  #retry: Timer | undefined;
  #complained = false;

  constructor(parts: CniServerParts) {
    this.#parts = parts;
  }

  /** Listens, as soon as nobody else does there. */
  start(): void {
    const { functions, socket, ownUid, after, log } = this.#parts;
    try {
      this.#server = functions.listenChannel(socket, ownUid, (channel) => this.#admit(channel));
      this.#complained = false;
    } catch (error) {
      if (!this.#complained) {
        log('warn', 'the CNI plugin cannot be served yet', { socket, error: describeError(error) });
      }
      this.#complained = true;
      this.#retry = after(retryMs, () => this.start());
    }
  }

  close(): void {
    this.#retry?.cancel();
    this.#server?.close();
  }

  #admit(channel: Channel): ChannelHandlers | undefined {
    const { uid, pid } = channel.peer;
    if (uid !== this.#parts.ownUid) {
      this.#parts.log('warn', 'a stranger was refused', { uid, pid });
      return undefined;
    }
    return {
      onMessage: (packet, descriptors) => {
        for (const descriptor of descriptors) this.#parts.closeDescriptor(descriptor);
        this.#answer(channel, packet, patienceMs);
      },
      onClose: () => {},
    };
  }

  #answer(channel: Channel, packet: Buffer, leftMs: number): void {
    let answer: CniAnswer;
    try {
      answer = this.#decide(parseCniRequest(packet));
    } catch (error) {
      if (!(error instanceof MalformedMessage) && leftMs > 0) {
        this.#parts.after(againMs, () => this.#answer(channel, packet, leftMs - againMs));
        return;
      }
      const message = describeError(error);
      this.#parts.log('error', 'a pod’s network cannot be captured: its sandbox fails', { error: message });
      answer = { type: 'refused', message: message.slice(0, 1_000) };
    }
    try {
      channel.send(Buffer.from(JSON.stringify(answer)));
    } catch {
      // It has not waited; the runtime asks again.
    }
    channel.close();
  }

  #decide(request: CniRequest): CniAnswer {
    const { pods } = this.#parts;
    switch (request.type) {
      case 'add':
        return { type: pods.addNetwork(request.sandbox) };
      case 'check':
        return { type: pods.checkNetwork(request.sandbox) };
      case 'del':
        pods.removeNetwork(request.container);
        return { type: 'outside' };
      default:
        return request satisfies never;
    }
  }
}
