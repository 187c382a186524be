import type { Resource, ResourceKind } from '../model/resource.js';
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
      transport: 'plaintext',
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
