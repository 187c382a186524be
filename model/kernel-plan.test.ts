import { applyDelta } from './apply-delta.js';
import { KernelPlan } from './kernel-plan.js';
import type { Resource, ResourceKey } from './resource.js';
import { emptySnapshot, type Snapshot } from './snapshot.js';
import {
  endpoint,
  endpointSet,
  httpAttributes,
  mesh,
  policy,
  policyRule,
  resource,
  route,
  seededRandom,
  service,
  snapshotOf,
  workload,
} from './test-resources.js';
import type { WorkloadIndex } from './workload-index.js';

/** All that a plan says, with groups named by their members: numbers depend on what was before. */
function sayings(plan: KernelPlan, snapshot: Snapshot) {
  const members = new Map<number, string[]>();
  for (const uid of [...snapshot.workloads.keys()].sort()) {
    const id = plan.groupOf(uid);
    members.set(id, [...(members.get(id) ?? []), uid]);
  }
  const name = (id: number) => (id === 0 ? 'none' : (members.get(id)?.join(' ') ?? 'unheard of'));
  const { destinations, rules } = plan.kernelRules;
  return {
    groups: [...members].map(([id, uids]) => `${id > 0} ${uids.join(' ')}`).sort(),
    locals: [...plan.locals].sort(),
    destinations: destinations.map(({ cidr, action, group }) => `${cidr} ${action} ${name(group)}`).sort(),
    rules: rules
      .map((rule) => `${name(rule.source)} > ${name(rule.destination)}:${rule.port} ${rule.verdict}`)
      .sort(),
  };
}

/** Changes of a small mesh in which everything meets everything: one at a time, of any kind. */
class RandomChanges {
  readonly #random: () => number;
  #version = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  next(): { readonly upserts: Resource[]; readonly removals: ResourceKey[] } {
    const made = this.#one();
    if (this.#chance(0.2) && made.kind !== 'mesh') {
      return { upserts: [], removals: [{ kind: made.kind, name: made.name }] };
    }
    this.#version += 1;
    return { upserts: [{ ...made, version: `${this.#version}` }], removals: [] };
  }

  #one(): Resource {
    const kind = this.#pick(['w', 'w', 'w', 'i', 'i', 's', 'e', 'e', 'r', 'p', 'p', 'm'] as const);
    switch (kind) {
      case 'w':
        return resource('workload', this.#workload(this.#count(8)));
      case 'i':
        return this.#index(this.#pick(['node-1', 'node-2']));
      case 's': {
        const ports = [{ name: 'http', port: 80, protocol: 'http' as const }];
        const at = this.#count(3);
        const addresses = [`10.96.0.${at}`, ...(this.#chance(0.3) ? [`10.0.0.${at}`] : [])];
        return resource('service', service({ name: `s${at}`, namespace: `n${at % 2}`, addresses, ports }));
      }
      case 'e': {
        const at = this.#count(3);
        const endpoints = Array.from({ length: this.#count(3) }, () => {
          const owner = this.#count(8);
          const port = this.#chance(0.8) ? 80 : 8080;
          return endpoint({ workloadUid: `w${owner}`, address: `10.0.0.${owner}`, ports: { 80: port } });
        });
        return resource('endpoints', endpointSet(endpoints, { name: `s${at}`, namespace: `n${at % 2}` }));
      }
      case 'r': {
        const at = this.#count(3);
        const parents = [{ namespace: `n${at % 2}`, name: `s${at}`, port: undefined }];
        return resource('http-route', route({ name: `r${at}`, namespace: `n${at % 2}`, parents }));
      }
      case 'p':
        return this.#policy();
      case 'm': {
        const ranges = [
          { cidr: '10.0.0.0/8', action: this.#pick(['proxy', 'proxy', 'deny'] as const) },
          { cidr: '10.0.0.4/30', action: this.#pick(['proxy', 'direct'] as const) },
        ];
        return resource('mesh', mesh({ ranges }));
      }
    }
  }

  #workload(at: number) {
    const netns = { netns: `w${at}`, failMode: 'closed' as const, udp: 'allow' as const, probePorts: [] };
    return workload({
      uid: `w${at}`,
      namespace: `n${at % 2}`,
      serviceAccount: this.#pick(['a', 'b']),
      node: this.#pick(['node-1', 'node-1', 'node-2']),
      labels: { app: this.#pick(['x', 'y']) },
      addresses: [`10.0.0.${this.#chance(0.8) ? at : this.#count(8)}`],
      capture: this.#chance(0.8) ? netns : null,
      transport: this.#pick(['plaintext', 'weft-tls']),
    });
  }

  #index(node: string): Resource {
    const uids = Array.from({ length: 8 }, (_, at) => at).filter(() => this.#chance(0.5));
    const workloads = uids.map((at) => {
      const { kind, uid, name, namespace, serviceAccount, addresses, captured, mtls, transport } =
        this.#workload(at);
      return { kind, uid, name, namespace, serviceAccount, addresses, captured, mtls, transport, label: 'l' };
    });
    const body: WorkloadIndex = {
      trustDomain: 'mesh.test',
      cluster: 'one',
      network: 'one',
      node,
      partial: this.#chance(0.2),
      workloads,
    };
    return { kind: 'workload-index', name: `${node}/`, version: '', ownerNamespace: '', body };
  }

  #policy(): Resource {
    const at = this.#count(4);
    const targets = this.#pick([
      [],
      [{ kind: 'Selector' as const, labels: { app: 'x' } }],
      [{ kind: 'Service' as const, name: `s${at % 3}` }],
    ]);
    const rules = Array.from({ length: this.#count(3) }, () =>
      policyRule({
        sources: {
          namespaces: this.#some(['n0', 'n1']),
          serviceAccounts: this.#some(['n0/a']),
          spiffeIds: [],
        },
        ports: this.#some([80, 81]),
        http: this.#chance(0.2) ? httpAttributes({ methods: ['GET'] }) : null,
      }),
    );
    const action = this.#pick(['ALLOW', 'DENY'] as const);
    const broken = this.#chance(0.1);
    const body = policy({ name: `p${at}`, namespace: `n${at % 2}`, targets, rules, action, broken });
    return resource('authorization-policy', body);
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #count(most: number): number {
    return Math.floor(this.#random() * most);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#count(items.length)] as Item;
  }

  #some<Item>(items: readonly Item[]): Item[] {
    return items.filter(() => this.#chance(0.4));
  }
}

test.each([1, 2, 3, 4])('a plan that follows changes says what one made anew says (seed %i)', (seed) => {
  const changes = new RandomChanges(seed);
  const plan = new KernelPlan('node-1');
  let snapshot = emptySnapshot;
  const seen = { ruled: 0, unheard: 0, services: 0 };
  for (let round = 1; round <= 400; round += 1) {
    // Some changes come together, as in a burst.
    for (let count = 1 + (round % 3); count > 0; count -= 1) {
      snapshot = applyDelta(snapshot, changes.next(), round).snapshot;
    }
    plan.update(snapshot);
    const anew = new KernelPlan('node-1');
    anew.update(snapshot);
    const said = sayings(plan, snapshot);
    expect(said).toEqual(sayings(anew, snapshot));
    if (said.rules.length > 0) seen.ruled += 1;
    if (said.destinations.some((text) => text.endsWith('unheard of'))) seen.unheard += 1;
    if (said.destinations.some((text) => text.startsWith('10.96.') && !text.endsWith('none')))
      seen.services += 1;
  }
  // The walk has been where it matters.
  expect(Math.min(seen.ruled, seen.unheard, seen.services)).toBeGreaterThan(20);
});

test('the rules are another object only where something of them differs', () => {
  const denied = policy({ action: 'DENY', rules: [policyRule({ ports: [9] })] });
  const base = [resource('mesh', mesh()), resource('workload', workload())];
  const plan = new KernelPlan('node-1');
  const take = (...more: Resource[]) => {
    plan.update(snapshotOf(...base, ...more));
    return plan.kernelRules;
  };
  const first = take();
  expect(take()).toBe(first);
  // Another workload of no rule's concern.
  const other = resource('workload', workload({ uid: 'o', serviceAccount: 'o', addresses: ['10.0.0.2'] }));
  expect(take(other)).toBe(first);
  const ruled = take(other, resource('authorization-policy', denied));
  expect(ruled).not.toBe(first);
  // The same policy made anew.
  expect(take(other, resource('authorization-policy', { ...denied }))).toBe(ruled);
});
