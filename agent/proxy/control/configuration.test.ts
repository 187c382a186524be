import type { Delta } from '../../../model/resource.js';
import { programOf } from '../../../model/snapshot.js';
import { mesh, policy, resource, service, workload } from '../../../model/test-resources.js';
import { Configuration, type IncomingDelta, type RefusedResource } from './configuration.js';

const incoming = (changes: Partial<IncomingDelta>): IncomingDelta => ({
  snapshotVersion: 1,
  upserts: [],
  removals: [],
  refused: [],
  ...changes,
});

function harness() {
  const published: Delta[] = [];
  const refused: RefusedResource[] = [];
  const configuration = new Configuration({
    onChange: (_, delta) => void published.push(delta),
    onRefused: (one) => void refused.push(one),
  });
  return { configuration, published, refused };
}

test('what is in force is held by its version, and removed ones are not', () => {
  const { configuration } = harness();
  configuration.apply(incoming({ upserts: [resource('mesh', mesh()), resource('service', service(), '9')] }));
  expect(configuration.held()).toContainEqual({ kind: 'service', name: 'shop/cart', version: '9' });
  configuration.apply(incoming({ removals: [{ kind: 'service', name: 'shop/cart' }] }));
  expect(configuration.held()).toEqual([{ kind: 'mesh', name: 'mesh', version: '1' }]);
});

test('a refused resource keeps its last good version and is reported; others advance', () => {
  const { configuration, refused } = harness();
  configuration.apply(incoming({ upserts: [resource('service', service(), '1')] }));
  const bad = resource('service', service({ addresses: ['nonsense'] }), '2');
  const refusals = configuration.apply(incoming({ upserts: [bad, resource('mesh', mesh(), '2')] }));
  expect(refusals.map(({ name, version }) => [name, version])).toEqual([['shop/cart', '2']]);
  expect(refused).toEqual(refusals);
  expect(configuration.held()).toContainEqual({ kind: 'service', name: 'shop/cart', version: '1' });
  expect(configuration.held()).toContainEqual({ kind: 'mesh', name: 'mesh', version: '2' });
});

test('a policy that cannot even be read closes its namespace, also for the workers', () => {
  const { configuration, published } = harness();
  const unread: RefusedResource = {
    kind: 'authorization-policy',
    name: 'shop/new',
    version: '3',
    problems: [{ field: 'policy.action', value: 'ASK', message: 'is unknown', fix: 'upgrade' }],
  };
  configuration.apply(incoming({ upserts: [resource('workload', workload())], refused: [unread] }));
  const view = configuration.snapshot.workloads.get('cart-1');
  expect(view && programOf(configuration.snapshot, view).broken?.key).toBe('shop/new');
  expect(published[0]?.upserts.map(({ name }) => name)).toContain('shop/new');
});

test('a policy that cannot be read keeps its last good version', () => {
  const { configuration } = harness();
  configuration.apply(incoming({ upserts: [resource('authorization-policy', policy({ name: 'p' }), '1')] }));
  configuration.apply(
    incoming({ refused: [{ kind: 'authorization-policy', name: 'shop/p', version: '2', problems: [] }] }),
  );
  expect(configuration.held()).toEqual([{ kind: 'authorization-policy', name: 'shop/p', version: '1' }]);
});

test('a message that gives a policy a name not its own closes nothing', () => {
  const { configuration } = harness();
  const problems = [{ field: 'name', value: 'other/p', message: 'does not fit the body', fix: '' }];
  configuration.apply(
    incoming({ refused: [{ kind: 'authorization-policy', name: 'other/p', version: '1', problems }] }),
  );
  expect(configuration.held()).toEqual([]);
});
