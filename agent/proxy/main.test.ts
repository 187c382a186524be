/** The proxy as a process: a real controller stream, the real channel with capture's part played here, real signals. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { jest } from '@jest/globals';
import type { Resource } from '../../model/resource.js';
import { mesh, resource, workload } from '../../model/test-resources.js';
import type { Channel } from '../../native/channel.js';
import { SocketMaker } from '../../native/descriptors-under-test.js';
import { loadEngine } from '../../native/load-engine.js';
import { encodeResource } from '../../proto/encode-resource.js';
import { loadConfigService } from '../../proto/load-config-service.js';
import type { DeltaMessage, ReceivedAgentMessage } from '../../proto/messages.js';
import { handoverProtocol, type ProxyMessage } from '../handover/messages.js';

const main = fileURLToPath(new URL('./main.js', import.meta.url));
const addon = loadEngine();
const { definition } = loadConfigService();
const resources = [resource('mesh', mesh()), resource('workload', workload({ uid: 'web-1' }))];

/** What both ends of the proxy see, and the proxy itself; everything ends with {@link Node.close}. */
class Node {
  readonly folder = mkdtempSync(join(tmpdir(), 'weft-proxy-'));
  readonly asked: ProxyMessage[] = [];
  readonly told: ReceivedAgentMessage[] = [];
  stdout = '';
  stderr = '';
  proxy: ChildProcess | undefined;
  #maker: SocketMaker | undefined;
  #server: Server | undefined;
  #closeCapture: (() => void) | undefined;
  #channel: Channel | undefined;
  #changed: (() => void)[] = [];

  /** Plays capture: welcomes, enrols with one real listener, counts nothing. */
  async startCapture(): Promise<void> {
    this.#maker ??= await SocketMaker.start(addon);
    const maker = this.#maker;
    const server = addon.listenChannel(
      join(this.folder, 'capture.sock'),
      process.getuid?.() ?? 0,
      (channel) => {
        this.#channel = channel;
        const answer = (message: object, descriptors: number[] = []) => {
          channel.send(Buffer.from(JSON.stringify(message)), descriptors);
          for (const descriptor of descriptors) closeSync(descriptor);
        };
        return {
          onMessage: (packet) => {
            const message = JSON.parse(packet.toString()) as ProxyMessage;
            this.asked.push(message);
            this.#wake();
            if (message.type === 'hello') {
              answer({ type: 'welcome', protocol: handoverProtocol }, [openSync('/dev/null', 'r')]);
              answer({ type: 'leading', enrolled: [], held: [] });
            } else if (message.type === 'enrol') {
              const { workload: uid } = message.enrolment;
              const listeners = [{ direction: 'outbound', family: 4 }];
              void maker.listener().then(({ descriptor }) => {
                answer({ type: 'enrolled', workload: uid, listeners }, [descriptor]);
              });
            } else if (message.type === 'counters') {
              answer({ type: 'counters', refusals: {}, pods: [] });
            }
          },
          onClose: () => {},
        };
      },
    );
    this.#closeCapture = () => {
      server.close();
      this.#channel?.close();
    };
  }

  stopCapture(): void {
    this.#closeCapture?.();
    this.#closeCapture = undefined;
  }

  async startController(upserts: readonly Resource[]): Promise<void> {
    const server = new Server();
    server.addService(definition, {
      Stream: (stream: ServerDuplexStream<ReceivedAgentMessage, DeltaMessage>) => {
        stream.on('data', (message: ReceivedAgentMessage) => {
          this.told.push(message);
          this.#wake();
          const delta = {
            nonce: 1,
            snapshotVersion: 7,
            complete: true,
            upserts: upserts.map(encodeResource),
            removals: [],
          };
          if (message.hello) stream.write(delta);
        });
        stream.on('error', () => {});
      },
    });
    this.#server = server;
    const address = `unix:${join(this.folder, 'controller.sock')}`;
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  stopController(): void {
    this.#server?.forceShutdown();
    this.#server = undefined;
  }

  startProxy(): void {
    const { folder } = this;
    const proxy = spawn(process.execPath, [
      main,
      ...['--node', 'node-1', '--controller', `unix:${join(folder, 'controller.sock')}`],
      ...[
        '--capture',
        join(folder, 'capture.sock'),
        '--metrics',
        '127.0.0.1:0',
        '--admin',
        join(folder, 'admin.sock'),
      ],
      ...['--state', join(folder, 'state'), '--allow-privileges', '--no-identities'],
    ]);
    this.stdout = '';
    proxy.stdout.on('data', (chunk) => {
      this.stdout += String(chunk);
      this.#wake();
    });
    proxy.stderr.on('data', (chunk) => {
      this.stderr += String(chunk);
      this.#wake();
    });
    proxy.on('exit', () => this.#wake());
    this.proxy = proxy;
  }

  /** Waits until the condition holds, looking whenever anything happened. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`not in time: ${what}\n${this.stderr}`)), 10_000);
    try {
      while (!holds()) {
        await Promise.race([new Promise<void>((resolve) => this.#changed.push(resolve)), late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  ready(): Promise<void> {
    return this.until('the ready line', () => /^\{"ready":true/m.test(this.stdout));
  }

  async exitOf(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    const { proxy } = this;
    proxy?.kill(signal);
    await this.until('the exit', () => proxy?.exitCode !== null || proxy.signalCode !== null);
    return proxy?.exitCode ?? proxy?.signalCode ?? null;
  }

  get(path: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: join(this.folder, 'admin.sock'), path }, (response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += String(chunk);
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      });
      sent.on('error', reject);
      sent.end();
    });
  }

  close(): void {
    this.proxy?.kill('SIGKILL');
    this.stopController();
    this.stopCapture();
    this.#maker?.close();
    rmSync(this.folder, { recursive: true });
  }

  #wake(): void {
    for (const wake of this.#changed.splice(0)) wake();
  }
}

/** Each test starts processes; on a busy machine that takes its time. */
jest.setTimeout(30_000);

let node: Node;
beforeEach(() => {
  node = new Node();
});
afterEach(() => node.close());

const typesOf = (messages: readonly ProxyMessage[]) => messages.map(({ type }) => type);

test('it takes its configuration, publishes rules before it enrols, serves its pages, and drains on SIGTERM', async () => {
  await node.startCapture();
  await node.startController(resources);
  node.startProxy();
  await node.ready();
  expect(typesOf(node.asked).filter((type) => type !== 'sockets' && type !== 'claim-lead')).toEqual([
    'hello',
    'kernel-rules',
    'hold',
    'enrol',
  ]);
  expect(node.told.map(({ message }) => message)).toEqual(['hello', 'ack']);
  expect(JSON.parse((await node.get('/ready')).body)).toMatchObject({
    ready: true,
    workloadsServed: 1,
    snapshot: 7,
  });
  expect(JSON.parse((await node.get('/config')).body).resources).toHaveLength(2);
  expect(JSON.parse((await node.get('/connections')).body)).toEqual([]);
  expect((await node.get('/metrics')).body).toContain('weft_controller_connected 1');
  expect(await node.exitOf('SIGTERM')).toBe(0);
});

test('after kill -9 the next one serves by what was saved, though no controller answers', async () => {
  await node.startCapture();
  await node.startController(resources);
  node.startProxy();
  await node.ready();
  expect(await node.exitOf('SIGTERM')).toBe(0);
  node.startProxy();
  await node.ready();
  expect(await node.exitOf('SIGKILL')).toBe('SIGKILL');
  node.stopController();
  node.asked.length = 0;
  node.startProxy();
  await node.ready();
  expect(typesOf(node.asked)).not.toContain('withdraw');
  const ready = JSON.parse((await node.get('/ready')).body);
  expect(ready).toMatchObject({ ready: true, controller: false, workloadsServed: 1, snapshot: 7 });
});

test('when capture comes back it asks for everything again, and goes on meanwhile', async () => {
  await node.startCapture();
  await node.startController(resources);
  node.startProxy();
  await node.ready();
  node.stopCapture();
  node.asked.length = 0;
  await node.startCapture();
  await node.until('the enrolment', () => node.asked.some(({ type }) => type === 'enrol'));
  expect(typesOf(node.asked).filter((type) => type !== 'sockets' && type !== 'claim-lead')).toEqual([
    'hello',
    'kernel-rules',
    'hold',
    'enrol',
  ]);
  expect(node.proxy?.exitCode).toBeNull();
});

test('it does not start with privileges, and says how to start it', () => {
  const argv = [main, '--node', 'n', '--controller', 'unix:/x', '--capture', '/x'];
  // Without no_new_privs it is refused whoever runs the test.
  const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  expect(status).toBe(3);
  expect(stderr).toContain('setpriv');
  expect(spawnSync(process.execPath, [main], { encoding: 'utf8' }).status).toBe(2);
});
