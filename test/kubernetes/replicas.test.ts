/** Several controllers on a real API server, and agents (the proxy's own client) that move between them. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  apiServerReady,
  apply,
  createNamespace,
  daemon,
  deleteNamespace,
  getJson,
  installCrds,
  installGatewayApi,
  kubeconfig,
  kubectl,
} from './harness/cluster.js';
import { LiveAgent } from './harness/live-agent.js';
import { type Replica, Replicas } from './harness/replica.js';
import { eventually } from './harness/wait.js';

let own: string;
let shop: string;
let replicas: Replicas;
let first: Replica;
let second: Replica;
let agents: LiveAgent[] = [];
/** Of the pods, which their agents have captured. */
let uids: { readonly one: string; readonly two: string };

beforeAll(async () => {
  await installGatewayApi();
  await installCrds();
  own = await createNamespace();
  shop = await createNamespace({ 'weft.dev/mesh': 'enabled' });
  await apply(pod('one', 'node1') + pod('two', 'node2') + service('web'), '-n', shop);
  const uidOf = async (name: string) =>
    ((await getJson('pod', name, '-n', shop)).metadata as { uid: string }).uid;
  uids = { one: await uidOf('one'), two: await uidOf('two') };
  replicas = new Replicas(own);
  first = await replicas.start();
  await first.says('decides about transport');
  second = await replicas.start();
  await second.says('follows the holder');
}, 200_000);

afterAll(async () => {
  for (const agent of agents) agent.leave();
  await replicas.stop();
  await deleteNamespace(shop);
  await deleteNamespace(own);
}, 60_000);

function pod(name: string, node: string): string {
  return `
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: web}}
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 1
  containers: [{name: pause, image: "localhost/pause:1", ports: [{name: http, containerPort: 8080}]}]
`;
}

const service = (name: string, port = 80) => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {selector: {app: web}, ports: [{port: ${port}, targetPort: 8080, appProtocol: http}]}
`;

const route = (name: string, path: string) => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ${name}}
spec:
  parentRefs: [{group: "", kind: Service, name: web}]
  rules: [{matches: [{path: {type: RegularExpression, value: "${path}"}}], backendRefs: [{name: web, port: 80}]}]
`;

/** Of the two nodes, each at its own replica first. */
async function settledAgents(): Promise<[LiveAgent, LiveAgent]> {
  for (const agent of agents) agent.leave();
  const here = new LiveAgent('node1', [first.agents, second.agents], [uids.one]);
  const there = new LiveAgent('node2', [second.agents, first.agents], [uids.two]);
  agents = [here, there];
  for (const agent of agents) for (const name of ['one', 'two']) await speaksTls(agent, name);
  return [here, there];
}

const speaksTls = (agent: LiveAgent, name: string) =>
  agent.until(`${name} speaks TLS`, () => agent.workload(shop, name)?.transport === 'weft-tls');

/** Nobody was told anything but TLS since. */
function stayedTls(marks: readonly Map<string, number>[]): void {
  for (const [index, agent] of agents.entries()) {
    for (const name of ['one', 'two']) {
      const uid = agent.workload(shop, name)?.uid ?? '';
      const phases = agent.phases.get(uid) ?? [];
      const since = phases.slice(Math.max(0, (marks[index]?.get(uid) ?? 0) - 1));
      expect([agent.node, name, since]).toEqual([agent.node, name, ['weft-tls']]);
    }
  }
}
const mark = () =>
  agents.map(({ phases }) => new Map([...phases].map(([uid, list]) => [uid, list.length] as const)));

const serviceKnown = (agent: LiveAgent, name: string, timeoutMs?: number) =>
  agent.until(
    `service ${name}`,
    () => agent.configuration.snapshot.services.has(`${shop}/${name}`),
    timeoutMs,
  );

test('nodes at different replicas come to speak TLS, with the same versions', async () => {
  const agents = await settledAgents();
  const versions = async () =>
    agents.map(({ configuration }) =>
      configuration
        .held()
        .filter(({ kind }) => kind !== 'workload' && kind !== 'endpoints')
        .map(({ kind, name, version }) => `${kind} ${name} ${version}`)
        .sort()
        .join(),
    );
  // Namespaces of the files before may still be going.
  await eventually('same versions', versions, ([here, there]) => here === there);
});

test('the holder is killed: its agents move, nobody hears of plaintext, and another decides', async () => {
  const [here] = await settledAgents();
  const before = await replicas.holder();
  const marks = mark();
  await first.stop('SIGKILL');
  await here.until('the other replica', () => here.streams > 1 && here.connected);
  await apply(service('during'), '-n', shop);
  for (const agent of agents) await serviceKnown(agent, 'during');
  await replicas.holderAfter(before, 40_000);
  stayedTls(marks);
  first = await replicas.start();
  await first.says('follows the holder');
  await kubectl('-n', shop, 'label', 'pod', 'two', 'weft.dev/mesh=disabled');
  for (const agent of agents) {
    await agent.until('leaving', () => agent.workload(shop, 'two')?.transport !== 'weft-tls', 60_000);
  }
  await kubectl('-n', shop, 'label', 'pod', 'two', 'weft.dev/mesh-');
  for (const agent of agents) await speaksTls(agent, 'two');
  [first, second] = [second, first];
}, 200_000);

test('the holder ends in order: another decides before its lease would have ended', async () => {
  await settledAgents();
  const before = await replicas.holder();
  const marks = mark();
  await first.stop('SIGTERM');
  // Given up: nobody had to wait for the end of the lease (15 s).
  await replicas.holderAfter(before, 12_000);
  for (const agent of agents) await agent.until('a replica', () => agent.connected);
  stayedTls(marks);
  first = await replicas.start();
  await first.says('follows the holder');
  [first, second] = [second, first];
}, 120_000);

test('a replica that falls silent is left within seconds', async () => {
  const [, there] = await settledAgents();
  const marks = mark();
  const { streams } = there;
  second.signal('SIGSTOP');
  await there.until('another replica', () => there.streams > streams && there.connected, 30_000);
  second.signal('SIGCONT');
  await apply(service('after-silence'), '-n', shop);
  for (const agent of agents) await serviceKnown(agent, 'after-silence');
  stayedTls(marks);
}, 120_000);

test('a replica is killed in the middle of a push: the agent gets the rest from the other', async () => {
  const [, there] = await settledAgents();
  let killed: Promise<void> | undefined;
  there.onDelta = () => {
    killed ??= second.stop('SIGKILL');
  };
  const names = ['push-1', 'push-2', 'push-3'];
  await apply(names.map((name) => service(name)).join(''), '-n', shop);
  for (const name of names) await serviceKnown(there, name);
  there.onDelta = () => {};
  await killed;
  second = await replicas.start();
  await second.says('follows the holder');
}, 120_000);

test('an agent that was cut off gets what changed meanwhile, and nothing else', async () => {
  const [, there] = await settledAgents();
  there.leave();
  await apply(service('meanwhile'), '-n', shop);
  await serviceKnown(agents[0] as LiveAgent, 'meanwhile');
  const { received } = there;
  there.come();
  await serviceKnown(there, 'meanwhile');
  const [own] = agents;
  expect(there.configuration.snapshot.services.size).toBe(own?.configuration.snapshot.services.size);
  // The service, its endpoints and its slices, and not the mesh.
  expect(there.received - received).toBeLessThan(10);
}, 120_000);

test('the API server away for longer than a lease: agents stay and are told nothing wrong; then state converges', async () => {
  const [here] = await settledAgents();
  const marks = mark();
  await daemon('node1', 'kube-apiserver', 'stop');
  try {
    // Beyond the deadline of renewal (10 s) and the lease's end (15 s): what a longer time would run through is the same.
    const paused = () =>
      [first, second].some(({ log }) => log.includes('could not renew it: decides nothing'));
    await eventually(
      'a holder that may not decide',
      async () => paused(),
      (found) => found,
      30_000,
    );
    const late = new LiveAgent('node3', [second.agents]);
    agents.push(late);
    await late.until('all', () => late.configuration.snapshot.services.has(`${shop}/web`));
    agents.pop();
    late.leave();
    expect(here.connected).toBe(true);
    stayedTls(marks);
  } finally {
    await daemon('node1', 'kube-apiserver', 'start');
    await apiServerReady();
  }
  await apply(service('back'), '-n', shop);
  for (const agent of agents) await serviceKnown(agent, 'back');
  stayedTls(marks);
}, 200_000);

/** A slice beside those of Kubernetes' own controller, with so many endpoints. */
const moreEndpoints = (of: string, count: number) =>
  JSON.stringify({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${of}-more`, labels: { 'kubernetes.io/service-name': of } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080 }],
    endpoints: Array.from({ length: count }, (_, index) => ({ addresses: [`10.244.0.${200 + index}`] })),
  });

/**
 * The second, from the end of `kubectl apply` on. What holds a change up does so each time; a machine that is busy
 * with something else does so now and then, so one of five tries is enough.
 */
async function withinASecond(
  what: string,
  change: (attempt: number) => Promise<unknown>,
  arrived: (agent: LiveAgent, attempt: number) => boolean,
): Promise<void> {
  const tookMs: number[] = [];
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    await change(attempt);
    const begun = performance.now();
    for (const agent of agents) await agent.until(what, () => arrived(agent, attempt));
    tookMs.push(Math.round(performance.now() - begun));
    if ((tookMs.at(-1) as number) < 1000) return;
  }
  throw new Error(`${what}: came after ${tookMs.join(', ')} ms`);
}

test("team A's invalid route does not hold up team B's endpoints, and its status names field and node", async () => {
  await settledAgents();
  const [, there] = agents as [LiveAgent, LiveAgent];
  there.leave();
  const picky = new LiveAgent('node2', [second.agents], [uids.two], (name) => name === `${shop}/team-a`);
  agents[1] = picky;
  await picky.until('all', () => picky.configuration.snapshot.services.has(`${shop}/web`));
  const statusOfA = async () =>
    JSON.stringify((await getJson('httproute', 'team-a', '-n', shop)).status ?? {});
  const said = (what: string) => eventually('status of A', statusOfA, (text) => text.includes(what), 30_000);

  // Invalid to a node: one refuses it.
  await apply(route('team-a', '/a+'), '-n', shop);
  await said('PartiallyInvalid');
  await apply(service('team-b'), '-n', shop);
  for (const agent of agents) await serviceKnown(agent, 'team-b');
  const endpointsOf = ({ configuration }: LiveAgent) =>
    configuration.snapshot.services.get(`${shop}/team-b`)?.endpoints?.endpoints.length ?? 0;
  for (const agent of agents) await agent.until('endpoints of B', () => endpointsOf(agent) === 2);
  const change = (count: number) => apply(moreEndpoints('team-b', count), '-n', shop);
  await withinASecond('endpoints of B', change, (agent, attempt) => endpointsOf(agent) === 2 + attempt);
  const refused = await statusOfA();
  // The node is connected to a replica that does not write statuses.
  expect(refused).toContain('node2');
  expect(refused).toContain('spec.rules');

  // Invalid to all.
  await apply(route('team-a', '('), '-n', shop);
  await said('spec.rules[0].matches[0].path.value');
  await kubectl('-n', shop, 'delete', 'endpointslice', 'team-b-more');
  for (const agent of agents) await agent.until('endpoints of B', () => endpointsOf(agent) === 2);
  await withinASecond('endpoints of B', change, (agent, attempt) => endpointsOf(agent) === 2 + attempt);
  expect(await statusOfA()).toContain('spec.rules[0].matches[0].path.value');
}, 120_000);

test('a controller whose clock is an hour ahead: what it issues is refused, and says that clocks differ', async () => {
  const skewed = await replicas.start(kubeconfig(), ['faketime', '-f', '+1h']);
  await skewed.says('is not reached');
  expect(skewed.log).toMatch(/certificate (has expired|is not yet valid)/);
  // It never serves, for it knows no phases; the others go on.
  const [here] = agents;
  await apply(service('clocks'), '-n', shop);
  if (here !== undefined) await serviceKnown(here, 'clocks');
  expect(skewed.log).not.toContain('follows the holder');
  await skewed.stop('SIGKILL');
}, 120_000);

test('an object that bypassed validation is refused by itself, and everything else goes on', async () => {
  const crd = 'authorizationpolicies.weft.dev';
  const before = await kubectl('get', 'crd', crd, '-o', 'json');
  const relaxed = JSON.parse(before) as {
    metadata: Record<string, unknown>;
    spec: { versions: { schema: { openAPIV3Schema: unknown } }[] };
    status?: unknown;
  };
  for (const version of relaxed.spec.versions) {
    version.schema.openAPIV3Schema = {
      type: 'object',
      properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    };
  }
  delete relaxed.status;
  for (const field of ['resourceVersion', 'uid', 'managedFields', 'generation', 'creationTimestamp']) {
    delete relaxed.metadata[field];
  }
  const file = join(kubeconfig(), '../relaxed-crd.json');
  writeFileSync(file, JSON.stringify(relaxed));
  await kubectl('replace', '-f', file);
  try {
    const bad = { apiVersion: 'weft.dev/v1alpha1', kind: 'AuthorizationPolicy', metadata: { name: 'odd' } };
    const spec = { targetRefs: 'everything', action: 7, rules: { from: [] } };
    await eventually(
      'an object that no schema would let pass',
      () => apply(JSON.stringify({ ...bad, spec }), '-n', shop).catch(String),
      (said) => /created|configured|unchanged/.test(said),
      30_000,
    );
    await apply(service('despite'), '-n', shop);
    for (const agent of agents) await serviceKnown(agent, 'despite');
    await eventually(
      'a problem of it in the log of a replica',
      async () => first.log + second.log,
      (text) => text.includes(`${shop}/odd`),
      20_000,
    );
  } finally {
    await kubectl('delete', 'authorizationpolicy', 'odd', '-n', shop, '--ignore-not-found');
    const folder = join(import.meta.dirname, '../../../deploy/crds');
    await kubectl('apply', '--server-side', '--force-conflicts', '-f', folder);
  }
}, 120_000);
