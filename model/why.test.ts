import { Reason } from '../reasons/reasons.js';
import type { Snapshot } from './snapshot.js';
import {
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
  service,
  snapshotOf,
  workload,
} from './test-resources.js';
import { explain } from './why.js';

const base = [
  resource('mesh', mesh()),
  resource('workload', workload()),
  resource(
    'workload',
    workload({ uid: 'web', namespace: 'front', serviceAccount: 'web', addresses: ['10.0.0.2'] }),
  ),
  resource('service', service()),
  resource('endpoints', endpointSet([endpoint()])),
];
const ask = (snapshot: Snapshot, method: string, path: string, address = '10.96.0.1', port = 80) =>
  explain(snapshot, { source: snapshot.workloads.get('web'), address, port, request: request(method, path) });

test("without routes and policies the service's endpoint would be asked", () => {
  const answer = ask(snapshotOf(...base), 'GET', '/');
  expect(answer).toMatchObject({ route: 'default', protocol: 'http', reason: Reason.none });
  expect(answer.backends).toMatchObject([
    {
      backend: 'shop/cart:80',
      share: 1,
      endpoints: [{ candidate: { key: '10.0.0.1:8080' }, verdict: { allowed: true } }],
    },
  ]);
});

test("a route is named, with each backend's share, target and failure", () => {
  const backends = [
    { service: { namespace: 'shop', name: 'cart', port: 80 }, weight: 3, filters: [] },
    { service: { namespace: 'shop', name: 'gone', port: 80 }, weight: 1, filters: [] },
  ];
  const path = { type: 'ReplacePrefixMatch' as const, value: '/v2' };
  const matches = [pathMatch('PathPrefix', '/api')];
  const filters = [{ type: 'URLRewrite' as const, hostname: undefined, path }];
  const snapshot = snapshotOf(
    ...base,
    resource('http-route', route({ rules: [rule({ name: 'api', matches, backends, filters })] })),
  );
  const answer = ask(snapshot, 'GET', '/api/x?y');
  expect(answer).toMatchObject({ route: 'shop/cart/api', routesAsked: ['shop/cart'] });
  expect(answer.backends).toMatchObject([
    { backend: 'shop/cart:80', share: 0.75, reason: Reason.none, target: '/v2/x?y' },
    { backend: 'shop/gone:80', share: 0.25, reason: Reason.backend_invalid },
  ]);
  expect(ask(snapshot, 'GET', '/other')).toMatchObject({
    route: undefined,
    reason: Reason.no_matching_route,
  });
});

test('a redirect is shown instead of backends', () => {
  const filter = {
    type: 'RequestRedirect' as const,
    scheme: 'https' as const,
    hostname: undefined,
    path: undefined,
    port: undefined,
    statusCode: 301 as const,
  };
  const rules = [rule({ filters: [filter], backends: [] })];
  const answer = ask(snapshotOf(...base, resource('http-route', route({ rules }))), 'GET', '/a');
  expect(answer).toMatchObject({ redirect: 'https://cart.shop/a', backends: [] });
});

test("the policy that refuses is named, also for a workload's own address", () => {
  const http = httpAttributes({ methods: ['DELETE'] });
  const snapshot = snapshotOf(
    ...base,
    resource('authorization-policy', policy({ action: 'DENY', rules: [policyRule({ http })] })),
  );
  const verdictOf = (method: string, address: string, port: number) =>
    ask(snapshot, method, '/', address, port).backends[0]?.endpoints[0]?.verdict;
  for (const [address, port] of [
    ['10.96.0.1', 80],
    ['10.0.0.1', 8080],
  ] as const) {
    expect(verdictOf('DELETE', address, port)).toMatchObject({
      reason: Reason.policy_denied,
      policy: { key: 'shop/policy' },
    });
    expect(verdictOf('GET', address, port)).toMatchObject({ allowed: true });
  }
});

test('an opaque port is judged as a connection', () => {
  const http = httpAttributes({ methods: ['DELETE'] });
  const snapshot = snapshotOf(
    ...base,
    resource('authorization-policy', policy({ action: 'DENY', rules: [policyRule({ http })] })),
  );
  const answer = ask(snapshot, 'GET', '/', '10.0.0.1', 6379);
  expect(answer.protocol).toBe('tcp');
  expect(answer.backends[0]?.endpoints[0]?.verdict.reason).toBe(Reason.policy_denied);
});

test('policies in audit mode are listed where they would refuse', () => {
  const audit = policy({ action: 'DENY', mode: 'Audit', rules: [policyRule()] });
  const endpointAnswer = ask(snapshotOf(...base, resource('authorization-policy', audit)), 'GET', '/')
    .backends[0]?.endpoints[0];
  expect(endpointAnswer).toMatchObject({ verdict: { allowed: true }, audit: ['shop/policy'] });
});

test.each([
  ['an unknown address of the mesh', '10.0.0.99', Reason.unknown_destination, 'refused'],
  ['an address outside', '192.0.2.1', Reason.none, 'passthrough'],
])('%s', (_, address, reason, kind) => {
  const answer = ask(snapshotOf(...base), 'GET', '/', address);
  expect(answer).toMatchObject({ destination: { kind }, reason, backends: [] });
});

test('a service without endpoints says so', () => {
  const snapshot = snapshotOf(...base, resource('endpoints', endpointSet([]), '2'));
  expect(ask(snapshot, 'GET', '/').backends[0]?.reason).toBe(Reason.no_ready_endpoint);
});

test('the transport is told, with why and for whom it decides', () => {
  const phased = (transport: 'weft-tls' | 'plaintext', captured = true) => [
    resource('workload', workload({ transport: 'weft-tls', mtls: { mode: 'strict', ports: {} } })),
    resource(
      'workload',
      workload({
        ...{ uid: 'web', namespace: 'front', serviceAccount: 'web', addresses: ['10.0.0.2'], transport },
        ...(captured ? {} : { captured: false, capture: null }),
      }),
    ),
  ];
  const proven = resource(
    'authorization-policy',
    policy({ requireAuthenticated: true, rules: [policyRule()] }),
  );
  const endpointOf = (snapshot: Snapshot) => ask(snapshot, 'GET', '/').backends[0]?.endpoints[0];
  expect(endpointOf(snapshotOf(...base, ...phased('weft-tls'), proven))).toMatchObject({
    transport: { transport: 'tls', mode: 'strict', identity: 'spiffe://mesh.test/ns/shop/sa/cart' },
    verdict: { allowed: true },
  });
  expect(endpointOf(snapshotOf(...base, ...phased('plaintext')))).toMatchObject({
    transport: { cause: 'source_not_ready', sourcePhase: 'plaintext', destinationPhase: 'weft-tls' },
    verdict: { allowed: false, reason: Reason.tls_no_identity },
  });
  expect(endpointOf(snapshotOf(...base, ...phased('plaintext', false)))).toMatchObject({
    transport: { transport: 'plaintext', cause: 'source_not_captured' },
    verdict: { allowed: false, reason: Reason.plaintext_refused },
  });
  expect(endpointOf(snapshotOf(...base, proven))).toMatchObject({
    transport: { transport: 'plaintext', cause: 'destination_not_ready' },
    verdict: { allowed: false, reason: Reason.unauthenticated_source },
  });
});
