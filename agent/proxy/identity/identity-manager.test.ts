import { type Issued, IssueFailure } from './issue-failure.js';
import { makeRequest } from './make-request.js';
import { begun, ManagerUnderTest } from './manager-under-test.js';
import { collectIdentities, identityReadiness, showCertificates } from './report-identities.js';
import { makeKeys, TestAuthority, type Twist } from './test-authority.js';
import { decodeSecret } from './vault-secret.js';
import { ExtendedKeyUsage } from './x509.js';

const hour = 3_600_000;
const cart = { workload: 'shop.cart', spiffeId: 'spiffe://test.mesh/ns/shop/sa/cart' };
const web = { workload: 'shop.web', spiffeId: 'spiffe://test.mesh/ns/shop/sa/web' };

let authority: TestAuthority;
let other: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.create('one', begun);
  other = await TestAuthority.create('two', begun);
});

const away = () => Promise.reject(new IssueFailure('authority_unreachable', 'nobody listens'));

test('an identity is asked for, checked, published, kept, and renewed in its time', async () => {
  const harness = new ManagerUnderTest(authority);
  harness.start(cart);
  await harness.obtained(1);
  expect(harness.seen).toEqual(['bundle 1', 'published shop.cart']);
  expect(harness.kinds).toEqual(['ready']);
  const first = harness.published.get(cart.workload);
  expect(first?.svid).toMatchObject({ spiffeId: cart.spiffeId, expiresMs: begun + hour });
  expect(decodeSecret(harness.vault.get(cart.workload) ?? '')?.chain).toEqual(first?.chain);
  harness.timers.advance(0.6 * hour - 1);
  expect(harness.requests).toBe(1);
  harness.timers.advance(1);
  await harness.obtained(2);
  const second = harness.published.get(cart.workload);
  expect(second?.svid.serial).not.toBe(first?.svid.serial);
  expect(Buffer.from(second?.privateKey ?? []).equals(Buffer.from(first?.privateKey ?? []))).toBe(false);
  expect(harness.seen).toEqual(['bundle 1', 'published shop.cart', 'published shop.cart']);
});

test('without an authority nothing changes until the end; that is told loudly, and the end withdraws', async () => {
  const harness = new ManagerUnderTest(authority);
  harness.start(cart);
  await harness.obtained(1);
  harness.answer = away;
  harness.timers.advance(0.6 * hour);
  await harness.failed(1);
  expect([harness.kinds, harness.published.size]).toEqual([['renewing'], 1]);
  expect(harness.logged.filter((line) => line.includes('"error"'))).toEqual([]);
  harness.timers.advance(0.25 * hour);
  await harness.failed(2);
  expect(harness.logged.at(-1)).toMatch(/"error".*ends in 540 s and there is no new one: nobody listens/);
  expect(harness.published.size).toBe(1);
  harness.timers.advance(0.15 * hour - 1);
  expect(harness.published.size).toBe(1);
  harness.timers.advance(1);
  expect([harness.kinds, harness.published.size]).toEqual([['expired'], 0]);
  expect(harness.seen.at(-1)).toBe('expired shop.cart');
  harness.answer = undefined;
  await harness.until('an attempt to end', () => harness.requests > 0);
  harness.timers.advance(60_000);
  await harness.obtained(2);
  expect(harness.kinds).toEqual(['ready']);
});

const behind = () => Promise.reject(new IssueFailure('identity_not_on_node', 'no such workload'));

test('a controller that has not heard of a new pod yet is asked again at once, and callers wait', async () => {
  const harness = new ManagerUnderTest(authority);
  const { manager } = harness;
  harness.answer = behind;
  harness.start(cart);
  for (let asked = 1; asked <= 20; asked += 1) {
    await harness.failed(asked);
    expect([manager.settled(cart.workload), manager.answered(cart.workload)]).toEqual([true, false]);
    harness.timers.advance(250);
  }
  await harness.failed(21);
  harness.answer = undefined;
  harness.timers.advance(250);
  await harness.obtained(1);
  expect([manager.answered(cart.workload), harness.kinds]).toEqual([true, ['ready']]);
});

test('callers of a pod that the controller never hears of wait half a minute; then it is asked less often', async () => {
  const harness = new ManagerUnderTest(authority);
  harness.answer = behind;
  harness.start(cart);
  await harness.failed(1);
  harness.timers.advance(30_000);
  expect(harness.manager.answered(cart.workload)).toBe(true);
  await harness.failed(2);
  harness.timers.advance(250);
  expect(harness.requests).toBe(2);
});

test('nobody waits for an authority that is away', async () => {
  const harness = new ManagerUnderTest(authority);
  harness.answer = away;
  harness.start(cart);
  await harness.failed(1);
  expect(harness.manager.answered(cart.workload)).toBe(true);
});

test('a new proxy finds its identities in the vault, with the authority away', async () => {
  const before = new ManagerUnderTest(authority);
  before.start(cart, web);
  await before.obtained(2);
  const after = new ManagerUnderTest(authority, before.vault);
  after.answer = away;
  after.start(cart, web);
  expect(after.kinds).toEqual(['ready', 'ready']);
  expect(after.requests).toBe(0);
  expect(after.published.get(cart.workload)?.svid).toEqual(before.published.get(cart.workload)?.svid);
  expect(after.seen[0]).toBe('bundle 1');
});

test('what the vault keeps is believed no more than a stranger: another identity, rubbish, expired', async () => {
  const before = new ManagerUnderTest(authority);
  before.start(cart);
  await before.obtained(1);
  const secret = before.vault.get(cart.workload) as string;
  const restored = (vault: [string, string][], afterMs = 0) => {
    const harness = new ManagerUnderTest(authority, new Map(vault));
    harness.answer = away;
    harness.timers.advance(afterMs);
    harness.start(cart, web);
    return [harness.kinds, harness.published.size];
  };
  expect(restored([[web.workload, secret]])).toEqual([['requesting', 'requesting'], 0]);
  expect(restored([[cart.workload, 'cnViYmlzaA==']])).toEqual([['requesting', 'requesting'], 0]);
  expect(restored([[cart.workload, secret]], hour)).toEqual([['requesting', 'requesting'], 0]);
  expect(restored([[cart.workload, secret]], hour - 1)).toEqual([['renewing', 'requesting'], 1]);
});

test.each<[string, RegExp, () => Promise<Twist>]>([
  [
    'another name',
    /not for spiffe:.* alone/,
    async () => ({ names: [{ type: 'url', value: web.spiffeId }] }),
  ],
  [
    'a second name',
    /not for spiffe:.* alone/,
    async () => ({
      names: [
        { type: 'url', value: cart.spiffeId },
        { type: 'dns', value: 'a' },
      ],
    }),
  ],
  ['another key', /another key/, async () => ({ publicKey: (await makeKeys()).publicKey })],
  ['an authority', /is an authority/, async () => ({ authority: true })],
  ['clients alone', /both servers and clients/, async () => ({ usages: [ExtendedKeyUsage.clientAuth] })],
])('a certificate for %s is refused by name and never published', async (_what, message, twist) => {
  const harness = new ManagerUnderTest(authority);
  harness.twist = await twist();
  harness.start(cart);
  await harness.failed(1);
  expect(harness.manager.refusals).toEqual(new Map([['certificate_refused', 1]]));
  expect(harness.manager.statuses[0]?.problem?.message).toMatch(message);
  expect([harness.published.size, harness.vault.size]).toEqual([0, 0]);
});

test('a chain that leads to another root, and an empty bundle, are refused', async () => {
  const harness = new ManagerUnderTest(authority);
  harness.answer = async () => {
    const { csr } = await makeRequest(cart.spiffeId);
    return { chain: [await other.sign(csr, begun, hour)], roots: [authority.root], nowMs: 0 };
  };
  harness.start(cart);
  await harness.failed(1);
  harness.manager.takeBundle([]);
  expect(harness.manager.roots).toEqual([authority.root]);
  expect(harness.published.size).toBe(0);
});

test('roots with overlap change nothing; an identity that no root vouches for is renewed at once', async () => {
  const harness = new ManagerUnderTest(authority);
  harness.start(cart);
  await harness.obtained(1);
  harness.manager.takeBundle([other.root, authority.root]);
  expect([harness.kinds, harness.requests]).toEqual([['ready'], 1]);
  expect(decodeSecret(harness.vault.get(cart.workload) ?? '')?.roots).toHaveLength(2);
  harness.answer = async () => new Promise(() => {});
  harness.manager.takeBundle([other.root]);
  expect(harness.kinds).toEqual(['renewing']);
  await harness.until('a request', () => harness.requests === 2);
});

test('a workload that leaves takes its identity along, also out of the vault, and what was under way is dropped', async () => {
  const harness = new ManagerUnderTest(authority);
  harness.start(cart);
  await harness.obtained(1);
  let finish: ((issued: Issued) => void) | undefined;
  harness.answer = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  harness.timers.advance(0.6 * hour);
  await harness.until('a request', () => finish !== undefined);
  harness.manager.setWanted([]);
  expect([harness.seen.at(-1), harness.vault.size, harness.kinds]).toEqual(['withdrawn shop.cart', 0, []]);
  finish?.({ chain: [], roots: [authority.root], nowMs: 0 });
  await new Promise((resolve) => setImmediate(resolve));
  expect([harness.published.size, harness.vault.size, harness.manager.refusals.size]).toEqual([0, 0, 0]);
});

test('a workload whose identity changes gets the new one, and its old one ends', async () => {
  const harness = new ManagerUnderTest(authority);
  harness.start(cart);
  await harness.obtained(1);
  harness.manager.setWanted([{ ...cart, spiffeId: web.spiffeId }]);
  await harness.obtained(2);
  expect(harness.seen.slice(1)).toEqual([
    'published shop.cart',
    'withdrawn shop.cart',
    'published shop.cart',
  ]);
  expect(harness.published.get(cart.workload)?.svid.spiffeId).toBe(web.spiffeId);
});

test('capture that comes back without its memory is given everything again', async () => {
  const harness = new ManagerUnderTest(authority);
  harness.start(cart);
  await harness.obtained(1);
  harness.manager.captureLost();
  harness.vault.clear();
  harness.manager.setWanted([cart, web]);
  expect(harness.kinds).toEqual(['ready', 'none']);
  harness.manager.captureReady();
  await harness.obtained(2);
  expect([...harness.vault.keys()].sort()).toEqual(['shop.cart', 'shop.web']);
});

test('at most eight requests are under way', async () => {
  const harness = new ManagerUnderTest(authority);
  harness.answer = () => new Promise(() => {});
  harness.start(...Array.from({ length: 20 }, (_, at) => ({ ...cart, workload: `w${at}` })));
  await harness.until('eight requests', () => harness.requests === 8);
  await new Promise((resolve) => setImmediate(resolve));
  expect(harness.requests).toBe(8);
});

test('no log, report or metric holds a key', async () => {
  const harness = new ManagerUnderTest(authority);
  harness.start(cart, web);
  await harness.obtained(2);
  const nowMs = begun + 600_000;
  const told = JSON.stringify([
    harness.logged,
    showCertificates(harness.manager.statuses, () => 'shop/cart'),
    collectIdentities(harness.manager, harness.clock),
  ]);
  for (const { privateKey } of harness.published.values()) {
    const key = Buffer.from(privateKey);
    for (const form of ['base64', 'hex', 'latin1'] as const)
      expect(told).not.toContain(key.toString(form).slice(50, 90));
    expect(told).not.toContain([...key].slice(40, 60).join(','));
  }
  expect(identityReadiness(harness.manager.statuses, nowMs)).toEqual({
    wanted: 2,
    inForce: 2,
    firstEndsInSeconds: 3000,
  });
  expect(showCertificates(harness.manager.statuses, () => 'shop/cart')[0]).toMatchObject({
    workload: 'shop.cart',
    state: 'ready',
    issuer: 'CN=one',
    expires: '2026-01-01T01:00:00.000Z',
    renews: '2026-01-01T00:36:00.000Z',
    reason: null,
  });
});
