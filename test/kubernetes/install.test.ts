import { apply, createNamespace, deleteNamespace, getJson, kubectl, onNode } from './harness/cluster.js';
import { callLedger, deployLedger } from './harness/grpc-shop.js';
import { pluginsOf } from './harness/node-cni.js';
import { helm, installWeft, nodeNames, uninstallWeft, weftNamespace } from './harness/release.js';
import { ask, deployShop, shopNode } from './harness/shop.js';
import { eventually } from './harness/wait.js';

let shop: string;
let buyers: string;

beforeAll(async () => {
  await uninstallWeft();
  shop = await createNamespace();
  buyers = await createNamespace();
  await Promise.all([deployShop(shop), deployLedger(shop), deployShop(buyers)]);
  await installWeft();
}, 600_000);

afterAll(async () => {
  await Promise.all([shop, buyers].map(deleteNamespace));
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

const byMethod = `
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: { name: ledger }
spec:
  parentRefs: [{ group: "", kind: Service, name: ledger, port: 80 }]
  rules:
    - matches: [{ method: { service: shop.Ledger, method: Read } }]
      backendRefs: [{ name: ledger-v2, port: 80 }]
    - matches: [{ method: { service: shop.Ledger, method: Write } }]
      backendRefs: [{ name: ledger-v1, port: 80 }]
`;

const denials = `
apiVersion: weft.dev/v1alpha1
kind: AuthorizationPolicy
metadata: { name: no-secrets }
spec:
  action: DENY
  targetRefs: [{ name: cart-v1 }]
  rules: [{ http: { headers: [{ name: x-secret, values: ["yes"] }] } }]
---
apiVersion: weft.dev/v1alpha1
kind: AuthorizationPolicy
metadata: { name: no-writes }
spec:
  action: DENY
  targetRefs: [{ name: ledger-v1 }]
  rules: [{ http: { paths: ["/shop.Ledger/Write"] } }]
`;

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly observedGeneration: number;
}

interface Conditions {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly parents?: readonly { readonly conditions: readonly Condition[] }[];
  };
}

/** Every condition of an object, of its present generation; waits until these are what it says. */
async function says(kind: string, name: string, ...wanted: readonly string[]): Promise<void> {
  const conditions = async () => {
    const { metadata, status } = (await getJson('-n', shop, kind, name)) as unknown as Conditions;
    const all = [...(status?.conditions ?? []), ...(status?.parents ?? []).flatMap((one) => one.conditions)];
    return all
      .filter(({ observedGeneration }) => observedGeneration === metadata.generation)
      .map(({ type, status: value }) => `${type}=${value}`);
  };
  await eventually(`conditions of ${name}`, conditions, (said) => said.join() === wanted.join());
}

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

test('a GRPCRoute sends each method its way, and both routes say that they are accepted', async () => {
  expect(await callLedger(shop, 'Read')).toEqual(['v1', 'v2']);
  await apply(byMethod, '-n', shop);
  await says('grpcroute', 'ledger', 'Accepted=True', 'ResolvedRefs=True');
  await says('httproute', 'cart', 'Accepted=True', 'ResolvedRefs=True');
  const readers = () => callLedger(shop, 'Read');
  await eventually('one version for readers', readers, (found) => found.join() === 'v2', 60_000);
  expect(await callLedger(shop, 'Write')).toEqual(['v1']);
});

test('a policy denies by name what it is about and nothing else, over HTTP and gRPC', async () => {
  await apply(denials, '-n', shop);
  for (const name of ['no-secrets', 'no-writes']) await says('authorizationpolicy', name, 'Accepted=True');
  const secret = () => versions({ 'x-secret': 'yes' });
  await eventually('denial', secret, (found) => found.join() === 'policy_denied', 60_000);
  expect(await versions()).toEqual(['v1']);
  const writers = () => callLedger(shop, 'Write');
  // PERMISSION_DENIED.
  await eventually('denial of writers', writers, (found) => found.join() === '7 policy_denied', 60_000);
  expect(await callLedger(shop, 'Read')).toEqual(['v2']);
  await kubectl('-n', shop, 'delete', 'authorizationpolicy', 'no-secrets', 'no-writes');
  await eventually('end of the denials', secret, (found) => found.join() === 'v1', 60_000);
});

/** A route of the buyers' namespace for the shop's service, and the shop's leave to send requests to its versions. */
const consumerRoute = () => `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: bought, namespace: ${buyers} }
spec:
  parentRefs: [{ group: "", kind: Service, namespace: ${shop}, name: cart, port: 80 }]
  rules:
    - matches: [{ path: { type: PathPrefix, value: /buy } }]
      backendRefs: [{ name: cart-v2, namespace: ${shop}, port: 80 }]
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: { name: buyers, namespace: ${shop} }
spec:
  from: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: ${buyers} }]
  to: [{ group: "", kind: Service }]
`;

test('a consumer’s route, with a grant, decides for its own namespace alone, and what no rule matches is a 404', async () => {
  await kubectl('label', 'namespace', buyers, 'weft.dev/mesh=enabled');
  await apply(consumerRoute());
  const asked = async (path: string) => {
    const [reply] = await ask(buyers, `http://cart.${shop}${path}`, {}, 1);
    return reply?.version || `${reply?.status} ${reply?.reason}`;
  };
  await eventually(
    'consumer’s route',
    () => asked('/buy'),
    (found) => found === 'v2',
    60_000,
  );
  expect(await asked('/')).toBe('404 no_matching_route');
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
