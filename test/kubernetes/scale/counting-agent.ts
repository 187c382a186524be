/** A simulated agent that reads of each delta no more than it needs to acknowledge it, and counts its bytes. */
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { configProtocol, loadConfigService } from '../../../proto/load-config-service.js';
import type { AgentMessage } from '../../../proto/messages.js';

const { path, requestSerialize } = loadConfigService().definition.Stream;

/** The two fields that a delta begins with, and its size. */
interface DeltaHead {
  readonly nonce: number;
  readonly snapshotVersion: number;
  readonly bytes: number;
}

export class CountingAgent {
  readonly #client: Client;
  readonly #stream: ClientDuplexStream<AgentMessage, DeltaHead>;
  #waiting: { readonly version: number; readonly resolve: (atMs: number) => void } | undefined;
  #acked = { version: 0, atMs: 0 };
  bytes = 0;

  constructor(address: string, node: string, services: readonly string[]) {
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
    });
    this.#stream = this.#client.makeBidiStreamRequest(path, requestSerialize, readHead);
    this.#stream.on('data', (head: DeltaHead) => this.#receive(head));
    this.#stream.on('error', () => {});
    const wants = services.map((name) => ({ kind: 'service', name }));
    this.#stream.write({
      hello: { protocol: configProtocol, node, agentVersion: 'counting', scoped: true, wants },
    });
  }

  /** When it acknowledged a delta of the version, or of a later one; milliseconds of performance.now(). */
  reached(version: number): Promise<number> {
    if (this.#acked.version >= version) return Promise.resolve(this.#acked.atMs);
    return new Promise((resolve) => {
      this.#waiting = { version, resolve };
    });
  }

  close(): void {
    this.#stream.cancel();
    this.#client.close();
  }

  #receive({ nonce, snapshotVersion, bytes }: DeltaHead): void {
    this.bytes += bytes;
    this.#stream.write({ ack: { nonce, refusals: [] } });
    this.#acked = { version: snapshotVersion, atMs: performance.now() };
    if (this.#waiting === undefined || this.#waiting.version > snapshotVersion) return;
    this.#waiting.resolve(this.#acked.atMs);
    this.#waiting = undefined;
  }
}

/** Fields 1 and 2 are varints, and senders write fields in order. */
function readHead(message: Buffer): DeltaHead {
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
  return { nonce: readVarint(1), snapshotVersion: readVarint(2), bytes: message.length };
}
