/** Issuance over gRPC: what is signed, and every kind of request that is refused. */

import { statSync, writeFileSync } from 'node:fs';
import { jest } from '@jest/globals';
import { BuiltInIssuer } from './built-in-issuer.js';
import { AuthorityFixture, cartId, cartUid, openssl, pemOf } from './test-authority.js';

// Each openssl is a process, and machines are slow.
jest.setTimeout(30_000);

let fixture: AuthorityFixture;

beforeEach(async () => {
  fixture = new AuthorityFixture(
    (root) => new BuiltInIssuer({ folder: `${root}/authority`, create: true, announceMs: 0 }),
  );
  await fixture.start();
});

afterEach(() => fixture.stop());

test('openssl verifies what is issued, and reads the profile of an X.509 SVID', async () => {
  const { chain, bundle, expiresMs } = await fixture.obtain(fixture.request());
  const [leaf, root] = [fixture.path('leaf.pem'), fixture.path('root.pem')];
  writeFileSync(leaf, pemOf(chain[0] as Buffer));
  writeFileSync(root, (bundle?.roots ?? []).map(pemOf).join(''));
  for (const purpose of ['sslserver', 'sslclient']) {
    expect(openssl('verify', '-x509_strict', '-purpose', purpose, '-CAfile', root, leaf).toString()).toMatch(
      /: OK/,
    );
  }
  const text = openssl('x509', '-in', leaf, '-noout', '-text').toString();
  expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
  expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
  expect(text).toMatch(
    /Extended Key Usage: \s+TLS Web Server Authentication, TLS Web Client Authentication\n/,
  );
  expect(text).toMatch(new RegExp(`Subject Alternative Name: critical\\s+URI:${cartId}\n`));
  const key = openssl('pkey', '-in', fixture.path('key.pem'), '-pubout').toString();
  expect(openssl('x509', '-in', leaf, '-noout', '-pubkey').toString()).toBe(key);
  expect(chain).toHaveLength(1);
  expect(bundle?.trustDomain).toBe('test.mesh');
  expect(Math.abs(expiresMs - fixture.nowMs - 3_600_000)).toBeLessThan(2000);
});

test('the authority`s files are for its user alone, and each issuance is recorded', async () => {
  await fixture.obtain(fixture.request());
  expect(statSync(fixture.path('authority')).mode & 0o777).toBe(0o700);
  expect(statSync(fixture.path('authority/tls.key')).mode & 0o777).toBe(0o600);
  expect(fixture.logged.filter((line) => line.audit === 'certificate-issued')).toMatchObject([
    { node: 'local', workload: cartUid, identity: cartId, serial: expect.stringMatching(/^[0-9a-f]{32}$/) },
  ]);
  expect(JSON.stringify(fixture.logged)).not.toMatch(/PRIVATE|BEGIN/);
});

const rsa = ['-newkey', 'rsa:2048'];
const p384 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'];

test.each([
  ['an RSA key', { key: rsa }, 'csr_key_refused 3'],
  ['a P-384 key', { key: p384 }, 'csr_key_refused 3'],
  ['an Ed25519 key', { key: ['-newkey', 'ed25519'] }, 'csr_key_refused 3'],
  ['two URIs', { names: `URI:${cartId},URI:spiffe://test.mesh/ns/a/sa/b` }, 'csr_name_refused 3'],
  ['a DNS name', { names: 'DNS:cart.shop' }, 'csr_name_refused 3'],
  ['a DNS name beside the URI', { names: `URI:${cartId},DNS:cart.shop` }, 'csr_name_refused 3'],
  ['no name', { names: '' }, 'csr_malformed 3'],
  ['a wish to be an authority', { more: ['-addext', 'basicConstraints=CA:TRUE'] }, 'csr_malformed 3'],
  ['a signature over SHA-1', { more: ['-sha1'] }, 'csr_signature_invalid 3'],
  ['another identity', { names: 'URI:spiffe://test.mesh/ns/shop/sa/web' }, 'identity_mismatch 7'],
  ['another trust domain', { names: `URI:${cartId.replace('test', 'best')}` }, 'identity_mismatch 7'],
  ['a longer identity', { names: `URI:${cartId}/x` }, 'identity_mismatch 7'],
] as const)('a request with %s is refused by name and recorded', async (_what, options, refusal) => {
  expect(await fixture.ask(fixture.request(options))).toBe(refusal);
  expect(fixture.refused).toEqual([`${refusal.split(' ')[0]} ${cartUid}`]);
});

test.each([
  ['a workload of another node', 'shop.far', 'local', 'identity_not_on_node 7'],
  ['an unknown workload', 'shop.none', 'local', 'identity_not_on_node 7'],
  ['a workload from another node', cartUid, 'other', 'identity_not_on_node 7'],
  ['no node', cartUid, 'no such node!', 'node_not_authenticated 16'],
] as const)('a request for %s is refused by name and recorded', async (_what, uid, node, refusal) => {
  expect(await fixture.ask(fixture.request(), uid, node)).toBe(refusal);
  expect(fixture.refused).toEqual([`${refusal.split(' ')[0]} ${uid}`]);
});

test('bytes that were changed, added, cut or are too many are refused', async () => {
  const csr = fixture.request();
  const forged = Buffer.from(csr);
  forged[forged.length - 1] = (forged.at(-1) as number) ^ 1;
  expect(await fixture.ask(forged)).toBe('csr_signature_invalid 3');
  expect(await fixture.ask(Buffer.concat([csr, Buffer.from([0])]))).toBe('csr_malformed 3');
  expect(await fixture.ask(csr.subarray(0, 100))).toBe('csr_malformed 3');
  expect(await fixture.ask(Buffer.alloc(0))).toBe('csr_malformed 3');
  expect(await fixture.ask(fixture.request({ names: `URI:${cartId}/${'x'.repeat(4096)}` }))).toBe(
    'csr_malformed 3',
  );
  expect(await fixture.ask(fixture.request({ names: `URI:${cartId}/${'x'.repeat(2048)}` }))).toBe(
    'csr_name_refused 3',
  );
  expect(fixture.controller.authority?.issued).toBe(0);
  expect(fixture.controller.authority?.refusals).toEqual(
    new Map([
      ['csr_signature_invalid', 1],
      ['csr_malformed', 4],
      ['csr_name_refused', 1],
    ]),
  );
});

test('another`s signed request does not give its key to whoever resends it', async () => {
  // Proof of possession binds the key, not the sender: the answer is of no use without the private key.
  const csr = fixture.request();
  const [one, two] = [await fixture.obtain(csr), await fixture.obtain(csr)];
  expect(Buffer.compare(one.chain[0] as Buffer, two.chain[0] as Buffer)).not.toBe(0);
});
