/** How the proxy takes and makes TLS: what the engine is told for each of its rows. */
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
import { spiffeId, type TransportPhase, type Workload } from '../../model/workload.js';
import { Action } from '../../native/engine.js';
import { Reason } from '../../reasons/reasons.js';
import { CompletionKind, TestBatch } from './worker/test-batch.js';

const phase = (transport: TransportPhase, changes: Partial<Workload> = {}) => ({ transport, ...changes });
const cart = (changes: Partial<Workload> = {}) =>
  resource('workload', workload({ uid: 'cart-1', addresses: ['10.0.0.1'], ...changes }));
const web = (changes: Partial<Workload> = {}) =>
  resource(
    'workload',
    workload({ uid: 'web-1', serviceAccount: 'web', addresses: ['10.0.0.2'], ...changes }),
  );
const strict = { mtls: { mode: 'strict', ports: {} } } as const;
const [cartId, webId] = [spiffeId(workload()), spiffeId(workload({ serviceAccount: 'web' }))];
const port = (protocol: 'http' | 'tcp') => [{ name: 'p', port: 80, protocol }];
const shop = [
  resource('mesh', mesh()),
  cart(phase('weft-tls')),
  web(phase('weft-tls')),
  resource('service', service()),
  resource('endpoints', endpointSet([endpoint()])),
];

/** cart (10.0.0.1) is called; 8080 is the port of requests, 9999 is opaque. */
function inbound(...extra: Parameters<TestBatch['apply']>[0][number][]) {
  const batch = new TestBatch();
  batch.apply([...shop, ...extra]);
  const handle = batch.serve('cart-1');
  batch.identify(handle, 'cart-1');
  const connect = (source = '10.0.0.2', to = 8080) => batch.connect(handle, 1, source, '10.0.0.1', to);
  return { batch, handle, connect };
}

/** web (10.0.0.2) calls. */
function outbound(...extra: Parameters<TestBatch['apply']>[0][number][]) {
  const batch = new TestBatch();
  batch.apply([...shop, ...extra]);
  const handle = batch.serve('web-1');
  const connect = (address = '10.96.0.1', to = 80) => batch.connect(handle, 0, '10.0.0.2', address, to);
  return { batch, handle, connect };
}

describe('inbound', () => {
  test('who must speak TLS is asked for it, who may is looked at, who cannot is served or refused', () => {
    expect(inbound().connect()).toMatchObject({ action: 'secure' });
    expect(inbound(web(phase('arriving'))).connect()).toMatchObject({ action: 'sniff' });
    expect(inbound().connect('10.0.0.9')).toMatchObject({ action: 'sniff' });
    expect(inbound(web({ captured: false, capture: null })).connect()).toMatchObject({ action: 'http' });
    const closed = inbound(cart(phase('weft-tls', strict)), web({ captured: false, capture: null }));
    expect(closed.connect()).toMatchObject({ action: 'reset', reason: 'plaintext_refused' });
  });

  test('a caller that proves the identity of its address satisfies a policy that asks for proof', () => {
    const sources = { serviceAccounts: [], namespaces: [], spiffeIds: [webId] };
    const rules = [policyRule({ sources })];
    const { batch, connect } = inbound(
      resource('authorization-policy', policy({ requireAuthenticated: true, rules })),
    );
    const { tag } = connect();
    expect(batch.secured(tag, webId, 'h2')).toMatchObject({ action: 'http', tag });
    expect(batch.request(tag)).toMatchObject({ action: 'forward', endpoint: '' });
    const plain = inbound(
      web(phase('arriving')),
      resource('authorization-policy', policy({ requireAuthenticated: true, rules })),
    );
    const sniffed = plain.batch.sniffed(plain.connect('10.0.0.2', 9999).tag);
    expect(sniffed).toMatchObject({ action: 'reset', reason: 'unauthenticated_source' });
  });

  test('another identity than that of the caller’s address is held for a moment and refused, also one of the mesh', () => {
    const { batch, connect } = inbound();
    const tags = [cartId, 'spiffe://other.mesh/ns/shop/sa/web'].map((stolen) => {
      const { tag } = connect();
      expect(batch.secured(tag, stolen, 'h2')).toMatchObject({ action: 'park' });
      return tag;
    });
    batch.timers.advance(5_000);
    const reason = Reason.tls_wrong_identity;
    expect(batch.engine.resumed).toMatchObject(tags.map((tag) => ({ action: 6, tag, reason })));
  });

  test('a new pod that has the address of one whose end is not known yet is served once it is', () => {
    const { batch, connect } = inbound();
    const { tag } = connect('10.0.0.2');
    const till = { serviceAccount: 'till', uid: 'till-1', name: 'till', addresses: ['10.0.0.2'] };
    expect(batch.secured(tag, spiffeId(workload(till)), 'h2')).toMatchObject({ action: 'park' });
    batch.apply([
      web(phase('weft-tls', { addresses: [] })),
      resource('workload', workload(phase('weft-tls', till))),
    ]);
    expect(batch.engine.resumed).toMatchObject([{ action: 1, tag }]);
  });

  test('a proven caller from an address that nobody has is held, and never trusted', () => {
    const { batch, connect } = inbound();
    const { tag } = connect('10.0.0.7');
    expect(batch.secured(tag, webId, 'h2')).toMatchObject({ action: 'park' });
    batch.apply([web(phase('weft-tls', { uid: 'web-2', addresses: ['10.0.0.7'] }))]);
    expect(batch.engine.resumed).toMatchObject([{ id: 7, action: 1, tag }]);
    const stranger = connect('10.0.0.8');
    batch.secured(stranger.tag, webId, 'h2');
    batch.timers.advance(60_000);
    expect(batch.engine.resumed.at(-1)).toMatchObject({
      action: 6,
      tag: stranger.tag,
      reason: Reason.tls_wrong_identity,
    });
  });

  test('what was agreed on must fit the port: requests on an opaque one are refused', () => {
    const { batch, connect } = inbound();
    const fits = (to: number, alpn: 'h1' | 'h2' | 'tcp' | 'none') => {
      const { tag } = connect('10.0.0.2', to);
      const { action, reason } = batch.secured(tag, webId, alpn);
      return action === 'reset' ? reason : action;
    };
    expect([fits(8080, 'h2'), fits(8080, 'h1')]).toEqual(['http', 'http']);
    expect([fits(9999, 'h2'), fits(9999, 'h1')]).toEqual(['tls_alpn_refused', 'tls_alpn_refused']);
    expect([fits(9999, 'tcp'), fits(9999, 'none')]).toEqual(['tunnel', 'tls_alpn_refused']);
  });

  test('opaque bytes on a port of requests pass no policy about requests', () => {
    const http = httpAttributes({ paths: ['/public/*'] });
    const allow = resource('authorization-policy', policy({ rules: [policyRule({ http })] }));
    const { batch, connect } = inbound(allow);
    expect(batch.secured(connect().tag, webId, 'tcp')).toMatchObject({
      action: 'reset',
      reason: 'policy_not_allowed',
    });
    const open = inbound();
    expect(open.batch.secured(open.connect().tag, webId, 'tcp')).toMatchObject({ action: 'tunnel' });
  });

  test('plaintext where TLS has become a must meanwhile is refused', () => {
    const { batch, connect } = inbound(web(phase('arriving')));
    const [before, after] = [connect('10.0.0.9', 9999), connect('10.0.0.9', 9999)];
    expect(batch.sniffed(before.tag)).toMatchObject({ action: 'tunnel', endpoint: '' });
    batch.apply([cart(phase('weft-tls', strict))]);
    expect(batch.sniffed(after.tag)).toMatchObject({ action: 'reset', reason: 'plaintext_refused' });
  });

  test('plaintext of a new pod to a strict port that not all know yet waits until its address is known', () => {
    const { batch, connect } = inbound(cart(phase('arriving', strict)));
    const open = (from: string) => {
      const { tag, action } = connect(from, 9999);
      expect([action, batch.sniffed(tag).action]).toEqual(['sniff', 'park']);
      return tag;
    };
    const newPod = (uid: string, address: string, more = {}) =>
      resource('workload', workload(phase('plaintext', { uid, name: uid, addresses: [address], ...more })));
    const resumed = () => batch.engine.resumed.map(({ action, tag, reason }) => [tag, action, reason]);
    const early = open('10.0.0.7');
    const late = open('10.0.0.8');
    const outsider = open('10.0.0.9');
    const stranger = open('10.0.0.10');
    batch.apply([newPod('early', '10.0.0.7')]);
    expect(resumed()).toEqual([[early, Action.tunnel, Reason.none]]);
    // All know of TLS before the address of one that had begun is known.
    batch.apply([cart(phase('weft-tls', strict))]);
    expect(resumed()).toHaveLength(1);
    batch.apply([
      newPod('late', '10.0.0.8'),
      newPod('outsider', '10.0.0.9', { captured: false, capture: null }),
    ]);
    const refused = [Action.reset, Reason.plaintext_refused];
    expect(resumed().slice(1)).toEqual([
      [late, Action.tunnel, Reason.none],
      [outsider, ...refused],
    ]);
    batch.timers.advance(60_000);
    expect(resumed().slice(3)).toEqual([[stranger, ...refused]]);
  });

  test('plaintext that a workload of the mesh had begun before goes on, but not where the mode has changed', () => {
    const begin = (...resources: Parameters<typeof inbound>) => {
      const { batch, connect } = inbound(web(phase('arriving')), ...resources);
      const { tag, action } = connect('10.0.0.2', 9999);
      expect(action).toBe('sniff');
      return { batch, tag };
    };
    const permissive = begin();
    permissive.batch.apply([web(phase('weft-tls')), cart(phase('weft-tls'))]);
    expect(permissive.batch.sniffed(permissive.tag)).toMatchObject({ action: 'tunnel' });
    const held = begin(cart(phase('arriving', strict)));
    held.batch.apply([web(phase('weft-tls')), cart(phase('weft-tls', strict))]);
    expect(held.batch.sniffed(held.tag)).toMatchObject({ action: 'tunnel' });
    const flipped = begin();
    flipped.batch.apply([web(phase('weft-tls')), cart(phase('weft-tls', strict))]);
    expect(flipped.batch.sniffed(flipped.tag)).toMatchObject({
      action: 'reset',
      reason: 'plaintext_refused',
    });
  });

  test('without an identity of its own a strict port takes nobody', () => {
    const { batch, handle, connect } = inbound(cart(phase('weft-tls', strict)));
    batch.worker.receive({ type: 'identity-withdrawn', handle, reason: Reason.tls_expired_certificate });
    expect(batch.engine.ended).toEqual([`identity ${handle} tls_expired_certificate 1000`]);
    expect(connect()).toMatchObject({ action: 'reset', reason: 'tls_no_identity' });
  });
});

describe('outbound', () => {
  test('once both ends are ready an endpoint must prove its identity, by service and by its own address', () => {
    const { batch, handle, connect } = outbound();
    batch.identify(handle, 'web-1');
    const { tag } = connect();
    expect(batch.request(tag)).toMatchObject({ endpoint: '10.0.0.1:8080', identity: cartId });
    expect(connect('10.0.0.1', 9999)).toMatchObject({
      action: 'tunnel',
      endpoint: '10.0.0.1:9999',
      identity: cartId,
    });
  });

  test('before that it is plaintext, and goes over with the next request of a connection', () => {
    const { batch, handle, connect } = outbound(cart(phase('plaintext')));
    batch.identify(handle, 'web-1');
    const { tag } = connect();
    expect(batch.request(tag)).toMatchObject({ endpoint: '10.0.0.1:8080', identity: '' });
    batch.apply([cart(phase('arriving'))]);
    expect(batch.request(tag)).toMatchObject({ endpoint: '10.0.0.1:8080', identity: cartId });
    batch.apply([cart(phase('leaving'))]);
    expect(batch.request(tag)).toMatchObject({ endpoint: '10.0.0.1:8080', identity: '' });
  });

  test('nothing is sent in plaintext because a certificate is missing', () => {
    const tcp = resource('service', service({ ports: port('tcp') }));
    expect(outbound(tcp).connect()).toMatchObject({ action: 'reset', reason: 'tls_no_identity' });
    const { batch, connect } = outbound();
    expect(batch.request(connect().tag)).toMatchObject({ action: 'reply', reason: 'tls_no_identity' });
  });

  test('a disabled port is spoken to in plaintext', () => {
    const { batch, handle, connect } = outbound(
      cart(phase('weft-tls', { mtls: { mode: 'strict', ports: { 8080: 'disabled' } } })),
    );
    batch.identify(handle, 'web-1');
    expect(batch.request(connect().tag)).toMatchObject({ endpoint: '10.0.0.1:8080', identity: '' });
  });
});

describe('the identity that the worker was given', () => {
  test('is the engine’s before any listener is, and the key’s bytes are wiped', () => {
    const batch = new TestBatch();
    const privateKey = new Uint8Array([1, 2, 3]);
    batch.worker.receive({
      ...{ type: 'identity', handle: 1, uid: 'web-1', spiffeId: webId, generation: 4 },
      ...{ chain: [new Uint8Array([4])], privateKey, roots: [new Uint8Array([5]), new Uint8Array([6])] },
    });
    expect(batch.engine.identities.get(1)).toEqual({
      certificate: '-----BEGIN CERTIFICATE-----\nBA==\n-----END CERTIFICATE-----\n',
      key: '-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n',
      trust: ['BQ==', 'Bg==']
        .map((text) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`)
        .join(''),
      spiffeId: webId,
      generation: 4,
    });
    expect([...privateKey]).toEqual([0, 0, 0]);
    expect(batch.posted).toEqual([{ type: 'identity-in-force', uid: 'web-1', generation: 4 }]);
  });

  test('stays the one before where the engine refuses the next', () => {
    const { batch, handle, connect } = inbound();
    batch.posted.length = 0;
    batch.engine.refusedIdentity = 'the chain does not verify';
    batch.identify(handle, 'cart-1');
    expect(batch.posted).toMatchObject([{ type: 'log', level: 'error' }]);
    expect(JSON.stringify(batch.posted)).not.toMatch(/PRIVATE|AQID/);
    expect(connect()).toMatchObject({ action: 'secure' });
  });
});

describe('what lives on while the configuration changes', () => {
  const deny = (rules = [policyRule()]) =>
    resource('authorization-policy', policy({ action: 'DENY', rules }));

  test('a new DENY ends requests under way that it forbids, and no others', () => {
    const { batch, connect } = inbound();
    const { tag } = connect();
    batch.secured(tag, webId, 'h2');
    const secret = batch.request(tag, { path: '/secret/stream' });
    const other = batch.request(tag, { path: '/open/stream' });
    const done = batch.request(tag, { path: '/secret/short' });
    batch.complete({ kind: CompletionKind.request, connectionTag: tag, requestTag: done.tag, status: 200 });
    expect(other.action).toBe('forward');
    batch.apply([deny([policyRule({ http: httpAttributes({ paths: ['/secret/*'] }) })])]);
    expect(batch.engine.ended).toEqual([`request ${secret.tag} policy_denied`]);
    expect(batch.engine.closed).toEqual([]);
  });

  test('a request is judged again by the headers that it came with', () => {
    const http = httpAttributes({ headers: [{ name: 'x-role', values: ['admin'] }] });
    const allow = (values: string[]) =>
      resource(
        'authorization-policy',
        policy({ rules: [policyRule({ http: httpAttributes({ headers: [{ name: 'x-role', values }] }) })] }),
        values.join(),
      );
    const { batch, connect } = inbound(
      resource('authorization-policy', policy({ rules: [policyRule({ http })] })),
    );
    const { tag } = connect();
    batch.secured(tag, webId, 'h2');
    const request = batch.request(tag, { headers: { 'x-role': 'admin' } });
    batch.apply([allow(['admin', 'owner'])]);
    expect(batch.engine.ended).toEqual([]);
    batch.apply([allow(['owner'])]);
    expect(batch.engine.ended).toEqual([`request ${request.tag} policy_not_allowed`]);
  });

  test('a header that no policy read when a request came counts as absent, whatever others were read', () => {
    const http = httpAttributes({ headers: [{ name: 'x-role', values: ['admin'] }] });
    const { batch, connect } = inbound(
      resource('authorization-policy', policy({ rules: [policyRule({ http })] })),
    );
    const { tag } = connect();
    batch.secured(tag, webId, 'h2');
    batch.request(tag, { headers: { 'x-role': 'admin', 'x-debug': 'on' } });
    batch.apply([
      deny([policyRule({ http: httpAttributes({ headers: [{ name: 'x-debug', values: ['*'] }] }) })]),
    ]);
    expect(batch.engine.ended).toEqual([]);
  });

  test('opaque TLS connections that a new policy forbids are cut', () => {
    const { batch, connect } = inbound();
    const { tag } = connect('10.0.0.2', 9999);
    batch.secured(tag, webId, 'tcp');
    batch.apply([deny()]);
    expect(batch.engine.closed).toEqual([{ reason: 'policy_denied', tag }]);
  });

  test('a caller whose address has another identity now is cut, one that has left may finish', () => {
    const { batch, connect } = inbound();
    const { tag } = connect();
    batch.secured(tag, webId, 'h2');
    batch.apply([web(phase('weft-tls', { serviceAccount: 'else' }))]);
    expect(batch.engine.closed).toEqual([{ reason: 'tls_wrong_identity', tag }]);
    expect(batch.request(tag)).toMatchObject({ action: 'reply', reason: 'tls_wrong_identity' });
    const second = inbound();
    const { tag: left } = second.connect();
    second.batch.secured(left, webId, 'h2');
    second.batch.apply([], [{ kind: 'workload', name: 'web-1' }]);
    expect(second.batch.engine.ended).toEqual([`connection ${left} tls_wrong_identity 500`]);
  });

  describe('plaintext, when its port turns strict,', () => {
    const outside = web({ captured: false, capture: null });
    const permissive = { mtls: { mode: 'permissive', ports: {} } } as const;
    const onlyOpaque = { mtls: { mode: 'permissive', ports: { 9999: 'strict' } } } as const;
    const refused = (...tags: number[]) => tags.map((tag) => ({ reason: 'plaintext_refused', tag }));

    test('is cut, opaque bytes and HTTP, and counted; TLS is not', () => {
      const other = workload({ uid: 'cash-1', serviceAccount: 'web', addresses: ['10.0.0.3'] });
      const { batch, connect } = inbound(outside, resource('workload', { ...other, ...phase('weft-tls') }));
      const [tunnel, http, secured] = [connect('10.0.0.2', 9999), connect(), connect('10.0.0.3', 9999)];
      batch.secured(secured.tag, webId, 'tcp');
      expect([tunnel.action, http.action]).toEqual(['tunnel', 'http']);
      batch.apply([cart(phase('weft-tls', strict))]);
      expect(batch.engine.closed).toEqual(refused(tunnel.tag, http.tag));
      const reason = Reason.plaintext_refused;
      for (const { tag } of [tunnel, http])
        batch.complete({ kind: CompletionKind.connection, connectionTag: tag, reason });
      expect(batch.metric('weft_refusals_total', 'reason')).toEqual({ plaintext_refused: 2 });
    });

    test('is cut where an address that nobody has sends it, and only at the port that is strict', () => {
      const { batch, connect } = inbound();
      const [opaque, http] = [connect('10.0.0.9', 9999), connect('10.0.0.9')];
      expect([batch.sniffed(opaque.tag), batch.sniffed(http.tag)].map(({ action }) => action)).toEqual([
        'tunnel',
        'http',
      ]);
      batch.apply([cart(phase('weft-tls', onlyOpaque))]);
      expect(batch.engine.closed).toEqual(refused(opaque.tag));
    });

    test('has no request answered that comes before the cut', () => {
      const { batch, connect } = inbound(outside);
      const tags = Array.from({ length: 600 }, () => connect().tag);
      const last = tags.at(-1) as number;
      expect(batch.request(last)).toMatchObject({ action: 'forward' });
      batch.apply([cart(phase('weft-tls', strict))]);
      expect(batch.engine.closed.some(({ tag }) => tag === last)).toBe(false);
      expect(batch.request(last)).toMatchObject({ action: 'reply', reason: 'plaintext_refused' });
      batch.timers.advance(10);
      expect(batch.engine.closed.map(({ tag }) => tag).sort((a, b) => a - b)).toEqual(tags);
    });

    test('goes on where it came to a strict port while not all knew that it speaks TLS', () => {
      const { batch, connect } = inbound(web(phase('arriving')), cart(phase('arriving', strict)));
      const { tag } = connect('10.0.0.2', 9999);
      expect(batch.sniffed(tag)).toMatchObject({ action: 'tunnel' });
      batch.apply([web(phase('weft-tls')), cart(phase('weft-tls', strict))]);
      expect(batch.engine.closed).toEqual([]);
      // What was permitted in between is forbidden anew.
      batch.apply([cart(phase('weft-tls', permissive))]);
      batch.apply([cart(phase('weft-tls', strict))]);
      expect(batch.engine.closed).toEqual(refused(tag));
    });

    test('of a workload of the mesh is cut once it must speak TLS, not before', () => {
      const { batch, connect } = inbound(web(phase('arriving')), cart(phase('arriving')));
      const { tag } = connect('10.0.0.2', 9999);
      expect(batch.sniffed(tag)).toMatchObject({ action: 'tunnel' });
      batch.apply([cart(phase('arriving', strict))]);
      expect(batch.engine.closed).toEqual([]);
      batch.apply([cart(phase('weft-tls', strict))]);
      expect(batch.engine.closed).toEqual(refused(tag));
    });
  });

  test('a pool that grows in the middle of a round is gone round all the same', () => {
    const { batch, connect } = inbound();
    const open = (count: number) =>
      Array.from({ length: count }, () => {
        const { tag } = connect('10.0.0.2', 9999);
        batch.secured(tag, webId, 'tcp');
        return tag;
      });
    const early = open(2_000);
    // The round stands in the middle of the pool …
    batch.apply([deny([policyRule({ ports: [1] })])]);
    batch.apply([deny()]);
    // … when new ones come behind its end.
    open(900);
    batch.timers.advance(10);
    const closed = new Set(batch.engine.closed.map(({ tag }) => tag));
    expect(early.filter((tag) => !closed.has(tag))).toEqual([]);
  });

  test('many are judged in slices, all of them by the newest configuration', () => {
    const { batch, connect } = inbound();
    const tags = Array.from({ length: 1_200 }, () => {
      const { tag } = connect('10.0.0.2', 9999);
      batch.secured(tag, webId, 'tcp');
      return tag;
    });
    batch.apply([deny()]);
    expect(batch.engine.closed).toHaveLength(512);
    batch.timers.advance(10);
    expect(batch.engine.closed.map(({ tag }) => tag).sort((a, b) => a - b)).toEqual(tags);
  });
});

describe('what is told of transport', () => {
  const ended = { kind: CompletionKind.connection, bytesSent: 5, bytesReceived: 5 };

  test('connections and requests by transport, and the one proven peer in the log', () => {
    const { batch, connect } = inbound();
    const { tag } = connect();
    batch.secured(tag, webId, 'h2');
    const request = batch.request(tag);
    batch.complete({
      kind: CompletionKind.request,
      connectionTag: tag,
      requestTag: request.tag,
      status: 200,
      direction: 1,
    });
    batch.complete({ ...ended, connectionTag: tag });
    expect(batch.metric('weft_requests_total', 'transport', 'authenticated')).toEqual({ 'tls true': 1 });
    expect(batch.metric('weft_connections_total', 'transport', 'protocol')).toEqual({ 'tls http': 1 });
    expect(batch.edges()).toEqual([
      {
        source: 'shop/web-1',
        destination: 'shop/cart-1',
        port: 8080,
        transport: 'tls',
        reason: 'none',
        connections: 1,
        requests: 1,
      },
    ]);
  });

  test('who still speaks plaintext to a permissive port is counted, and why', () => {
    const { batch, connect } = inbound(web({ captured: false, capture: null }));
    const { tag } = connect('10.0.0.2', 9999);
    batch.complete({ ...ended, connectionTag: tag });
    const callers = ['source_workload', 'destination_workload'];
    expect(batch.metric('weft_plaintext_connections_total', ...callers)).toEqual({ 'web-1 cart-1': 1 });
    expect(batch.edges()).toMatchObject([{ transport: 'plaintext', reason: 'source_not_captured' }]);
  });

  test('a refusal for the sake of transport is an edge with its name, and a failure of TLS is counted', () => {
    const { batch, connect } = inbound();
    const { tag } = connect();
    batch.secured(tag, cartId, 'h2');
    const reason = Reason.tls_wrong_identity;
    batch.complete({ kind: CompletionKind.connection, connectionTag: tag, reason });
    expect(batch.edges()).toMatchObject([{ transport: 'none', reason: 'tls_wrong_identity' }]);
    const labels = ['direction', 'reason'];
    expect(batch.metric('weft_tls_failures_total', ...labels)).toEqual({ 'inbound tls_wrong_identity': 1 });
    expect(batch.metric('weft_refusals_total', 'layer', 'reason')).toEqual({
      'engine tls_wrong_identity': 1,
    });
  });

  test('an attempt that TLS failed counts as one, whatever became of its request', () => {
    const { batch, handle, connect } = outbound();
    batch.identify(handle, 'web-1');
    const { tag } = connect();
    const request = batch.request(tag);
    batch.complete({
      kind: CompletionKind.attempt,
      connectionTag: tag,
      requestTag: request.tag,
      reason: Reason.tls_untrusted_certificate,
    });
    expect(batch.metric('weft_tls_failures_total', 'direction', 'reason')).toEqual({
      'outbound tls_untrusted_certificate': 1,
    });
  });
});
