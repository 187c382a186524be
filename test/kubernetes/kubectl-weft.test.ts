import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import {
  apply,
  createNamespace,
  deleteNamespace,
  getJson,
  installCrds,
  installGatewayApi,
  kubectl,
} from './harness/cluster.js';
import { weft, weftJson, writeConfigOf } from './harness/plugin.js';
import { installWeft, uninstallWeft, weftNamespace } from './harness/release.js';
import { ask, deployShop } from './harness/shop.js';
import { eventually } from './harness/wait.js';

const root = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'weft-kw-'));

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly sentence: string;
}

let shop: string;
let strangers: string;

const written = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: cart }
spec:
  parentRefs: [{ group: "", kind: Service, name: cart, port: 80 }]
  rules:
    - name: canary
      matches: [{ headers: [{ name: x-canary, value: "yes" }] }]
      backendRefs: [{ name: cart-v2, port: 80 }]
    - name: rest
      backendRefs: [{ name: cart-v1, port: 80 }]
---
apiVersion: weft.dev/v1alpha1
kind: AuthorizationPolicy
metadata: { name: no-deletes }
spec:
  action: DENY
  targetRefs: [{ name: cart-v1 }]
  rules: [{ http: { methods: [DELETE] } }]
`;

beforeAll(async () => {
  await uninstallWeft();
  await installGatewayApi();
  await installCrds();
  shop = await createNamespace({ 'weft.dev/mesh': 'enabled' });
  strangers = await createNamespace();
  await Promise.all([deployShop(shop), deployShop(strangers)]);
}, 400_000);

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([shop, strangers].map(deleteNamespace));
}, 120_000);

test('before installing, check tells that the cluster is fit, and every verb that weft is not there', async () => {
  const before = await weftJson<Finding[]>('check', '--before');
  expect(before.filter(({ severity }) => severity !== 'ok')).toEqual([]);
  expect(before.map(({ id }) => id)).toEqual([
    'kubernetes-version',
    'node-kernel',
    'node-runtime',
    'gateway-api',
    'weft-kinds',
  ]);
  const after = await weft(['check', '-o', 'json']);
  expect(after.code).toBe(1);
  expect((JSON.parse(after.stdout) as Finding[]).find(({ severity }) => severity === 'error')).toMatchObject({
    id: 'weft-installed',
  });
  for (const verb of ['status', 'workloads', 'edges']) {
    expect(await weft([verb])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/weft is not installed in the cluster at https/),
    });
  }
});

test('after installing, check finds nothing wrong and status is well', async () => {
  await installWeft();
  await apply(written, '-n', shop);
  const wrong = async () =>
    (JSON.parse((await weft(['check', '-o', 'json'])).stdout) as Finding[]).filter(
      ({ severity }) => severity !== 'ok',
    );
  await eventually('findings', wrong, (findings) => findings.length === 0, 90_000);
  const { code, stdout } = await weft(['status']);
  expect(stdout).toMatch(/^proxies +2 of 2 ready: serve 3 of 3 workloads, .*, prove 3 of 3 identities$/m);
  expect(stdout).toMatch(/^node1 +reached .*\nnode2 +reached /m);
  expect(code).toBe(0);
}, 300_000);

test('workloads are told by name, node and phase, and why one is not captured', async () => {
  await apply(
    `
apiVersion: v1
kind: Pod
metadata: { name: on-host }
spec:
  hostNetwork: true
  terminationGracePeriodSeconds: 1
  containers: [{ name: app, image: "localhost/weft:0.1.0", args: ["-e", "setInterval(() => {}, 2 ** 30)"] }]
`,
    '-n',
    shop,
  );
  const rows = await weftJson<{ name: string; served: boolean; transport: string; problem: string }[]>(
    'workloads',
    '-n',
    shop,
  );
  const cart = rows.find(({ name }) => name.startsWith('cart-v1-'));
  expect(cart).toMatchObject({ served: true, transport: 'weft-tls', problem: '' });
  expect(rows.find(({ name }) => name === 'on-host')?.problem).toMatch(/hostNetwork/);
  const { stdout } = await weft(['check']);
  expect(stdout).toMatch(/^warning +pods-captured +1 of 4 labelled pods are not captured: .*on-host/m);
  await kubectl('-n', shop, 'delete', 'pod', 'on-host', '--now');
});

test('traffic is told by edges, stat, connections, routes and certificates', async () => {
  await ask(shop, 'http://cart/', {}, 20);
  const [edge] = await weftJson<Record<string, unknown>[]>('edges', '-n', shop);
  expect(edge).toMatchObject({
    source: `${shop}/client`,
    destination: `${shop}/cart-v1`,
    transport: 'tls',
    requests: 20,
  });
  const figures = { requests: 20, success: 1 };
  expect(await weftJson('stat', '--total', '-n', shop)).toMatchObject([
    { source: `${shop}/client`, route: `${shop}/cart/rest`, ...figures },
  ]);
  expect(await weftJson('stat', 'workloads', '--total', '-n', shop)).toMatchObject([
    { workload: `${shop}/cart-v1`, ...figures },
  ]);
  const look = async () => {
    // For as long as it looks, and longer.
    const asked = ask(shop, 'http://cart/', { 'x-canary': 'yes' }, 2000);
    const { stdout } = await weft(['stat', 'services', '-A', '--interval', '3']);
    await asked;
    return stdout;
  };
  await eventually('figures', look, (text) => /^SERVICE +SUCCESS +RPS +P50 +P95 +P99\n/.test(text), 60_000);
  expect(await weftJson('connections', '-n', strangers)).toEqual([]);
  const routes = await weft(['routes', '-n', shop]);
  expect(routes.stdout).toMatch(new RegExp(`HTTPRoute +${shop}/cart +canary .*${shop}/cart-v2:80`));
  const certificates = await weftJson<{ state: string }[]>('certificates', '-A');
  expect(certificates.map(({ state }) => state)).toEqual(new Array(5).fill('ready'));
});

test('why names route, endpoint and policy, from both ends', async () => {
  const fine = await weft(['why', 'deploy/client', 'cart:80', 'GET', '/', '-n', shop]);
  expect(fine.stdout).toMatch(new RegExp(`^rule +${shop}/cart/rest\nbackend +${shop}/cart-v1:80 100%$`, 'm'));
  expect(fine.stdout).toMatch(/^ {2}endpoint .* on node2 by TLS as spiffe:.*: allowed$/m);
  expect(fine.code).toBe(0);
  const refused = await weft(['why', `${shop}/deploy/client`, `cart.${shop}`, 'DELETE', '/']);
  expect(refused.stdout).toMatch(new RegExp(`refused by ${shop}/no-deletes: 403 policy_denied: `));
  expect(refused.code).toBe(1);
  const stranger = await weft(['why', `${strangers}/deploy/client`, `cart-v1.${shop}:80`, 'GET', '/']);
  expect(stranger.stdout).toMatch(/^source .* not in the mesh/m);
  expect(stranger.stdout).toMatch(/in plaintext \(source not captured, permissive\): allowed$/m);
});

test.each([
  [['why', 'client', 'cart:80'], /there is no pod client in namespace \S+: is client-\S+ meant/],
  [['why', 'deploy/nobody', 'cart:80'], /there is no deploy\/nobody in namespace/],
  [['why', 'deploy/client', 'nothing:80'], /there is no service nothing in namespace/],
  [['status', '--context', 'other'], /the kubeconfig has no context other; it has /],
])('what cannot be found is told with what might be meant: %j', async (args, said) => {
  const inShop = args[0] === 'why' ? [...args, '-n', shop] : args;
  expect(await weft(inShop)).toMatchObject({ code: 1, stderr: expect.stringMatching(said) });
});

test('vet holds files against the cluster that they are meant for', async () => {
  const file = join(folder, 'route.yaml');
  writeFileSync(file, written.replace('cart-v2', 'cart-v3').replace('name: cart }', 'name: canary }'));
  const { code, stdout } = await weft(['vet', '-f', file, '-n', shop]);
  expect(stdout).toMatch(new RegExp(`HTTPRoute ${shop}/canary: .*cart-v3`));
  expect(stdout).not.toContain('no-deletes');
  expect(code).toBe(0);
  expect((await weft(['vet', '-f', file, '-n', shop, '--strict'])).code).toBe(1);
  const offline = await weft(['vet', '-f', file, '-n', shop, '--offline']);
  expect(offline.stdout).toMatch(new RegExp(`AuthorizationPolicy ${shop}/no-deletes: `));
});

test('whoever lacks a right is told which, and which role gives it; weft-viewer is enough', async () => {
  await kubectl('-n', strangers, 'create', 'serviceaccount', 'viewer');
  const config = join(folder, 'viewer');
  writeFileSync(config, await writeConfigOf(strangers, 'viewer'));
  const subject = `--serviceaccount=${strangers}:viewer`;
  const say = async () =>
    (await weft(['status'], { config })).stdout + (await weft(['status'], { config })).stderr;
  expect(await say()).toMatch(/you may not list pods .*: ask for ClusterRole weft-viewer/);
  const name = `viewer-${strangers}`;
  await kubectl('create', 'clusterrolebinding', name, '--clusterrole=weft-viewer', subject);
  expect(await say()).toMatch(/pods\/portforward in namespace weft-system: ask for Role weft-viewer/);
  await kubectl('-n', weftNamespace, 'create', 'rolebinding', name, '--role=weft-viewer', subject);
  expect((await weft(['check'], { config })).stdout).toMatch(/, 0 warnings, 0 errors$/m);
  expect((await weft(['why', `${shop}/deploy/client`, `cart.${shop}`], { config })).code).toBe(0);
  const user = `system:serviceaccount:${strangers}:viewer`;
  const may = (...what: string[]) => kubectl('auth', 'can-i', ...what, '-n', weftNamespace, '--as', user);
  expect((await may('create', 'pods', '--subresource=portforward')).trim()).toBe('yes');
  // kubectl says no by its exit code.
  for (const what of [
    ['create', 'pods', '--subresource=exec'],
    ['get', 'secrets'],
    ['delete', 'pods'],
  ]) {
    await expect(may(...what)).rejects.toThrow(/auth can-i/);
  }
  await kubectl('delete', 'clusterrolebinding', name);
});

test('the archive of the krew manifest is what it says, and runs where no Node.js is', async () => {
  const output = join(folder, 'plugin');
  execFileSync(join(root, 'scripts/build-plugin'), ['--output', output], { stdio: 'ignore' });
  const manifest = parse(readFileSync(join(output, 'weft.yaml'), 'utf8')) as {
    spec: { version: string; platforms: { uri: string; sha256: string; bin: string }[] };
  };
  for (const { uri, sha256 } of manifest.spec.platforms) {
    const file = readFileSync(join(output, uri.split('/').at(-1) ?? ''));
    expect(createHash('sha256').update(file).digest('hex')).toBe(sha256);
  }
  const [linux] = manifest.spec.platforms;
  execFileSync('tar', ['-xzf', join(output, linux?.uri.split('/').at(-1) ?? ''), '-C', output]);
  // As krew does it: a link on PATH.
  const bin = mkdtempSync(join(folder, 'bin-'));
  symlinkSync(join(output, linux?.bin ?? ''), join(bin, 'kubectl-weft'));
  expect((await weft(['status'], { folder: bin })).stdout).toMatch(/^proxies +2 of 2 ready/m);
}, 180_000);

test('a node whose agent is gone is told as such, and the rest is shown', async () => {
  const place = async (selector: Record<string, string | null>) => {
    const patch = JSON.stringify({ spec: { template: { spec: { nodeSelector: selector } } } });
    await kubectl('-n', weftNamespace, 'patch', 'daemonset', 'weft', '--type=merge', '-p', patch);
    await kubectl('-n', weftNamespace, 'rollout', 'status', 'daemonset/weft', '--timeout=120s');
  };
  const agents = async () => {
    const label = 'app.kubernetes.io/name=weft';
    const { items } = (await getJson('pods', '-n', weftNamespace, '-l', label)) as {
      items: { spec: { nodeName: string } }[];
    };
    return items.map(({ spec }) => spec.nodeName).join();
  };
  await place({ 'kubernetes.io/hostname': 'node2' });
  try {
    await eventually('one agent, of node2', agents, (nodes) => nodes === 'node2', 120_000);
    const { code, stdout } = await weft(['check']);
    expect(stdout).toMatch(/^warning +nodes-without-agent +1 of 2 nodes have no agent: node1$/m);
    expect(stdout).toMatch(/client-\S+: its node node1 has no agent/);
    expect(code).toBe(0);
  } finally {
    await place({ 'kubernetes.io/hostname': null });
  }
}, 400_000);
