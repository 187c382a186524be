import { credentials } from '@grpc/grpc-js';
import type { Resource, ResourceKind } from '../model/resource.js';
import { loadConfigService } from '../proto/load-config-service.js';
import { reportStatus } from './status/status-report.js';
import type { TestAgent } from './test-agent.js';
import { ControllerFixture, routeYaml, serviceYaml, sliceYaml, workloadYaml } from './test-fixture.js';

let fixture: ControllerFixture;

beforeEach(() => {
  fixture = new ControllerFixture();
});

afterEach(() => fixture.stop());

function body<Kind extends ResourceKind>(agent: TestAgent, kind: Kind, name: string) {
  const found = agent.resources.get(`${kind} ${name}`);
  return found as Extract<Resource, { kind: Kind }> | undefined;
}

const shop = {
  'web.yaml': [
    serviceYaml('web', '10.96.0.10'),
    sliceYaml('web', '10.1.0.2', '10.1.0.3'),
    workloadYaml('web-1', '10.1.0.2'),
    workloadYaml('web-2', '10.1.0.3'),
  ].join('---'),
  'route.yaml': routeYaml('web', 'web', 'web'),
};

test('publishes a folder of manifests to an agent', async () => {
  await fixture.start(shop);
  const agent = fixture.agent();
  await agent.waitFor('complete delta', ({ deltas }) => deltas[0]?.complete);
  expect(agent.names).toEqual([
    'endpoints shop/web',
    'http-route shop/web',
    'mesh mesh',
    'service shop/web',
    'workload shop.web-1',
    'workload shop.web-2',
  ]);
  expect(body(agent, 'endpoints', 'shop/web')?.body.endpoints).toEqual([
    {
      workloadUid: 'shop.web-1',
      address: '10.1.0.2',
      ports: { 80: 8080 },
      ready: true,
      serving: true,
      zone: '',
    },
    expect.objectContaining({ workloadUid: 'shop.web-2', address: '10.1.0.3' }),
  ]);
  expect(body(agent, 'mesh', 'mesh')?.body.ranges).toEqual(
    ['10.1.0.2/32', '10.1.0.3/32', '10.96.0.10/32'].map((cidr) => ({ cidr, action: 'proxy' })),
  );
  expect(fixture.controller.problems).toEqual([]);
});

test('an edit reaches the agent within a second, as a delta of what changed', async () => {
  await fixture.start(shop);
  const agent = fixture.agent();
  await agent.waitFor('complete delta', ({ deltas }) => deltas[0]?.complete);
  const begun = performance.now();
  await fixture.replace('route.yaml', routeYaml('web', 'web', 'web', '    timeouts: {request: 2s}'));
  const timeout = () => body(agent, 'http-route', 'shop/web')?.body.rules[0]?.requestTimeoutMs;
  await agent.waitFor('new timeout', () => timeout() === 2000 || undefined, 1000);
  expect(performance.now() - begun).toBeLessThan(1000);
  expect(agent.deltas[1]?.upserts.map(({ name }) => name)).toEqual(['shop/web']);
  expect(agent.deltas[1]?.snapshotVersion).toBeGreaterThan(agent.deltas[0]?.snapshotVersion ?? 0);
});

test('a deleted file removes its resources', async () => {
  await fixture.start(shop);
  const agent = fixture.agent();
  await agent.waitFor('complete delta', ({ deltas }) => deltas[0]?.complete);
  await fixture.remove('route.yaml');
  await agent.waitFor('removal', ({ resources }) => !resources.has('http-route shop/web') || undefined);
  expect(agent.deltas.at(-1)?.removals).toMatchObject([{ kind: 'http-route', name: 'shop/web' }]);
});

test('several agents get their own view: only a workload’s node learns how it is captured', async () => {
  await fixture.start({
    ...shop,
    'far.yaml': workloadYaml('far', '10.1.0.9').replace('spec:', 'spec:\n  node: node-b'),
  });
  const [here, there] = [fixture.agent({ node: 'local' }), fixture.agent({ node: 'node-b' })];
  for (const agent of [here, there]) await agent.waitFor('all', ({ deltas }) => deltas[0]?.complete);
  expect(here.names).toEqual(there.names);
  expect(body(here, 'workload', 'shop.far')?.body).toMatchObject({ node: 'node-b', capture: null });
  expect(body(there, 'workload', 'shop.far')?.body.capture).toMatchObject({ netns: 'far' });
  expect(body(there, 'workload', 'shop.web-1')?.body.capture).toBeNull();
  expect(body(here, 'workload', 'shop.web-1')?.body.capture).toMatchObject({
    netns: 'web-1',
    failMode: 'closed',
  });
});

test('an agent that comes back is sent only what it does not hold, and told what is gone', async () => {
  await fixture.start(shop);
  const first = fixture.agent();
  await first.waitFor('all', ({ deltas }) => deltas[0]?.complete);
  const held = [...first.resources.values()].map(({ kind, name, version }) => ({ kind, name, version }));
  first.close();
  const changed = held.map((one) => (one.kind === 'mesh' ? { ...one, version: 'old' } : one));
  const gone = { kind: 'http-route', name: 'shop/gone', version: 'v' };
  const second = fixture.agent({ held: [...changed, gone] });
  const delta = await second.waitFor('delta', ({ deltas }) => deltas[0]);
  expect(delta.upserts.map(({ name }) => name)).toEqual(['mesh']);
  expect(delta.removals).toMatchObject([{ kind: 'http-route', name: 'shop/gone' }]);
});

test('one delta is in flight at a time: a slow agent gets the newest state, not every one between', async () => {
  await fixture.start(shop);
  const slow = fixture.agent({ node: 'slow', silent: true });
  const quick = fixture.agent({ node: 'quick' });
  await slow.waitFor('first delta', ({ deltas }) => deltas[0]);
  for (const seconds of [1, 2, 3]) {
    await fixture.replace(
      'route.yaml',
      routeYaml('web', 'web', 'web', `    timeouts: {request: ${seconds}s}`),
    );
    const timeout = () => body(quick, 'http-route', 'shop/web')?.body.rules[0]?.requestTimeoutMs;
    await quick.waitFor(`${seconds} s`, () => timeout() === seconds * 1000 || undefined);
  }
  expect(slow.deltas).toHaveLength(1);
  slow.acknowledge(slow.deltas[0]?.nonce ?? 0);
  await slow.waitFor('second delta', ({ deltas }) => deltas[1]);
  expect(body(slow, 'http-route', 'shop/web')?.body.rules[0]?.requestTimeoutMs).toBe(3000);
  expect(slow.deltas[1]?.upserts).toHaveLength(1);
});

test('what an agent refuses is known by node, is tried once more, and is forgotten once mended', async () => {
  await fixture.start(shop);
  const agent = fixture.agent({ node: 'picky', refuse: ['shop/web'] });
  const refused = () =>
    fixture.controller.publisher.nodes()[0]?.refusals.map(({ kind, name }) => `${kind} ${name}`);
  await agent.waitFor('all', ({ deltas }) => deltas[0]?.complete);
  await agent.waitFor('second try', ({ deltas }) => deltas[1]);
  expect(agent.deltas[1]?.upserts.map(({ name }) => name)).toEqual(['shop/web', 'shop/web', 'shop/web']);
  await fixture.replace('extra.yaml', serviceYaml('other', '10.96.0.99'));
  await agent.waitFor('third delta', ({ deltas }) => deltas[2]);
  const three = ['service shop/web', 'http-route shop/web', 'endpoints shop/web'];
  await fixture.waitFor('refusals', () => refused()?.join() === three.join());
  expect(agent.deltas[2]?.upserts.map(({ name }) => name)).not.toContain('shop/web');
  expect(fixture.logged.join('')).toMatch(/an agent refused a resource.*"node":"picky".*"name":"shop\/web"/);
  await fixture.remove('route.yaml');
  await agent.waitFor('removal', ({ deltas }) => deltas.at(-1)?.removals[0]);
  await fixture.waitFor('forgotten refusal', () => refused()?.length === 2);
});

test('a controller that restarts over an unreadable file takes nothing away from agents', async () => {
  await fixture.start(shop);
  const before = fixture.agent();
  await before.waitFor('all', ({ deltas }) => deltas[0]?.complete);
  const version = before.deltas[0]?.snapshotVersion ?? 0;
  const held = [...before.resources.values()].map(({ kind, name, version }) => ({ kind, name, version }));
  before.close();
  await fixture.write('route.yaml', 'kind: [\n');
  await fixture.restart();
  const after = fixture.agent({ held });
  const delta = await after.waitFor('delta', ({ deltas }) => deltas[0]);
  expect(delta.removals).toEqual([]);
  expect(delta.snapshotVersion).toBeGreaterThan(version);
  // Once the file is mended the controller knows all, and what is gone is gone.
  await fixture.replace('route.yaml', serviceYaml('other', '10.96.0.99'));
  await after.waitFor('removal', ({ deltas }) => deltas[1]?.removals[0]);
  expect(after.deltas[1]?.removals).toMatchObject([{ kind: 'http-route', name: 'shop/web' }]);
});

test('agents that do not keep the contract are refused with the reason', async () => {
  await fixture.start(shop);
  const refusal = async (options: Parameters<typeof fixture.agent>[0]) =>
    (await fixture.agent(options).waitForError()).message;
  expect(await refusal({ protocol: 2 })).toMatch(/FAILED_PRECONDITION.*agent speaks protocol 2/);
  expect(await refusal({ node: '../etc' })).toMatch(/UNAUTHENTICATED.*names no node/);
  const early = fixture.agent({ node: 'early', silent: true });
  await early.waitFor('delta', ({ deltas }) => deltas[0]);
  early.acknowledge(77);
  expect((await early.waitForError()).message).toMatch(/INVALID_ARGUMENT.*ack 77/);
});

test('an agent that is silent too long loses its stream, and nothing else', async () => {
  fixture.stop();
  fixture = new ControllerFixture({ helloMs: 1000, ackMs: 300 });
  await fixture.start(shop);
  const { Client } = loadConfigService();
  const client = new Client(fixture.address, credentials.createInsecure());
  const ended = new Promise<Error>((resolve) =>
    client
      .stream()
      .on('error', resolve)
      .on('data', () => {}),
  );
  const deaf = fixture.agent({ node: 'deaf', silent: true });
  const well = fixture.agent({ node: 'well' });
  expect((await ended).message).toMatch(/DEADLINE_EXCEEDED.*no hello came/);
  expect((await deaf.waitForError()).message).toMatch(/DEADLINE_EXCEEDED.*not acknowledged/);
  await fixture.replace('more.yaml', serviceYaml('more', '10.96.0.98'));
  await well.waitFor('service', ({ resources }) => resources.get('service shop/more'));
  client.close();
});

test('a second agent of a node takes the place of the first', async () => {
  await fixture.start(shop);
  const old = fixture.agent();
  await old.waitFor('all', ({ deltas }) => deltas[0]?.complete);
  const fresh = fixture.agent();
  await fresh.waitFor('all', ({ deltas }) => deltas[0]?.complete);
  expect((await old.waitForError()).message).toMatch(/ABORTED.*another agent of this node/);
  expect(fixture.controller.publisher.nodes()).toMatchObject([{ node: 'local', connected: true }]);
});

test('the status says how many nodes are at which version, and every problem', async () => {
  await fixture.start({ ...shop, 'bad.yaml': routeYaml('bad', 'web', 'web').replace('rules', 'rulez') });
  for (const node of ['a', 'b']) fixture.agent({ node });
  for (const node of ['c', 'd']) fixture.agent({ node, silent: true });
  const { controller } = fixture;
  const report = () => reportStatus(controller.publisher, controller.nodes(), controller.problems);
  await fixture.waitFor('two nodes', () => report().summary.startsWith('reached 2 of 4'));
  expect(report().summary).toBe(`reached 2 of 4 nodes at version ${report().version}`);
  expect(report().problems).toMatchObject([
    {
      severity: 'error',
      kind: 'HTTPRoute',
      namespace: 'shop',
      name: 'bad',
      field: 'spec.rulez',
      inForce: 'nothing',
    },
  ]);
  expect(report().resources).toContainEqual(
    expect.objectContaining({ kind: 'service', name: 'shop/web', version: expect.any(String) }),
  );
});
