/** `helm upgrade` while requests run whose client does not retry: the nodes' agents and the controllers are replaced. */
import { join } from 'node:path';
import { createNamespace, deleteNamespace, getJson, kubectl, onNode } from './harness/cluster.js';
import {
  helm,
  image,
  importImage,
  installWeft,
  nodeNames,
  uninstallWeft,
  weftNamespace,
} from './harness/release.js';
import { ask, deployShop } from './harness/shop.js';
import { eventually } from './harness/wait.js';

const chart = join(import.meta.dirname, '../../../deploy/chart');
const drainSeconds = 5;
let shop: string;

beforeAll(async () => {
  await importImage();
  for (const node of await nodeNames()) {
    await onNode(node, 'ctr', '-n', 'k8s.io', 'images', 'tag', '--force', image, `${image}-next`);
  }
  shop = await createNamespace({ 'weft.dev/mesh': 'enabled' });
  await installWeft(`node.drainSeconds=${drainSeconds}`);
  await deployShop(shop);
  await eventually(
    'the mesh',
    async () => await counts(2),
    ({ ok, failures }) => ok > 0 && failures.length === 0,
    60_000,
  );
}, 400_000);

afterAll(async () => {
  await deleteNamespace(shop);
  await uninstallWeft();
}, 400_000);

interface Counts {
  readonly ok: number;
  readonly failures: readonly string[];
}

/** Eight clients that keep their connections, and one that makes a new one for each request, for so many seconds. */
async function counts(seconds: number): Promise<Counts> {
  const program = `
    const http = require('http');
    const kept = new http.Agent({ keepAlive: true, maxSockets: 8 });
    const end = Date.now() + ${seconds} * 1000;
    let ok = 0;
    const failures = [];
    const one = (agent) => new Promise((resolve) => {
      const q = http.get('http://cart/', { agent, timeout: 10000 }, (s) => {
        s.resume();
        s.on('end', () => {
          if (s.statusCode === 200) ok += 1;
          else failures.push(s.statusCode + ' ' + s.headers['x-weft-reason']);
          resolve();
        });
        s.on('error', (error) => { failures.push(error.message); resolve(); });
      });
      q.on('timeout', () => q.destroy(new Error('no answer')));
      q.on('error', (error) => { failures.push((agent ? 'kept: ' : 'new: ') + error.message); resolve(); });
    });
    const run = async (agent) => { while (Date.now() < end) await one(agent); };
    Promise.all([...Array.from({ length: 8 }, () => run(kept)), run(false)])
      .then(() => console.log(JSON.stringify({ ok, failures: failures.slice(0, 20) })));`;
  const text = await kubectl('-n', shop, 'exec', 'deployment/client', '--', 'node', '-e', program);
  return JSON.parse(text.trim().split('\n').at(-1) ?? '') as Counts;
}

const upgradeTo = (tag: string, timeout: string) =>
  helm(
    ...['upgrade', 'weft', chart, '--namespace', weftNamespace, '--reuse-values'],
    ...['--wait', '--timeout', timeout, '--set', `image.tag=${tag}`],
  );

async function agentImages(): Promise<string[]> {
  const { items } = (await getJson('-n', weftNamespace, 'pods', '-l', 'app.kubernetes.io/name=weft')) as {
    items: { metadata: { deletionTimestamp?: string }; spec: { containers: { image: string }[] } }[];
  };
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ spec }) => spec.containers[0]?.image ?? '');
}

test('an upgrade of every node and controller costs no request', async () => {
  const load = counts(45);
  await upgradeTo('0.1.0-next', '3m');
  expect([...new Set(await agentImages())]).toEqual([`${image}-next`]);
  const { ok, failures } = await load;
  expect(failures).toEqual([]);
  expect(ok).toBeGreaterThan(1_000);
}, 240_000);

test('an image that cannot start replaces nobody, and traffic goes on', async () => {
  const load = counts(20);
  await expect(upgradeTo('0.0.0-missing', '12s')).rejects.toThrow(/helm upgrade/);
  const { ok, failures } = await load;
  expect(failures).toEqual([]);
  expect(ok).toBeGreaterThan(500);
  await helm('rollback', 'weft', '--namespace', weftNamespace, '--wait', '--timeout', '2m');
  expect((await ask(shop, 'http://cart/')).map(({ status }) => status)).toEqual(new Array(10).fill(200));
}, 240_000);
