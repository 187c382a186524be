/** Workloads that come into the mesh and leave it while others talk to them: TLS comes and goes, and nobody notices. */
import { awaitEvent } from './harness/await-event.js';
import { ConnectionLoad } from './harness/connection-load.js';
import { Load } from './harness/load.js';
import { namespace, workload } from './harness/manifests.js';
import { Mesh } from './harness/mesh.js';
import { startNginx } from './harness/services.js';
import { monotonicMs } from './harness/weft.js';

type Name = 'client' | 'server';
interface Shown {
  readonly name: string;
  readonly captured: boolean;
  readonly transport: string;
}
interface Edge {
  readonly source: string;
  readonly destination: string;
  readonly transport: string;
  readonly reason: string;
  readonly requests: number;
}

const http = { name: 'http', port: 8080, appProtocol: 'http' };

/** Plaintext of who is not in the mesh is refused by a strict port, so there the client comes first and goes last. */
const variants = {
  Permissive: [['server'], ['client', 'server'], ['client'], ['client', 'server'], ['server'], []],
  Strict: [
    ['client'],
    ['client', 'server'],
    ['client'],
    ['client', 'server'],
    ['client'],
    [],
    ['client', 'server'],
    [],
  ],
} as const;

describe.each(['Permissive', 'Strict'] as const)('enrolling and releasing under load, %s', (mode) => {
  let mesh: Mesh;
  const demand = {
    apiVersion: 'weft.dev/v1alpha1',
    kind: 'PeerAuthentication',
    metadata: { name: 'server', namespace },
    spec: { selector: { matchLabels: { app: 'server' } }, mode },
  };

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'client', capture: null },
          { name: 'server', ports: [http], capture: null },
        ],
        services: [],
        more: [demand],
        weft: () => ({ more: ['--certificate-seconds', '3600'] }),
      },
      ({ lab }) => startNginx(lab.pod('server'), { port: 8080 }),
    );
  });
  afterAll(() => mesh?.close());

  /** Writes who is captured, and waits until everybody knows. */
  async function capture(...names: readonly Name[]): Promise<void> {
    const manifests = (['client', 'server'] as const).map((name) =>
      workload(
        {
          name,
          ...(name === 'server' ? { ports: [http] } : {}),
          ...(names.includes(name) ? {} : { capture: null }),
        },
        mesh.pod(name),
      ),
    );
    mesh.write('workloads.yaml', manifests);
    await awaitEvent(`${names.join(' and ') || 'nobody'} captured`, 20_000, async () => {
      const { stdout } = await mesh.weft.command('workloads', '-o', 'json');
      const shown = JSON.parse(stdout) as Shown[];
      return shown.every(({ name, captured, transport }) =>
        names.includes(name as Name)
          ? captured && transport === 'weft-tls'
          : !captured && transport === 'plaintext',
      );
    });
  }

  const requests = async (transport: string) => {
    const { stdout } = await mesh.weft.command('edges', '-o', 'json');
    const edges = (JSON.parse(stdout) as Edge[]).filter((edge) => edge.transport === transport);
    return edges.reduce((sum, edge) => sum + edge.requests, 0);
  };

  test('no connection fails, whoever comes and goes first', async () => {
    const { ipv4: address } = mesh.pod('server');
    const before = await requests('tls');
    const load = new ConnectionLoad(mesh.pod('client'), {
      address,
      port: 8080,
      path: '/',
      concurrency: 8,
      perSecond: 200,
    });
    const kept = new Load(mesh.pod('client'), { url: `http://${address}:8080/kept`, connections: 4 });
    await load.awaitAnswers(100, 20_000);
    const began: [ms: number, step: string][] = [];
    for (const step of variants[mode]) {
      began.push([monotonicMs(), step.join(' and ')]);
      await capture(...step);
      await load.awaitAnswers(100, 20_000);
    }
    const result = await load.stop();
    const during = (ms: number) => {
      const [at, step] = began.findLast(([from]) => from <= ms) ?? [ms, 'the beginning'];
      return `${Math.round(ms - at)} ms after [${step}]`;
    };
    const failures = result.failures.map(([what, from, to]) => `${what}, ${during(from)} to ${during(to)}`);
    expect([failures, result.reasons]).toEqual([[], {}]);
    expect((await requests('tls')) - before).toBeGreaterThan(200);
    const { badStatuses, requests: total } = await kept.stop();
    expect(badStatuses).toBe(0);
    expect(total).toBeGreaterThan(1000);
  });
});
