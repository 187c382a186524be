import {
  endpoint,
  endpointSet,
  mesh,
  pathMatch,
  policy,
  resource,
  route,
  rule,
  service,
  workload,
} from '../../model/test-resources.js';
import { VerdictFlag } from '../../native/engine.js';
import { Reason } from '../../reasons/reasons.js';
import { CompletionKind, TestBatch } from './worker/test-batch.js';

/** web (10.0.0.2) calls cart (10.0.0.1:8080) by its virtual address 10.96.0.1:80. */
const shop = [
  resource('mesh', mesh()),
  resource('workload', workload({ uid: 'cart-1', addresses: ['10.0.0.1'], ports: [] })),
  resource('workload', workload({ uid: 'web-1', serviceAccount: 'web', addresses: ['10.0.0.2'] })),
  resource('service', service()),
  resource('endpoints', endpointSet([endpoint()])),
];

function served(extra: Parameters<TestBatch['apply']>[0] = [], options = {}) {
  const batch = new TestBatch(options);
  batch.apply([...shop, ...extra]);
  const web = batch.serve('web-1');
  const connect = (address = '10.96.0.1', port = 80) => batch.connect(web, 0, '10.0.0.2', address, port);
  return { batch, web, connect };
}

describe('connections', () => {
  test('a virtual address with an http port is read request by request', () => {
    const { connect } = served();
    expect(connect()).toMatchObject({ action: 'http', reason: 'none', tag: 1 });
  });

  test.each(['http', 'http2', 'grpc'] as const)(
    'a %s port is read, and spoken to as it is declared',
    (protocol) => {
      const ports = [{ name: 'p', port: 80, protocol }];
      const { batch, connect } = served([resource('service', service({ ports }))]);
      const { tag, action } = connect();
      expect(action).toBe('http');
      const { flags } = batch.request(tag);
      expect((flags & VerdictFlag.http2) !== 0).toBe(protocol !== 'http');
    },
  );

  test.each(['tcp', 'tls'] as const)('a %s port is tunnelled to an endpoint', (protocol) => {
    const ports = [{ name: 'p', port: 80, protocol }];
    const { connect } = served([resource('service', service({ ports }))]);
    expect(connect()).toMatchObject({ action: 'tunnel', endpoint: '10.0.0.1:8080' });
  });

  test('a workload’s own address is its own destination, with the protocol of its port', () => {
    const { connect } = served();
    expect(connect('10.0.0.1', 8080)).toMatchObject({ action: 'http' });
    expect(connect('10.0.0.1', 9999)).toMatchObject({ action: 'tunnel', endpoint: '' });
  });

  test('an address outside the mesh that reached the proxy goes on to where it wanted', () => {
    const { connect } = served();
    expect(connect('203.0.113.7', 443)).toMatchObject({ action: 'tunnel', endpoint: '' });
  });

  test('with session affinity a client stays where it was while endpoints come, until it stayed away too long', () => {
    const ports = [{ name: 'p', port: 80, protocol: 'tcp' as const }];
    const sticky = resource('service', service({ ports, affinitySeconds: 60 }));
    const { batch, connect } = served([sticky]);
    expect(connect()).toMatchObject({ endpoint: '10.0.0.1:8080' });
    const more = Array.from({ length: 30 }, (_, index) => endpoint({ address: `10.0.1.${index}` }));
    batch.apply([resource('endpoints', endpointSet([...more, endpoint()]))]);
    expect(new Set(Array.from({ length: 20 }, () => connect().endpoint))).toEqual(new Set(['10.0.0.1:8080']));
    batch.timers.advance(60_001);
    const after = new Set(Array.from({ length: 20 }, () => connect().endpoint));
    expect([after.size, after.has('10.0.0.1:8080')]).toEqual([1, false]);
  });

  test('no endpoint, no connection', () => {
    const ports = [{ name: 'p', port: 80, protocol: 'tcp' as const }];
    const { connect } = served([
      resource('service', service({ ports })),
      resource('endpoints', endpointSet([])),
    ]);
    expect(connect()).toMatchObject({ action: 'reset', reason: 'no_ready_endpoint' });
  });

  test('an opaque connection that one endpoint does not take goes to the others, and ends where none is left', () => {
    const ports = [{ name: 'p', port: 80, protocol: 'tcp' as const }];
    const endpoints = ['10.0.0.1', '10.0.0.3'].map((address) => endpoint({ address, workloadUid: '' }));
    const { batch, connect } = served([
      resource('service', service({ ports })),
      resource('endpoints', endpointSet(endpoints)),
    ]);
    const first = connect();
    expect(first.flags & VerdictFlag.askOnConnectFailure).not.toBe(0);
    const second = batch.tunnelFailed(first.tag, Reason.connect_refused);
    expect(second).toMatchObject({ action: 'tunnel', tag: first.tag, reason: 'none' });
    expect([first.endpoint, second.endpoint].sort()).toEqual(['10.0.0.1:8080', '10.0.0.3:8080']);
    expect(batch.tunnelFailed(first.tag, Reason.connect_timeout)).toMatchObject({
      action: 'reset',
      reason: 'connect_timeout',
    });
  });

  test('an IPv6 destination is found', () => {
    const { connect } = served([resource('service', service({ addresses: ['10.96.0.1', 'fd00::1'] }))]);
    expect(connect('fd00::1', 80)).toMatchObject({ action: 'http' });
  });

  test('an address that nobody owns is held, goes on when it gets an owner, and is reset when it does not', () => {
    const { batch, connect } = served();
    expect(connect('10.96.0.9', 80)).toMatchObject({ action: 'park' });
    batch.apply([
      resource('service', service({ name: 'late', addresses: ['10.96.0.9'] })),
      resource('endpoints', { ...endpointSet([endpoint()]), name: 'late' }),
    ]);
    expect(batch.engine.resumed).toMatchObject([{ id: 7, action: 1, tag: 1 }]);
    connect('10.96.0.8', 80);
    batch.timers.advance(2_000);
    expect(batch.engine.resumed.at(-1)).toMatchObject({ action: 6, reason: Reason.unknown_destination });
  });

  test('a held connection whose client left does not come back under another’s record', () => {
    const { batch, connect } = served();
    const { tag } = connect('10.96.0.9', 80);
    batch.complete({ kind: CompletionKind.connection, connectionTag: tag });
    expect(connect()).toMatchObject({ tag, action: 'http' });
    batch.apply([resource('service', service({ name: 'late', addresses: ['10.96.0.9'] }))]);
    batch.timers.advance(5_000);
    expect(batch.engine.resumed).toEqual([]);
    expect(batch.request(tag)).toMatchObject({ action: 'forward', endpoint: '10.0.0.1:8080' });
  });

  test('without a configuration connections are held too', () => {
    const batch = new TestBatch();
    const handle = batch.serve('web-1');
    expect(batch.connect(handle, 0, '10.0.0.2', '10.96.0.1', 80)).toMatchObject({ action: 'park' });
    batch.apply(shop);
    expect(batch.engine.resumed).toMatchObject([{ action: 1 }]);
  });

  test('a policy of a destination without an agent of its own is enforced here, and only there', () => {
    const closed = resource('authorization-policy', policy());
    const ports = [{ name: 'p', port: 80, protocol: 'tcp' as const }];
    const tcp = resource('service', service({ ports }));
    expect(served([closed, tcp]).connect()).toMatchObject({ action: 'tunnel' });
    const bare = resource('workload', workload({ uid: 'cart-1', addresses: ['10.0.0.1'], capture: null }));
    expect(served([closed, tcp, bare]).connect()).toMatchObject({
      action: 'reset',
      reason: 'policy_not_allowed',
    });
  });
});

describe('requests', () => {
  test('without routes the service’s own endpoints serve', () => {
    const { batch, connect } = served();
    const verdict = batch.request(connect().tag);
    expect(verdict).toMatchObject({ action: 'forward', endpoint: '10.0.0.1:8080', path: '', host: '' });
    expect(verdict.flags & VerdictFlag.askOnConnectFailure).not.toBe(0);
  });

  test('the matching rule’s backend, filters, rewrite and deadlines are what the engine is told', () => {
    const edits = { set: [{ name: 'x-a', value: '1' }], add: [], remove: ['x-b'] };
    const rules = [
      rule({
        matches: [pathMatch('PathPrefix', '/old')],
        filters: [
          { type: 'RequestHeaderModifier', edits },
          { type: 'URLRewrite', hostname: 'inner', path: { type: 'ReplacePrefixMatch', value: '/new' } },
        ],
        requestTimeoutMs: 700,
        backendTimeoutMs: 300,
        retry: { codes: [503], attempts: 2, backoffMs: 10 },
      }),
    ];
    const { batch, connect } = served([resource('http-route', route({ rules }))]);
    const verdict = batch.request(connect().tag, { path: '/old/x?y=1', flags: 4 });
    expect(verdict).toMatchObject({
      action: 'forward',
      path: '/new/x?y=1',
      host: 'inner',
      requestEdit: { set: [['x-a', '1']], remove: ['x-b'] },
      deadlineMs: 700,
      backendTimeoutMs: 300,
      retryStatuses: [503],
      bufferBytes: 65_536,
    });
    expect(verdict.flags).toBe(VerdictFlag.askOnConnectFailure | VerdictFlag.askOnResponse);
  });

  test('a redirect is answered without a backend', () => {
    const rules = [
      rule({
        matches: [pathMatch('PathPrefix', '/old')],
        filters: [
          {
            type: 'RequestRedirect',
            scheme: undefined,
            hostname: 'elsewhere.test',
            path: { type: 'ReplacePrefixMatch', value: '/new' },
            port: undefined,
            statusCode: 301,
          },
        ],
        backends: [],
      }),
    ];
    const { batch, connect } = served([resource('http-route', route({ rules }))]);
    expect(batch.request(connect().tag, { path: '/old/x?y=1' })).toMatchObject({
      action: 'reply',
      reason: 'none',
      reply: { status: 301 },
      extra: 'location: http://elsewhere.test/new/x?y=1\r\n',
    });
  });

  test('routes attached and none matches is 404', () => {
    const rules = [rule({ matches: [pathMatch('Exact', '/only')] })];
    const { batch, connect } = served([resource('http-route', route({ rules }))]);
    expect(batch.request(connect().tag, { path: '/other' })).toMatchObject({
      action: 'reply',
      reason: 'no_matching_route',
    });
  });

  test('a backend that does not exist is 500, one without endpoints 503', () => {
    const backends = [{ service: { namespace: 'shop', name: 'none', port: 80 }, weight: 1, filters: [] }];
    const missing = served([resource('http-route', route({ rules: [rule({ backends })] }))]);
    expect(missing.batch.request(missing.connect().tag)).toMatchObject({ reason: 'backend_invalid' });
    const empty = served([resource('endpoints', endpointSet([]))]);
    expect(empty.batch.request(empty.connect().tag)).toMatchObject({ reason: 'no_ready_endpoint' });
  });

  test('CONNECT passes only where no route is attached', () => {
    const plain = served();
    expect(plain.batch.request(plain.connect().tag, { method: 'CONNECT' }).action).toBe('forward');
    const routed = served([resource('http-route', route())]);
    expect(routed.batch.request(routed.connect().tag, { method: 'CONNECT' }).reason).toBe(
      'connect_not_allowed',
    );
  });

  test('weights divide requests by the random number', () => {
    const canary = service({ name: 'canary', addresses: ['10.96.0.2'] });
    const backend = (name: string, weight: number) => ({
      service: { namespace: 'shop', name, port: 80 },
      weight,
      filters: [],
    });
    const rules = [rule({ backends: [backend('cart', 9), backend('canary', 1)] })];
    const { batch, connect } = served([
      resource('service', canary),
      resource(
        'endpoints',
        endpointSet([endpoint({ address: '10.0.0.3', workloadUid: '' })], { name: 'canary' }),
      ),
      resource('http-route', route({ rules })),
    ]);
    const { tag } = connect();
    batch.random = [0.89];
    expect(batch.request(tag).endpoint).toBe('10.0.0.1:8080');
    batch.random = [0.9];
    expect(batch.request(tag).endpoint).toBe('10.0.0.3:8080');
  });

  test('a header that only a new route reads is asked of the engine with the snapshot that needs it', () => {
    const { batch, connect } = served();
    const { tag } = connect();
    expect(batch.engine.wanted).toEqual(['traceparent']);
    const headers = [{ name: 'x-canary', match: { type: 'Exact', value: 'yes' } as const }];
    const rules = [rule({ matches: [pathMatch('PathPrefix', '/', { headers })] })];
    batch.apply([resource('http-route', route({ rules }))]);
    expect(batch.engine.wanted).toContain('x-canary');
    expect(batch.request(tag, { headers: { 'x-canary': 'yes' } }).action).toBe('forward');
    expect(batch.request(tag).reason).toBe('no_matching_route');
  });

  test('a request on an old connection is decided by the snapshot of its own time', () => {
    const { batch, connect } = served();
    const { tag } = connect();
    expect(batch.request(tag).action).toBe('forward');
    batch.apply([resource('endpoints', endpointSet([endpoint({ address: '10.0.0.7', workloadUid: '' })]))]);
    expect(batch.request(tag).endpoint).toBe('10.0.0.7:8080');
    batch.apply([], [{ kind: 'service', name: 'shop/cart' }]);
    expect(batch.request(tag)).toMatchObject({ action: 'reply', reason: 'unknown_destination' });
  });

  test('edits are released when their route goes', () => {
    const edits = { set: [{ name: 'x-a', value: '1' }], add: [], remove: [] };
    const rules = [rule({ filters: [{ type: 'RequestHeaderModifier', edits }] })];
    const { batch, connect } = served([resource('http-route', route({ rules }))]);
    batch.request(connect().tag);
    expect(batch.engine.defined.size).toBe(1);
    batch.apply([], [{ kind: 'http-route', name: 'shop/cart' }]);
    expect(batch.engine.defined.size).toBe(0);
  });
});

describe('trace context', () => {
  const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

  test('one that came is left as it is, where there is none one is started', () => {
    const { batch, connect } = served();
    const { tag } = connect();
    expect(batch.request(tag, { headers: { traceparent: parent } }).extra).toBe('');
    expect(batch.request(tag).extra).toMatch(/^traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01\r\n$/);
  });

  test('a second attempt carries the trace that the first one started', () => {
    const { batch, connect } = served();
    const { tag } = connect();
    const first = batch.request(tag);
    const second = batch.attemptFailed(tag, first.tag, { notSent: true, reason: Reason.upstream_reset });
    expect(second.extra).toBe(first.extra);
  });
});

describe('retries', () => {
  const two = resource(
    'endpoints',
    endpointSet([endpoint(), endpoint({ address: '10.0.0.3', workloadUid: '' })]),
  );

  test('a failed connect goes to the other endpoint', () => {
    const { batch, connect } = served([two]);
    const { tag } = connect();
    const first = batch.request(tag);
    const second = batch.attemptFailed(tag, first.tag, { notSent: true, reason: Reason.connect_refused });
    expect(second).toMatchObject({ action: 'forward', tag: first.tag, delayMs: 0 });
    expect(second.endpoint).not.toBe(first.endpoint);
  });

  test('a kept connection that left a request unanswered speaks not against its endpoint', () => {
    const { batch, connect } = served();
    const { tag } = connect();
    const first = batch.request(tag);
    const failure = { unanswered: true, reason: Reason.upstream_closed_early };
    expect(batch.attemptFailed(tag, first.tag, failure)).toMatchObject({
      action: 'forward',
      endpoint: first.endpoint,
    });
  });

  test('a status that the rule names is tried again after its backoff, and passed on when attempts are spent', () => {
    const retry = { codes: [503], attempts: 1, backoffMs: 20 };
    const { batch, connect } = served([two, resource('http-route', route({ rules: [rule({ retry })] }))]);
    const { tag } = connect();
    const { tag: requestTag } = batch.request(tag);
    expect(batch.attemptFailed(tag, requestTag, { status: 503 })).toMatchObject({
      action: 'forward',
      delayMs: 20,
    });
    expect(batch.attemptFailed(tag, requestTag, { status: 503 })).toMatchObject({ action: 'pass' });
  });

  test('a death in the middle is final where no rule asks for more', () => {
    const { batch, connect } = served([two]);
    const { tag } = connect();
    const { tag: requestTag } = batch.request(tag);
    expect(batch.attemptFailed(tag, requestTag, { reason: Reason.upstream_reset })).toMatchObject({
      action: 'reply',
      reason: 'upstream_reset',
    });
  });

  test('a second attempt is rewritten and edited like the first, also when the route has gone meanwhile', () => {
    const edits = { set: [{ name: 'x-a', value: '1' }], add: [], remove: [] };
    const rules = [
      rule({
        filters: [
          { type: 'RequestHeaderModifier', edits },
          { type: 'URLRewrite', hostname: undefined, path: { type: 'ReplaceFullPath', value: '/x' } },
        ],
      }),
    ];
    const { batch, connect } = served([two, resource('http-route', route({ rules }))]);
    const { tag } = connect();
    const first = batch.request(tag, { path: '/y' });
    batch.apply([], [{ kind: 'http-route', name: 'shop/cart' }]);
    const second = batch.attemptFailed(tag, first.tag, { notSent: true }, { path: '/y' });
    expect(second).toMatchObject({ action: 'forward', path: '/x', requestEdit: first.requestEdit });
    batch.apply([resource('mesh', mesh(), '2')]);
    expect(batch.engine.defined.size).toBe(0);
  });
});

describe('failing closed', () => {
  test('a request on a connection that is not known is 500, and the others of its batch are decided', () => {
    const { batch, connect } = served();
    const { tag } = connect();
    batch.putRequest(0, 77, {});
    batch.putRequest(1, tag, {});
    expect(batch.decide(2)).toMatchObject([
      { action: 'reply', reason: 'decide_failed' },
      { action: 'forward', reason: 'none' },
    ]);
    expect(batch.posted.filter((message) => message.type === 'log')).toHaveLength(1);
  });

  test('what a failing stage had written already is void', () => {
    const rules = [
      rule({
        filters: [{ type: 'URLRewrite', hostname: 'h', path: { type: 'ReplaceFullPath', value: '/x' } }],
      }),
    ];
    const { batch, connect } = served([resource('http-route', route({ rules }))]);
    const { tag } = connect();
    batch.failRandom = true;
    expect(batch.request(tag)).toMatchObject({
      action: 'reply',
      reason: 'decide_failed',
      path: '',
      host: '',
      extra: '',
      endpoint: '',
    });
  });
});

describe('accounts', () => {
  test('requests are counted under source, destination, service and route; records are reused', () => {
    const { batch, connect } = served([resource('http-route', route())]);
    const { tag } = connect();
    for (let round = 0; round < 3; round += 1) {
      const verdict = batch.request(tag);
      expect(verdict.tag).toBe(1);
      batch.complete({
        kind: CompletionKind.attempt,
        connectionTag: tag,
        requestTag: 1,
        endpoint: 1,
        status: 200,
      });
      batch.complete({
        kind: CompletionKind.request,
        connectionTag: tag,
        requestTag: 1,
        status: 200,
        totalUs: 900,
      });
    }
    expect(
      batch.metric(
        'weft_requests_total',
        'direction',
        'source_workload',
        'destination_workload',
        'destination_service',
        'route',
        'status',
        'reason',
      ),
    ).toEqual({ 'outbound web-1 cart-1 cart shop/cart/0 200 none': 3 });
    expect(batch.metric('weft_attempts_total', 'destination_service', 'result', 'retry')).toEqual({
      'cart ok false': 3,
    });
  });

  test('a tunnel’s end is counted with its bytes, and nothing stays open or under way', () => {
    const ports = [{ name: 'p', port: 80, protocol: 'tcp' as const }];
    const { batch, connect } = served([resource('service', service({ ports }))]);
    const { tag } = connect();
    expect(batch.metric('weft_open_connections', 'direction')).toEqual({ outbound: 1, inbound: 0 });
    batch.complete({ kind: CompletionKind.attempt, connectionTag: tag, endpoint: 1 });
    const reason = Reason.peer_closed;
    batch.complete({
      kind: CompletionKind.connection,
      connectionTag: tag,
      bytesReceived: 5,
      bytesSent: 7,
      reason,
    });
    expect(batch.metric('weft_refusals_total', 'reason')).toEqual({});
    expect(batch.metric('weft_open_connections', 'direction')).toEqual({ outbound: 0, inbound: 0 });
    expect(batch.metric('weft_connections_total', 'protocol', 'destination_workload', 'reason')).toEqual({
      'tcp cart-1 none': 1,
    });
    expect(batch.metric('weft_connection_bytes_total', 'flow')).toEqual({ received: 5, sent: 7 });
    expect(batch.metric('weft_workload_connections_total', 'workload', 'path')).toEqual({
      'web-1 seen_outbound': 1,
      'web-1 seen_inbound': 0,
    });
  });

  test('a request that its connection took with it leaves no attempt under way', () => {
    const { batch, connect } = served();
    const first = connect();
    batch.request(first.tag);
    batch.complete({ kind: CompletionKind.connection, connectionTag: first.tag });
    const second = connect();
    expect(batch.request(second.tag).tag).toBe(1);
  });

  test('a refusal of the pipeline and one of the engine are counted by layer', () => {
    const { batch, connect } = served([resource('endpoints', endpointSet([]))]);
    const { tag } = connect();
    batch.complete({
      kind: CompletionKind.request,
      connectionTag: tag,
      requestTag: batch.request(tag).tag,
      status: 503,
      reason: Reason.no_ready_endpoint,
    });
    batch.complete({
      kind: CompletionKind.request,
      connectionTag: tag,
      status: 400,
      reason: Reason.http1_bare_line_feed,
    });
    expect(batch.metric('weft_refusals_total', 'layer', 'reason')).toEqual({
      'pipeline no_ready_endpoint': 1,
      'engine http1_bare_line_feed': 1,
    });
  });

  test('the access log says who, what and how it ended, and no header’s value', () => {
    const { batch, connect } = served([], { accessLog: true });
    const { tag } = connect();
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const verdict = batch.request(tag, { path: '/a?b=c', headers: { traceparent } });
    batch.complete({
      kind: CompletionKind.request,
      connectionTag: tag,
      requestTag: verdict.tag,
      status: 200,
      bytesSent: 12,
      totalUs: 1234,
    });
    batch.timers.advance(100);
    const logged = batch.posted.find((message) => message.type === 'access-log');
    expect(JSON.parse(Buffer.from(logged?.lines ?? []).toString())).toMatchObject({
      schema: 1,
      time: '1970-01-01T00:00:00.000Z',
      kind: 'request',
      direction: 'outbound',
      source: { address: '10.0.0.2', port: 40_000, namespace: 'shop', workload: 'web-1', uid: 'web-1' },
      destination: { address: '10.96.0.1', port: 80, namespace: 'shop', workload: 'cart-1', service: 'cart' },
      identity: 'spiffe://mesh.test/ns/shop/sa/web',
      authenticated: false,
      protocol: 'http/1.1',
      method: 'GET',
      host: 'cart.shop',
      path: '/a?b=c',
      status: 200,
      reason: 'none',
      bytesSent: 12,
      totalMs: 1.234,
      route: 'default',
      endpoint: '10.0.0.1:8080',
      attempt: 1,
      trace: '4bf92f3577b34da6a3ce929d0e0e4736',
      snapshot: 1,
    });
  });

  test('the access log is ASCII, whatever a client sends', () => {
    const { batch, connect } = served([], { accessLog: true });
    const { tag } = connect();
    const host = 'caf\u00e9 "\\';
    const verdict = batch.request(tag, { host, path: '/' });
    batch.complete({
      kind: CompletionKind.request,
      connectionTag: tag,
      requestTag: verdict.tag,
      status: 200,
    });
    batch.timers.advance(100);
    const logged = batch.posted.find((message) => message.type === 'access-log');
    const line = Buffer.from(logged?.lines ?? []).toString('latin1');
    expect(line).toMatch(/^[\n -~]+$/);
    expect(JSON.parse(line)).toMatchObject({ host });
  });
});
