/** What a NetworkPolicy let through before pods were enrolled it lets through afterwards, and nothing else, by the same rules. */
import { createNamespace, deleteNamespace, kubectl } from './harness/cluster.js';
import { addressesOf, type Counts, PolicyEnforcer } from './harness/policy-enforcer.js';
import { installWeft } from './harness/release.js';
import { ask, clientNode, deployShop, shopNode } from './harness/shop.js';
import { eventually } from './harness/wait.js';

let shop: string;
/** The first version's pods take connections of `client` alone; `client` may connect to the first version's pods alone. */
let ingress: PolicyEnforcer;
let egress: PolicyEnforcer;

beforeAll(async () => {
  await installWeft();
  shop = await createNamespace();
  await deployShop(shop);
  await kubectl('-n', shop, 'create', 'deployment', 'other', '--image=localhost/weft:0.1.0', '--', ...idle);
  const place = { spec: { template: { spec: { nodeSelector: { 'kubernetes.io/hostname': clientNode } } } } };
  await kubectl('-n', shop, 'patch', 'deployment', 'other', '--type=merge', '-p', JSON.stringify(place));
  await kubectl('-n', shop, 'rollout', 'status', 'deployment/other', '--timeout=90s');
  const client = await addressesOf(shop, 'app=client');
  const first = await addressesOf(shop, 'app=cart-v1');
  expect([client.length, first.length]).toEqual([1, 1]);
  const port = 8080;
  ingress = await PolicyEnforcer.place({
    ...{ node: shopNode, direction: 'ingress', pods: first, allowed: { peers: client, port } },
  });
  egress = await PolicyEnforcer.place({
    ...{ node: clientNode, direction: 'egress', pods: client, allowed: { peers: first, port } },
  });
}, 400_000);

afterAll(async () => {
  await ingress?.remove();
  await egress?.remove();
  await deleteNamespace(shop);
}, 60_000);

const idle = ['node', '-e', 'setInterval(() => {}, 2 ** 30)'];

/** The version that answers, or why none does. */
async function reach(from: 'client' | 'other', version: 'v1' | 'v2'): Promise<string> {
  const [reply] = await ask(shop, `http://cart-${version}/`, {}, 1, `deployment/${from}`);
  return reply?.status === 200 ? reply.version : (reply?.reason ?? 'nothing');
}

/** What each rule has met while this was done. */
async function met(work: () => Promise<void>): Promise<{ ingress: Counts; egress: Counts }> {
  const before = { ingress: await ingress.counts(), egress: await egress.counts() };
  await work();
  const after = { ingress: await ingress.counts(), egress: await egress.counts() };
  const less = (one: Counts, other: Counts) => ({
    allowed: one.allowed - other.allowed,
    denied: one.denied - other.denied,
  });
  return { ingress: less(after.ingress, before.ingress), egress: less(after.egress, before.egress) };
}

/** Who gets where, and which rule decided it; `denied` is how a refusal looks to the application. */
async function holds(denied: RegExp): Promise<void> {
  const allowed = await met(async () => {
    expect(await reach('client', 'v1')).toBe('v1');
    expect(await reach('other', 'v2')).toBe('v2');
  });
  expect([allowed.ingress.allowed > 0, allowed.ingress.denied]).toEqual([true, 0]);
  expect([allowed.egress.allowed > 0, allowed.egress.denied]).toEqual([true, 0]);
  const stranger = await met(async () => expect(await reach('other', 'v1')).toMatch(denied));
  expect(stranger.ingress.denied).toBeGreaterThan(0);
  expect([stranger.ingress.allowed, stranger.egress.denied]).toEqual([0, 0]);
  const elsewhere = await met(async () => expect(await reach('client', 'v2')).toMatch(denied));
  expect(elsewhere.egress.denied).toBeGreaterThan(0);
  expect([elsewhere.egress.allowed, elsewhere.ingress.denied]).toEqual([0, 0]);
}

test('outside of the mesh the rules let through and deny what they are written for', async () => {
  await holds(/ECONNREFUSED/);
});

test('in the mesh the same rules, about the same addresses and ports, let through and deny the same', async () => {
  await kubectl('label', 'namespace', shop, 'weft.dev/mesh=enabled');
  // Its answer is the mesh's own from then on, also to who is denied.
  const answeredByMesh = (reason: string) => /^[a-z_]+$/.test(reason);
  for (const [from, version] of [
    ['client', 'v2'],
    ['other', 'v1'],
  ] as const) {
    await eventually('answer of the mesh', () => reach(from, version), answeredByMesh, 60_000);
  }
  await holds(/^connect_(refused|unreachable)$/);
});
