import { applyDelta } from '../../../model/apply-delta.js';
import type { Resource } from '../../../model/resource.js';
import {
  endpoint,
  endpointSet,
  mesh,
  policy,
  resource,
  service,
  snapshotOf,
  workload,
} from '../../../model/test-resources.js';
import { answerWhy } from './answer-why.js';

const snapshot = snapshotOf(
  resource('mesh', mesh()),
  resource('workload', workload()),
  resource('workload', workload({ uid: 'web-1', name: 'web', addresses: ['10.0.0.2'] })),
  resource('service', service()),
  resource('endpoints', endpointSet([endpoint()])),
  resource('authorization-policy', policy({ name: 'nobody' })),
);
const ask = async (query: string) => {
  const answer = await answerWhy(
    () => snapshot,
    new URLSearchParams(query),
    async () => {},
  );
  return { status: answer.status, body: JSON.parse(answer.body) };
};

test.each(['cart.shop:80', 'shop/cart:80', '10.96.0.1:80'])('%s names the service', async (destination) => {
  const { status, body } = await ask(`source=shop/web&destination=${destination}&method=GET&path=/a`);
  expect(status).toBe(200);
  expect(body.destination).toEqual({ kind: 'service', service: 'shop/cart', port: 80 });
  expect(body.backends[0].endpoints[0]).toMatchObject({
    endpoint: '10.0.0.1:8080',
    allowed: false,
    reason: 'policy_not_allowed',
    policy: 'shop/nobody',
  });
});

test.each(['destination=nowhere', 'destination=nowhere:80', 'destination=cart.shop:80&source=shop/nobody'])(
  '%s is answered with the usage',
  async (query) => {
    const { status, body } = await ask(query);
    expect(status).toBe(400);
    expect(body.usage).toContain('/why?');
  },
);

test('an address that nobody owns is refused by name', async () => {
  expect((await ask('destination=10.9.9.9:80')).body.destination).toMatchObject({
    reason: 'unknown_destination',
  });
});

test('what the node does not hold is fetched first, and said where it does not come', async () => {
  const ofIndex = { ...workload({ uid: 'far', addresses: ['10.0.9.9'] }), label: 'far' };
  const index = { trustDomain: 'mesh.test', cluster: '', network: '', node: 'n2', partial: false };
  const far: Resource = {
    kind: 'workload-index',
    name: 'n2/',
    ownerNamespace: '',
    version: '1',
    body: { ...index, workloads: [ofIndex] },
  };
  let held = snapshotOf(resource('mesh', mesh()), resource('service', service()), far);
  const details: Record<string, Resource[]> = {
    'service shop/cart': [
      resource('endpoints', endpointSet([endpoint({ workloadUid: 'far', address: '10.0.9.9' })])),
    ],
    'workload far': [
      resource('workload', workload({ uid: 'far', addresses: ['10.0.9.9'] })),
      resource('authorization-policy', policy({ name: 'nobody' })),
    ],
  };
  const query = new URLSearchParams('destination=cart.shop:80');
  const late = await answerWhy(
    () => held,
    query,
    async () => {},
  );
  expect(JSON.parse(late.body)).toMatchObject({
    destination: { kind: 'unfetched', reason: 'detail_missing' },
  });
  const fetched: string[] = [];
  const answer = await answerWhy(
    () => held,
    query,
    async (wanted) => {
      for (const { kind, name } of wanted) {
        fetched.push(`${kind} ${name}`);
        held = applyDelta(held, { upserts: details[`${kind} ${name}`] ?? [], removals: [] }, 2).snapshot;
      }
    },
  );
  expect(fetched).toEqual(['service shop/cart', 'workload far']);
  expect(JSON.parse(answer.body).backends[0].endpoints[0]).toMatchObject({
    allowed: false,
    reason: 'policy_not_allowed',
    policy: 'shop/nobody',
  });
});
