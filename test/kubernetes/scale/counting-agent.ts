/** A simulated agent that reads of each delta no more than it needs to acknowledge it, and counts its bytes. */
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { configProtocol, loadConfigService } from '../../../proto/load-config-service.js';
import type { AgentMessage } from '../../../proto/messages.js';

type ConfigStream = ClientDuplexStream<AgentMessage, Buffer>;

const { path, requestSerialize } = loadConfigService().definition.Stream;

/** As a proxy does, an agent whose stream has ended comes again. */
const comeAgainMs = 1000;

export class CountingAgent {
  readonly #client: Client;
  readonly #node: string;
  readonly #services: readonly string[];
  readonly #whole = Promise.withResolvers<void>();
  #waiting: { readonly text: string; readonly resolve: (atMs: number) => void } | undefined;
  bytes = 0;
  deltas = 0;
  /** Streams that ended. */
  drops = 0;

  constructor(address: string, node: string, services: readonly string[]) {
    this.#node = node;
    this.#services = services;
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#open();
  }

  /** Resolves once the agent has its first configuration. */
  get whole(): Promise<void> {
    return this.#whole.promise;
  }

  /** When it acknowledged the next delta that holds this text, such as a resource's name; time of {@link monotonicMs}. */
  gets(text: string): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting = { text, resolve };
    });
  }

  #open(): void {
    const stream: ConfigStream = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      (message: Buffer) => message,
    );
    stream.on('data', (message: Buffer) => this.#receive(stream, message));
    stream.on('error', () => {
      this.drops += 1;
      setTimeout(() => this.#open(), comeAgainMs);
    });
    const wants = this.#services.map((name) => ({ kind: 'service', name }));
    const hello = {
      protocol: configProtocol,
      node: this.#node,
      agentVersion: 'counting',
      scoped: true,
      wants,
    };
    stream.write({ hello });
  }

  #receive(stream: ConfigStream, message: Buffer): void {
    this.bytes += message.length;
    this.deltas += 1;
    const { nonce, complete } = readHead(message);
    stream.write({ ack: { nonce, refusals: [] } });
    if (complete) this.#whole.resolve();
    if (this.#waiting === undefined || !message.includes(this.#waiting.text)) return;
    this.#waiting.resolve(monotonicMs());
    this.#waiting = undefined;
  }
}

/** The same clock for all processes of the machine (CLOCK_MONOTONIC). */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The three fields that a delta begins with, all varints: senders write fields in order, and leave out those that are 0. */
function readHead(message: Buffer): { readonly nonce: number; readonly complete: boolean } {
  let at = 0;
  const readVarint = (field: number): number => {
    if (message[at] !== field << 3) return 0;
    at += 1;
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at] ?? 0;
      at += 1;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const [nonce] = [readVarint(1), readVarint(2)];
  return { nonce, complete: readVarint(3) === 1 };
}
