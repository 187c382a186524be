import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  apply,
  createNamespace,
  deleteNamespace,
  getJson,
  importStaticImage,
  kubectl,
  onNode,
} from './harness/cluster.js';
import { chained, setNri } from './harness/node-cni.js';
import { installWeft, nodeNames, weftNamespace } from './harness/release.js';
import { deployShop } from './harness/shop.js';
import { eventually } from './harness/wait.js';

const source = join(import.meta.dirname, '../../../test/kubernetes/harness/first-connect.c');

let shop: string;
let plain: string;
let target: string;

beforeAll(async () => {
  const work = mkdtempSync(join(tmpdir(), 'weft-first-connect-'));
  const program = join(work, 'first-connect');
  execFileSync('gcc', ['-static', '-Os', '-Wall', '-Wextra', '-Werror', '-o', program, source]);
  await importStaticImage('localhost/first-connect:1', program);
  rmSync(work, { recursive: true });
  // Strict: what a new pod sends before its identity is in force would be refused, not sent as plaintext.
  await installWeft('mesh.mtls=Strict');
  shop = await createNamespace({ 'weft.dev/mesh': 'enabled' });
  plain = await createNamespace();
  await deployShop(shop);
  target = await kubectl('-n', shop, 'get', 'service', 'cart', '-o', 'jsonpath={.spec.clusterIP}');
}, 400_000);

afterAll(async () => {
  await deleteNamespace(shop);
  await deleteNamespace(plain);
}, 120_000);

/**
 * How many start at the same moment. Where one machine of two cores runs both nodes, kubelets tell the API of a pod's address
 * late: with all 200 at once more than a minute, now and then with fifty; and a strict port holds no caller for longer.
 */
const atOnce = 20;

/** Starts so many impatient pods, some at a time, and returns what each one got. */
async function startPods(namespace: string, name: string, replicas: number): Promise<string[]> {
  const container = { name: 'app', image: 'localhost/first-connect:1', args: [target, '80'] };
  const labels = { app: name };
  const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
  const template = { metadata: { labels }, spec };
  const deployment = (count: number) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas: count, selector: { matchLabels: labels }, template },
  });
  // Not by the API: the logs of so many pods at once would be most of the load.
  const read = `cat /var/log/pods/${namespace}_${name}-*/app/*.log 2> /dev/null || true`;
  const nodes = await nodeNames();
  const ask = async () => {
    const texts = await Promise.all(nodes.map((node) => onNode(node, 'sh', '-c', read)));
    return texts.flatMap((text) => text.match(/(answer|failed): .*/g) ?? []);
  };
  let answers: string[] = [];
  for (let started = 0; started < replicas; ) {
    started = Math.min(started + atOnce, replicas);
    await apply(JSON.stringify(deployment(started)), '-n', namespace);
    const all = (lines: readonly string[]) => lines.length >= started;
    answers = await eventually('answers', ask, all, 200_000, 1000);
  }
  return answers;
}

async function podNames(label: string): Promise<string[]> {
  const list = await getJson('pods', '-n', weftNamespace, '-l', label);
  const { items } = list as { items: { metadata: { name: string } }[] };
  return items.map(({ metadata: { name } }) => name);
}

/** What the nodes' proxies have counted of connections that did not end well, and what they and the controllers said last. */
async function refusals(): Promise<string[]> {
  const agents = await podNames('app.kubernetes.io/name=weft');
  const pages = agents.map((name) =>
    kubectl('get', '--raw', `/api/v1/namespaces/${weftNamespace}/pods/${name}:15020/proxy/metrics`),
  );
  const lines = (await Promise.all(pages)).flatMap((page) => page.split('\n'));
  const counted = lines.filter((line) => /^weft_connections_total\{.*reason="(?!none")/.test(line));
  const controllers = await podNames('app.kubernetes.io/name=weft-controller');
  const logs = [
    ...agents.map((name) => [name, 'proxy']),
    ...controllers.map((name) => [name, 'controller']),
  ].map(async ([name = '', container = '']) => {
    const log = await kubectl('-n', weftNamespace, 'logs', name, '-c', container, '--tail=2000');
    const bad = log.split('\n').filter((line) => /"level":"(?:warn|error)"/.test(line));
    return [`${name} ${container}: ${bad.length} of the last 2000 lines warn`, ...bad.slice(-20)];
  });
  return [...counted, ...(await Promise.all(logs)).flat()];
}

/** SYNs for the service's own address on a node's links: an application's, for an agent dials pods. */
async function countEscapes(work: () => Promise<void>): Promise<number> {
  const nodes = await nodeNames();
  const filter = `dst host ${target} and tcp[tcpflags] & tcp-syn != 0`;
  for (const node of nodes) {
    const dump = `tcpdump --immediate-mode -nni any '${filter}' > /run/first-connect.txt 2> /run/first-connect.log & echo $! > /run/first-connect.pid`;
    await onNode(node, 'sh', '-c', dump);
    const log = () => onNode(node, 'cat', '/run/first-connect.log');
    await eventually('tcpdump', log, (text) => text.includes('listening on'));
  }
  await work();
  let count = 0;
  for (const node of nodes) {
    await onNode(node, 'sh', '-c', 'kill $(cat /run/first-connect.pid)');
    count += (await onNode(node, 'cat', '/run/first-connect.txt'))
      .split('\n')
      .filter((line) => line !== '').length;
  }
  return count;
}

test('the look at the wire sees a pod outside of the mesh', async () => {
  expect(await countEscapes(async () => void (await startPods(plain, 'outside', 2)))).toBeGreaterThanOrEqual(
    2,
  );
  await kubectl('-n', plain, 'delete', 'deployment', 'outside');
}, 120_000);

/** Runs with other work on so many of the machine's cores. */
async function underLoad<Result>(cores: number, work: () => Promise<Result>): Promise<Result> {
  const burners = Array.from({ length: cores }, () =>
    spawn(process.execPath, ['-e', 'for (;;) {}'], { stdio: 'ignore' }),
  );
  try {
    return await work();
  } finally {
    for (const burner of burners) burner.kill('SIGKILL');
  }
}

// A node takes 110 pods.
describe.each([
  ['NRI and weft-cni', 'nri-and-cni', 200, 0],
  ['weft-cni alone, on busy cores', 'cni-alone', 60, 2],
])('%s', (_what, name, pods, busy) => {
  const nri = name !== 'cni-alone';

  beforeAll(async () => {
    for (const node of await nodeNames()) {
      if (!nri) await setNri(node, false);
      await chained(node);
    }
  }, 200_000);

  afterAll(async () => {
    await kubectl('-n', shop, 'delete', 'deployment', name, '--cascade=foreground', '--ignore-not-found');
    if (!nri) for (const node of await nodeNames()) await setNri(node, true);
  }, 200_000);

  test(`of ${pods} pods whose first call is connect none sends a SYN past the mesh, and each is served`, async () => {
    let answers: string[] = [];
    const escaped = await countEscapes(async () => {
      answers = await underLoad(busy, () => startPods(shop, name, pods));
    });
    expect(escaped).toBe(0);
    const refused = answers.filter((answer) => !answer.startsWith('answer: HTTP/1.1 200 OK '));
    const why = refused.length === 0 ? [] : await refusals();
    expect({ refused, why }).toEqual({ refused: [], why: [] });
    expect(answers).toHaveLength(pods);
  }, 600_000);
});
