/** A simulated agent that reads of each delta no more than it needs to acknowledge it, and counts its bytes. */
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { configProtocol, loadConfigService } from '../../../proto/load-config-service.js';
import type { AgentMessage } from '../../../proto/messages.js';

const { path, requestSerialize } = loadConfigService().definition.Stream;

export class CountingAgent {
  readonly #stream: ClientDuplexStream<AgentMessage, Buffer>;
  #waiting: { readonly text: string; readonly resolve: (atMs: number) => void } | undefined;
  bytes = 0;
  deltas = 0;

  constructor(address: string, node: string, services: readonly string[]) {
    const client = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#stream = client.makeBidiStreamRequest(path, requestSerialize, (message: Buffer) => message);
    this.#stream.on('data', (message: Buffer) => this.#receive(message));
    this.#stream.on('error', (cause: Error) => {
      throw new Error(`the stream of ${node} ended`, { cause });
    });
    const wants = services.map((name) => ({ kind: 'service', name }));
    this.#stream.write({
      hello: { protocol: configProtocol, node, agentVersion: 'counting', scoped: true, wants },
    });
  }

  /** When it acknowledged the next delta that holds this text, such as a resource's name; time of {@link monotonicMs}. */
  gets(text: string): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting = { text, resolve };
    });
  }

  #receive(message: Buffer): void {
    this.bytes += message.length;
    this.deltas += 1;
    this.#stream.write({ ack: { nonce: readNonce(message), refusals: [] } });
    if (this.#waiting === undefined || !message.includes(this.#waiting.text)) return;
    this.#waiting.resolve(monotonicMs());
    this.#waiting = undefined;
  }
}

/** The same clock for all processes of the machine (CLOCK_MONOTONIC). */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Field 1, a varint: senders write fields in order. */
function readNonce(message: Buffer): number {
  let value = 0;
  for (let at = 1, scale = 1; message[0] === 1 << 3; at += 1, scale *= 128) {
    const byte = message[at] ?? 0;
    value += (byte & 127) * scale;
    if (byte < 128) break;
  }
  return value;
}
