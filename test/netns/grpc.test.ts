/** gRPC end to end: two implementations on both ends, the mesh between them. */
import { awaitEvent } from './harness/await-event.js';
import { GrpcClient, type GrpcLibrary, startGrpcServer } from './harness/grpc.js';
import type { LabProcess } from './harness/lab-process.js';
import { grpcRoute, policy, route } from './harness/manifests.js';
import { Mesh } from './harness/mesh.js';
import { sumSamples } from './harness/metrics.js';
import { residentKib } from './harness/resident-memory.js';

const grpc = { name: 'grpc', port: 9090, appProtocol: 'grpc' };
const libraries: readonly GrpcLibrary[] = ['grpc-js', 'grpcio'];
const mebibyte = 1024 * 1024;

/** A gRPC service in front of pods. */
const echo = (name: string, host: number, pods: readonly string[] = [name]) => ({
  name,
  host,
  port: 80,
  targetPort: 9090,
  appProtocol: 'grpc',
  pods,
});

const say = { service: 'weft.test.Echo', method: 'Say' };
const edits = { set: [{ name: 'x-route', value: 'canary' }], remove: ['x-secret'] };
const routes = [
  grpcRoute('canary', 'canary', [
    {
      name: 'say',
      matches: [{ method: say }],
      filters: [
        { type: 'RequestHeaderModifier', requestHeaderModifier: edits },
        {
          type: 'ResponseHeaderModifier',
          responseHeaderModifier: { add: [{ name: 'x-by', value: 'weft' }] },
        },
      ],
      backendRefs: [
        { name: 'v1', port: 80, weight: 90 },
        { name: 'v2', port: 80, weight: 10 },
      ],
    },
    {
      name: 'broken',
      matches: [{ method: { method: 'Chat' }, headers: [{ name: 'x-broken', value: '1' }] }],
      backendRefs: [{ name: 'nowhere', port: 80 }],
    },
  ]),
  route('impatient', 'impatient', [
    { timeouts: { request: '300ms' }, backendRefs: [{ name: 'impatient', port: 80 }] },
  ]),
];

/** Every call but Fail; a DENY of methods is an ordinary policy over paths. */
const noFail = policy('no-fail', {
  selector: { matchLabels: { app: 'v1' } },
  action: 'DENY',
  rules: [
    {
      sources: { serviceAccounts: ['test/client'] },
      http: { methods: ['POST'], paths: ['/weft.test.Echo/Fail'] },
    },
  ],
});

describe.each([
  ['in plaintext', 'plaintext'],
  ['over mutual TLS', 'mutual-tls'],
] as const)('gRPC through the mesh %s', (_, transport) => {
  let mesh: Mesh;
  const servers = new Map<string, LabProcess>();
  const clients: GrpcClient[] = [];
  const client = (host: number, library: GrpcLibrary = 'grpc-js') => {
    const made = new GrpcClient(mesh.pod('client'), `10.97.0.${host}:80`, library);
    clients.push(made);
    return made;
  };

  beforeAll(async () => {
    const pods = ['grpc-js', 'grpcio', 'v1', 'v2', 'a', 'b', 'gone'];
    mesh = await Mesh.open(
      {
        pods: [{ name: 'client' }, ...pods.map((name) => ({ name, ports: [grpc] }))],
        services: [
          echo('grpc-js', 1),
          echo('grpcio', 2),
          echo('canary', 3, ['v1', 'v2']),
          echo('v1', 4),
          echo('v2', 5),
          echo('pair', 6, ['a', 'b']),
          echo('gone', 7),
          echo('none', 8, []),
          echo('impatient', 9, ['v1']),
        ],
        more: [...routes, noFail],
        transport,
      },
      async ({ lab }) => {
        for (const name of pods.filter((pod) => pod !== 'gone')) {
          const library = name === 'grpcio' ? 'grpcio' : 'grpc-js';
          servers.set(name, await startGrpcServer(lab.pod(name), 9090, library));
        }
      },
    );
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((one) => one.close()));
  });
  afterAll(() => mesh?.close());

  describe.each(libraries.flatMap((from) => libraries.map((to) => [from, to] as const)))(
    '%s calls %s',
    (from, to) => {
      const host = to === 'grpc-js' ? 1 : 2;

      test('unary, with metadata both ways', async () => {
        const { code, text, headers } = await client(host, from).ask({
          op: 'say',
          text: 'grüße',
          metadata: { 'x-a': 'b' },
        });
        expect(code).toBe('OK');
        expect(JSON.parse(text)).toMatchObject({ server: to, text: 'grüße', metadata: { 'x-a': 'b' } });
        expect(headers).toMatchObject({ 'x-server': to });
      });

      test('a status of the application arrives with its message and its trailers', async () => {
        const text = JSON.stringify({ code: 5, message: 'no such thing: é 100%' });
        const ended = await client(host, from).ask({ op: 'say', method: 'Fail', text });
        expect(ended).toMatchObject({ code: 'NOT_FOUND', details: 'no such thing: é 100%' });
        expect(ended.trailers).toMatchObject({ 'x-detail-bin': [0, 1, 254, 255] });
      });

      test('streams of the server, of the client, and both ways', async () => {
        const one = client(host, from);
        const size = { n: 100, bytes: 20_000 };
        const whole = { code: 'OK', messages: 100, bytes: 2_000_000 };
        expect(await one.ask({ op: 'count', ...size })).toMatchObject(whole);
        expect(await one.ask({ op: 'sum', ...size })).toMatchObject({ ...whole, server: to });
        expect(await one.ask({ op: 'chat', ...size })).toMatchObject({ ...whole, equal: true });
      });

      test('a stream is live: each message arrives before the next one is sent', async () => {
        const chat = await client(host, from).ask({ op: 'chat', n: 200, bytes: 100, lockstep: true });
        expect(chat).toMatchObject({ code: 'OK', messages: 200, equal: true });
      });

      test('a deadline ends the call on both ends', async () => {
        const server = servers.get(to) as LabProcess;
        const cancelled = () => server.stdout.split('cancelled').length - 1;
        const before = cancelled();
        const one = client(host, from);
        // Else the deadline could pass before the connection is there.
        expect((await one.ask({ op: 'say' })).code).toBe('OK');
        const ended = await one.ask({ op: 'say', method: 'Hang', deadlineMs: 500 });
        expect(ended.code).toBe('DEADLINE_EXCEEDED');
        await awaitEvent('the server to hear of it', 5_000, () => cancelled() > before);
      });
    },
  );

  test('a canary gets its tenth of the calls over one connection of the client', async () => {
    const one = client(3);
    const { codes, servers: by } = await one.ask({ op: 'say', n: 2000, parallel: 20 }, 60_000);
    expect(codes).toEqual({ OK: 2000 });
    expect((by.v1 ?? 0) + (by.v2 ?? 0)).toBe(2000);
    // 4.5 sigma of a binomial with one tenth.
    expect(Math.abs((by.v2 ?? 0) - 200)).toBeLessThanOrEqual(60);
    const { stdout } = await mesh.weft.command('connections', '-o', 'json');
    const open = (JSON.parse(stdout) as { direction: string; destination: string }[]).filter(
      ({ direction, destination }) => direction === 'outbound' && destination.startsWith('10.97.0.3'),
    );
    expect(open).toHaveLength(1);
  });

  test('a service without routes shares the calls of one connection between its endpoints', async () => {
    const { codes, servers: by } = await client(6).ask({ op: 'say', n: 400, parallel: 8 }, 30_000);
    expect(codes).toEqual({ OK: 400 });
    expect(by.a).toBeGreaterThan(40);
    expect(by.b).toBeGreaterThan(40);
  });

  test('headers are edited on the way in and out', async () => {
    const { text, headers } = await client(3).ask({
      op: 'say',
      metadata: { 'x-secret': 'a', 'x-route': 'forged' },
    });
    const { metadata } = JSON.parse(text) as { metadata: Record<string, string> };
    expect(metadata).toMatchObject({ 'x-route': 'canary' });
    expect(metadata).not.toHaveProperty('x-secret');
    expect(headers).toMatchObject({ 'x-by': 'weft' });
  });

  const refusal = ({ headers, trailers }: { headers: object; trailers: object }) => ({
    ...headers,
    ...trailers,
  });

  test.each(libraries)('refusals have a gRPC status and a reason, as %s sees them', async (library) => {
    const unmatched = await client(3, library).ask({ op: 'say', method: 'Hang' });
    expect(unmatched.code).toBe('UNIMPLEMENTED');
    expect(refusal(unmatched)).toMatchObject({ 'x-weft-reason': 'no_matching_route' });
    const denied = await client(4, library).ask({ op: 'say', method: 'Fail' });
    expect(denied.code).toBe('PERMISSION_DENIED');
    expect(refusal(denied)).toMatchObject({ 'x-weft-reason': 'policy_denied' });
    const gone = await client(7, library).ask({ op: 'say' });
    expect(gone.code).toBe('UNAVAILABLE');
    expect(refusal(gone)).toMatchObject({ 'x-weft-reason': 'connect_refused' });
    const none = await client(8, library).ask({ op: 'say' });
    expect(none.code).toBe('UNAVAILABLE');
    expect(refusal(none)).toMatchObject({ 'x-weft-reason': 'no_ready_endpoint' });
    const late = await client(9, library).ask({ op: 'say', method: 'Hang' });
    expect(late.code).toBe('DEADLINE_EXCEEDED');
    expect(refusal(late)).toMatchObject({ 'x-weft-reason': 'request_timeout' });
  });

  test('a stream to a backend that does not exist is UNAVAILABLE', async () => {
    const ended = await client(3).ask({ op: 'chat', n: 3, bytes: 10, metadata: { 'x-broken': '1' } });
    expect(ended).toMatchObject({ code: 'UNAVAILABLE', messages: 0 });
  });

  test('why names the rule of a call, and the gRPC status that one without a rule gets', async () => {
    const why = (method: string) =>
      mesh.weft.command('why', 'test/client', 'test/canary:80', 'POST', `/weft.test.Echo/${method}`);
    expect((await why('Say')).stdout).toMatch(/^rule +test\/canary\/say$/m);
    expect((await why('Hang')).stdout).toMatch(/^answer +UNIMPLEMENTED no_matching_route/m);
  });

  test('100 MiB each way over one stream leave the memory of the proxy where it was', async () => {
    const one = client(1);
    const proxy = mesh.weft.pidOf('proxy');
    const stream = (mebibytes: number) => one.ask({ op: 'chat', n: mebibytes * 16, bytes: 65_536 }, 60_000);
    expect(await stream(10)).toMatchObject({ code: 'OK' });
    const before = residentKib(proxy);
    const done = stream(100);
    let most = before;
    const ended = await awaitEvent('the stream to end', 60_000, async () => {
      most = Math.max(most, residentKib(proxy));
      return Promise.race([done, Promise.resolve(undefined)]);
    });
    expect(ended).toMatchObject({ code: 'OK', bytes: 100 * mebibyte, equal: true });
    expect(most - before).toBeLessThan(24 * 1024);
  });

  test('a server that drains (GOAWAY) costs no call', async () => {
    const one = client(6);
    const draining = servers.get('a') as LabProcess;
    const calls = one.ask({ op: 'say', n: 3000, parallel: 10 }, 60_000);
    await awaitEvent('calls to be under way', 20_000, async () => {
      const samples = await mesh.samples();
      return (
        sumSamples(samples, 'weft_requests_total', { destination_workload: 'a', direction: 'inbound' }) > 300
      );
    });
    draining.signal('SIGTERM');
    await draining.awaitOutput(/draining/);
    const { codes, servers: by } = await calls;
    expect(codes).toEqual({ OK: 3000 });
    expect(by.b).toBeGreaterThan(by.a ?? 0);
    servers.set('a', await startGrpcServer(mesh.pod('a'), 9090, 'grpc-js'));
  });

  test('metrics and stat count gRPC by its status', async () => {
    const samples = await mesh.samples();
    const [authenticated, other] = transport === 'mutual-tls' ? ['true', 'false'] : ['false', 'true'];
    const inbound = (label: string) =>
      sumSamples(samples, 'weft_requests_total', { direction: 'inbound', authenticated: label });
    expect(inbound(authenticated)).toBeGreaterThan(2000);
    expect(inbound(other)).toBe(0);
    const counted = (grpc_status: string) =>
      sumSamples(samples, 'weft_requests_total', { direction: 'outbound', grpc_status });
    expect(counted('0')).toBeGreaterThan(2000);
    expect(counted('5')).toBeGreaterThanOrEqual(4);
    expect(counted('7')).toBeGreaterThanOrEqual(2);
    const { stdout } = await mesh.weft.command('stat', '--total', '-o', 'json');
    const rows = JSON.parse(stdout) as { destination: string; success: number }[];
    const success = (service: string) =>
      rows.find(({ destination }) => destination === `test/${service}`)?.success;
    expect(success('gone')).toBe(0);
    expect(success('pair')).toBe(1);
  });
});
