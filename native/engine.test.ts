import { execFile } from 'node:child_process';
import { type EventEmitter, once } from 'node:events';
import http from 'node:http';
import { createRequire } from 'node:module';
import net, { type AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { Reason } from '../reasons/reasons.js';
import { Action, CompletionKind, RowKind } from './engine.js';
import { checkWords } from './engine-layout.js';
import { EngineUnderTest, plaintext } from './engine-under-test.js';
import { checkHttp2Library, loadEngine } from './load-engine.js';

const addon = loadEngine();

/** What the test needs of `ws`, which brings no types. */
interface Socket extends EventEmitter {
  send(data: Buffer): void;
  close(): void;
}
const { WebSocket, WebSocketServer } = createRequire(import.meta.url)('ws') as {
  WebSocket: new (url: string) => Socket;
  WebSocketServer: new (options: object) => EventEmitter & { address(): AddressInfo; close(): void };
};
const run = promisify(execFile);

function portOf(server: net.Server): number {
  return (server.address() as AddressInfo).port;
}

async function listening<S extends net.Server>(server: S): Promise<S> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describe('the engine between real clients and real servers', () => {
  let test: EngineUnderTest;
  let server: http.Server;

  beforeEach(async () => {
    test = await EngineUnderTest.start(addon);
    server = await listening(
      http.createServer((request, response) => {
        const parts: Buffer[] = [];
        request.on('data', (part) => parts.push(part));
        request.on('end', () => {
          response.setHeader('x-path', request.url ?? '');
          response.end(request.method === 'POST' ? Buffer.concat(parts) : `hello ${request.headers.host}`);
        });
      }),
    );
    test.serve(portOf(server));
  });

  afterEach(() => {
    test.close();
    server.closeAllConnections();
    server.close();
  });

  it('forwards what curl asks, and tells what happened', async () => {
    const { stdout } = await run('curl', ['-sS', '-i', `http://127.0.0.1:${test.port}/p?q=1`]);
    expect(stdout).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(stdout).toContain(`hello 127.0.0.1:${test.port}`);
    const done = await test.untilEnded(({ kind }) => kind === CompletionKind.request);
    expect(done).toMatchObject({ status: 200, reason: Reason.none, requestTag: 9 });
    expect(done.totalUs).toBeGreaterThan(0);
    expect(done.bytesSent).toBe(`hello 127.0.0.1:${test.port}`.length);
  });

  it('carries a large body there and back with curl, with a length and in chunks', async () => {
    const body = 'weft'.repeat(500_000);
    for (const extra of [[], ['-H', 'Transfer-Encoding: chunked']]) {
      const curl = run('curl', ['-sS', ...extra, '--data-binary', '@-', `http://127.0.0.1:${test.port}/`], {
        maxBuffer: 1e8,
      });
      curl.child.stdin?.end(body);
      expect((await curl).stdout === body).toBe(true);
    }
  });

  it('keeps connections on both sides over many requests', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    const get = () =>
      new Promise<number>((resolve, reject) => {
        http
          .get({ port: test.port, host: '127.0.0.1', agent }, (response) => {
            response.resume().on('end', () => resolve(response.statusCode ?? 0));
          })
          .on('error', reject);
      });
    for (let round = 0; round < 25; round++)
      expect(await Promise.all([get(), get(), get(), get()])).toEqual([200, 200, 200, 200]);
    agent.destroy();
    await test.untilEnded(({ kind }) => kind === CompletionKind.connection);
    const requests = test.ended.filter(({ kind }) => kind === CompletionKind.request);
    expect(requests).toHaveLength(100);
    expect(requests.filter(({ reused }) => reused === 0).length).toBeLessThanOrEqual(4);
  });

  it('carries a WebSocket after its upgrade', async () => {
    const echo = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(echo, 'listening');
    echo.on('connection', (socket: Socket) => socket.on('message', (data: Buffer) => socket.send(data)));
    test.serve(echo.address().port);
    const client = new WebSocket(`ws://127.0.0.1:${test.port}/chat`);
    await once(client, 'open');
    const large = Buffer.alloc(300_000, 'w');
    client.send(large);
    const back = await new Promise<Buffer>((resolve) =>
      client.once('message', (data) => resolve(data as Buffer)),
    );
    expect(back.equals(large)).toBe(true);
    client.close();
    const done = await test.untilEnded(({ kind }) => kind === CompletionKind.request);
    expect(done.status).toBe(101);
    echo.close();
  });

  it('carries a raw TCP stream where the server speaks first', async () => {
    test.decide = (row) => test.tunnel(row);
    const echo = await listening(
      net.createServer({ allowHalfOpen: true }, (socket) => {
        socket.write('ready ');
        socket.pipe(socket);
      }),
    );
    test.serve(portOf(echo));
    const client = net.connect(test.port, '127.0.0.1');
    let text = '';
    client.on('data', (data) => {
      text += data;
    });
    client.end('and echoed');
    await new Promise((resolve) => client.once('close', resolve));
    expect(text).toBe('ready and echoed');
    echo.close();
  });

  it('answers 500 where the decision throws, reports it, and goes on', async () => {
    const failure = new Error('broken filter');
    test.decide = (row) => {
      if (test.engine.rows.kind[row] === RowKind.request) throw failure;
      test.forward(row);
    };
    const response = await fetch(`http://127.0.0.1:${test.port}/`);
    expect(response.status).toBe(500);
    expect(response.headers.get('x-weft-reason')).toBe('decide_failed');
    expect(test.errors).toEqual([failure]);
    test.decide = (row) => test.forward(row);
    expect((await fetch(`http://127.0.0.1:${test.port}/`)).status).toBe(200);
  });

  it('lets text be read inside the call only, and inside its bounds', async () => {
    let late: (() => string) | undefined;
    const outside: unknown[] = [];
    test.decide = (row) => {
      test.forward(row);
      if (test.engine.rows.kind[row] !== RowKind.request) return;
      expect(test.path(row)).toBe('/secret');
      const offset = test.engine.rows.pathOffset[row] as number;
      late = () => test.engine.readText(offset, 7);
      try {
        test.engine.readText(0, test.engine.text.length);
      } catch (error) {
        outside.push(error);
      }
    };
    await (await fetch(`http://127.0.0.1:${test.port}/secret`)).text();
    expect(test.errors).toEqual([]);
    expect(outside).toHaveLength(1);
    expect(late).toThrow('after its turn');
  });

  it('parks a request until a promise has decided, and knows its id no more afterwards', async () => {
    const results: boolean[] = [];
    test.decide = (row) => {
      if (test.engine.rows.kind[row] === RowKind.connection) return test.forward(row);
      test.engine.verdicts.action[row] = Action.park;
      const id = test.engine.rows.id[row] as number;
      const generation = test.engine.rows.generation[row] as number;
      Promise.resolve().then(() => {
        results.push(test.engine.resume(id, generation, { action: Action.forward, endpoint: 1 }));
        results.push(test.engine.resume(id, generation, { action: Action.forward, endpoint: 1 }));
      });
    };
    expect((await fetch(`http://127.0.0.1:${test.port}/`)).status).toBe(200);
    expect(results).toEqual([true, false]);
  });

  it('drains: running requests finish, the promise resolves, nobody new gets in', async () => {
    let finish: (() => void) | undefined;
    server.removeAllListeners('request');
    server.on('request', (_request, response) => {
      finish = () => response.end('late');
      arrived();
    });
    let arrived: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const running = fetch(`http://127.0.0.1:${test.port}/`);
    await started;
    const drained = test.engine.drain(5000, 'ended');
    finish?.();
    expect(await (await running).text()).toBe('late');
    await drained;
    await expect(fetch(`http://127.0.0.1:${test.port}/`)).rejects.toThrow();
  });

  it('hands on: idle clients stay for a while, and what is left at the end is reset, counted and told', async () => {
    const echo = await listening(net.createServer((socket) => socket.pipe(socket).on('error', () => {})));
    test.serve(portOf(echo));
    test.decide = (row) => test.tunnel(row);
    const client = net.connect(test.port, '127.0.0.1');
    client.on('error', () => {});
    client.write('a');
    await once(client, 'data');
    const drained = test.engine.drain(600, 'handed-on');
    client.write('b');
    await once(client, 'data');
    expect(await drained).toBe(1);
    const { reason } = await test.untilEnded(({ kind }) => kind === CompletionKind.connection);
    expect(reason).toBe(Reason.draining);
    echo.close();
  });

  it('keeps its columns readable after close, and refuses to do anything else', async () => {
    await fetch(`http://127.0.0.1:${test.port}/`);
    const { rows } = test.engine;
    test.engine.close();
    test.engine.close();
    expect(rows.kind.length).toBeGreaterThan(0);
    expect(rows.kind[0]).toBeGreaterThanOrEqual(0);
    expect(() => test.engine.stats()).toThrow('the engine is closed');
  });

  it('refuses bad arguments by name', () => {
    const { engine } = test;
    const none = { connections: 0, pendingRequests: 0, bufferedBytes: 0, cpuShare: 0 };
    expect(() => engine.addWorkload(1, none)).toThrow('in use');
    expect(() => engine.addWorkload(-1, none)).toThrow('must be an integer');
    expect(() => engine.setWorkload(77, none)).toThrow('workload is not known');
    expect(() => engine.addListener(1, 2, 0)).toThrow('direction');
    expect(() =>
      engine.setEndpoint(0, { address: '1.2.3.4', port: 1, destination: 1, generation: 0, ...plaintext }),
    ).toThrow('dense, from 1');
    expect(() =>
      engine.setEndpoint(1, { address: 'shop', port: 1, destination: 1, generation: 0, ...plaintext }),
    ).toThrow('shop');
    expect(() => engine.defineEdit({ set: [['content-length', '1']], add: [], remove: [] })).toThrow(
      'set[0]',
    );
    expect(() => engine.defineReply({ status: 42, headers: [], body: '' })).toThrow('status');
    expect(() => engine.defineStatusSet([99])).toThrow('200 to 599');
    expect(() => engine.release('edit', 5)).toThrow('definition is not known');
    expect(() => engine.setWantedHeaders(['Host'])).toThrow('lower-case');
    expect(() => engine.resume(1, 1, { action: 99 })).toThrow('action');
    expect(() =>
      addon.createEngine({
        notesMap: -1,
        limits: { headBytes: 1e9 },
        decide: () => undefined,
        onDecideError: () => undefined,
        onStockLow: () => undefined,
      }),
    ).toThrow('limits.headBytes');
  });

  it('refuses an addon whose words differ', () => {
    expect(() => checkWords({ Action: { forward: 7 } })).toThrow('another contract');
  });

  it('refuses to run on an nghttp2 that is not the one inside node, or is too old', () => {
    const inside = { nghttp2: '/usr/bin/node', node: '/usr/bin/node' };
    checkHttp2Library(inside, '1.70.0');
    expect(() => checkHttp2Library({ ...inside, nghttp2: '/lib/libnghttp2.so.14' }, '1.70.0')).toThrow(
      'but the linker gave it /lib/libnghttp2.so.14',
    );
    expect(() => checkHttp2Library(inside, '1.51.0')).toThrow('1.52 or later');
    expect(() => checkHttp2Library(inside, undefined)).toThrow('has none');
  });

  it('shows people its connections', async () => {
    const client = net.connect(test.port, '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await new Promise((resolve) => client.once('data', resolve));
    const [connection] = test.engine.connections();
    expect(connection).toMatchObject({ workload: 1, direction: 0, state: 'http', bufferedBytes: 0 });
    expect(connection?.destination).toBe(`127.0.0.1:${test.port}`);
    expect(test.engine.closeConnections(Reason.policy_denied, { workload: 1 })).toBe(1);
    await new Promise((resolve) => client.once('error', resolve));
  });
});
