/** Several controllers over one mesh: whatever dies, freezes or lags, nobody speaks what the other end does not take. */
import { seededRandom } from '../../model/test-resources.js';
import { SimulatedMesh } from './simulated-mesh.js';

const nodes = ['node-a', 'node-b', 'node-c', 'node-d'];
const workloads = ['cart', 'web', 'db', 'bank', 'mail'];
const replicas = ['one', 'two', 'three'];

function newMesh(seed: number, mode: 'permissive' | 'strict' = 'permissive') {
  const random = seededRandom(seed);
  return { random, mesh: new SimulatedMesh(nodes, workloads, { replicas, mode, random }) };
}

/** One random thing that can happen. */
function happen(mesh: SimulatedMesh, random: () => number): string {
  const pick = <One>(list: readonly One[]) => list[Math.floor(random() * list.length)] as One;
  const node = pick(nodes);
  const uid = pick(workloads);
  const replica = pick(mesh.replicas);
  const what = Math.floor(random() * 200);
  const told = (text: string, act: () => void) => {
    act();
    return text;
  };
  if (what < 40) return told(`deliver ${node}`, () => mesh.deliver(node));
  if (what < 75) return told(`ack ${node}`, () => mesh.acknowledge(node));
  if (what < 95) return told(`enrol ${node}`, () => mesh.enrol(node));
  if (what < 115) return told(`report ${node}`, () => mesh.report(node));
  if (what < 125) return told(`edit ${uid}`, () => mesh.edit(uid, random() < 0.6));
  if (what < 145) return told(`see ${replica.name}`, () => mesh.see(replica));
  if (what < 162) return told(`connect ${node} ${replica.name}`, () => mesh.connect(node, replica));
  if (what < 165) return told(`leave ${node}`, () => mesh.leave(node));
  if (what < 168) return told('notice', () => mesh.notice());
  if (what < 170) return told(`freeze ${replica.name}`, () => replica.freezeLinks(random));
  if (what < 171) return told(`die ${replica.name}`, () => kill(mesh, replica));
  if (what < 173) return told(`restart ${replica.name}`, () => revive(mesh, replica));
  if (what < 174) return told(`api ${replica.name}`, () => disconnect(mesh, replica));
  if (what < 175) return told('api', () => disconnectAll(mesh));
  if (what < 177) return told(`join ${replica.name}`, () => (replica.joined = !replica.joined));
  return told('time', () => mesh.pass(pick([10, 100, 1000, 2000])));
}

/** Another one holds the newest phases and can go on from them: with the last of these their memory dies, too. */
function leavesAnother(mesh: SimulatedMesh, replica: SimulatedMesh['replicas'][number]): boolean {
  const others = mesh.replicas.filter((one) => one !== replica && one.mayServe && one.heard && one.connected);
  return mesh.replicas.some(({ leads }) => leads) && others.length > 0;
}

function kill(mesh: SimulatedMesh, replica: SimulatedMesh['replicas'][number]): void {
  if (leavesAnother(mesh, replica)) replica.die();
}

/** One replica loses the API server, or finds it again. A holder who alone has lost it cannot know. */
function disconnect(mesh: SimulatedMesh, replica: SimulatedMesh['replicas'][number]): void {
  if (!replica.connected) replica.connected = true;
  else if (!replica.leads && leavesAnother(mesh, replica)) replica.connected = false;
}

/** The API server goes, or comes. */
function disconnectAll(mesh: SimulatedMesh): void {
  const away = mesh.replicas.every(({ connected }) => connected);
  for (const replica of mesh.replicas) replica.connected = !away;
}

function revive(mesh: SimulatedMesh, replica: SimulatedMesh['replicas'][number]): void {
  mesh.revive(replica);
  mesh.see(replica);
}

/** A mesh at rest: every workload that is wanted speaks TLS. */
function settled(seed: number, mode?: 'strict') {
  const made = newMesh(seed, mode);
  made.mesh.settle();
  expect(workloads.map((uid) => made.mesh.phaseOf(uid))).toEqual(workloads.map(() => 'weft-tls'));
  return made;
}

test.each(['permissive', 'strict'] as const)(
  'nobody speaks what the other end does not take (%s), whoever decides, dies, freezes or lags',
  (mode) => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const { mesh, random } = newMesh(seed, mode);
      if (seed % 2 === 0) mesh.settle();
      const events: string[] = [];
      for (let step = 0; step < 500; step += 1) {
        events.push(happen(mesh, random));
        const text = mesh.misunderstanding();
        if (text !== undefined)
          throw new Error(`seed ${seed}, step ${step}: ${text}, after ${events.slice(-40).join(', ')}`);
      }
    }
  },
);

test('after whatever happened everything wanted is encrypted and the rest is not', () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const { mesh, random } = newMesh(seed);
    for (let step = 0; step < 300; step += 1) happen(mesh, random);
    mesh.pass(60_000);
    mesh.settle();
    for (const uid of workloads) {
      const phase = mesh.wanted.get(uid) ? 'weft-tls' : 'plaintext';
      expect([seed, uid, mesh.phaseOf(uid)]).toEqual([seed, uid, phase]);
    }
    expect(mesh.misunderstanding()).toBeUndefined();
  }
});

test('the holder dies: no node is ever told plaintext, and phases go on with the next', () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const { mesh, random } = settled(seed);
    const holder = mesh.replicas.find(({ leads }) => leads);
    holder?.die();
    for (const name of nodes) mesh.leave(name);
    const others = mesh.replicas.filter((one) => one !== holder);
    for (let step = 0; step < 150; step += 1) {
      moveOn(mesh, random, others);
      for (const { snapshot } of mesh.nodes.values()) {
        for (const uid of workloads) expect(snapshot.workloads.get(uid)?.workload.transport).toBe('weft-tls');
      }
    }
    mesh.edit('cart', false);
    mesh.settle();
    expect(mesh.phaseOf('cart')).toBe('plaintext');
  }
});

/** Agents find other replicas, and time passes. */
function moveOn(mesh: SimulatedMesh, random: () => number, others: SimulatedMesh['replicas']): void {
  const node = nodes[Math.floor(random() * nodes.length)] as string;
  const replica = others[Math.floor(random() * others.length)];
  mesh.connect(node, replica);
  mesh.deliver(node);
  mesh.acknowledge(node);
  mesh.report(node);
  mesh.pass(500);
}

test('with nobody to decide phases stand still, and new workloads are enrolled', () => {
  const { mesh } = settled(3);
  mesh.edit('cart', false);
  mesh.settle();
  for (const replica of mesh.replicas) replica.connected = false;
  mesh.pass(60_000);
  expect(mesh.replicas.some(({ leads }) => leads)).toBe(false);
  mesh.wanted.set('cart', true);
  mesh.wanted.set('web', false);
  const [first] = mesh.replicas;
  if (first === undefined) throw new Error('no replica');
  first.connected = true;
  mesh.see(first);
  first.connected = false;
  const found = (uid: string) => first.published.find(({ name }) => name === uid)?.body;
  expect(found('cart')).toMatchObject({ captured: true, transport: 'plaintext' });
  expect(found('cart')?.capture).not.toBeNull();
  // What speaks TLS is let go by whoever decides, later.
  expect(found('web')?.transport).toBe('weft-tls');
  expect(found('web')?.capture).not.toBeNull();
  mesh.settle();
  expect([mesh.phaseOf('cart'), mesh.phaseOf('web')]).toEqual(['weft-tls', 'plaintext']);
});

test('a replica that sees a holder and cannot reach it sends its agents away before anybody stops to wait for them', () => {
  const { mesh } = settled(5);
  const cut = mesh.replicas.find(({ leads }) => !leads);
  if (cut === undefined) throw new Error('no follower');
  for (const name of nodes) mesh.leave(name);
  mesh.notice();
  mesh.connect('node-a', cut);
  mesh.pass(1000);
  const holder = mesh.replicas.find(({ leads }) => leads);
  if (holder === undefined) throw new Error('no holder');
  // The holder is there by its lease alone.
  cut.joined = false;
  cut.freezeLinks();
  mesh.pass(20_000);
  expect(cut.mayServe).toBe(false);
  expect(mesh.nodes.get('node-a')?.replica).toBeNull();
  mesh.connect('node-a', cut);
  expect(mesh.nodes.get('node-a')?.replica).toBeNull();
  mesh.connect('node-a', holder);
  expect(mesh.nodes.get('node-a')?.replica).toBe(holder);
});
