/** A node that gets the details of what it uses decides as one that gets everything. */
import { applyDelta } from '../../model/apply-delta.js';
import { findDestination, portProtocol } from '../../model/find-destination.js';
import { acceptRule, dialTransport } from '../../model/mtls.js';
import type { Resource } from '../../model/resource.js';
import { emptySnapshot, programOf, type Snapshot, workloadAt } from '../../model/snapshot.js';
import {
  endpoint,
  endpointSet,
  mesh,
  policy,
  policyRule,
  resource,
  route,
  rule,
  seededRandom,
  service,
  workload,
} from '../../model/test-resources.js';
import type { Workload } from '../../model/workload.js';
import type { Detail } from '../../model/workload-index.js';
import { decodeDelta } from '../../proto/decode-delta.js';
import { loadConfigService } from '../../proto/load-config-service.js';
import { makeResource } from '../resources/make-resource.js';
import { AgentSession } from './agent-session.js';
import { Publisher } from './publisher.js';
import { shareBytes } from './serialize-delta.js';
import { changesTo } from './test-changes.js';

const stream = shareBytes(loadConfigService().definition).Stream;

/** An agent over the wire's bytes, as the proxy takes deltas. */
class ModelAgent {
  session = new AgentSession();
  readonly #publisher: Publisher;
  /** False: as an agent of before, or towards a controller of before, which ignores what it does not know of hello. */
  #scoped: boolean;
  snapshot = emptySnapshot;
  /** Resources that the last {@link settle} brought or took. */
  moved: string[] = [];

  constructor(publisher: Publisher, scoped: boolean, wants: readonly Detail[] = []) {
    this.#publisher = publisher;
    this.#scoped = scoped;
    this.come(wants);
  }

  /** A new stream, with what is held from before. */
  come(wants: readonly Detail[], scoped = this.#scoped): void {
    this.#scoped = scoped;
    if (this.session.state !== 'awaiting-hello') this.#publisher.remove(this.session);
    this.session = new AgentSession();
    const held = [...this.snapshot.resources.values()].map(({ kind, name, version }) => ({
      kind,
      name,
      version,
    }));
    this.#say({
      hello: { protocol: 1, node: 'n1', agentVersion: '', held, scoped: this.#scoped, wants: [...wants] },
    });
    this.#publisher.add(this.session, () => {});
  }

  want(added: readonly Detail[], removed: readonly Detail[] = []): void {
    this.#say({ wants: { added: [...added], removed: [...removed] } });
  }

  settle(): void {
    this.moved = [];
    for (let delta = this.session.next(this.#publisher); delta !== null; ) {
      const read = decodeDelta(stream.responseDeserialize(stream.responseSerialize(delta)));
      expect(read.refused).toEqual([]);
      const { snapshot, refusals } = applyDelta(this.snapshot, read, read.snapshotVersion);
      expect(refusals).toEqual([]);
      this.snapshot = snapshot;
      this.moved.push(...[...read.upserts, ...read.removals].map(({ kind, name }) => `${kind} ${name}`));
      this.#say({ ack: { nonce: delta.nonce as number } });
      delta = this.session.next(this.#publisher);
    }
    expect(this.session.ackedVersion).toBe(this.#publisher.snapshot?.version);
  }

  #say(message: Parameters<typeof stream.requestSerialize>[0]): void {
    expect(this.session.receive(stream.requestDeserialize(stream.requestSerialize(message)))).toBeNull();
  }
}

const wanted = (name: string): Detail => ({ kind: 'service', name });
const finished = (one: Resource): Resource =>
  makeResource(one.kind, one.name, one.ownerNamespace, one.body as never);

/** A small mesh of three nodes and two namespaces, another one for each state of `random`. */
class RandomMesh {
  readonly #random: () => number;
  readonly #resources = new Map<string, Resource>();

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#put(resource('mesh', mesh()));
    for (let at = 0; at < 40; at += 1) this.change();
  }

  get resources(): Resource[] {
    return [...this.#resources.values()];
  }

  change(): void {
    const space = this.#of(['a', 'b'] as const);
    switch (this.#of(['workload', 'workload', 'service', 'endpoints', 'route', 'policy', 'gone'] as const)) {
      case 'workload':
        this.#put(resource('workload', this.#workload(this.#number(12))));
        break;
      case 'service':
      case 'endpoints':
        this.#service(this.#number(5));
        break;
      case 'route':
        this.#route(space);
        break;
      case 'policy':
        this.#policy(space);
        break;
      case 'gone': {
        const [id, gone] = this.#of([...this.#resources]);
        if (gone.kind !== 'mesh' && gone.kind !== 'service') this.#resources.delete(id);
      }
    }
  }

  #workload(number: number): Workload {
    const captured = this.#random() < 0.7;
    const node = this.#of(['n1', 'n2', 'n3', '']);
    return workload({
      uid: `00000000-0000-0000-0000-${`${number}`.padStart(12, '0')}`,
      name: `w${number}`,
      namespace: spaceOf(number),
      node,
      addresses: [`10.0.0.${number + 1}`],
      labels: { app: this.#of(['x', 'y']) },
      ports: this.#random() < 0.5 ? [] : [{ name: '', port: 8080, protocol: this.#of(['http', 'tcp']) }],
      captured,
      capture: captured ? { netns: `w${number}`, failMode: 'closed', udp: 'allow', probePorts: [] } : null,
      mtls: {
        mode: this.#of(['strict', 'permissive']),
        ports: this.#random() < 0.2 ? { 81: 'disabled' } : {},
      },
      transport: this.#of(['plaintext', 'arriving', 'weft-tls', 'leaving']),
    });
  }

  #service(number: number): void {
    const [namespace, name] = [spaceOf(number), `s${number}`];
    this.#put(resource('service', service({ namespace, name, addresses: [`10.96.0.${number + 1}`] })));
    const members = this.resources.flatMap((one) =>
      one.kind === 'workload' && one.ownerNamespace === namespace && this.#random() < 0.4 ? [one.body] : [],
    );
    const endpoints = members.map(({ uid, addresses }) =>
      endpoint({ workloadUid: uid, address: addresses[0] as string, ready: this.#random() < 0.8 }),
    );
    this.#put(resource('endpoints', endpointSet(endpoints, { namespace, name })));
  }

  #route(namespace: string): void {
    const reference = () => {
      const number = this.#number(5);
      return { namespace: spaceOf(number), name: `s${number}` };
    };
    const backends = [reference(), reference()].map((to) => ({
      service: { ...to, port: 80 },
      weight: 1,
      filters: [],
    }));
    const parents = [{ ...reference(), port: undefined }];
    const name = `r${this.#number(4)}`;
    this.#put(resource('http-route', route({ namespace, name, parents, rules: [rule({ backends })] })));
  }

  #policy(namespace: string): void {
    const target = this.#of([
      { kind: 'Service' as const, name: `s${this.#number(5)}` },
      { kind: 'Selector' as const, labels: { app: 'x' } },
      null,
    ]);
    const action = this.#of(['ALLOW', 'DENY'] as const);
    const name = `p${this.#number(3)}`;
    const targets = target === null ? [] : [target];
    this.#put(
      resource('authorization-policy', policy({ namespace, name, targets, action, rules: [policyRule()] })),
    );
  }

  #put(one: Resource): void {
    this.#resources.set(`${one.kind} ${one.name}`, finished(one));
  }

  #number(below: number): number {
    return Math.floor(this.#random() * below);
  }

  #of<Item>(items: readonly Item[]): Item {
    return items[this.#number(items.length)] as Item;
  }
}

function spaceOf(number: number): string {
  return number % 2 === 0 ? 'a' : 'b';
}

/** What decides about everybody who calls the node's own workloads. */
function inbound(snapshot: Snapshot) {
  const views = [...snapshot.workloads.values()].sort((a, b) => (a.workload.uid < b.workload.uid ? -1 : 1));
  const own = views.filter(({ workload: { node } }) => node === 'n1');
  return own.map((local) => ({
    local: local.workload,
    policies: programOf(snapshot, local).policies.map(({ key }) => key),
    protocol: portProtocol(snapshot, local, 8080),
    callers: views.map((caller) => ({
      label: caller.label,
      at: caller.workload.addresses.map((address) => workloadAt(snapshot, address)?.workload.uid),
      sources: [caller.addressed, caller.authenticated],
      rules: [80, 81].map((port) => acceptRule(local, true, port, caller)),
    })),
  }));
}

/** What decides about connections of the node's own workloads to a service. */
function outbound(snapshot: Snapshot, key: string) {
  const found = snapshot.services.get(key);
  if (found === undefined) throw new Error(`no ${key}`);
  const routes = (snapshot.routesByService.get(key) ?? []).map(
    ({ route: { namespace, name } }) => `${namespace}/${name}`,
  );
  const backends = (snapshot.routesByService.get(key) ?? []).flatMap(({ route: { rules } }) =>
    rules.flatMap(({ backends }) => backends.map(({ service: to }) => `${to?.namespace}/${to?.name}`)),
  );
  // Agents get routes in no particular order: the routes themselves say who comes first.
  backends.sort();
  const own = [...snapshot.workloads.values()].filter(({ workload: { node } }) => node === 'n1');
  own.sort((a, b) => (a.workload.uid < b.workload.uid ? -1 : 1));
  const targets = [key, ...new Set(backends)].flatMap((to) => {
    const set = snapshot.services.get(to)?.endpoints;
    return (set?.endpoints ?? []).map((one) => {
      const view = snapshot.workloads.get(one.workloadUid);
      const enforced = view !== undefined && !view.workload.captured;
      return {
        to,
        ...one,
        dial: own.map((local) => dialTransport(local, true, view, 8080)),
        policies: enforced ? programOf(snapshot, view).policies.map((each) => each.key) : [],
      };
    });
  });
  return { routes: routes.sort(), backends, targets };
}

test('whatever changes, its decisions are those of a node that gets everything', () => {
  for (let seed = 1; seed <= 6; seed += 1) {
    const random = new RandomMesh(seed);
    const publisher = new Publisher();
    let wants = ['a/s0', 'b/s1', 'b/s3'].slice(0, seed % 4);
    publisher.publish({ resources: changesTo(random.resources, publisher.snapshot) }, false, 1);
    const whole = new ModelAgent(publisher, false);
    const scoped = new ModelAgent(publisher, true, wants.map(wanted));
    for (let round = 2; round < 30; round += 1) {
      // Several changes between two deltas, a change of wants, or a new stream.
      for (let more = 0; more <= round % 3; more += 1) {
        random.change();
        publisher.publish(
          { resources: changesTo(random.resources, publisher.snapshot) },
          false,
          round * 10 + more,
        );
      }
      if (round % 7 === 0) {
        const next = ['a/s2', ...wants].slice(0, 3);
        scoped.want(next.map(wanted), wants.filter((name) => !next.includes(name)).map(wanted));
        wants = next;
      }
      if (round % 11 === 0) scoped.come(wants.map(wanted));
      whole.settle();
      scoped.settle();
      expect(inbound(scoped.snapshot)).toEqual(inbound(whole.snapshot));
      for (const key of wants) {
        if (whole.snapshot.services.get(key)?.endpoints === undefined) continue;
        expect(outbound(scoped.snapshot, key)).toEqual(outbound(whole.snapshot, key));
      }
    }
  }
});

const index = (uid: string, node: string, more: Partial<Workload> = {}) =>
  finished(resource('workload', workload({ uid, node, capture: null, captured: true, ...more })));

test('a service that nothing uses is unfetched; wanted it comes whole, and goes when it is not any more', () => {
  const publisher = new Publisher();
  const canary = { name: 'canary', addresses: ['10.96.0.2'] };
  const backends = [{ service: { namespace: 'shop', name: 'canary', port: 80 }, weight: 1, filters: [] }];
  const details = [
    resource('mesh', mesh()),
    resource('service', service()),
    resource('service', service(canary)),
    resource('endpoints', endpointSet([endpoint({ workloadUid: 'one', address: '10.0.0.1' })])),
    resource(
      'endpoints',
      endpointSet([endpoint({ workloadUid: 'two', address: '10.0.0.2' })], { name: 'canary' }),
    ),
    resource('http-route', route({ rules: [rule({ backends })] })),
  ].map(finished);
  const workloads = [index('one', 'n2'), index('two', 'n3', { addresses: ['10.0.0.2'] })];
  publisher.publish({ resources: changesTo([...details, ...workloads], publisher.snapshot) }, false, 1);
  const agent = new ModelAgent(publisher, true);
  agent.settle();
  const cart = wanted('shop/cart');
  const find = () => findDestination(agent.snapshot, '10.96.0.1', 80);
  expect(find()).toEqual({ kind: 'unfetched', detail: cart });
  expect(findDestination(agent.snapshot, '10.0.0.1', 8080)).toEqual({
    kind: 'unfetched',
    detail: { kind: 'workload', name: 'one' },
  });
  agent.want([cart]);
  agent.settle();
  // In this order: with the service's own endpoints it is complete.
  expect(agent.moved).toEqual(['http-route shop/cart', 'endpoints shop/canary', 'endpoints shop/cart']);
  expect(find()).toMatchObject({ kind: 'service' });
  agent.want([], [cart]);
  agent.settle();
  expect(agent.moved.sort()).toEqual([
    'endpoints shop/canary',
    'endpoints shop/cart',
    'http-route shop/cart',
  ]);
  expect(find()).toEqual({ kind: 'unfetched', detail: cart });
});

test('a workload that is dialled by its own address comes with all that decides about it', () => {
  const publisher = new Publisher();
  const ports = [{ name: '', port: 8080, protocol: 'http' as const }];
  const stranger = index('one', 'n2', { captured: false, ports });
  const protect = finished(resource('authorization-policy', policy({ rules: [policyRule()] })));
  publisher.publish(
    { resources: changesTo([finished(resource('mesh', mesh())), stranger, protect], publisher.snapshot) },
    false,
    1,
  );
  const agent = new ModelAgent(publisher, true);
  agent.settle();
  expect(agent.moved).toEqual(['mesh mesh', 'workload-index n2/']);
  agent.want([{ kind: 'workload', name: 'one' }]);
  agent.settle();
  expect(agent.moved).toEqual(['authorization-policy shop/policy', 'workload one']);
  expect(findDestination(agent.snapshot, '10.0.0.1', 8080)).toMatchObject({
    kind: 'workload',
    protocol: 'http',
  });
});

test('a change reaches the nodes that use it, and every other one acknowledges all the same', () => {
  const publisher = new Publisher();
  const set = (ready: boolean) =>
    finished(resource('endpoints', endpointSet([endpoint({ workloadUid: '', ready })])));
  const rest = [resource('mesh', mesh()), resource('service', service())].map(finished);
  publisher.publish({ resources: changesTo([...rest, set(true)], publisher.snapshot) }, false, 1);
  const user = new ModelAgent(publisher, true, [wanted('shop/cart')]);
  const other = new ModelAgent(publisher, true);
  user.settle();
  other.settle();
  publisher.publish({ resources: changesTo([...rest, set(false)], publisher.snapshot) }, false, 2);
  user.settle();
  other.settle();
  expect([user.moved, other.moved]).toEqual([['endpoints shop/cart'], []]);
  expect(other.session.ackedVersion).toBe(2);
});

test('while the controller does not know everything, nobody is taken out of the index', () => {
  const publisher = new Publisher();
  const two = [index('one', 'n2'), index('two', 'n2', { addresses: ['10.0.0.2'] })];
  publisher.publish({ resources: changesTo(two, publisher.snapshot) }, false, 1);
  const agent = new ModelAgent(publisher, true);
  agent.settle();
  const restarted = new Publisher();
  restarted.publish({ resources: changesTo(two.slice(0, 1), restarted.snapshot) }, true, 2);
  const after = new ModelAgent(restarted, true);
  after.snapshot = agent.snapshot;
  after.come([]);
  after.settle();
  expect([...after.snapshot.workloads.entries()].map(([uid]) => uid).sort()).toEqual(['one', 'two']);
  restarted.publish({ resources: changesTo(two.slice(0, 1), restarted.snapshot) }, false, 3);
  after.settle();
  expect([...after.snapshot.workloads.entries()].map(([uid]) => uid)).toEqual(['one']);
  expect(workloadAt(after.snapshot, '10.0.0.2')).toBeUndefined();
});

test('wants are for agents that say that they understand them', () => {
  const publisher = new Publisher();
  publisher.publish(
    { resources: changesTo([finished(resource('mesh', mesh()))], publisher.snapshot) },
    false,
    1,
  );
  const old = new AgentSession();
  const hello = {
    protocol: 1,
    node: 'n',
    agentVersion: '',
    held: [],
    transports: [],
    scoped: false,
    wants: [],
  };
  expect(old.receive({ hello, message: 'hello' })).toBeNull();
  expect(old.next(publisher)?.scoped).toBe(false);
  expect(old.receive({ wants: { added: [], removed: [] }, message: 'wants' })).toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});

test('agent and controller may change versions one after the other, and nothing that is in force goes in between', () => {
  const random = new RandomMesh(3);
  const publisher = new Publisher();
  publisher.publish({ resources: changesTo(random.resources, publisher.snapshot) }, false, 1);
  const whole = new ModelAgent(publisher, false);
  whole.settle();
  const agent = new ModelAgent(publisher, true, [wanted('a/s0')]);
  agent.settle();
  const keys = [...whole.snapshot.services.entries()].map(([key]) => key);
  for (let round = 2; round < 12; round += 1) {
    const scoped = round % 2 === 0;
    // The controller is of before: hello.scoped and wants mean nothing to it, and an index is nothing that it has.
    agent.come(scoped ? keys.map(wanted) : [], scoped);
    agent.settle();
    expect(inbound(agent.snapshot)).toEqual(inbound(whole.snapshot));
    for (const key of keys) expect(outbound(agent.snapshot, key)).toEqual(outbound(whole.snapshot, key));
    const kinds = new Set([...agent.snapshot.resources.values()].map(({ kind }) => kind));
    expect(kinds.has('workload-index')).toBe(scoped);
    random.change();
    publisher.publish({ resources: changesTo(random.resources, publisher.snapshot) }, false, round);
    whole.settle();
    agent.settle();
  }
});
