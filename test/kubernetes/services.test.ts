/** What Services promise, asked by a pod outside of the mesh, for which kube-proxy chooses, and by one in it: the same. */
import { apply, createNamespace, deleteNamespace, getJson, kubectl } from './harness/cluster.js';
import { image, installWeft } from './harness/release.js';
import { eventually } from './harness/wait.js';

let shop: string;
let plain: string;

/** Serves on a port, and answers with the pod's name. As process 1 it serves on until it is killed. */
const serve = (port: number) =>
  `require('http').createServer((q, s) => s.end(require('os').hostname())).listen(${port})`;

const pod = (name: string, node: string, program: string, spec: object = {}, container: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name.split('-')[0] } },
  spec: {
    nodeSelector: { 'kubernetes.io/hostname': node },
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'app', image, args: ['-e', program], ...container }],
    ...spec,
  },
});

/** Two pods of one named port on two numbers, one on each node, one that is never ready, and three that will be ending. */
const named = (port: number) => ({ ports: [{ name: 'web', containerPort: port }] });
const never = { readinessProbe: { exec: { command: ['node', '-e', 'process.exit(1)'] }, periodSeconds: 60 } };
const slow = { terminationGracePeriodSeconds: 120 };
const servers = [
  pod('web-1', 'node1', serve(8080), { hostname: 'web-1', subdomain: 'headless' }, named(8080)),
  pod('web-2', 'node2', serve(9090), { hostname: 'web-2', subdomain: 'headless' }, named(9090)),
  pod('late-1', 'node2', serve(8080), {}, { ...named(8080), ...never }),
  pod('last-1', 'node2', serve(8080), slow, named(8080)),
  pod('pair-1', 'node1', serve(8080), slow, named(8080)),
  pod('pair-2', 'node2', serve(8080), {}, named(8080)),
];

const service = (name: string, app: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app }, ports: [{ name: 'http', port: 80, targetPort: 'web' }], ...spec },
});

const affinity = { clientIP: { timeoutSeconds: 600 } };
const services = [
  service('every', 'web'),
  service('local', 'web', { internalTrafficPolicy: 'Local' }),
  service('same-node', 'web', { trafficDistribution: 'PreferSameNode' }),
  service('same-zone', 'web', { trafficDistribution: 'PreferSameZone' }),
  service('close', 'web', { trafficDistribution: 'PreferClose' }),
  service('sticky', 'web', { sessionAffinity: 'ClientIP', sessionAffinityConfig: affinity }),
  service('ready', 'late'),
  service('unready', 'late', { publishNotReadyAddresses: true }),
  service('last', 'last'),
  service('pair', 'pair'),
  service('headless', 'web', { clusterIP: 'None', ports: [{ name: 'http', port: 8080, targetPort: 8080 }] }),
];

const client = pod('client', 'node1', 'setInterval(() => {}, 2 ** 30)');

const applyAll = (namespace: string, items: object[]) =>
  apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), '-n', namespace);

beforeAll(async () => {
  await installWeft();
  shop = await createNamespace({ 'weft.dev/mesh': 'enabled' });
  plain = await createNamespace();
  await applyAll(shop, [...servers, ...services, client]);
  await applyAll(plain, [client]);
  const pods = ['web-1', 'web-2', 'last-1', 'pair-1', 'pair-2', 'client'].map((name) => `pod/${name}`);
  await kubectl('-n', shop, 'wait', '--for=condition=Ready', ...pods, '--timeout=120s');
  await kubectl('-n', plain, 'wait', '--for=condition=Ready', 'pod/client', '--timeout=120s');
}, 400_000);

afterAll(async () => {
  // Some of them would end in minutes.
  await kubectl('-n', shop, 'delete', 'pods', '--all', '--grace-period=0', '--force', '--wait=false');
  await deleteNamespace(shop);
  await deleteNamespace(plain);
});

/** Who answers twenty requests of a client, each on a connection of its own: names, or that nobody did. */
async function answering(namespace: string, host: string, port: number): Promise<string> {
  const program = `
    const http = require('http');
    const one = () => new Promise((resolve) => http.get('http://${host}.${shop}.svc:${port}/', { agent: false, timeout: 5000 }, (s) => {
      let text = '';
      s.on('data', (part) => (text += part));
      s.on('end', () => resolve(s.statusCode === 200 ? text : 'nobody'));
    }).on('timeout', function () { this.destroy(); }).on('error', () => resolve('nobody')));
    (async () => {
      const seen = new Set();
      for (let n = 0; n < 20; n += 1) seen.add(await one());
      console.log([...seen].sort().join());
    })();`;
  return (await kubectl('-n', namespace, 'exec', 'client', '--', 'node', '-e', program)).trim();
}

/** Outside of the mesh and in it. */
async function bothGet(host: string, port: number, wanted: RegExp): Promise<void> {
  for (const namespace of [plain, shop]) {
    await eventually(
      `answer of ${host} to ${namespace === shop ? 'the mesh' : 'a pod outside'}`,
      () => answering(namespace, host, port),
      (names) => wanted.test(names),
      60_000,
    );
  }
}

test.each([
  ['a named target port, whatever its number in each pod', 'every', 80, /^web-1,web-2$/],
  ['internalTrafficPolicy Local', 'local', 80, /^web-1$/],
  ['trafficDistribution PreferSameNode', 'same-node', 80, /^web-1$/],
  ['trafficDistribution PreferSameZone', 'same-zone', 80, /^web-1$/],
  ['trafficDistribution PreferClose', 'close', 80, /^web-1$/],
  ['sessionAffinity ClientIP', 'sticky', 80, /^web-[12]$/],
  ['no endpoint that is ready', 'ready', 80, /^nobody$/],
  ['publishNotReadyAddresses', 'unready', 80, /^late-1$/],
  ['a pod of a headless service by its name', 'web-1.headless', 8080, /^web-1$/],
])(
  'the mesh answers as kube-proxy does: %s',
  async (_promise, host, port, wanted) => await bothGet(host, port, wanted),
  200_000,
);

/** Deletes a pod that takes its time, and returns once its endpoint says so. */
async function ending(name: string, of: string): Promise<void> {
  await kubectl('-n', shop, 'delete', 'pod', name, '--wait=false');
  const conditions = async () => {
    const { items } = (await getJson(
      '-n',
      shop,
      'endpointslices',
      '-l',
      `kubernetes.io/service-name=${of}`,
    )) as {
      items: { endpoints: { targetRef: { name: string }; conditions: Record<string, boolean> }[] }[];
    };
    const found = items
      .flatMap(({ endpoints }) => endpoints)
      .find(({ targetRef }) => targetRef.name === name);
    return found?.conditions ?? {};
  };
  const told = ({ ready, serving, terminating }: Record<string, boolean>) => !ready && serving && terminating;
  await eventually('terminating endpoint', conditions, (seen) => told(seen) === true);
}

test('an endpoint that serves while it terminates is used where there is no other', async () => {
  await ending('last-1', 'last');
  await bothGet('last', 80, /^last-1$/);
}, 200_000);

test('where another is ready, one that terminates is left', async () => {
  await bothGet('pair', 80, /^pair-1,pair-2$/);
  await ending('pair-1', 'pair');
  await bothGet('pair', 80, /^pair-2$/);
}, 200_000);

test('services that declare two protocols for one port of the same pods are told, and no more once they agree', async () => {
  const declared = (name: string, appProtocol: string) =>
    service(name, 'web', { ports: [{ name: 'http', port: 80, targetPort: 'web', appProtocol }] });
  const reasons = async () => {
    const asked = ['left', 'right'].map(async (name) => {
      const { status } = (await getJson('-n', shop, 'service', name)) as {
        status: { conditions?: { type: string; status: string; reason: string }[] };
      };
      return (status.conditions ?? [])
        .map(({ type, status, reason }) => `${type}=${status}:${reason}`)
        .join();
    });
    return await Promise.all(asked);
  };
  const conflict = 'weft.dev/ProtocolConflict=True:ProtocolConflict';
  await applyAll(shop, [declared('left', 'http'), declared('right', 'kubernetes.io/h2c')]);
  await eventually('conditions', reasons, (said) => said.join(' ') === `${conflict} ${conflict}`, 60_000);
  await applyAll(shop, [declared('right', 'http')]);
  await eventually('end of the conditions', reasons, (said) => said.join('') === '', 60_000);
}, 200_000);
