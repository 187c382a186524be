/** Replicas over real TLS: one folder, one authority and one lease between them, an agent at each. */
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { jest } from '@jest/globals';
import { loadReplicaService } from '../../proto/load-replica-service.js';
import { BuiltInIssuer } from '../authority/built-in-issuer.js';
import { createAuthority } from '../authority/create-authority.js';
import { Controller } from '../controller.js';
import { FolderSource } from '../source/folder-source.js';
import { createLog } from '../status/log.js';
import { TestAgent, type TestAgentOptions } from '../test-agent.js';
import { routeYaml, serviceYaml, workloadYaml } from '../test-fixture.js';
import { MemoryLease } from './memory-lease.js';

jest.setTimeout(60_000);

interface Replica {
  readonly name: string;
  readonly controller: Controller;
  readonly address: string;
  readonly logged: string[];
}

const root = mkdtempSync(join(tmpdir(), 'weft-r-'));
const folder = mkdtempSync(join(root, 'manifests-'));
let lease: MemoryLease;
let count = 0;
const replicas: Replica[] = [];
const agents: TestAgent[] = [];

beforeEach(async () => {
  lease = new MemoryLease();
  await writeFile(join(folder, 'cart.yaml'), workloadYaml('cart', '10.1.0.2'));
  await writeFile(
    join(folder, 'far.yaml'),
    workloadYaml('far', '10.1.0.3').replace('spec:', 'spec:\n  node: far'),
  );
  await writeFile(
    join(folder, 'route.yaml'),
    `${serviceYaml('web', '10.2.0.1')}---${routeYaml('web', 'web', 'web')}`,
  );
});

afterEach(async () => {
  for (const agent of agents.splice(0)) agent.close();
  for (const { controller } of replicas.splice(0)) await controller.close();
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Resolves once it serves. */
async function start(): Promise<Replica> {
  count += 1;
  const name = `replica-${count}`;
  const logged: string[] = [];
  const issuer = new BuiltInIssuer({ folder: join(root, 'authority'), create: true, announceMs: 0 });
  const controller = new Controller({
    source: new FolderSource({ folder, onTrouble: (error) => logged.push(error.message) }),
    build: { trustDomain: 'test.mesh', node: 'local' },
    log: createLog(
      (line) => logged.push(line),
      () => new Date(0),
    ),
    createAuthority: (surroundings) => createAuthority(issuer, 3_600_000, surroundings),
    now: () => Date.now(),
    lease: lease.open(name),
    advertise: '127.0.0.1',
  });
  const socket = join(root, `${name}.sock`);
  const replica = { name, controller, address: `unix:${socket}`, logged };
  replicas.push(replica);
  await controller.start({ socket, nodes: { host: '127.0.0.1', port: 0 } });
  await until(`${name} serves`, () => controller.ready, replica);
  return replica;
}

async function until(what: string, condition: () => boolean, { logged }: Replica): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not so: ${what}; log:\n${logged.slice(-20).join('')}`);
    await delay(20);
  }
}

function agentOf({ address }: Replica, options: TestAgentOptions): TestAgent {
  const agent = new TestAgent(address, options);
  agents.push(agent);
  return agent;
}

const phaseOf = (agent: TestAgent, uid: string) => {
  const found = agent.resources.get(`workload ${uid}`);
  return found?.kind === 'workload' ? found.body.transport : undefined;
};
const reaches = (agent: TestAgent, uid: string, phase: string) =>
  agent.waitFor(`${uid} in ${phase}`, () => phaseOf(agent, uid) === phase || undefined, 20_000);

/** Two replicas, an agent at each, and both workloads speak TLS. */
async function startPair() {
  const holder = await start();
  const follower = await start();
  expect(lease.holder).toBe(holder.name);
  const here = agentOf(holder, { node: 'local' });
  const there = agentOf(follower, { node: 'far' });
  for (const agent of [here, there]) await agent.waitFor('all', ({ deltas }) => deltas[0]?.complete);
  here.report('shop.cart');
  there.report('shop.far');
  for (const agent of [here, there]) {
    for (const uid of ['shop.cart', 'shop.far']) await reaches(agent, uid, 'weft-tls');
  }
  return { holder, follower, here, there };
}

const versions = ({ resources }: TestAgent) =>
  [...resources.values()].map(({ kind, name, version }) => ({ kind, name, version }));
const held = (agent: TestAgent) => ({
  held: versions(agent),
  transports: ['shop.cart', 'shop.far'].map((uid) => ({ uid, transport: phaseOf(agent, uid) ?? '' })),
});

test('what a node reports at one replica leads to TLS at all of them, and not before all have acknowledged', async () => {
  const holder = await start();
  const follower = await start();
  const here = agentOf(holder, { node: 'local' });
  const silent = agentOf(follower, { node: 'far', silent: true });
  for (const agent of [here, silent]) await agent.waitFor('all', ({ deltas }) => deltas[0]?.complete);
  here.report('shop.cart');
  const acknowledge = () => silent.acknowledge(silent.deltas.at(-1)?.nonce ?? 0);
  acknowledge();
  await reaches(silent, 'shop.cart', 'arriving');
  await reaches(here, 'shop.cart', 'arriving');
  await delay(1500);
  expect(phaseOf(here, 'shop.cart')).toBe('arriving');
  acknowledge();
  await reaches(here, 'shop.cart', 'weft-tls');
  await reaches(silent, 'shop.cart', 'weft-tls');
});

test('an agent that moves between replicas finds the same versions and is sent nothing', async () => {
  const { holder, there } = await startPair();
  const again = agentOf(holder, { node: 'far', ...held(there) });
  const delta = await again.waitFor('delta', ({ deltas }) => deltas[0]);
  expect(delta).toMatchObject({ complete: true, upserts: [], removals: [] });
});

test('the holder ends: the other decides within a second or two, and every phase stays', async () => {
  const { holder, follower, here, there } = await startPair();
  const place = there.deltas.length;
  await holder.controller.close();
  await until('the follower holds the lease', () => lease.holder === follower.name, follower);
  const moved = agentOf(follower, { node: 'local', ...held(here) });
  const delta = await moved.waitFor('delta', ({ deltas }) => deltas[0]);
  expect(delta).toMatchObject({ complete: true, upserts: [], removals: [] });
  expect(there.deltas.slice(place).flatMap(({ upserts }) => upserts.map(({ name }) => name))).toEqual([]);
});

test('while the lease cannot be read phases stand still, agents are served, and nobody is sent away', async () => {
  const { holder, follower, here } = await startPair();
  lease.away = true;
  await until('nobody may decide', () => holder.logged.join('').includes('decides nothing'), holder);
  here.report();
  await writeFile(join(folder, 'route.yaml'), serviceYaml('web', '10.2.0.2'));
  const late = agentOf(follower, { node: 'late' });
  await late.waitFor('the change', ({ resources }) => {
    const web = resources.get('service shop/web');
    return (web?.kind === 'service' && web.body.addresses.includes('10.2.0.2')) || undefined;
  });
  expect(phaseOf(here, 'shop.cart')).toBe('weft-tls');
  expect([holder.controller.ready, follower.controller.ready]).toEqual([true, true]);
  lease.away = false;
  await reaches(here, 'shop.cart', 'arriving');
});

test('the holder knows how nodes stand at other replicas, and what they refuse', async () => {
  const { holder, follower } = await startPair();
  const strict = agentOf(follower, { node: 'third', refuse: ['shop/web'] });
  await strict.waitFor('all', ({ deltas }) => deltas[0]?.complete);
  const third = () => holder.controller.nodes().find(({ node }) => node === 'third');
  await until('the refusal is known', () => third()?.refusals.length === 3, holder);
  expect(holder.controller.nodes().map(({ node }) => node)).toEqual(['far', 'local', 'third']);
  expect(third()).toMatchObject({
    connected: true,
    ackedVersion: holder.controller.publisher.snapshot?.version,
    refusals: expect.arrayContaining([expect.objectContaining({ kind: 'http-route', name: 'shop/web' })]),
  });
});

test('who proves nothing may not speak for nodes', async () => {
  await startPair();
  const trusting = credentials.createFromSecureContext(createSecureContext(), {
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  const client = new (loadReplicaService().Client)(lease.address, trusting);
  const error = await new Promise<ServiceError>((resolve) => {
    const stream = client.relay();
    stream.on('error', resolve);
    stream.write({ gone: { node: 'local' } });
  });
  client.close();
  expect(error.code).toBe(status.UNIMPLEMENTED);
});
