/** What fails around a mesh that serves: requests go on, nothing is lost, and all nodes come to the same state again. */
import {
  apiServerReady,
  apply,
  compactEtcd,
  createNamespace,
  daemon,
  deleteNamespace,
  getJson,
  kubectl,
} from './harness/cluster.js';
import { cutAgent } from './harness/cut-agent.js';
import { Load } from './harness/load.js';
import { chained } from './harness/node-cni.js';
import { image, installWeft, nodeNames, weftNamespace } from './harness/release.js';
import { clientNode, deployShop } from './harness/shop.js';
import { eventually } from './harness/wait.js';

let shop: string;
let load: Load;

beforeAll(async () => {
  await installWeft();
  shop = await createNamespace({ 'weft.dev/mesh': 'enabled' });
  await deployShop(shop);
  load = await Load.start(shop);
}, 400_000);

afterAll(async () => {
  await deleteNamespace(shop);
});

/** All that asks for the cart gets this version. */
const toVersion = (version: 'v1' | 'v2') =>
  apply(
    `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: cart }
spec:
  parentRefs: [{ group: "", kind: Service, name: cart, port: 80 }]
  rules: [{ backendRefs: [{ name: cart-${version}, port: 80 }] }]
`,
    ...['-n', shop],
  );

const versionsAre = (...wanted: readonly string[]) =>
  load.until(`answers of ${wanted} alone`, ({ versions }) => versions.join() === wanted.join());

interface Reach {
  readonly version: number;
  readonly nodes: number;
  readonly reachedNodes: number;
}

/** Of how many nodes the controllers know that they have the present version. */
function reached(count: number): Promise<Reach> {
  return eventually(
    `status of the mesh: ${count} nodes reached`,
    async () => (await getJson('meshes.weft.dev', 'weft')).status as Reach,
    ({ reachedNodes }) => reachedNodes === count,
    120_000,
  );
}

test('the API server away for a minute, its history compacted: requests go on, and endpoints that change right after are used', async () => {
  await daemon('node1', 'kube-apiserver', 'stop');
  try {
    await compactEtcd();
    const end = performance.now() + 60_000;
    await load.until('a minute', () => performance.now() >= end);
    await load.progress(200);
  } finally {
    // As in a cluster of several masters, where it has lost its lease and ended: for the first thing that one which went on
    // would do is to take all nodes for dead, whom nobody could hear, and all pods for not ready, the name server's too.
    await daemon('node1', 'kube-controller-manager', 'stop');
    await daemon('node1', 'kube-apiserver', 'start');
    await apiServerReady();
    await daemon('node1', 'kube-controller-manager', 'start');
  }
  const before = (await load.counts()).pods;
  await kubectl('-n', shop, 'scale', 'deployment/cart-v1', '--replicas=0');
  await kubectl('-n', shop, 'scale', 'deployment/cart-v2', '--replicas=2');
  const { pods } = await load.until(
    'answers of two pods, one of which is new',
    ({ versions, pods }) => versions.join() === 'v2' && pods.length === 2,
    180_000,
  );
  expect(before.filter((pod) => pods.includes(pod))).toHaveLength(1);
  await kubectl('-n', shop, 'scale', 'deployment/cart-v1', '--replicas=1');
  await load.until('answers of all three', ({ pods }) => pods.length === 3, 180_000);
  await reached(2);
}, 600_000);

test('a node’s agent cut off from every controller serves on with what it has, and catches up', async () => {
  const join = await cutAgent(clientNode);
  try {
    await toVersion('v2');
    // The other node has it, this one has not.
    await reached(1);
    await load.progress(400);
    await versionsAre('v1', 'v2');
  } finally {
    await join();
  }
  await versionsAre('v2');
  await reached(2);
}, 300_000);

test('every controller is killed while a change is on its way: it arrives, and no request fails', async () => {
  await toVersion('v2');
  await versionsAre('v2');
  const controllers = ['-n', weftNamespace, 'pods', '-l', 'app.kubernetes.io/name=weft-controller'];
  await Promise.all([
    toVersion('v1'),
    kubectl('delete', ...controllers, '--grace-period=0', '--force', '--wait=false'),
  ]);
  await versionsAre('v1');
  await kubectl('-n', weftNamespace, 'rollout', 'status', 'deployment/weft-controller', '--timeout=120s');
  await toVersion('v2');
  await versionsAre('v2');
  await reached(2);
}, 300_000);

test('container runtime and kubelet restart under load: no request fails, and who starts then is in the mesh', async () => {
  await toVersion('v2');
  for (const name of ['containerd', 'kubelet']) await daemon(clientNode, name, 'restart');
  const asking = `
    const http = require('http');
    const one = () => new Promise((resolve) => http.get('http://cart/', { agent: false }, (s) => {
      let text = '';
      s.on('data', (part) => (text += part));
      s.on('end', () => resolve(s.statusCode === 200 ? JSON.parse(text).version : s.headers['x-weft-reason']));
    }).on('error', (error) => resolve(error.message)));
    (async () => {
      const seen = new Set();
      for (let n = 0; n < 10; n += 1) seen.add(await one());
      console.log([...seen].sort().join());
    })();`;
  for (const name of await nodeNames()) await chained(name);
  const spec = {
    nodeSelector: { 'kubernetes.io/hostname': clientNode },
    restartPolicy: 'Never',
    containers: [{ name: 'app', image, args: ['-e', asking] }],
  };
  await apply(
    JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'after' }, spec }),
    '-n',
    shop,
  );
  await eventually(
    'answers to a pod that started after it',
    () => kubectl('-n', shop, 'logs', 'after').catch(String),
    (text) => text === 'v2\n',
    120_000,
  );
  await load.progress(200);
}, 300_000);
