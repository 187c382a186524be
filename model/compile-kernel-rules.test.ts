import { buildRangeTable, lookupRange } from './address-ranges.js';
import { kernelDenies } from './authorize.js';
import type { KernelRules } from './compile-kernel-rules.js';
import { KernelPlan } from './kernel-plan.js';
import type { Resource } from './resource.js';
import { programOf, type Snapshot } from './snapshot.js';
import { unknownSource } from './source.js';
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
import type { Workload } from './workload.js';

/** The kernel's own lookup, as agent/handover/messages.ts describes it. */
function kernelVerdict(
  rules: KernelRules,
  source: number,
  destination: number,
  port: number,
): 'allow' | 'deny' {
  for (const [from, at] of [
    [source, port],
    [source, 0],
    [0, port],
    [0, 0],
  ]) {
    const found = rules.rules.find(
      (entry) => entry.source === from && entry.destination === destination && entry.port === at,
    );
    if (found !== undefined) return found.verdict;
  }
  return 'allow';
}

const web = workload({ uid: 'web', namespace: 'front', serviceAccount: 'web', addresses: ['10.0.0.2'] });
const cart = workload({ uid: 'cart-1', labels: { app: 'cart' } });
const denyWeb = policy({
  action: 'DENY',
  rules: [
    policyRule({ sources: { namespaces: ['front'], serviceAccounts: [], spiffeIds: [] }, ports: [6379] }),
  ],
});

function compile(snapshot: Snapshot, plan = new KernelPlan('node-1')) {
  plan.update(snapshot);
  const groups = new Map([...snapshot.workloads.keys()].map((uid) => [uid, plan.groupOf(uid)]));
  const group = (uid: string) => groups.get(uid) ?? 0;
  const ids = new Set(groups.values());
  return { plan, group, ids, rules: plan.kernelRules };
}

test('a DENY of connections denies that source and port, nothing else', () => {
  const { rules, group } = compile(
    snapshotOf(
      resource('workload', web),
      resource('workload', cart),
      resource('authorization-policy', denyWeb),
    ),
  );
  expect(rules.rules).toEqual([
    { source: group('web'), destination: group('cart-1'), port: 6379, verdict: 'deny' },
  ]);
});

test('a default deny stands as (0, 0), with exceptions for who is allowed', () => {
  const allowWeb = policy({
    rules: [policyRule({ sources: { namespaces: ['front'], serviceAccounts: [], spiffeIds: [] } })],
  });
  const { rules, group } = compile(
    snapshotOf(
      resource('workload', web),
      resource('workload', cart),
      resource('authorization-policy', allowWeb),
    ),
  );
  expect(rules.rules).toEqual([
    { source: 0, destination: group('cart-1'), port: 0, verdict: 'deny' },
    { source: group('web'), destination: group('cart-1'), port: 0, verdict: 'allow' },
  ]);
});

describe('a caller that this node has not heard of', () => {
  const allowWeb = policy({
    rules: [policyRule({ sources: { namespaces: ['front'], serviceAccounts: [], spiffeIds: [] } })],
  });
  const other = workload({ uid: 'other', namespace: 'back', serviceAccount: 'x', addresses: ['10.0.0.3'] });
  const ranges = mesh({
    ranges: [
      { cidr: '10.0.0.0/8', action: 'proxy' },
      { cidr: '10.9.0.0/16', action: 'direct' },
    ],
  });

  function verdicts(changes: Partial<Workload>, ...more: Resource[]) {
    const { rules, group } = compile(
      snapshotOf(
        resource('mesh', ranges),
        resource('workload', web),
        resource('workload', other),
        resource('workload', { ...cart, ...changes }),
        resource('authorization-policy', allowWeb),
        ...more,
      ),
    );
    const table = buildRangeTable(rules.destinations.map((entry) => [entry.cidr, entry] as const));
    const from = (address: string) => lookupRange(table, address)?.group ?? 0;
    const verdict = (address: string) => kernelVerdict(rules, from(address), group('cart-1'), 80);
    return {
      web: verdict('10.0.0.2'),
      other: verdict('10.0.0.3'),
      unheard: verdict('10.0.7.7'),
      outside: verdict('192.0.2.1'),
      past: verdict('10.9.0.1'),
    };
  }
  const known = { web: 'allow', other: 'deny', outside: 'deny', past: 'deny' };

  test('is left to the proxy where it can prove who it is', () => {
    for (const transport of ['arriving', 'weft-tls'] as const) {
      expect(verdicts({ transport })).toEqual({ ...known, unheard: 'allow' });
      const mtls = { mode: 'disabled' as const, ports: { 81: 'strict' as const } };
      expect(verdicts({ transport, mtls })).toEqual({ ...known, unheard: 'allow' });
    }
  });

  test('is refused by the kernel where nobody can', () => {
    expect(verdicts({})).toEqual({ ...known, unheard: 'deny' });
    expect(verdicts({ transport: 'leaving' })).toEqual({ ...known, unheard: 'deny' });
    const disabled = { mode: 'disabled' as const, ports: {} };
    expect(verdicts({ transport: 'weft-tls', mtls: disabled })).toEqual({ ...known, unheard: 'deny' });
  });

  test('is refused where another workload takes proofs and this one does not', () => {
    const proving = workload({
      uid: 'p',
      serviceAccount: 'p',
      addresses: ['10.0.0.8'],
      transport: 'weft-tls',
    });
    expect(verdicts({}, resource('workload', proving))).toEqual({ ...known, unheard: 'deny' });
  });

  test('costs nothing where no policy refuses unknown sources', () => {
    const snapshot = snapshotOf(
      resource('mesh', ranges),
      resource('workload', { ...cart, transport: 'weft-tls' }),
    );
    const { rules, group } = compile(snapshot);
    expect(rules.rules).toEqual([]);
    expect(rules.destinations.map((entry) => entry.group)).toEqual([0, 0]);
    expect(group('cart-1')).toBe(1);
  });
});

test.each([
  [
    'rules of requests',
    policy({ action: 'DENY', rules: [policyRule({ http: httpAttributes({ methods: ['GET'] }) })] }),
  ],
  ['a default deny beside rules of requests', policy({ rules: [policyRule({ http: httpAttributes() })] })],
  ['authentication', policy({ action: 'DENY', requireAuthenticated: true, rules: [policyRule()] })],
  ['audit mode', policy({ action: 'DENY', mode: 'Audit', rules: [policyRule()] })],
  ['a broken policy', policy({ broken: true })],
])('%s is left to the proxy', (_, given) => {
  const snapshot = snapshotOf(resource('workload', cart), resource('authorization-policy', given));
  expect(compile(snapshot).rules.rules).toEqual([]);
});

test('sources of other nodes matter only for destinations on this one', () => {
  const far = workload({ ...web, uid: 'far', node: 'node-2' });
  const snapshot = snapshotOf(
    resource('workload', far),
    resource('workload', cart),
    resource('authorization-policy', denyWeb),
  );
  expect(compile(snapshot, new KernelPlan('node-1')).rules.rules).toHaveLength(1);
  expect(compile(snapshot, new KernelPlan('node-2')).rules.rules).toHaveLength(1);
  expect(compile(snapshot, new KernelPlan('node-3')).rules.rules).toHaveLength(0);
});

describe('destinations', () => {
  const lookup = (snapshot: Snapshot, address: string) => {
    const { rules, group } = compile(snapshot);
    const table = buildRangeTable(rules.destinations.map((entry) => [entry.cidr, entry] as const));
    const found = lookupRange(table, address);
    return found === undefined ? undefined : [found.action, found.group === group('cart-1')];
  };
  const samePort = endpointSet([endpoint({ ports: { 80: 80 } })]);
  const base = [
    resource(
      'mesh',
      mesh({
        ranges: [
          { cidr: '10.0.0.0/8', action: 'proxy' },
          { cidr: '192.0.2.0/24', action: 'deny' },
        ],
      }),
    ),
    resource('workload', workload({ addresses: ['10.0.0.1', 'fd00::1', '192.0.2.7'] })),
    resource('service', service({ addresses: ['10.96.0.1', 'fd00::96'] })),
    resource('endpoints', samePort),
  ];
  const snapshot = snapshotOf(...base);

  const denied = policy({ action: 'DENY', rules: [policyRule({ ports: [9] })] });
  test.each(['10.0.0.1', 'fd00::1', '192.0.2.7'])(
    "the workload's address %s is proxied, with its group where a rule speaks of it",
    (address) => {
      const ruled = snapshotOf(...base, resource('authorization-policy', denied));
      expect(lookup(ruled, address)).toEqual(['proxy', true]);
    },
  );
  test('a mesh without rules has entries for what its ranges do not say alone', () => {
    expect(lookup(snapshot, '10.0.0.1')).toEqual(['proxy', false]);
    expect(lookup(snapshot, '192.0.2.7')).toEqual(['proxy', true]);
    const many = Array.from({ length: 100 }, (_, at) =>
      resource('workload', workload({ uid: `w${at}`, addresses: [`10.1.0.${at}`] })),
    );
    const { destinations } = compile(snapshotOf(...base, ...many)).rules;
    expect(destinations.filter(({ cidr }) => cidr.startsWith('10.1.'))).toEqual([]);
  });
  test.each(['10.96.0.1', 'fd00::96'])(
    'the virtual address %s has the group of all its endpoints',
    (address) => {
      expect(lookup(snapshot, address)).toEqual(['proxy', true]);
    },
  );
  test('ranges keep their action', () => {
    expect(lookup(snapshot, '192.0.2.1')).toEqual(['deny', false]);
    expect(lookup(snapshot, '198.51.100.1')).toBeUndefined();
  });
  test.each([
    ['ports differ', resource('endpoints', endpointSet([endpoint()]), '2')],
    ['a route is attached', resource('http-route', route())],
    [
      'an endpoint is unknown',
      resource('endpoints', endpointSet([endpoint({ address: '10.0.0.5', ports: { 80: 80 } })]), '2'),
    ],
    ['there is no endpoint', resource('endpoints', endpointSet([]), '2')],
  ])('a virtual address has no group where %s, and is proxied all the same', (_, change) => {
    expect(lookup(snapshotOf(...base, change), '10.96.0.1')).toEqual(['proxy', false]);
    expect(lookup(snapshotOf(...base, change), 'fd00::96')).toEqual(['proxy', false]);
  });
  test('a virtual address has no group where its endpoints differ in group', () => {
    const other = resource('workload', workload({ uid: 'x', serviceAccount: 'x', addresses: ['10.0.0.3'] }));
    const both = endpointSet([
      endpoint({ ports: { 80: 80 } }),
      endpoint({ address: '10.0.0.3', ports: { 80: 80 } }),
    ]);
    expect(lookup(snapshotOf(...base, other, resource('endpoints', both, '2')), '10.96.0.1')).toEqual([
      'proxy',
      false,
    ]);
  });
});

describe('groups', () => {
  test('one for equal identity and policies, dense from 1', () => {
    const twin = workload({ uid: 'cart-2', addresses: ['10.0.0.9'] });
    const { group, ids } = compile(
      snapshotOf(resource('workload', cart), resource('workload', twin), resource('workload', web)),
    );
    expect(group('cart-1')).toBe(group('cart-2'));
    expect([group('cart-1'), group('web')].sort()).toEqual([1, 2]);
    expect(ids.size).toBe(2);
  });

  test('two where policies select one of them only', () => {
    const twin = workload({ uid: 'cart-2', addresses: ['10.0.0.9'] });
    const targets = [{ kind: 'Selector' as const, labels: { app: 'cart' } }];
    const { group } = compile(
      snapshotOf(
        resource('workload', cart),
        resource('workload', twin),
        resource('authorization-policy', policy({ targets })),
      ),
    );
    expect(group('cart-1')).not.toBe(group('cart-2'));
  });

  test('keep their ids; a freed id rests for one compilation, then serves again', () => {
    const named = (...names: string[]) =>
      snapshotOf(
        ...names.map((name, at) =>
          resource('workload', workload({ uid: name, serviceAccount: name, addresses: [`10.0.1.${at}`] })),
        ),
      );
    const first = compile(named('a', 'b'));
    const second = compile(named('b'), first.plan);
    expect(second.group('b')).toBe(first.group('b'));
    const third = compile(named('b', 'c'), first.plan);
    expect([third.group('b'), third.group('c')]).toEqual([first.group('b'), 3]);
    const fourth = compile(named('b', 'c', 'd'), first.plan);
    expect([fourth.group('c'), fourth.group('d')]).toEqual([3, first.group('a')]);
  });

  test('ids never clash over random comings and goings, and stay few', () => {
    const random = seededRandom(6);
    const plan = new KernelPlan('node-1');
    const all = Array.from({ length: 12 }, (_, at) => `sa${at}`);
    for (let round = 0; round < 200; round += 1) {
      const names = all.filter(() => random() < 0.5);
      const snapshot = snapshotOf(
        ...names.map((name, at) =>
          resource('workload', workload({ uid: name, serviceAccount: name, addresses: [`10.0.1.${at}`] })),
        ),
      );
      const { ids } = compile(snapshot, plan);
      expect(ids.size).toBe(names.length);
      // Those in use, and those that rest from this round and the one before.
      expect(Math.max(0, ...ids)).toBeLessThanOrEqual(3 * all.length);
    }
  });
});

test('the kernel decides as authorization does, over random policies, sources and ports', () => {
  const random = seededRandom(12);
  const maybe = <Item>(items: readonly Item[]): Item[] => items.filter(() => random() < 0.35);
  let denials = 0;
  for (let round = 0; round < 150; round += 1) {
    const workloads = Array.from({ length: 6 }, (_, at) =>
      workload({
        uid: `w${at}`,
        namespace: `n${at % 2}`,
        serviceAccount: `sa${at % 3}`,
        addresses: [`10.0.0.${at}`],
        node: `node-${1 + (at % 2)}`,
        transport: at % 3 === 0 ? 'weft-tls' : 'plaintext',
      }),
    );
    const policies = Array.from({ length: 4 }, (_, at) =>
      policy({
        namespace: `n${at % 2}`,
        name: `p${at}`,
        action: random() < 0.5 ? 'ALLOW' : 'DENY',
        mode: random() < 0.15 ? 'Audit' : 'Enforce',
        requireAuthenticated: random() < 0.15,
        rules: Array.from({ length: Math.floor(random() * 3) }, () =>
          policyRule({
            sources: {
              namespaces: maybe(['n0', 'n1']),
              serviceAccounts: maybe(['n0/sa0', 'n1/sa1']),
              spiffeIds: [],
            },
            ports: maybe([80, 81]),
            http: random() < 0.2 ? httpAttributes({ methods: ['GET'] }) : null,
          }),
        ),
      }),
    );
    const snapshot = snapshotOf(
      ...workloads.map((each) => resource('workload', each)),
      ...policies.map((each) => resource('authorization-policy', each)),
    );
    const { kernelRules } = compile(snapshot).plan;
    const groupAt = new Map(kernelRules.destinations.map((entry) => [entry.cidr, entry.group]));
    for (const destination of snapshot.workloads.values()) {
      const to = groupAt.get(`${destination.workload.addresses[0]}/32`) ?? 0;
      const program = programOf(snapshot, destination);
      for (const port of [80, 81, 82]) {
        for (const source of snapshot.workloads.values()) {
          // What never happens on this node's kernel is not asked.
          if (source.workload.node !== 'node-1' && destination.workload.node !== 'node-1') continue;
          const from = groupAt.get(`${source.workload.addresses[0]}/32`) ?? 0;
          const expected = kernelDenies(program, source.addressed, port) ? 'deny' : 'allow';
          if (expected === 'deny') denials += 1;
          expect(kernelVerdict(kernelRules, from, to, port)).toBe(expected);
        }
        const unknown = kernelDenies(program, unknownSource, port) ? 'deny' : 'allow';
        expect(kernelVerdict(kernelRules, 0, to, port)).toBe(unknown);
      }
    }
  }
  expect(denials).toBeGreaterThan(1000);
});
