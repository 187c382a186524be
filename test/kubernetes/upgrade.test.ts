/** `helm upgrade` while requests run whose client does not retry: the nodes' agents and the controllers are replaced. */
import { join } from 'node:path';
import { createNamespace, deleteNamespace, getJson, onNode } from './harness/cluster.js';
import { Load } from './harness/load.js';
import { helm, image, installWeft, nodeNames, weftNamespace } from './harness/release.js';
import { deployShop } from './harness/shop.js';
import { eventually } from './harness/wait.js';

const chart = join(import.meta.dirname, '../../../deploy/chart');
let shop: string;
let load: Load;

beforeAll(async () => {
  for (const node of await nodeNames()) {
    await onNode(node, 'ctr', '-n', 'k8s.io', 'images', 'tag', '--force', image, `${image}-next`);
  }
  shop = await createNamespace({ 'weft.dev/mesh': 'enabled' });
  await installWeft();
  await deployShop(shop);
  load = await Load.start(shop);
}, 400_000);

afterAll(async () => {
  await deleteNamespace(shop);
});

const upgradeTo = (tag: string, timeout: string) =>
  helm(
    ...['upgrade', 'weft', chart, '--namespace', weftNamespace, '--reuse-values'],
    ...['--wait', '--timeout', timeout, '--set', `image.tag=${tag}`],
  );

interface AgentPod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
}

async function agentPods(ending: boolean): Promise<AgentPod[]> {
  const { items } = (await getJson('-n', weftNamespace, 'pods', '-l', 'app.kubernetes.io/name=weft')) as {
    items: AgentPod[];
  };
  return items.filter(({ metadata }) => (metadata.deletionTimestamp !== undefined) === ending);
}

const agentImages = async () => (await agentPods(false)).map(({ spec }) => spec.containers[0]?.image ?? '');
const endingAgents = async () => (await agentPods(true)).map(({ metadata }) => metadata.name);

test('an upgrade of every node and controller costs no request', async () => {
  await upgradeTo('0.1.0-next', '3m');
  expect([...new Set(await agentImages())]).toEqual([`${image}-next`]);
  // The old proxies drain for a while yet.
  await eventually('the end of the old agents', endingAgents, (names) => names.length === 0, 120_000);
  await load.progress(200);
}, 300_000);

test('an image that cannot start replaces nobody, and traffic goes on', async () => {
  await expect(upgradeTo('0.0.0-missing', '12s')).rejects.toThrow(/helm upgrade/);
  await load.progress(200);
  await helm('rollback', 'weft', '--namespace', weftNamespace, '--wait', '--timeout', '2m');
  await load.progress(200);
  expect([...new Set(await agentImages())]).toEqual([`${image}-next`]);
}, 240_000);
