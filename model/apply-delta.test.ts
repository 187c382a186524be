import { Reason } from '../reasons/reasons.js';
import { applyDelta } from './apply-delta.js';
import { authorizeRequest } from './authorize.js';
import { findDestination } from './find-destination.js';
import { maxHeaderNames } from './header-draft.js';
import { matchRoute } from './match-route.js';
import type { Resource } from './resource.js';
import {
  emptySnapshot,
  programOf,
  routesFor,
  type Snapshot,
  type WorkloadView,
  workloadAt,
} from './snapshot.js';
import { unknownSource } from './source.js';
import {
  delta,
  endpoint,
  endpointSet,
  httpAttributes,
  mesh,
  pathMatch,
  policy,
  policyRule,
  request,
  resource,
  route,
  rule,
  seededRandom,
  service,
  snapshotOf,
  workload,
} from './test-resources.js';
import type { IndexedWorkload } from './workload-index.js';

const shop = () => [
  resource('mesh', mesh()),
  resource('workload', workload()),
  resource('service', service()),
  resource('endpoints', endpointSet([endpoint()])),
];

function portOf(snapshot: Snapshot, key = 'shop/cart', port = 80) {
  const found = snapshot.services.get(key)?.ports.get(port);
  if (found === undefined) throw new Error(`no ${key}:${port}`);
  return found;
}

function ruleFor(snapshot: Snapshot, path: string, namespace = 'shop'): string | null {
  const table = routesFor(portOf(snapshot), namespace);
  return table === null ? 'default' : (matchRoute(table, request('GET', path))?.rule.label ?? null);
}

function verdictFor(snapshot: Snapshot, uid = 'cart-1', path = '/') {
  const view = snapshot.workloads.get(uid);
  if (view === undefined) throw new Error(`no ${uid}`);
  return authorizeRequest(programOf(snapshot, view), unknownSource, 80, request('GET', path)).reason;
}

describe('resources become views', () => {
  test('endpoints arrive before, with or after their service, all the same', () => {
    const [, pod, cart, set] = shop() as [Resource, Resource, Resource, Resource];
    for (const order of [
      [pod, cart, set],
      [set, cart, pod],
      [cart, pod, set],
    ]) {
      let snapshot = emptySnapshot;
      for (const each of order) snapshot = applyDelta(snapshot, delta([each]), 1).snapshot;
      expect(portOf(snapshot).tiers[0]?.map(({ key }) => key)).toEqual(['10.0.0.1:8080']);
    }
  });

  test('endpoints are sorted into ready and serving; those that are neither are left out', () => {
    const set = endpointSet([
      endpoint({ address: '10.0.0.1' }),
      endpoint({ address: '10.0.0.2', ready: false }),
      endpoint({ address: '10.0.0.3', ready: false, serving: false }),
      endpoint({ address: '10.0.0.4', ports: { 81: 81 } }),
    ]);
    const snapshot = snapshotOf(resource('service', service()), resource('endpoints', set));
    expect(portOf(snapshot).tiers.map((tier) => tier.map(({ address }) => address))).toEqual([
      ['10.0.0.1'],
      ['10.0.0.2'],
    ]);
  });

  test('a removed service leaves its address, and its return finds endpoints and routes again', () => {
    const full = applyDelta(snapshotOf(...shop()), delta([resource('http-route', route())]), 2).snapshot;
    const gone = applyDelta(full, delta([], [{ kind: 'service', name: 'shop/cart' }]), 3).snapshot;
    expect([gone.services.size, gone.servicesByAddress.get('10.96.0.1')]).toEqual([0, undefined]);
    const back = applyDelta(gone, delta([resource('service', service())]), 4).snapshot;
    expect(portOf(back).tiers[0]).toHaveLength(1);
    expect(ruleFor(back, '/')).toBe('shop/cart/0');
  });

  test('a service that changes its address gives the old one up', () => {
    const moved = service({ addresses: ['10.96.0.2'] });
    const { snapshot } = applyDelta(snapshotOf(...shop()), delta([resource('service', moved, '2')]), 2);
    expect(snapshot.servicesByAddress.get('10.96.0.1')).toBeUndefined();
    expect(snapshot.servicesByAddress.get('10.96.0.2')).toBe('shop/cart');
  });

  test("an address that was given to a new workload is the new one's, whatever the order of removal", () => {
    const old = snapshotOf(...shop());
    const both = applyDelta(old, delta([resource('workload', workload({ uid: 'cart-2' }))]), 2).snapshot;
    expect(workloadAt(both, '10.0.0.1')?.workload.uid).toBe('cart-2');
    const without = (uid: string) =>
      applyDelta(both, delta([], [{ kind: 'workload', name: uid }]), 3).snapshot;
    expect(workloadAt(without('cart-1'), '10.0.0.1')?.workload.uid).toBe('cart-2');
    expect(workloadAt(without('cart-2'), '10.0.0.1')?.workload.uid).toBe('cart-1');
  });

  test('a workload that only changes does not take its address back from a newer one', () => {
    const newer = resource('workload', workload({ uid: 'cart-2' }));
    const changed = resource('workload', workload({ labels: { terminating: 'true' } }), '2');
    const { snapshot } = applyDelta(snapshotOf(...shop()), delta([newer, changed]), 2);
    expect(snapshot.workloadsByAddress.get('10.0.0.1')?.map((view) => view.workload.uid)).toEqual([
      'cart-2',
      'cart-1',
    ]);
    expect(snapshot.workloadsByAddress.get('10.0.0.1')?.[1]).toBe(snapshot.workloads.get('cart-1'));
  });

  test('a workload that changes its addresses gives the old ones up', () => {
    const moved = resource('workload', workload({ addresses: ['10.0.0.2'] }), '2');
    const { snapshot } = applyDelta(snapshotOf(...shop()), delta([moved]), 2);
    expect([workloadAt(snapshot, '10.0.0.1'), workloadAt(snapshot, '10.0.0.2')?.workload.uid]).toEqual([
      undefined,
      'cart-1',
    ]);
  });

  test('removing what is not there changes nothing', () => {
    const before = snapshotOf(...shop());
    const { snapshot, touched } = applyDelta(before, delta([], [{ kind: 'service', name: 'shop/other' }]), 2);
    expect(snapshot.services.size).toBe(before.services.size);
    expect(touched.services.size).toBe(0);
  });

  test('the snapshot before stays as it was', () => {
    const before = snapshotOf(...shop());
    applyDelta(
      before,
      delta([resource('http-route', route()), resource('endpoints', endpointSet([]), '2')]),
      2,
    );
    expect([ruleFor(before, '/'), portOf(before).tiers[0]?.length]).toEqual(['default', 1]);
  });
});

describe('routes', () => {
  const withRoutes = (...routes: Parameters<typeof route>[0][]) =>
    snapshotOf(...shop(), ...routes.map((changes) => resource('http-route', route(changes))));

  test('a route with a port decides for that port only', () => {
    const ports = [
      { name: 'a', port: 80, protocol: 'http' as const },
      { name: 'b', port: 81, protocol: 'http' as const },
    ];
    const snapshot = snapshotOf(
      resource('service', service({ ports })),
      resource('http-route', route({ parents: [{ namespace: 'shop', name: 'cart', port: 81 }] })),
    );
    expect(portOf(snapshot, 'shop/cart', 80).producerRoutes).toBeNull();
    expect(portOf(snapshot, 'shop/cart', 81).producerRoutes).not.toBeNull();
  });

  test('a route that names the service twice is attached once', () => {
    const parents = [undefined, 80].map((port) => ({ namespace: 'shop', name: 'cart', port }));
    expect(portOf(withRoutes({ parents })).producerRoutes?.routes).toHaveLength(1);
  });

  test("a consumer's route decides for clients of its namespace alone, instead of the producer's", () => {
    const onlyA = [rule({ matches: [pathMatch('PathPrefix', '/a')] })];
    const snapshot = withRoutes({}, { namespace: 'front', name: 'mine', rules: onlyA });
    expect(ruleFor(snapshot, '/a', 'front')).toBe('front/mine/0');
    expect(ruleFor(snapshot, '/b', 'front')).toBeNull();
    expect(ruleFor(snapshot, '/a', 'other')).toBe('shop/cart/0');
  });

  test('a changed route replaces its former self; a removed one leaves the default', () => {
    const first = withRoutes({});
    const rules = [rule({ name: 'new' })];
    const second = applyDelta(first, delta([resource('http-route', route({ rules }), '2')]), 2).snapshot;
    expect(ruleFor(second, '/')).toBe('shop/cart/new');
    const third = applyDelta(second, delta([], [{ kind: 'http-route', name: 'shop/cart' }]), 3).snapshot;
    expect(ruleFor(third, '/')).toBe('default');
    expect(third.routesByService.size).toBe(0);
  });

  test('a refused route keeps its last good version, and everything else advances', () => {
    const first = withRoutes({});
    const bad = route({ rules: [rule({ name: 'bad', matches: [pathMatch('RegularExpression', '(')] })] });
    const other = resource('workload', workload({ uid: 'other', addresses: ['10.0.0.9'] }));
    const { snapshot, refusals } = applyDelta(first, delta([resource('http-route', bad, '2'), other]), 2);
    expect(refusals).toMatchObject([
      { key: { kind: 'http-route', name: 'shop/cart' }, version: '2', problems: [{ value: '(' }] },
    ]);
    expect(refusals[0]?.problems[0]?.field).toBe('rules[0].matches[0].path.value');
    expect(ruleFor(snapshot, '/')).toBe('shop/cart/0');
    expect(snapshot.resources.get('http-route:shop/cart')?.version).toBe('1');
    expect(snapshot.workloads.has('other')).toBe(true);
  });
});

describe('policies', () => {
  const denyAll = policy({ action: 'DENY', rules: [policyRule()] });
  const bad = policy({ action: 'DENY', rules: [policyRule({ ports: [0] })] });

  test.each([
    ['no target is the whole namespace', [], Reason.policy_denied],
    [
      'a selector that matches',
      [{ kind: 'Selector' as const, labels: { app: 'cart' } }],
      Reason.policy_denied,
    ],
    ['a selector that does not', [{ kind: 'Selector' as const, labels: { app: 'x' } }], Reason.none],
    ['a service in front of it', [{ kind: 'Service' as const, name: 'cart' }], Reason.policy_denied],
    ['another service', [{ kind: 'Service' as const, name: 'other' }], Reason.none],
  ])('%s', (_, targets, reason) => {
    const labelled = resource('workload', workload({ labels: { app: 'cart' } }), '2');
    const snapshot = snapshotOf(
      ...shop(),
      labelled,
      resource('authorization-policy', { ...denyAll, targets }),
    );
    expect(verdictFor(snapshot)).toBe(reason);
  });

  test('do not reach into another namespace', () => {
    const foreign = resource('authorization-policy', { ...denyAll, namespace: 'other' });
    expect(verdictFor(snapshotOf(...shop(), foreign))).toBe(Reason.none);
  });

  test('of a service follow its endpoints, ready or not', () => {
    const targets = [{ kind: 'Service' as const, name: 'cart' }];
    const first = snapshotOf(...shop(), resource('authorization-policy', { ...denyAll, targets }));
    const empty = applyDelta(first, delta([resource('endpoints', endpointSet([]), '2')]), 2).snapshot;
    expect(verdictFor(empty)).toBe(Reason.none);
    const unready = endpointSet([endpoint({ workloadUid: '', ready: false, serving: false })]);
    const back = applyDelta(empty, delta([resource('endpoints', unready, '3')]), 3).snapshot;
    expect(verdictFor(back)).toBe(Reason.policy_denied);
  });

  test('follow a workload that changes its labels', () => {
    const targets = [{ kind: 'Selector' as const, labels: { app: 'cart' } }];
    const first = snapshotOf(...shop(), resource('authorization-policy', { ...denyAll, targets }));
    expect(verdictFor(first)).toBe(Reason.none);
    const labelled = resource('workload', workload({ labels: { app: 'cart' } }), '2');
    const second = applyDelta(first, delta([labelled]), 2).snapshot;
    expect([verdictFor(second), verdictFor(first)]).toEqual([Reason.policy_denied, Reason.none]);
  });

  test('a refused one keeps its last good version', () => {
    const first = snapshotOf(...shop(), resource('authorization-policy', denyAll));
    const { snapshot, refusals } = applyDelta(first, delta([resource('authorization-policy', bad, '2')]), 2);
    expect(refusals).toHaveLength(1);
    expect(verdictFor(snapshot)).toBe(Reason.policy_denied);
  });

  test('a refused one without a last good version closes its targets, and only them', () => {
    const targets = [{ kind: 'Selector' as const, labels: { app: 'cart' } }];
    const labelled = resource('workload', workload({ labels: { app: 'cart' } }), '2');
    const beside = resource('workload', workload({ uid: 'beside', addresses: ['10.0.0.2'] }));
    const first = snapshotOf(...shop(), labelled, beside);
    const closed = applyDelta(
      first,
      delta([resource('authorization-policy', { ...bad, targets })]),
      2,
    ).snapshot;
    expect([verdictFor(closed), verdictFor(closed, 'beside')]).toEqual([Reason.policy_invalid, Reason.none]);
    const stillBad = resource('authorization-policy', { ...bad, targets: [] }, '2');
    const wider = applyDelta(closed, delta([stillBad]), 3).snapshot;
    expect(verdictFor(wider, 'beside')).toBe(Reason.policy_invalid);
    const mended = applyDelta(wider, delta([resource('authorization-policy', denyAll, '3')]), 4).snapshot;
    expect(verdictFor(mended)).toBe(Reason.policy_denied);
  });

  test('a resource that speaks for another namespace is refused and closes nothing there', () => {
    const foreign = { ...resource('authorization-policy', bad), ownerNamespace: 'evil' };
    const { snapshot, refusals } = applyDelta(snapshotOf(...shop()), delta([foreign]), 2);
    expect(refusals).toHaveLength(1);
    expect(verdictFor(snapshot)).toBe(Reason.none);
  });
});

test("a service cannot take another's address; it may have it once the other is gone", () => {
  const thief = resource('service', service({ namespace: 'evil', name: 'cart' }));
  const first = snapshotOf(...shop());
  const { snapshot, refusals } = applyDelta(first, delta([thief]), 2);
  expect(refusals[0]?.problems[0]).toMatchObject({ field: 'addresses[0]', value: '10.96.0.1' });
  expect(snapshot.servicesByAddress.get('10.96.0.1')).toBe('shop/cart');
  const swapped = applyDelta(first, delta([thief], [{ kind: 'service', name: 'shop/cart' }]), 2);
  expect(swapped.snapshot.servicesByAddress.get('10.96.0.1')).toBe('evil/cart');
});

test('the names of headers that decisions read are counted over routes and policies', () => {
  const byHeader = (name: string) => [{ name, match: { type: 'Exact' as const, value: '1' } }];
  const rules = [
    rule({ matches: [pathMatch('PathPrefix', '/', { headers: [...byHeader('X-B'), ...byHeader('host')] })] }),
  ];
  const http = httpAttributes({ headers: ['x-a', 'x-b'].map((name) => ({ name, values: ['*'] })) });
  const first = snapshotOf(
    resource('http-route', route({ rules })),
    resource('authorization-policy', policy({ rules: [policyRule({ http })] })),
  );
  expect(first.headerNames).toEqual(['x-a', 'x-b']);
  const second = applyDelta(
    first,
    delta([], [{ kind: 'authorization-policy', name: 'shop/policy' }]),
    2,
  ).snapshot;
  expect(second.headerNames).toEqual(['x-b']);
  const third = applyDelta(second, delta([], [{ kind: 'http-route', name: 'shop/cart' }]), 3).snapshot;
  expect(third.headerNames).toEqual([]);
});

test('a header name too many is refused; names in force, and more uses of them, are not', () => {
  const reading = (name: string, ...headers: string[]) => {
    const http = httpAttributes({ headers: headers.map((header) => ({ name: header, values: ['*'] })) });
    return resource('authorization-policy', policy({ name, rules: [policyRule({ http })] }));
  };
  const all = Array.from({ length: maxHeaderNames }, (_, index) => `x-${index}`);
  const full = snapshotOf(reading('full', ...all));
  const late = applyDelta(full, delta([reading('late', 'x-late', 'x-1'), reading('same', 'X-1', 'host')]), 2);
  expect(late.refusals).toMatchObject([
    { key: { name: 'shop/late' }, problems: [{ field: 'rules', value: 'x-late' }] },
  ]);
  expect(late.snapshot.headerNames).toEqual([...all].sort());
  const swapped = applyDelta(full, delta([reading('full', 'x-late', ...all.slice(1))]), 2);
  expect(swapped.refusals).toEqual([]);
});

test('what a delta touched is told, derived views included', () => {
  const targets = [{ kind: 'Service' as const, name: 'cart' }];
  const first = snapshotOf(...shop(), resource('authorization-policy', policy({ targets })));
  const { touched } = applyDelta(first, delta([resource('endpoints', endpointSet([]), '2')]), 2);
  expect([...touched.services]).toEqual(['shop/cart']);
  expect([...touched.policies]).toEqual(['shop']);
  expect([touched.workloads.size, touched.mesh]).toEqual([0, false]);
});

test('what a delta does not touch is the very same object', () => {
  const second = service({ name: 'other', addresses: ['10.96.0.2'] });
  const before = snapshotOf(
    ...shop(),
    resource('service', second),
    resource('authorization-policy', policy()),
  );
  const changed = delta([resource('http-route', route())]);
  const { snapshot } = applyDelta(before, changed, 2);
  expect(snapshot.services.get('shop/other')).toBe(before.services.get('shop/other'));
  expect(snapshot.policies.get('shop')).toBe(before.policies.get('shop'));
  expect(snapshot.ranges).toBe(before.ranges);
  expect(portOf(snapshot).tiers).toBe(portOf(before).tiers);
});

test('any order of deltas leads to the same decisions as one that brings all at once', () => {
  const random = seededRandom(8);
  const pool: Resource[] = [];
  for (let index = 0; index < 12; index += 1) {
    const address = `10.0.1.${index}`;
    pool.push(
      resource(
        'workload',
        workload({ uid: `w${index}`, addresses: [address], labels: { app: `a${index % 3}` } }),
      ),
    );
    const name = `s${index % 4}`;
    pool.push(resource('service', service({ name, addresses: [`10.96.1.${index % 4}`] }), String(index)));
    pool.push(
      resource(
        'endpoints',
        endpointSet([endpoint({ workloadUid: `w${index}`, address })], { name }),
        String(index),
      ),
    );
    const parents = [{ namespace: 'shop', name, port: undefined }];
    pool.push(resource('http-route', route({ name: `r${index % 5}`, parents }), String(index)));
    const targets = [{ kind: 'Selector' as const, labels: { app: `a${index % 3}` } }];
    pool.push(resource('authorization-policy', policy({ name: `p${index % 3}`, targets }), String(index)));
  }
  for (let round = 0; round < 50; round += 1) {
    let snapshot = emptySnapshot;
    const standing = new Map<string, Resource>();
    for (let step = 0; step < 60; step += 1) {
      const one = pool[Math.floor(random() * pool.length)] as Resource;
      const removal = random() < 0.3;
      snapshot = applyDelta(snapshot, removal ? delta([], [one]) : delta([one]), step).snapshot;
      if (removal) standing.delete(`${one.kind}:${one.name}`);
      else standing.set(`${one.kind}:${one.name}`, one);
    }
    const whole = applyDelta(emptySnapshot, delta([...standing.values()]), 0).snapshot;
    expect(summary(snapshot)).toEqual(summary(whole));
  }
});

/** Everything that decisions can see, in an order of its own. */
function summary(snapshot: Snapshot) {
  const sorted = <Value>(entries: Iterable<[string, Value]>) =>
    [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    services: sorted(snapshot.services.entries()).map(([key, view]) => [
      key,
      [...view.ports].map(([port, { tiers, producerRoutes }]) => [
        port,
        tiers,
        producerRoutes?.routes.map((each) => each.key).sort(),
      ]),
    ]),
    destinations: Array.from({ length: 12 }, (_, index) => findDestination(snapshot, `10.0.1.${index}`, 80)),
    programs: sorted(snapshot.workloads.entries()).map(([uid, view]) => [
      uid,
      programOf(snapshot, view).policies.map((each) => each.key),
    ]),
    headerNames: snapshot.headerNames,
    sizes: [snapshot.resources.size, snapshot.servicesByEndpoint.size, snapshot.workloadsByAddress.size],
  };
}

describe('indices of workloads', () => {
  const entry = (uid: string, address: string, changes: Partial<IndexedWorkload> = {}): IndexedWorkload => ({
    ...workload({ uid, addresses: [address], serviceAccount: 'far' }),
    label: `label of ${uid}`,
    ...changes,
  });
  const index = (name: string, workloads: readonly IndexedWorkload[], partial = false): Resource => {
    const body = { trustDomain: 'mesh.test', cluster: '', network: '', node: 'n2', partial, workloads };
    return {
      kind: 'workload-index',
      name,
      ownerNamespace: '',
      version: JSON.stringify(body).length.toString(),
      body,
    };
  };
  const gone = (name: string) => ({ kind: 'workload-index' as const, name });
  const first = snapshotOf(
    resource('mesh', mesh()),
    index('n2/', [entry('one', '10.0.1.1'), entry('two', '10.0.1.2')]),
  );

  test('tell who has an address, and no more', () => {
    const view = workloadAt(first, '10.0.1.1');
    expect(view).toMatchObject({
      indexed: true,
      label: 'label of one',
      addressed: { serviceAccount: 'shop/far' },
    });
    const closed = applyDelta(
      first,
      delta([resource('authorization-policy', policy({ rules: [] }))]),
      2,
    ).snapshot;
    // Which policies select it is not known, so none is enforced by half.
    expect(programOf(closed, closed.workloads.get('one') as WorkloadView).policies).toEqual([]);
  });

  test('give way to details, and count again when those go', () => {
    const full = resource(
      'workload',
      workload({ uid: 'one', addresses: ['10.0.1.1'], labels: { app: 'x' } }),
    );
    const detailed = applyDelta(first, delta([full]), 2).snapshot;
    expect(workloadAt(detailed, '10.0.1.1')).toMatchObject({ indexed: false, label: 'x' });
    const moved = applyDelta(detailed, delta([index('n2/', [entry('one', '10.0.1.9')])]), 3).snapshot;
    expect(workloadAt(moved, '10.0.1.1')).toMatchObject({ indexed: false });
    const back = applyDelta(moved, delta([], [{ kind: 'workload', name: 'one' }]), 4).snapshot;
    expect(workloadAt(back, '10.0.1.1')).toBeUndefined();
    expect(workloadAt(back, '10.0.1.9')).toMatchObject({ indexed: true });
  });

  test('may be cut anew: what stays the same is the same view, whichever delta brings the removal', () => {
    const parts = [index('n2/0', [entry('one', '10.0.1.1')]), index('n2/1', [entry('two', '10.0.1.2')])];
    const at = applyDelta(first, delta(parts, [gone('n2/')]), 2);
    const later = applyDelta(applyDelta(first, delta(parts), 2).snapshot, delta([], [gone('n2/')]), 3);
    for (const { snapshot } of [at, later]) {
      expect(snapshot.workloads.get('one')).toBe(first.workloads.get('one'));
      expect(workloadAt(snapshot, '10.0.1.2')).toBe(first.workloads.get('two'));
    }
    expect([...at.touched.workloads]).toEqual([]);
  });

  test('take away what they do not name any more, and touch nothing else', () => {
    const { snapshot, touched } = applyDelta(first, delta([index('n2/', [entry('one', '10.0.1.1')])]), 2);
    expect([...touched.workloads]).toEqual(['two']);
    expect(workloadAt(snapshot, '10.0.1.2')).toBeUndefined();
  });

  test('keep what they held while the controller does not know everything', () => {
    const partial = applyDelta(first, delta([index('n2/', [entry('three', '10.0.1.3')], true)]), 2).snapshot;
    expect([...partial.workloads.entries()].map(([uid]) => uid).sort()).toEqual(['one', 'three', 'two']);
    const known = applyDelta(partial, delta([index('n2/', [entry('three', '10.0.1.3')])]), 3).snapshot;
    expect([...known.workloads.entries()].map(([uid]) => uid)).toEqual(['three']);
  });

  test('are refused as a whole where an entry is malformed', () => {
    const { snapshot, refusals } = applyDelta(first, delta([index('n2/', [entry('one', '10.0.01.1')])]), 2);
    expect(refusals).toMatchObject([
      { key: { name: 'n2/' }, problems: [{ field: 'workloads[0].addresses[0]' }] },
    ]);
    expect(snapshot.workloads.size).toBe(2);
  });
});
