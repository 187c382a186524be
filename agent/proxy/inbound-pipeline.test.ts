import {
  endpoint,
  endpointSet,
  httpAttributes,
  mesh,
  policy,
  policyRule,
  resource,
  service,
  workload,
} from '../../model/test-resources.js';
import { VerdictFlag } from '../../native/engine.js';
import { Reason } from '../../reasons/reasons.js';
import { CompletionKind, TestBatch } from './worker/test-batch.js';

/** web (10.0.0.2) and others call cart (10.0.0.1), whose port 8080 stands behind the http port of a service. */
const shop = [
  resource('mesh', mesh()),
  resource('workload', workload({ uid: 'cart-1', addresses: ['10.0.0.1'] })),
  resource('workload', workload({ uid: 'web-1', serviceAccount: 'web', addresses: ['10.0.0.2'] })),
  resource('service', service()),
  resource('endpoints', endpointSet([endpoint()])),
];
const web = { serviceAccounts: ['shop/web'], namespaces: [], spiffeIds: [] };

function served(...extra: Parameters<TestBatch['apply']>[0][number][]) {
  const batch = new TestBatch();
  batch.apply([...shop, ...extra]);
  const cart = batch.serve('cart-1');
  const connect = (source = '10.0.0.2', port = 8080) => batch.connect(cart, 1, source, '10.0.0.1', port);
  return { batch, connect };
}

test('the port’s protocol is the workload’s own, else that of the service in front of it, else opaque', () => {
  expect(served().connect()).toMatchObject({ action: 'http' });
  expect(served().connect('10.0.0.2', 9999)).toMatchObject({ action: 'tunnel', endpoint: '' });
  const ports = [{ name: 'p', port: 8080, protocol: 'tcp' as const }];
  const declared = resource('workload', workload({ uid: 'cart-1', addresses: ['10.0.0.1'], ports }));
  expect(served(declared).connect()).toMatchObject({ action: 'tunnel' });
});

test.each(['http2', 'grpc'] as const)(
  'a %s port is judged request by request, and its application spoken to so',
  (protocol) => {
    const ports = [{ name: 'p', port: 8080, protocol }];
    const http = httpAttributes({ paths: ['/shop.Cart/*'] });
    const { batch, connect } = served(
      resource('workload', workload({ uid: 'cart-1', addresses: ['10.0.0.1'], ports })),
      resource('authorization-policy', policy({ rules: [policyRule({ http })] })),
    );
    const { tag, action } = connect();
    expect(action).toBe('http');
    const allowed = batch.request(tag, { method: 'POST', path: '/shop.Cart/Add' });
    expect(allowed).toMatchObject({ action: 'forward', endpoint: '' });
    expect(allowed.flags & VerdictFlag.http2).not.toBe(0);
    expect(batch.request(tag, { method: 'POST', path: '/shop.Till/Open' }).reason).toBe('policy_not_allowed');
  },
);

test('a request goes to the application itself', () => {
  const { batch, connect } = served();
  expect(batch.request(connect().tag)).toMatchObject({ action: 'forward', endpoint: '', path: '', host: '' });
});

test('an opaque connection is refused where its source is not allowed', () => {
  const closed = resource('authorization-policy', policy({ rules: [policyRule({ sources: web })] }));
  expect(served(closed).connect('10.0.0.2', 9999)).toMatchObject({ action: 'tunnel' });
  expect(served(closed).connect('10.0.0.9', 9999)).toMatchObject({
    action: 'reset',
    reason: 'policy_not_allowed',
  });
});

test('a request is judged by source, method and path', () => {
  const http = httpAttributes({ methods: ['GET'], paths: ['/public/*'] });
  const rules = [policyRule({ sources: web, http })];
  const { batch, connect } = served(resource('authorization-policy', policy({ rules })));
  const { tag, action } = connect();
  expect(action).toBe('http');
  expect(batch.request(tag, { path: '/public/a' }).action).toBe('forward');
  expect(batch.request(tag, { path: '/public/../a' })).toMatchObject({ reason: 'policy_not_allowed' });
  expect(batch.request(tag, { path: '/public/%2e%2e/a' })).toMatchObject({ reason: 'ambiguous_path' });
  expect(batch.request(tag, { path: '/public/a', method: 'POST' })).toMatchObject({
    action: 'reply',
    reason: 'policy_not_allowed',
  });
  const stranger = connect('10.0.0.9');
  expect(batch.request(stranger.tag, { path: '/public/a' })).toMatchObject({ reason: 'policy_not_allowed' });
});

test('the application gets the spelling of the path that a policy judged', () => {
  const http = httpAttributes({ paths: ['/public/*'] });
  const rules = [policyRule({ sources: web, http })];
  const { batch, connect } = served(resource('authorization-policy', policy({ rules })));
  const { tag } = connect();
  const sent = (path: string) => batch.request(tag, { path });
  expect(sent('/admin/../public/%61?x=/../')).toMatchObject({ action: 'forward', path: '/public/a?x=/../' });
  expect(sent('/public/b/..')).toMatchObject({ action: 'forward', path: '/public/' });
  expect(sent('/public/a?x=1')).toMatchObject({ action: 'forward', path: '' });
  expect(sent('/public/../admin')).toMatchObject({ action: 'reply', reason: 'policy_not_allowed' });
});

test('where no policy reads the path, it goes on as it was sent', () => {
  const { batch, connect } = served();
  const forwarded = batch.request(connect().tag, { path: '/a/../b' });
  expect(forwarded).toMatchObject({ action: 'forward', path: '' });
});

test('a policy that comes while a connection lives judges its next request', () => {
  const { batch, connect } = served();
  const { tag } = connect();
  expect(batch.request(tag).action).toBe('forward');
  batch.apply([resource('authorization-policy', policy({ action: 'DENY', rules: [policyRule()] }))]);
  expect(batch.request(tag)).toMatchObject({ action: 'reply', reason: 'policy_denied' });
});

test('an address alone does not satisfy a policy that asks for more', () => {
  const rules = [policyRule({ sources: web })];
  const { batch, connect } = served(
    resource('authorization-policy', policy({ rules, requireAuthenticated: true })),
  );
  const { tag, action, reason } = connect();
  if (action === 'http') expect(batch.request(tag).reason).toBe('unauthenticated_source');
  else expect(reason).toBe('unauthenticated_source');
});

test('a policy in audit mode counts and lets pass', () => {
  const { batch, connect } = served(
    resource('authorization-policy', policy({ name: 'try', mode: 'Audit', rules: [] })),
  );
  expect(batch.request(connect().tag).action).toBe('forward');
  expect(batch.metric('weft_policy_audit_total', 'namespace', 'policy', 'action')).toEqual({
    'shop try ALLOW': 1,
  });
});

test('a policy by header sees the header as soon as it is in force', () => {
  const http = httpAttributes({ headers: [{ name: 'x-role', values: ['admin'] }] });
  const { batch, connect } = served();
  const { tag } = connect();
  batch.apply([resource('authorization-policy', policy({ rules: [policyRule({ http })] }))]);
  expect(batch.request(tag, { headers: { 'x-role': 'admin' } }).action).toBe('forward');
  expect(batch.request(tag).reason).toBe('policy_not_allowed');
});

test('requests are counted under the workload that owns the peer’s address, and under the service in front', () => {
  const { batch, connect } = served();
  for (const source of ['10.0.0.2', '10.0.0.9']) {
    const { tag } = connect(source);
    const { tag: requestTag } = batch.request(tag);
    batch.complete({ kind: CompletionKind.request, connectionTag: tag, requestTag, status: 200 });
  }
  expect(
    batch.metric(
      'weft_requests_total',
      'direction',
      'source_workload',
      'destination_workload',
      'destination_service',
      'authenticated',
    ),
  ).toEqual({ 'inbound web-1 cart-1 cart false': 1, 'inbound unknown cart-1 cart false': 1 });
});

test('an application that refuses connections is asked once; one that left a kept connection unanswered, twice', () => {
  const { batch, connect } = served();
  const { tag } = connect();
  const refused = batch.request(tag);
  expect(
    batch.attemptFailed(tag, refused.tag, { notSent: true, reason: Reason.connect_refused }),
  ).toMatchObject({
    action: 'reply',
    reason: 'connect_refused',
  });
  const closed = batch.request(tag);
  const again = { unanswered: true, reason: Reason.upstream_closed_early };
  expect(batch.attemptFailed(tag, closed.tag, again)).toMatchObject({ action: 'forward', endpoint: '' });
  expect(batch.attemptFailed(tag, closed.tag, again)).toMatchObject({ action: 'reply' });
  const post = batch.request(tag, { method: 'POST' });
  expect(batch.attemptFailed(tag, post.tag, again, { method: 'POST' })).toMatchObject({
    action: 'reply',
    reason: 'upstream_closed_early',
  });
});

test('a workload that has left refuses', () => {
  const { batch, connect } = served();
  batch.apply([], [{ kind: 'workload', name: 'cart-1' }]);
  expect(connect()).toMatchObject({ action: 'reset', reason: 'workload_withdrawn' });
});

test('an opaque connection that a new policy refuses is reset, others go on', () => {
  const { batch, connect } = served();
  const { tag } = connect('10.0.0.9', 9999);
  connect('10.0.0.2', 9999);
  connect('10.0.0.9', 8080);
  batch.apply([resource('authorization-policy', policy({ rules: [policyRule({ sources: web })] }))]);
  expect(batch.engine.closed).toEqual([{ reason: 'policy_not_allowed', tag }]);
});
