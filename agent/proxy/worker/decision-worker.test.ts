/** The worker over the real engine on loopback, without a kernel: a listener's own address is the destination. */
import { closeSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  delta,
  endpoint,
  endpointSet,
  mesh,
  policy,
  resource,
  route,
  rule,
  service,
  workload,
} from '../../../model/test-resources.js';
import { SocketMaker } from '../../../native/descriptors-under-test.js';
import type { Engine } from '../../../native/engine.js';
import { loadEngine } from '../../../native/load-engine.js';
import { systemTimers } from '../control/timers.js';
import { DecisionWorker } from './decision-worker.js';
import type { FromWorker } from './messages.js';

const addon = loadEngine();

interface Loopback {
  readonly worker: DecisionWorker;
  readonly engine: Engine;
  readonly port: number;
  readonly posted: FromWorker[];
  readonly close: () => void;
  /** Resolves with the first message that `match` accepts, past or to come. */
  readonly until: <Kind extends FromWorker['type']>(
    type: Kind,
  ) => Promise<Extract<FromWorker, { type: Kind }>>;
}

/** A worker that serves one workload (uid `web-1`) in one direction. */
async function loopback(direction: 'outbound' | 'inbound'): Promise<Loopback> {
  const maker = await SocketMaker.start(addon);
  const posted: FromWorker[] = [];
  const waiting: (() => void)[] = [];
  let engine: Engine | undefined;
  const worker: DecisionWorker = new DecisionWorker({
    worker: 0,
    notesMap: -1,
    accessLog: true,
    createEngine: (options) => {
      engine = addon.createEngine(options);
      return engine;
    },
    post: (message) => {
      posted.push(message);
      for (const wake of waiting.splice(0)) wake();
      if (message.type !== 'sockets-low') return;
      const { handle, family, count } = message;
      void maker
        .sockets(family, count)
        .then(({ descriptors }) => worker.receive({ type: 'sockets', handle, family, descriptors }));
    },
    closeDescriptor: closeSync,
    timers: systemTimers,
    wallClock: Date.now,
    random: Math.random,
    fillRandom: (words) => void crypto.getRandomValues(words),
    log: (level, message, details) => posted.push({ type: 'log', level, message, details: details ?? {} }),
  });
  const { descriptor, port } = await maker.listener();
  const listeners = [{ direction, family: 4 } as const];
  worker.receive({ type: 'listeners', handle: 1, uid: 'web-1', listeners, descriptors: [descriptor] });
  const until = async <Kind extends FromWorker['type']>(type: Kind) => {
    for (;;) {
      const found = posted.find((message) => message.type === type);
      if (found !== undefined) return found as Extract<FromWorker, { type: Kind }>;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  if (engine === undefined) throw new Error('the worker made no engine');
  const made: Engine = engine;
  const close = (): void => {
    made.close();
    maker.close();
  };
  return { worker, engine: made, port, posted, close, until };
}

let server: http.Server;
let serverPort = 0;
const seen: http.IncomingHttpHeaders[] = [];

beforeAll(async () => {
  server = http.createServer((request, response) => {
    seen.push(request.headers);
    response.end(`${request.method} ${request.url}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  serverPort = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function get(port: number, path: string, agent?: http.Agent): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = http.get({ port, path, host: '127.0.0.1', ...(agent && { agent }) }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += String(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on('error', reject);
  });
}

/** `web` asks for the service 127.0.0.1:port, behind which the server stands. */
function shop(port: number) {
  return [
    resource('mesh', mesh()),
    resource('workload', workload({ uid: 'web-1', addresses: ['127.0.0.9'] })),
    resource(
      'service',
      service({ addresses: ['127.0.0.1'], ports: [{ name: 'http', port, protocol: 'http' }] }),
    ),
    resource(
      'endpoints',
      endpointSet([endpoint({ address: '127.0.0.1', workloadUid: '', ports: { [port]: serverPort } })]),
    ),
  ];
}

test('a GET and its route: decided here, carried by the engine, counted, logged, with a trace', async () => {
  const { worker, port, close, until } = await loopback('outbound');
  try {
    worker.receive({ type: 'delta', delta: delta(shop(port)), version: 1 });
    expect(await get(port, '/a?b=c')).toEqual({ status: 200, body: 'GET /a?b=c' });
    expect(seen.at(-1)?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    const rewrite = {
      type: 'URLRewrite',
      hostname: 'inner',
      path: { type: 'ReplaceFullPath', value: '/x' },
    } as const;
    const backends = [{ service: { namespace: 'shop', name: 'cart', port }, weight: 1, filters: [] }];
    const rules = [rule({ filters: [rewrite], backends })];
    const routed = resource('http-route', route({ rules }));
    worker.receive({ type: 'delta', delta: delta([routed]), version: 2 });
    expect((await get(port, '/a')).body).toBe('GET /x');
    expect(seen.at(-1)?.host).toBe('inner');
    const { lines } = await until('access-log');
    expect(
      Buffer.from(lines)
        .toString()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line).status),
    ).toContain(200);
    worker.receive({ type: 'report', request: 1, detail: 'connections' });
    const report = await until('report');
    const requests = report.metrics.find(({ name }) => name === 'weft_requests_total');
    expect(requests?.values.map(({ labels, value }) => [labels.route, labels.status, value])).toEqual([
      ['default', 200, 1],
      ['shop/cart/0', 200, 1],
    ]);
  } finally {
    close();
  }
});

test('a policy that changes turns 200 into 403 and back on one connection', async () => {
  const { worker, port, close } = await loopback('outbound');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const sockets = new Set<unknown>();
  agent.on('free', (socket) => sockets.add(socket));
  try {
    // Without an agent of its own the destination's policies are enforced at the source.
    const cart = workload({ uid: 'cart-1', addresses: ['127.0.0.1'], capture: null });
    const behind = endpoint({ address: '127.0.0.1', ports: { [port]: serverPort } });
    const resources = [
      ...shop(port),
      resource('workload', cart),
      resource('endpoints', endpointSet([behind])),
    ];
    const change = (version: number, mode: 'Enforce' | 'Audit') => {
      const closed = resource('authorization-policy', policy({ mode }), `${version}`);
      worker.receive({ type: 'delta', delta: delta([closed]), version });
    };
    worker.receive({ type: 'delta', delta: delta(resources), version: 1 });
    expect((await get(port, '/', agent)).status).toBe(200);
    change(2, 'Enforce');
    expect(await get(port, '/', agent)).toEqual({ status: 403, body: 'weft: policy_not_allowed\n' });
    change(3, 'Audit');
    expect((await get(port, '/', agent)).status).toBe(200);
    expect(sockets.size).toBe(1);
  } finally {
    agent.destroy();
    close();
  }
});

test('policies that change end the tickets of TLS connections; endpoints that change do not', async () => {
  const { worker, engine, port, close } = await loopback('outbound');
  let forgotten = 0;
  engine.forgetTickets = () => {
    forgotten += 1;
  };
  const change = (version: number, ...resources: Parameters<typeof delta>[0]) => {
    worker.receive({ type: 'delta', delta: delta(resources), version });
    return forgotten;
  };
  try {
    expect(change(1, ...shop(port))).toBe(0);
    expect(change(2, resource('authorization-policy', policy({ mode: 'Audit' })))).toBe(1);
    expect(change(3, resource('endpoints', endpointSet([]), '2'))).toBe(1);
    worker.receive({
      type: 'delta',
      delta: { upserts: [], removals: [{ kind: 'authorization-policy', name: 'shop/policy' }] },
      version: 4,
    });
    expect(forgotten).toBe(2);
  } finally {
    close();
  }
});

test('draining lets a running exchange end and takes no further connection', async () => {
  const { worker, port, close, until } = await loopback('outbound');
  try {
    worker.receive({ type: 'delta', delta: delta(shop(port)), version: 1 });
    expect((await get(port, '/')).status).toBe(200);
    worker.receive({ type: 'drain', deadlineMs: 2_000, way: 'ended' });
    await until('drained');
    await expect(get(port, '/')).rejects.toThrow();
  } finally {
    close();
  }
});
