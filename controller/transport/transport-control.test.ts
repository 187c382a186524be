import type { TransportPhase, Workload } from '../../model/workload.js';
import type { TestAgent } from '../test-agent.js';
import { ControllerFixture, workloadYaml } from '../test-fixture.js';

let fixture: ControllerFixture;

beforeEach(() => {
  fixture = new ControllerFixture();
});

afterEach(() => fixture.stop());

const cart = workloadYaml('cart', '10.1.0.2');
const far = workloadYaml('far', '10.1.0.3').replace('spec:', 'spec:\n  node: far');

function workload(agent: TestAgent, uid: string): Workload | undefined {
  const found = agent.resources.get(`workload ${uid}`);
  return found?.kind === 'workload' ? found.body : undefined;
}

const reaches = (agent: TestAgent, uid: string, phase: TransportPhase) =>
  agent.waitFor(`${uid} in ${phase}`, () => workload(agent, uid)?.transport === phase || undefined);

test('a report leads to TLS on every node, as deltas of that workload alone', async () => {
  await fixture.start({ 'cart.yaml': cart, 'far.yaml': far });
  const [here, there] = [fixture.agent({ node: 'local' }), fixture.agent({ node: 'far' })];
  for (const agent of [here, there]) await agent.waitFor('all', ({ deltas }) => deltas[0]?.complete);
  expect(workload(there, 'shop.cart')).toMatchObject({
    captured: true,
    capture: null,
    transport: 'plaintext',
  });
  here.report('shop.cart');
  for (const agent of [here, there]) await reaches(agent, 'shop.cart', 'arriving');
  for (const agent of [here, there]) await reaches(agent, 'shop.cart', 'weft-tls');
  const sent = there.deltas.slice(1).flatMap(({ upserts }) => upserts.map(({ name }) => name));
  expect(new Set(sent)).toEqual(new Set(['shop.cart']));
  expect(workload(here, 'shop.far')?.transport).toBe('plaintext');
});

test('a node cannot speak for another`s workloads', async () => {
  await fixture.start({ 'cart.yaml': cart, 'far.yaml': far });
  const [here, there] = [fixture.agent({ node: 'local' }), fixture.agent({ node: 'far' })];
  for (const agent of [here, there]) await agent.waitFor('all', ({ deltas }) => deltas[0]?.complete);
  there.report('shop.cart', 'shop.far');
  await reaches(here, 'shop.far', 'weft-tls');
  expect(workload(here, 'shop.cart')?.transport).toBe('plaintext');
});

test('a workload that is no longer to be captured stays so until everybody has heard', async () => {
  await fixture.start({ 'cart.yaml': cart });
  const agent = fixture.agent();
  await agent.waitFor('all', ({ deltas }) => deltas[0]?.complete);
  agent.report('shop.cart');
  await reaches(agent, 'shop.cart', 'weft-tls');
  await fixture.replace('cart.yaml', cart.replace(/ {2}capture:.*\n/, ''));
  await reaches(agent, 'shop.cart', 'arriving');
  expect(workload(agent, 'shop.cart')).toMatchObject({ captured: false, capture: { netns: 'cart' } });
  await reaches(agent, 'shop.cart', 'leaving');
  expect(workload(agent, 'shop.cart')?.capture).not.toBeNull();
  await reaches(agent, 'shop.cart', 'plaintext');
  expect(workload(agent, 'shop.cart')).toMatchObject({ captured: false, capture: null });
});

test('a controller that starts anew takes over the phases that agents bring, from their first delta on', async () => {
  await fixture.start({ 'cart.yaml': cart });
  const before = fixture.agent();
  await before.waitFor('all', ({ deltas }) => deltas[0]?.complete);
  before.report('shop.cart');
  await reaches(before, 'shop.cart', 'weft-tls');
  const held = [...before.resources.values()].map(({ kind, name, version }) => ({ kind, name, version }));
  before.close();
  await fixture.restart();
  const transports = [{ uid: 'shop.cart', transport: 'weft-tls' }];
  const after = fixture.agent({ held, transports });
  const delta = await after.waitFor('delta', ({ deltas }) => deltas[0]);
  // What it holds is what this controller publishes, to the version.
  expect(delta.upserts).toEqual([]);
  const other = fixture.agent({ node: 'far' });
  await reaches(other, 'shop.cart', 'weft-tls');
});
