/**
 * Capture as a plugin of the container runtime (NRI, the Node Resource Interface of containerd and CRI-O): it is told of
 * each pod's sandbox before any process of the pod, and the runtime waits for its answer. It changes no container.
 * Keeps connected; every connection begins with all the pods that there are.
 */
import { createConnection, type Socket } from 'node:net';
import { type CaptureLog, describeError } from '../capture-log.js';
import type { Timer } from '../watch-proxy.js';
import { bytesOf, numberOf, readFields, writeBytes, writeNumber } from './protobuf-wire.js';
import { readSandbox, type Sandbox } from './sandbox.js';
import {
  encodeRequest,
  encodeResponse,
  type RpcFailure,
  type RpcMessage,
  RpcReader,
} from './ttrpc-frames.js';

export interface NriEvents {
  /** All pods that the runtime has. */
  readonly onSynchronized: (sandboxes: readonly Sandbox[]) => void;
  /** A sandbox and its network are made, and no process of the pod runs. What it throws fails the sandbox. */
  readonly onRun: (sandbox: Sandbox) => void;
  /** Every process of the pod has ended. */
  readonly onStop: (sandbox: Sandbox) => void;
  /** The runtime is not there, or has no NRI. */
  readonly onAway?: () => void;
}

export interface NriParts {
  /** Path of the runtime's socket. */
  readonly socket: string;
  readonly after: (delayMs: number, call: () => void) => Timer;
  readonly log: CaptureLog;
}

type State =
  | { readonly kind: 'away'; readonly retry: Timer | undefined }
  | { readonly kind: 'registering'; readonly socket: Socket }
  | { readonly kind: 'connected'; readonly socket: Socket }
  | { readonly kind: 'closed' };

/** What the runtime has said and nobody has been told yet. */
interface HeldCalls {
  sandboxes: readonly Sandbox[] | undefined;
  readonly calls: (() => void)[];
}

const retryMs = 500;
/** Plugins are called in the order of their index; the network is made before all of them. */
const pluginIndex = '10';
const pluginName = 'weft';

/** Events of api.proto that have no call of their own in older runtimes: their numbers in StateChange. */
const events = { runPodSandbox: 1, stopPodSandbox: 2 } as const;
const subscription = (1 << (events.runPodSandbox - 1)) | (1 << (events.stopPodSandbox - 1));

const aboutPods: ReadonlySet<string> = new Set(['RunPodSandbox', 'StopPodSandbox', 'StateChange']);

/** Codes of gRPC. */
const codes = { internal: 13, unimplemented: 12 } as const;

export class NriPlugin {
  readonly #parts: NriParts;
  readonly #events: NriEvents;
  #state: State = { kind: 'away', retry: undefined };
  #synchronizing: Sandbox[] = [];
  #complained = false;
  #held: HeldCalls | undefined;
  readonly #listed = Promise.withResolvers<void>();

  constructor(parts: NriParts, events: NriEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  /** The runtime waits for this plugin before it starts a pod's processes. */
  get connected(): boolean {
    return this.#state.kind === 'connected';
  }

  /** Resolves once the runtime has told all pods that there are. */
  get listed(): Promise<void> {
    return this.#listed.promise;
  }

  /** From now on nobody is told anything; the runtime waits for its answers until {@link release}. */
  hold(): void {
    this.#held ??= { sandboxes: undefined, calls: [] };
  }

  /** Tells what was held. */
  release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held?.sandboxes !== undefined) this.#events.onSynchronized(held.sandboxes);
    for (const call of held?.calls ?? []) call();
  }

  /** Connects, now and whenever the connection ends, until {@link close}. */
  start(): void {
    if (this.#state.kind !== 'away') return;
    const socket = createConnection(this.#parts.socket);
    const reader = new RpcReader();
    this.#state = { kind: 'registering', socket };
    this.#synchronizing = [];
    socket.on('connect', () => {
      const names = Buffer.concat([writeBytes(1, pluginName), writeBytes(2, pluginIndex)]);
      socket.write(encodeRequest(1, 'nri.pkg.api.v1alpha1.Runtime', 'RegisterPlugin', names));
    });
    socket.on('data', (bytes) => this.#receive(socket, reader, bytes));
    let failure: Error | undefined;
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => this.#lost(failure));
  }

  close(): void {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    if (state.kind === 'away') state.retry?.cancel();
    else if (state.kind !== 'closed') state.socket.destroy();
  }

  #receive(socket: Socket, reader: RpcReader, bytes: Buffer): void {
    try {
      for (const message of reader.push(bytes)) this.#take(socket, message);
    } catch (error) {
      socket.destroy(new Error('the runtime is not understood', { cause: error }));
    }
  }

  #take(socket: Socket, message: RpcMessage): void {
    if (message.type === 'response') {
      if (message.code === 0) return;
      throw new Error(`the runtime refuses the plugin: ${message.message} (code ${message.code})`);
    }
    const { method } = message;
    const serve = () => this.#serve(socket, message);
    if (this.#held !== undefined && aboutPods.has(method)) this.#held.calls.push(serve);
    else serve();
  }

  #serve(
    socket: Socket,
    { stream, method, payload }: Extract<RpcMessage, { readonly type: 'request' }>,
  ): void {
    let answer: Buffer | RpcFailure;
    try {
      answer = this.#answer(method, payload);
    } catch (error) {
      const why = describeError(error);
      this.#parts.log('error', 'a call of the runtime failed', { method, error: why });
      answer = { code: codes.internal, message: `weft: ${why}` };
    }
    socket.write(
      Buffer.isBuffer(answer)
        ? encodeResponse(stream, answer)
        : encodeResponse(stream, Buffer.alloc(0), answer),
    );
    if (method === 'Shutdown') socket.end();
  }

  #answer(method: string, payload: Buffer): Buffer | RpcFailure {
    const nothing = Buffer.alloc(0);
    switch (method) {
      case 'Configure':
        return writeNumber(2, subscription);
      case 'Synchronize':
        return this.#synchronize(payload);
      case 'RunPodSandbox':
        this.#events.onRun(sandboxOf(payload, 1));
        return nothing;
      case 'StopPodSandbox':
        this.#events.onStop(sandboxOf(payload, 1));
        return nothing;
      case 'StateChange':
        this.#changeState(payload);
        return nothing;
      case 'Shutdown':
        return nothing;
      default:
        return { code: codes.unimplemented, message: `weft takes no ${method}` };
    }
  }

  /** The list may come in parts. */
  #synchronize(payload: Buffer): Buffer {
    const fields = readFields(payload);
    const more = numberOf(fields, 3) !== 0;
    this.#synchronizing.push(...bytesOf(fields, 1).map((pod) => readSandbox(pod)));
    if (!more) {
      const sandboxes = this.#synchronizing;
      this.#synchronizing = [];
      if (this.#state.kind === 'registering') {
        this.#state = { kind: 'connected', socket: this.#state.socket };
      }
      this.#complained = false;
      this.#parts.log('info', 'the container runtime tells of pods', { pods: sandboxes.length });
      if (this.#held === undefined) this.#events.onSynchronized(sandboxes);
      else this.#held.sandboxes = sandboxes;
      this.#listed.resolve();
    }
    return writeNumber(2, more ? 1 : 0);
  }

  #changeState(payload: Buffer): void {
    const event = numberOf(readFields(payload), 1);
    if (event === events.runPodSandbox) this.#events.onRun(sandboxOf(payload, 2));
    if (event === events.stopPodSandbox) this.#events.onStop(sandboxOf(payload, 2));
  }

  #lost(error: Error | undefined): void {
    if (this.#state.kind === 'closed') return;
    if (!this.#complained) {
      this.#complained = true;
      this.#parts.log('warn', 'the container runtime does not tell of pods over NRI', {
        socket: this.#parts.socket,
        ...(error === undefined ? {} : { error: describeError(error) }),
      });
    }
    this.#events.onAway?.();
    const retry = this.#parts.after(retryMs, () => {
      this.#state = { kind: 'away', retry: undefined };
      this.start();
    });
    this.#state = { kind: 'away', retry };
  }
}

function sandboxOf(payload: Buffer, field: number): Sandbox {
  return readSandbox(bytesOf(readFields(payload), field).at(-1) ?? Buffer.alloc(0));
}
