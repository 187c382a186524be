import { apply, createNamespace, deleteNamespace, kubectl, onNode } from './harness/cluster.js';
import { pluginsOf } from './harness/node-cni.js';
import { helm, installWeft, nodeNames, uninstallWeft, weftNamespace } from './harness/release.js';
import { ask, deployShop, shopNode } from './harness/shop.js';
import { eventually } from './harness/wait.js';

let shop: string;

beforeAll(async () => {
  await uninstallWeft();
  shop = await createNamespace();
  await deployShop(shop);
  await installWeft();
}, 400_000);

afterAll(async () => {
  await deleteNamespace(shop);
}, 60_000);

const versions = async (headers: Record<string, string> = {}) => {
  const replies = await ask(shop, 'http://cart/', headers);
  return [...new Set(replies.map(({ version, reason }) => version || (reason ?? 'nothing')))].sort();
};

/** What a look at the shop's wire shows while the client asks. */
async function readWire(): Promise<string> {
  const look = ['timeout', '4', 'tcpdump', '--immediate-mode', '-nAi', 'eth0', 'tcp port 8080'];
  const seen = onNode(
    shopNode,
    'sh',
    '-c',
    `${look.map((word) => `'${word}'`).join(' ')} 2>/dev/null || true`,
  );
  const asked = eventually(
    'packets',
    () => ask(shop, 'http://cart/'),
    (replies) => replies.length > 0,
  );
  const [text] = await Promise.all([seen, asked]);
  return text;
}

const canary = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: cart }
spec:
  parentRefs: [{ group: "", kind: Service, name: cart, port: 80 }]
  rules:
    - matches: [{ headers: [{ name: x-canary, value: "yes" }] }]
      backendRefs: [{ name: cart-v2, port: 80 }]
    - backendRefs: [{ name: cart-v1, port: 80 }]
`;

test('before a label the shop talks as it did, past the mesh', async () => {
  const replies = await ask(shop, 'http://cart/');
  expect(replies.map(({ status, reason }) => reason ?? status)).toEqual(new Array(10).fill(200));
  await apply(canary, '-n', shop);
  expect(await versions({ 'x-canary': 'yes' })).toEqual(['v1', 'v2']);
});

test('a label enrols running pods without a restart, and the route decides', async () => {
  await kubectl('label', 'namespace', shop, 'weft.dev/mesh=enabled');
  await eventually(
    'canary',
    () => versions({ 'x-canary': 'yes' }),
    (found) => found.join() === 'v2',
    60_000,
  );
  expect(await versions()).toEqual(['v1']);
});

test('between nodes nothing of a request can be read: mutual TLS, without a word of configuration', async () => {
  await eventually('TLS', readWire, (text) => text !== '' && !/GET|HTTP\/1/.test(text), 60_000);
});

test('a pod that starts in the mesh is ready by its probe and serves', async () => {
  await kubectl('-n', shop, 'rollout', 'restart', 'deployment/cart-v1');
  await kubectl('-n', shop, 'rollout', 'status', 'deployment/cart-v1', '--timeout=90s');
  expect(await versions()).toEqual(['v1']);
});

test('a label that goes takes the pods out', async () => {
  await kubectl('label', 'namespace', shop, 'weft.dev/mesh-');
  await eventually(
    'way past the mesh',
    () => versions(),
    (found) => found.join() === 'v1,v2',
    60_000,
  );
  await kubectl('label', 'namespace', shop, 'weft.dev/mesh=enabled');
  await eventually(
    'route',
    () => versions(),
    (found) => found.join() === 'v1',
    60_000,
  );
});

test('uninstalling takes everybody out, leaves nothing on any node, and the shop talks as before', async () => {
  await uninstallWeft();
  for (const node of await nodeNames()) {
    expect(await onNode(node, 'find', '/sys/fs/bpf', '-name', '*weft*')).toBe('');
    expect(await onNode(node, 'find', '/run/weft', '/var/lib/weft', '-mindepth', '1')).toBe('');
    expect(await onNode(node, 'find', '/opt/cni/bin', '/etc/cni/net.d', '-name', '*weft*')).toBe('');
    expect(await pluginsOf(node)).toEqual(['bridge', 'portmap']);
  }
  const left = () => kubectl('-n', weftNamespace, 'get', 'all,secrets,jobs', '-o', 'name');
  await eventually('end of the last pod', left, (text) => text.trim() === '', 60_000);
  expect(await helm('list', '--all-namespaces', '--short')).toBe('');
  expect(await versions()).toEqual(['v1', 'v2']);
}, 400_000);
