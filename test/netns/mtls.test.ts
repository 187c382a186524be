/** Mutual TLS between two pods of one node, by `weft run`: on the wire, by policy, over restarts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitEvent } from './harness/await-event.js';
import { awaitTls } from './harness/await-tls.js';
import { Load } from './harness/load.js';
import { type Manifest, namespace, policy } from './harness/manifests.js';
import { Mesh } from './harness/mesh.js';
import { sumSamples } from './harness/metrics.js';
import { countRequests, type Service, startFixture, startNginx, startRedis } from './harness/services.js';
import { monotonicMs } from './harness/weft.js';
import { WireCapture } from './harness/wire-capture.js';

/** Holds a connection open, and does not come again when it is cut. */
const listening = ['socat', '-u', 'TCP:10.97.0.2:6379', '-'];
const shop = 'http://10.97.0.1';
const stalling = 'http://10.97.0.3';
const clientId = 'spiffe://test.example/ns/test/sa/client';
const serverId = 'spiffe://test.example/ns/test/sa/server';

const pods = [
  { name: 'client' },
  { name: 'other' },
  {
    name: 'server',
    ports: [
      { name: 'http', port: 8080, appProtocol: 'http' },
      { name: 'redis', port: 6379, appProtocol: 'tcp' },
      { name: 'raw', port: 8081, appProtocol: 'http' },
    ],
  },
  { name: 'stranger', capture: null },
];
const services = [
  { name: 'shop', host: 1, port: 80, targetPort: 8080, appProtocol: 'http', pods: ['server'] },
  { name: 'redis', host: 2, port: 6379, targetPort: 6379, appProtocol: 'tcp', pods: ['server'] },
  { name: 'raw', host: 3, port: 80, targetPort: 8081, appProtocol: 'http', pods: ['server'] },
  // Nobody listens at the stranger's.
  { name: 'half', host: 4, port: 6379, targetPort: 6379, appProtocol: 'tcp', pods: ['server', 'stranger'] },
];

interface ConfigResource {
  readonly kind: string;
  readonly body: {
    readonly name: string;
    readonly mtls?: { readonly mode: string };
    readonly serviceAccount?: string;
    readonly transport?: string;
    readonly captured?: boolean;
  };
}

interface LiveConnection {
  readonly direction: string;
  readonly sourceWorkload: string;
  readonly destination: string;
}

const strict = (mode: 'Strict' | 'Permissive'): Manifest => ({
  apiVersion: 'weft.dev/v1alpha1',
  kind: 'PeerAuthentication',
  metadata: { name: 'server', namespace },
  spec: { selector: { matchLabels: { app: 'server' } }, mode },
});

describe('mutual TLS on one node', () => {
  let mesh: Mesh;
  let nginx: Service;

  beforeAll(async () => {
    mesh = await Mesh.open(
      { pods, services, weft: () => ({ more: ['--certificate-seconds', '3600'] }) },
      async ({ lab }) => {
        const server = lab.pod('server');
        nginx = await startNginx(server, { port: 8080 });
        await startRedis(server);
        await startFixture(server, 'raw-server.py', 8081);
      },
    );
  });
  afterAll(() => mesh?.close());

  const sum = async (name: string, labels: Readonly<Record<string, string>>) =>
    sumSamples(await mesh.samples(), name, labels);
  const redis = (pod: string, ...args: string[]) =>
    mesh.pod(pod).try(['redis-cli', '-h', '10.97.0.2', ...args]);

  /** Connections from a pod to these ports of the server are open. */
  const awaitInbound = (ports: readonly string[], from = 'client') =>
    awaitEvent('connections to be under way', 5_000, async () => {
      const live = JSON.parse(await mesh.weft.admin('/connections')) as LiveConnection[];
      const inbound = live.filter((one) => one.direction === 'inbound' && one.sourceWorkload === from);
      return ports.every((port) => inbound.some(({ destination }) => destination.endsWith(`:${port}`)));
    });

  /** When the proxy first said that it has such a configuration, monotonic milliseconds. */
  async function awaitConfig(holds: (resources: readonly ConfigResource[]) => boolean): Promise<number> {
    await awaitEvent('the configuration', 10_000, async () => {
      const { resources } = JSON.parse(await mesh.weft.admin('/config')) as { resources: ConfigResource[] };
      return holds(resources);
    });
    return monotonicMs();
  }

  async function enforce(spec: Manifest, probe: () => Promise<unknown>, wanted: unknown) {
    mesh.write('policies.yaml', [policy('under-test', spec)]);
    await awaitEvent('the policy to be in force', 5_000, async () => (await probe()) === wanted);
  }

  test('HTTP and TCP are TLS 1.3 to the ports that were asked for, and nothing is readable', async () => {
    const { client, server } = { client: mesh.pod('client').ipv4, server: mesh.pod('server').ipv4 };
    const ports = [8080, 6379];
    const wire = await WireCapture.start(mesh.lab, `tcp and host ${client} and host ${server}`);
    const open = await WireCapture.start(mesh.lab, `tcp and host ${mesh.pod('stranger').ipv4}`);
    expect(await mesh.curl('client', '-H', 'x-marker: weft-secret-marker', `${shop}/marked-path`)).toBe(
      `server GET 10.97.0.1 /marked-path from ${client}\n`,
    );
    await redis('client', 'set', 'weft-secret-key', 'weft-secret-value');
    expect((await redis('client', 'get', 'weft-secret-key')).stdout).toBe('weft-secret-value\n');
    // The same from outside of the mesh is readable: the look at the wire can tell.
    await mesh.curl('stranger', '-H', 'x-marker: weft-secret-marker', `http://${server}:8080/marked-path`);
    await open.awaitText('weft-secret-marker');
    await Promise.all([wire.stop(), open.stop()]);
    expect(await wire.openedPorts(client, server)).toEqual([6379, 8080]);
    for (const marker of ['weft-secret', 'marked-path', 'HTTP/1.1', 'x-marker']) {
      expect([marker, wire.holds(marker)]).toEqual([marker, false]);
    }
    expect(await wire.plainSegments(ports)).toEqual([]);
    const offered = await wire.hellos('client', ports);
    expect(offered.map(({ destinationPort, protocols }) => `${destinationPort} ${protocols}`).sort()).toEqual(
      [
        expect.stringMatching(/^6379 weft\/tcp/),
        expect.stringMatching(/^6379 weft\/tcp/),
        expect.stringMatching(/^8080 .*weft\/h2/),
      ],
    );
    const chosen = await wire.hellos('server', ports);
    expect(new Set(chosen.flatMap(({ versions }) => versions))).toEqual(new Set(['0x0304']));
    expect(chosen).toHaveLength(offered.length);
  });

  test('both ends know each other: connections, edges, log and metrics say so', async () => {
    await mesh.curl('client', shop);
    const live = JSON.parse(await mesh.weft.admin('/connections')) as { direction: string; peer: string }[];
    expect(live.filter(({ direction }) => direction === 'inbound')).toContainEqual(
      expect.objectContaining({ transport: 'tls', peer: clientId, sourceWorkload: 'client' }),
    );
    const edges = JSON.parse(await mesh.weft.admin('/edges')) as object[];
    expect(edges).toContainEqual(
      expect.objectContaining({
        ...{ source: 'test/client', destination: 'test/server', port: 8080 },
        ...{ transport: 'tls', reason: 'none' },
      }),
    );
    await awaitEvent('lines of the access log', 5_000, () => {
      const lines = readFileSync(mesh.weft.accessLog, 'utf8').split('\n').filter(Boolean);
      const requests = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'request');
      const is = (direction: string, peer: string) =>
        requests.some((one) => one.direction === direction && one.transport === 'tls' && one.peer === peer);
      return is('inbound', clientId) && is('outbound', serverId);
    });
    const labels = {
      direction: 'inbound',
      source_workload: 'client',
      transport: 'tls',
      authenticated: 'true',
    };
    expect(await sum('weft_requests_total', labels)).toBeGreaterThan(0);
    const why = await mesh.weft.command('why', 'test/client', '10.97.0.1:80');
    expect(why.stdout).toMatch(`by TLS as ${serverId}, permissive: allowed`);
  });

  test('kill -9 of the proxy with the controller dead: TLS again within seconds, with the same identities', async () => {
    const serials = async () => {
      const { stdout } = await mesh.weft.command('certificates', '-o', 'json');
      return (JSON.parse(stdout) as { workload: string; serial: string }[]).map(({ serial }) => serial);
    };
    const before = await serials();
    const controller = mesh.weft.pidOf('controller');
    process.kill(controller, 'SIGSTOP');
    try {
      const wire = await WireCapture.start(mesh.lab, `tcp and host ${mesh.pod('client').ipv4} and port 8080`);
      const { killed } = await mesh.weft.killProxy();
      // It waits in the backlog, and is answered by the next proxy.
      expect(await mesh.curl('client', '-i', `${shop}/after-the-kill`)).toMatch(/^HTTP\/1.1 200 /);
      expect(monotonicMs() - killed).toBeLessThan(5_000);
      await wire.stop();
      expect(wire.holds('after-the-kill')).toBe(false);
      expect((await wire.hellos('server', [8080])).flatMap(({ versions }) => versions)).toContain('0x0304');
      expect(await serials()).toEqual(before);
    } finally {
      process.kill(controller, 'SIGCONT');
    }
  });

  test('a policy that asks for proof by SPIFFE id lets its caller in, and nobody else', async () => {
    const spec = {
      selector: { matchLabels: { app: 'server' } },
      action: 'ALLOW',
      requireAuthenticated: true,
      rules: [{ sources: { spiffeIDs: [clientId] }, http: { methods: ['GET'] } }],
    };
    await enforce(spec, () => mesh.status('other', shop), 403);
    expect(await mesh.status('client', shop)).toBe(200);
    expect(await mesh.curl('other', '-i', shop)).toMatch(/weft-reason: policy_not_allowed/i);
    const direct = `http://${mesh.pod('server').ipv4}:8080`;
    expect(await mesh.curl('stranger', '-i', direct)).toMatch(/weft-reason: policy_not_allowed/i);
    mesh.write('policies.yaml', []);
    await awaitEvent('no policy', 5_000, async () => (await mesh.status('other', shop)) === 200);
  });

  test('who is not meshed is served where that is permitted, and counted', async () => {
    const labels = { source_workload: 'stranger', destination_workload: 'server' };
    const before = await sum('weft_plaintext_connections_total', labels);
    expect(await mesh.status('stranger', `http://${mesh.pod('server').ipv4}:8080`)).toBe(200);
    expect(await sum('weft_plaintext_connections_total', labels)).toBe(before + 1);
  });

  test('a strict port refuses plaintext by name before the application sees anything', async () => {
    mesh.write('peer-authentication.yaml', [strict('Strict')]);
    const direct = `http://${mesh.pod('server').ipv4}:8080`;
    await awaitEvent('strict', 5_000, async () => (await mesh.status('stranger', direct)) === 0);
    const refused = await sum('weft_refusals_total', { reason: 'plaintext_refused' });
    const served = await countRequests(nginx);
    expect(await mesh.status('stranger', direct)).toBe(0);
    expect(await sum('weft_refusals_total', { reason: 'plaintext_refused' })).toBe(refused + 1);
    expect(await countRequests(nginx)).toBe(served + 1);
    expect(await mesh.status('client', shop)).toBe(200);
    expect((await redis('client', 'ping')).stdout).toBe('PONG\n');
    mesh.write('peer-authentication.yaml', []);
    await awaitEvent('permissive', 5_000, async () => (await mesh.status('stranger', direct)) === 200);
  });

  test('a port that turns strict ends the plaintext that is open to it within two seconds, and no TLS', async () => {
    const { ipv4 } = mesh.pod('server');
    const stranger = mesh.pod('stranger');
    const tunnel = stranger.spawn(['socat', '-u', `TCP:${ipv4}:6379`, '-']);
    const stall = stranger.spawn(['curl', '-sS', '--max-time', '60', `http://${ipv4}:8081/stall`]);
    await awaitInbound(['6379', '8081'], 'stranger');
    const secured = mesh.pod('client').spawn(listening);
    await awaitInbound(['6379']);
    const refused = await sum('weft_refusals_total', { reason: 'plaintext_refused' });
    mesh.write('peer-authentication.yaml', [strict('Strict')]);
    const began = await awaitConfig((resources) =>
      resources.some(({ body }) => body.name === 'server' && body.mtls?.mode === 'strict'),
    );
    await Promise.all([tunnel.exited, stall.exited]);
    expect(monotonicMs() - began).toBeLessThan(2_000);
    expect(await sum('weft_refusals_total', { reason: 'plaintext_refused' })).toBeGreaterThanOrEqual(
      refused + 2,
    );
    await awaitInbound(['6379']);
    expect(secured.running).toBe(true);
    secured.signal('SIGTERM');
    mesh.write('peer-authentication.yaml', []);
    await awaitEvent(
      'permissive',
      5_000,
      async () => (await mesh.status('stranger', `http://${ipv4}:8080`)) === 200,
    );
  });

  test('an opaque connection goes past an endpoint where nobody listens, to one that speaks TLS', async () => {
    for (let count = 0; count < 10; count += 1) {
      expect(await mesh.pod('client').run(['redis-cli', '-h', '10.97.0.4', 'ping'])).toBe('PONG\n');
    }
    const failed = { destination_service: 'half', result: 'failed' };
    expect(await sum('weft_attempts_total', failed)).toBeGreaterThan(0);
  });

  test('a new DENY ends an open tunnel and a request under way within two seconds', async () => {
    const tunnel = mesh.pod('client').spawn(listening);
    const stall = mesh.pod('client').spawn(['curl', '-sS', '--max-time', '60', `${stalling}/stall`]);
    await awaitInbound(['6379', '8081']);
    const bystander = mesh.pod('other').spawn(listening);
    const rule = { sources: { spiffeIDs: [clientId] } };
    const spec = { selector: { matchLabels: { app: 'server' } }, action: 'DENY', rules: [rule] };
    mesh.write('policies.yaml', [policy('cut', spec)]);
    const began = await awaitConfig((resources) => resources.some(({ body }) => body.name === 'cut'));
    await Promise.all([tunnel.exited, stall.exited]);
    expect(monotonicMs() - began).toBeLessThan(2_000);
    expect(bystander.running).toBe(true);
    bystander.signal('SIGTERM');
    expect(await sum('weft_refusals_total', { reason: 'policy_denied' })).toBeGreaterThanOrEqual(2);
    mesh.write('policies.yaml', []);
    await awaitEvent('no policy', 5_000, async () => (await mesh.status('client', shop)) === 200);
  });

  test('a caller that is somebody else now is cut at once, one that has left once it had its time to leave', async () => {
    const whole = readFileSync(join(mesh.manifests, 'workloads.yaml'), 'utf8');
    const changed = whole.replace('serviceAccount: client', 'serviceAccount: changed');
    const left = whole.split(/^---\n/m).filter((text) => !text.includes('name: client'));
    // A connection from before it was captured again leads to nobody, for a virtual address has no host.
    const awaitCaller = () =>
      awaitEvent('the caller to get through', 10_000, async () => {
        const { code } = await mesh
          .pod('client')
          .try(['timeout', '1', 'redis-cli', '-h', '10.97.0.2', 'ping']);
        return code === 0;
      });
    for (const [manifests, boundMs] of [
      [changed, 2_000],
      // Its connections are served for four seconds more, and told to leave.
      [left.join('---\n'), 6_000],
    ] as const) {
      await awaitCaller();
      const tunnel = mesh.pod('client').spawn(listening);
      await awaitInbound(['6379']);
      mesh.write('workloads.yaml', manifests);
      const began = await awaitConfig(
        (resources) => !resources.some(({ body }) => body.serviceAccount === 'client'),
      );
      await tunnel.exited;
      expect(monotonicMs() - began).toBeLessThan(boundMs);
      mesh.write('workloads.yaml', whole);
      await awaitTls(mesh.weft);
    }
    await awaitCaller();
    expect(await sum('weft_tls_failures_total', { reason: 'tls_wrong_identity' })).toBeGreaterThan(0);
  });
});

describe('mutual TLS with certificates that last six seconds', () => {
  let mesh: Mesh;

  beforeAll(async () => {
    mesh = await Mesh.open(
      { pods, services, weft: () => ({ more: ['--certificate-seconds', '6'] }) },
      async ({ lab }) => {
        await startNginx(lab.pod('server'), { port: 8080, log: false });
        await startRedis(lab.pod('server'));
      },
    );
  });
  afterAll(() => mesh?.close());

  test('a minute of rotations under load: no request fails', async () => {
    const certificates = async () => sumSamples(await mesh.samples(), 'weft_identity_certificates_total', {});
    const begun = await certificates();
    const load = new Load(mesh.pod('client'), { url: `${shop}/`, connections: 8, seconds: 60 });
    const tcp = mesh
      .pod('client')
      .run(['redis-benchmark', '-h', '10.97.0.2', '-t', 'set', '-n', '4000', '-c', '4', '-k', '0'], {
        timeoutMs: 100_000,
      });
    const [result] = await Promise.all([load.result(), tcp]);
    expect(await certificates()).toBeGreaterThan(begun + 30);
    expect([result.socketErrors, result.badStatuses]).toEqual([0, 0]);
    expect(result.requests).toBeGreaterThan(5_000);
    const failures = sumSamples(await mesh.samples(), 'weft_tls_failures_total', { direction: 'outbound' });
    expect(failures).toBe(0);
  });
});
