import { seededRandom } from '../../model/test-resources.js';
import { reportDueMs } from './node-book.js';
import { SimulatedMesh } from './simulated-mesh.js';
import { TransportPhases } from './transport-phases.js';

const nodes = ['node-a', 'node-b', 'node-c'];
const workloads = ['cart', 'web', 'db', 'bank', 'mail', 'auth'];

const newMesh = () => new SimulatedMesh(nodes, workloads);

/** One random thing that can happen. */
function happen(mesh: SimulatedMesh, random: () => number, restarts: boolean): string {
  const pick = <One>(list: readonly One[]) => list[Math.floor(random() * list.length)] as One;
  const node = pick(nodes);
  const uid = pick(workloads);
  const what = Math.floor(random() * 100);
  const told = (text: string, act: () => void) => {
    act();
    return text;
  };
  if (what < 20) return told(`deliver ${node}`, () => mesh.deliver(node));
  if (what < 40) return told(`ack ${node}`, () => mesh.acknowledge(node));
  if (what < 52) return told(`enrol ${node}`, () => mesh.enrol(node));
  if (what < 65) return told(`report ${node}`, () => mesh.report(node));
  if (what < 75) return told(`edit ${uid}`, () => mesh.edit(uid, random() < 0.6));
  if (what < 83) return told(`connect ${node}`, () => mesh.connect(node));
  if (what < 86) return told(`disconnect ${node}`, () => mesh.disconnect(node));
  if (what < 87 && restarts) return told('restart', () => mesh.restart());
  return told('time', () => mesh.pass(pick([10, 100, 1000, 2000])));
}

test('nobody speaks what the other end does not take, whatever the order of what happens', () => {
  for (let seed = 1; seed <= 80; seed += 1) {
    const random = seededRandom(seed);
    const mesh = newMesh();
    const events: string[] = [];
    for (const name of nodes) mesh.connect(name);
    for (let step = 0; step < 400; step += 1) {
      events.push(happen(mesh, random, false));
      const text = mesh.misunderstanding();
      if (text !== undefined) throw new Error(`seed ${seed}: ${text}, after ${events.slice(-25).join(', ')}`);
    }
  }
});

test('after whatever happened, restarts too, everything wanted is encrypted and the rest is not', () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = seededRandom(seed);
    const mesh = newMesh();
    for (let step = 0; step < 300; step += 1) happen(mesh, random, true);
    mesh.pass(60_000);
    mesh.settle();
    for (const uid of workloads) {
      expect([seed, uid, mesh.phaseOf(uid)]).toEqual([
        seed,
        uid,
        mesh.wanted.get(uid) ? 'weft-tls' : 'plaintext',
      ]);
    }
    expect(mesh.misunderstanding()).toBeUndefined();
  }
});

test('phases change by neighbours alone', () => {
  const allowed = new Set([
    'plaintext arriving',
    'arriving weft-tls',
    'weft-tls arriving',
    'arriving leaving',
    'leaving arriving',
    'leaving plaintext',
  ]);
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = seededRandom(seed);
    const mesh = newMesh();
    for (let step = 0; step < 400; step += 1) happen(mesh, random, false);
    for (const [uid, phases] of mesh.told) {
      const steps = phases.slice(1).map((phase, index) => `${phases[index]} ${phase}`);
      expect([uid, steps.filter((step) => !allowed.has(step))]).toEqual([uid, []]);
    }
  }
});

test('nobody is told of TLS before the workload`s own node has reported it', () => {
  const mesh = newMesh();
  for (const name of nodes) mesh.connect(name);
  for (const name of nodes) mesh.deliver(name);
  for (const name of nodes) mesh.acknowledge(name);
  mesh.pass(120_000);
  expect(workloads.map((uid) => mesh.phaseOf(uid))).toEqual(workloads.map(() => 'plaintext'));
  mesh.enrol('node-a');
  mesh.enrol('node-a');
  mesh.report('node-a');
  expect(mesh.phaseOf('cart')).toBe('arriving');
  expect(mesh.phaseOf('web')).toBe('plaintext');
});

test('TLS is not demanded while one connected node is silent, and is once that node has gone', () => {
  const mesh = newMesh();
  mesh.settle();
  mesh.edit('cart', false);
  mesh.settle();
  mesh.edit('cart', true);
  for (const name of nodes) mesh.deliver(name);
  for (const name of nodes) mesh.acknowledge(name);
  mesh.enrol('node-a');
  mesh.enrol('node-a');
  mesh.report('node-a');
  expect(mesh.phaseOf('cart')).toBe('arriving');
  for (const name of ['node-a', 'node-b']) mesh.deliver(name);
  for (const name of ['node-a', 'node-b']) mesh.acknowledge(name);
  mesh.pass(120_000);
  expect(mesh.phaseOf('cart')).toBe('arriving');
  mesh.disconnect('node-c');
  mesh.pass(29_000);
  expect(mesh.phaseOf('cart')).toBe('arriving');
  mesh.pass(2000);
  mesh.pass(2000);
  expect(mesh.phaseOf('cart')).toBe('weft-tls');
});

test('capture lasts until every node knows that the workload leaves, or has had its time', () => {
  const mesh = newMesh();
  mesh.settle();
  const captured = () => mesh.nodes.get('node-a')?.captured.has('cart');
  const exchange = (...names: string[]) => {
    for (const name of names) mesh.deliver(name);
    for (const name of names) mesh.acknowledge(name);
    mesh.pass(1500);
    mesh.pass(0);
  };
  mesh.edit('cart', false);
  exchange(...nodes);
  exchange('node-a', 'node-b');
  exchange('node-a', 'node-b');
  expect(mesh.phaseOf('cart')).toBe('leaving');
  mesh.pass(50_000);
  expect(captured()).toBe(true);
  mesh.pass(10_000);
  mesh.deliver('node-a');
  expect(mesh.phaseOf('cart')).toBe('plaintext');
  expect(captured()).toBe(false);
});

test('a lost identity leads back to plaintext and a new one to TLS, and capture stays', () => {
  const mesh = newMesh();
  mesh.settle();
  const able = mesh.nodes.get('node-a')?.able;
  able?.delete('cart');
  mesh.report('node-a');
  expect(mesh.phaseOf('cart')).toBe('arriving');
  const exchange = () => {
    for (const name of nodes) mesh.deliver(name);
    for (const name of nodes) mesh.acknowledge(name);
    mesh.pass(1500);
    mesh.pass(1500);
  };
  exchange();
  expect(mesh.phaseOf('cart')).toBe('leaving');
  exchange();
  exchange();
  expect(mesh.phaseOf('cart')).toBe('leaving');
  expect(mesh.nodes.get('node-a')?.captured.has('cart')).toBe(true);
  mesh.settle();
  expect(mesh.phaseOf('cart')).toBe('weft-tls');
});

test('a controller that starts anew keeps the phases that agents hold', () => {
  const mesh = newMesh();
  mesh.settle();
  mesh.restart();
  for (const name of nodes) {
    mesh.connect(name);
    expect(workloads.map((uid) => mesh.phaseOf(uid))).toEqual(workloads.map(() => 'weft-tls'));
  }
  for (const name of nodes) mesh.report(name);
  mesh.pass(60_000);
  expect(workloads.map((uid) => mesh.phaseOf(uid))).toEqual(workloads.map(() => 'weft-tls'));
});

test('an agent that comes back without a report is taken to have lost what it had', () => {
  const mesh = newMesh();
  mesh.settle();
  mesh.disconnect('node-a');
  mesh.connect('node-a');
  mesh.pass(9000);
  expect(mesh.phaseOf('cart')).toBe('weft-tls');
  mesh.pass(2000);
  expect(mesh.phaseOf('cart')).toBe('arriving');
});

test('a node that reports nothing is waited for so long, and then there is nothing to look at', () => {
  const phases = new TransportPhases(0);
  phases.come('node-a', 'self', new Map(), 0);
  expect(phases.advance(0, true).waiting).toBe(true);
  expect(phases.advance(reportDueMs - 1, true).waiting).toBe(true);
  expect(phases.advance(reportDueMs, true).waiting).toBe(false);
  phases.report('node-a', 'self', new Map());
  expect(phases.advance(reportDueMs, true).waiting).toBe(false);
});
