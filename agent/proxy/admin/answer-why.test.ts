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
const ask = (query: string) => {
  const answer = answerWhy(snapshot, new URLSearchParams(query));
  return { status: answer.status, body: JSON.parse(answer.body) };
};

test.each(['cart.shop:80', 'shop/cart:80', '10.96.0.1:80'])('%s names the service', (destination) => {
  const { status, body } = ask(`source=shop/web&destination=${destination}&method=GET&path=/a`);
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
  (query) => {
    const { status, body } = ask(query);
    expect(status).toBe(400);
    expect(body.usage).toContain('/why?');
  },
);

test('an address that nobody owns is refused by name', () => {
  expect(ask('destination=10.9.9.9:80').body.destination).toMatchObject({ reason: 'unknown_destination' });
});
