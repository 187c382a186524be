/** For tests: a real gRPC agent that applies deltas as the proxy does, and waits for what a test expects. */
import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import type { Resource } from '../model/resource.js';
import { decodeDelta } from '../proto/decode-delta.js';
import { encodeRefusal } from '../proto/encode-resource.js';
import { configProtocol, loadConfigService } from '../proto/load-config-service.js';
import type {
  AgentMessage,
  ReceivedDelta,
  ResourceVersionMessage,
  WorkloadTransportMessage,
} from '../proto/messages.js';

const { Client } = loadConfigService();

export interface TestAgentOptions {
  readonly node?: string;
  readonly protocol?: number;
  readonly held?: readonly ResourceVersionMessage[];
  readonly transports?: readonly WorkloadTransportMessage[];
  /** Services that it wants; absent: it is an agent of before, which gets everything. */
  readonly services?: readonly string[];
  /** Names of resources to refuse. */
  readonly refuse?: readonly string[];
  /** Do not acknowledge anything. */
  readonly silent?: boolean;
}

export class TestAgent {
  readonly deltas: ReceivedDelta[] = [];
  /** By `kind name`. */
  readonly resources = new Map<string, Resource>();
  #error: Error | undefined;
  readonly #stream: ClientDuplexStream<AgentMessage, ReceivedDelta>;
  readonly #close: () => void;
  #check: () => void = () => {};

  constructor(address: string, options: TestAgentOptions = {}) {
    const { node = 'local', protocol = configProtocol, held = [], transports = [], services } = options;
    const wants = services?.map((name) => ({ kind: 'service', name })) ?? [];
    const scoped = services !== undefined;
    const client = new Client(address, credentials.createInsecure());
    this.#close = () => client.close();
    this.#stream = client.stream();
    this.#stream.on('data', (delta: ReceivedDelta) => this.#receive(delta, options));
    this.#stream.on('error', (error: Error) => {
      this.#error = error;
      this.#check();
    });
    const common = { protocol, node, agentVersion: 'test', held: [...held], transports: [...transports] };
    this.#stream.write({ hello: { ...common, scoped, wants } });
  }

  close(): void {
    this.#stream.cancel();
    this.#close();
  }

  acknowledge(nonce: number): void {
    this.#stream.write({ ack: { nonce, refusals: [] } });
  }

  /** Says that these workloads, and no others, are captured and can prove themselves. */
  report(...uids: string[]): void {
    const workloads = uids.map((uid) => ({ uid, captured: true, identityReady: true }));
    this.#stream.write({ report: { workloads } });
  }

  get names(): string[] {
    return [...this.resources.keys()].sort();
  }

  /** Resolves once the condition holds; rejects with what there is when it does not in time. */
  waitFor<Found>(
    what: string,
    find: (agent: TestAgent) => Found | undefined,
    timeoutMs = 5000,
  ): Promise<Found> {
    return this.#wait(what, () => find(this), timeoutMs);
  }

  /** The error that ended the stream. */
  waitForError(timeoutMs = 5000): Promise<Error> {
    return this.#wait('the end of the stream', () => this.#error, timeoutMs, true);
  }

  #wait<Found>(
    what: string,
    find: () => Found | undefined,
    timeoutMs: number,
    mayFail = false,
  ): Promise<Found> {
    return new Promise((resolve, reject) => {
      const stop = (settle: () => void) => {
        clearTimeout(timer);
        this.#check = () => {};
        settle();
      };
      const timer = setTimeout(
        () =>
          stop(() => reject(new Error(`no ${what} within ${timeoutMs} ms; held: ${this.names.join(', ')}`))),
        timeoutMs,
      );
      this.#check = () => {
        const found = find();
        if (found !== undefined && found !== false) stop(() => resolve(found));
        else if (this.#error !== undefined && !mayFail) stop(() => reject(this.#error));
      };
      this.#check();
    });
  }

  #receive(delta: ReceivedDelta, { refuse = [], silent = false }: TestAgentOptions): void {
    this.deltas.push(delta);
    const { upserts, removals, refused, nonce } = decodeDelta(delta);
    if (refused.length > 0)
      throw new Error(`the controller sent what cannot be read: ${JSON.stringify(refused)}`);
    const refusals = [];
    for (const resource of upserts) {
      const { kind, name, version } = resource;
      if (refuse.includes(name)) {
        const problem = { field: 'x', value: '', message: 'is refused by the test', fix: 'none' };
        refusals.push(encodeRefusal(kind, name, version, [problem]));
      } else this.resources.set(`${kind} ${name}`, resource);
    }
    for (const { kind, name } of removals) this.resources.delete(`${kind} ${name}`);
    if (!silent) this.#stream.write({ ack: { nonce, refusals } });
    this.#check();
  }
}
