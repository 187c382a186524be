import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NriPlugin } from './nri-plugin.js';
import { numberOf, readFields, textOf, writeBytes, writeNumber } from './protobuf-wire.js';
import type { Sandbox } from './sandbox.js';
import { encodeRequest, encodeResponse, type RpcMessage, RpcReader } from './ttrpc-frames.js';

/** The runtime's end of the talk, as containerd's adaptation speaks it. */
class Runtime {
  readonly folder = mkdtempSync(join(tmpdir(), 'weft-nri-'));
  readonly path = join(this.folder, 'nri.sock');
  readonly #server: Server = createServer((socket) => this.#accept(socket));
  readonly #arrived: RpcMessage[] = [];
  #socket: Socket | undefined;
  #wake: () => void = () => {};
  #stream = 1;

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(this.path, resolve));
  }
  #accept(socket: Socket): void {
    const reader = new RpcReader();
    this.#socket = socket;
    socket.on('data', (bytes) => {
      this.#arrived.push(...reader.push(bytes));
      this.#wake();
    });
  }
  async next(): Promise<RpcMessage> {
    while (this.#arrived.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#arrived.shift() as RpcMessage;
  }
  /** A call to the plugin, and its answer. */
  async call(method: string, payload: Buffer): Promise<Extract<RpcMessage, { type: 'response' }>> {
    this.#stream += 2;
    const bytes = encodeRequest(this.#stream, 'nri.pkg.api.v1alpha1.Plugin', method, payload);
    // encodeRequest writes for the other connection.
    bytes.writeUInt32BE(1, 0);
    this.#socket?.write(bytes);
    const answer = await this.next();
    if (answer.type !== 'response' || answer.stream !== this.#stream)
      throw new Error('no answer to this call');
    return answer;
  }
  async register(): Promise<RpcMessage> {
    const request = await this.next();
    const bytes = encodeResponse(request.stream, Buffer.alloc(0));
    bytes.writeUInt32BE(2, 0);
    this.#socket?.write(bytes);
    return request;
  }
  drop(): void {
    this.#socket?.destroy();
  }
  close(): void {
    this.drop();
    this.#server.close();
    rmSync(this.folder, { recursive: true });
  }
}

const pod = (uid: string, path = '/var/run/netns/cni-1'): Buffer =>
  Buffer.concat([
    writeBytes(1, `box-of-${uid}`),
    writeBytes(2, 'cart'),
    writeBytes(3, uid),
    writeBytes(4, 'shop'),
    writeBytes(5, Buffer.concat([writeBytes(1, 'app'), writeBytes(2, 'cart')])),
    writeBytes(8, writeBytes(5, Buffer.concat([writeBytes(1, 'network'), writeBytes(2, path)]))),
    writeBytes(10, '10.0.0.1'),
    writeBytes(10, 'FD00::1'),
  ]);

let runtime: Runtime;
let plugin: NriPlugin;
let ran: (sandbox: Sandbox) => void;
const seen: string[] = [];

beforeEach(async () => {
  runtime = new Runtime();
  await runtime.listen();
  seen.length = 0;
  ran = ({ uid }) => void seen.push(`run ${uid}`);
  plugin = new NriPlugin(
    {
      socket: runtime.path,
      after: (_delayMs, call) => {
        const timer = setTimeout(call, 1);
        return { cancel: () => clearTimeout(timer) };
      },
      log: () => {},
    },
    {
      onSynchronized: (all) => void seen.push(`all ${all.map(({ uid }) => uid).join()}`),
      onRun: (sandbox) => ran(sandbox),
      onStop: ({ uid }) => void seen.push(`stop ${uid}`),
    },
  );
  plugin.start();
});

afterEach(() => {
  plugin.close();
  runtime.close();
});

test('it registers, asks for starts and stops of sandboxes alone, and takes the pods that there are in parts', async () => {
  const request = await runtime.register();
  const names = readFields(request.payload);
  expect([textOf(names, 1), textOf(names, 2)]).toEqual(['weft', '10']);
  const configured = await runtime.call('Configure', Buffer.alloc(0));
  expect(numberOf(readFields(configured.payload), 2)).toBe(0b11);
  const part = Buffer.concat([writeBytes(1, pod('a')), writeNumber(3, 1)]);
  expect(numberOf(readFields((await runtime.call('Synchronize', part)).payload), 2)).toBe(1);
  expect([seen, plugin.connected]).toEqual([[], false]);
  const last = await runtime.call('Synchronize', writeBytes(1, pod('b')));
  expect(numberOf(readFields(last.payload), 2)).toBe(0);
  expect([seen, plugin.connected]).toEqual([['all a,b'], true]);
});

test('a pod is told of with its namespace, labels and addresses, by its own call and by the older one', async () => {
  await runtime.register();
  let found: Sandbox | undefined;
  ran = (sandbox) => {
    found = sandbox;
  };
  expect((await runtime.call('RunPodSandbox', writeBytes(1, pod('a')))).code).toBe(0);
  expect(found).toEqual({
    id: 'box-of-a',
    uid: 'a',
    namespace: 'shop',
    name: 'cart',
    labels: { app: 'cart' },
    netns: 'cni-1',
    addresses: ['10.0.0.1', 'fd00::1'],
  });
  const stopped = Buffer.concat([writeNumber(1, 2), writeBytes(2, pod('a', ''))]);
  expect((await runtime.call('StateChange', stopped)).code).toBe(0);
  expect(seen).toEqual(['stop a']);
});

test('what cannot be done fails the sandbox, with the reason; a call it does not know is said to be unknown', async () => {
  await runtime.register();
  ran = () => {
    throw new Error('cannot attach');
  };
  const answer = await runtime.call('RunPodSandbox', writeBytes(1, pod('a')));
  expect([answer.code, answer.message]).toEqual([13, 'weft: cannot attach']);
  expect((await runtime.call('CreateContainer', Buffer.alloc(0))).code).toBe(12);
});

test('it comes back when the runtime was away, and is given all pods again', async () => {
  await runtime.register();
  await runtime.call('Synchronize', writeBytes(1, pod('a')));
  runtime.drop();
  await runtime.register();
  expect(plugin.connected).toBe(false);
  await runtime.call('Synchronize', writeBytes(1, pod('b')));
  expect([seen, plugin.connected]).toEqual([['all a', 'all b'], true]);
});
