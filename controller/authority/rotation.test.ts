/** Roots that change, files that do not fit, and a signer behind files; the clock is the test's. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { BuiltInIssuer } from './built-in-issuer.js';
import { ExternalIssuer } from './external-issuer.js';
import { AuthorityFixture, cartId, openssl, pemOf } from './test-authority.js';
import { type HeldRoot, updateRoots } from './trust-roots.js';

const minute = 60_000;
const hour = 60 * minute;
const announceMs = 10_000;
const handOverMs = 15_000;
// Each openssl is a process, and machines are slow.
jest.setTimeout(30_000);

let fixture: AuthorityFixture;

afterEach(() => fixture?.stop());

const makeRoot = (name: string, ...more: string[]) => fixture.makeRoot(name, ...more);
const install = (files: Readonly<Record<string, string>>) => fixture.install(files);

async function issuerOf(): Promise<string> {
  const { chain } = await fixture.obtain(fixture.request());
  const file = fixture.path('leaf.pem');
  writeFileSync(file, chain.map(pemOf).join(''));
  return openssl('x509', '-in', file, '-noout', '-issuer').toString().trim();
}

/** What openssl says of a fresh chain against the bundle that came with it. */
async function verify(): Promise<string> {
  const { chain, bundle } = await fixture.obtain(fixture.request());
  const [leaf, others, roots] = ['leaf', 'others', 'roots'].map((name) => fixture.path(`${name}.pem`)) as [
    string,
    string,
    string,
  ];
  writeFileSync(leaf, pemOf(chain[0] as Buffer));
  writeFileSync(others, chain.slice(1).map(pemOf).join(''));
  writeFileSync(roots, (bundle?.roots ?? []).map(pemOf).join(''));
  const untrusted = chain.length > 1 ? ['-untrusted', others] : [];
  return openssl('verify', '-x509_strict', '-CAfile', roots, ...untrusted, leaf).toString();
}

describe('a root in files', () => {
  beforeEach(async () => {
    fixture = new AuthorityFixture(
      (root) => new BuiltInIssuer({ folder: join(root, 'authority'), create: true, announceMs }),
      hour,
    );
    await fixture.start();
  });

  test('is replaced with overlap: told first, then signing, and the old one is trusted for a certificate`s life', async () => {
    const bundles = fixture.watch();
    expect((await bundles.next()).roots).toHaveLength(1);
    makeRoot('second');
    install({
      'tls.key': fixture.read('second.key'),
      'tls.crt': fixture.read('second.crt'),
      'ca.crt': fixture.read('second.crt'),
    });
    expect(await issuerOf()).toMatch(/weft root/);
    expect((await bundles.next()).roots).toHaveLength(2);
    fixture.nowMs += announceMs - 1;
    expect(await issuerOf()).toMatch(/weft root/);
    fixture.nowMs += 1;
    expect(await issuerOf()).toBe('issuer=CN = second');
    // What the old one signed last is still good: it signed until now, and a little longer in another's hands.
    fixture.nowMs += hour - announceMs + handOverMs - 1;
    expect((await fixture.obtain(fixture.request())).bundle?.roots).toHaveLength(2);
    fixture.nowMs += 1;
    expect((await fixture.obtain(fixture.request())).bundle?.roots).toHaveLength(1);
    expect((await bundles.next()).roots).toHaveLength(1);
  });

  test('can stand above an intermediate, whose chain openssl verifies', async () => {
    makeRoot('top');
    const [request, leafKey] = [fixture.path('inter.csr'), fixture.path('inter.key')];
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-nodes'];
    openssl(
      'req',
      '-new',
      '-config',
      '/dev/null',
      ...ec,
      '-subj',
      '/CN=inter',
      '-keyout',
      leafKey,
      '-out',
      request,
    );
    const extensions = fixture.path('inter.ext');
    writeFileSync(
      extensions,
      'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n' +
        'authorityKeyIdentifier=keyid\nsubjectAltName=URI:spiffe://test.mesh\n',
    );
    const ca = [
      '-CA',
      fixture.path('top.crt'),
      '-CAkey',
      fixture.path('top.key'),
      '-CAcreateserial',
      '-days',
      '9',
    ];
    const out = fixture.path('inter.crt');
    openssl('x509', '-req', '-in', request, ...ca, '-extfile', extensions, '-out', out);
    install({
      'tls.key': fixture.read('inter.key'),
      'tls.crt': fixture.read('inter.crt'),
      'ca.crt': fixture.read('top.crt'),
    });
    await issuerOf();
    fixture.nowMs += announceMs;
    expect(await verify()).toMatch(/: OK/);
    expect(await issuerOf()).toBe('issuer=CN = inter');
  });

  test.each([
    ['a key that is another`s', () => ({ 'tls.key': fixture.read('second.key') }), /is not the key of/],
    ['no roots', () => ({ 'ca.crt': '' }), /is no PEM file of certificates/],
    ['a key that is none', () => ({ 'tls.key': 'PRIVATE nonsense' }), /is no private key in PEM/],
    [
      'the authority of another mesh',
      () => {
        makeRoot('other', '-addext', 'subjectAltName=URI:spiffe://other.mesh');
        return {
          'tls.key': fixture.read('other.key'),
          'tls.crt': fixture.read('other.crt'),
          'ca.crt': fixture.read('other.crt'),
        };
      },
      /two meshes share no authority/,
    ],
  ] as const)(
    'that becomes %s is not taken: the log says why, without a key, and the right files mend it',
    async (_what, files, why) => {
      makeRoot('second');
      const [key, certificate] = [fixture.read('authority/tls.key'), fixture.read('authority/tls.crt')];
      install(files());
      expect(await verify()).toMatch(/: OK/);
      expect(await issuerOf()).toMatch(/weft root/);
      const logged = JSON.stringify(fixture.logged);
      expect(logged).toMatch(why);
      expect(logged).not.toMatch(/PRIVATE|nonsense/);
      install({ 'tls.key': key, 'tls.crt': certificate, 'ca.crt': certificate });
      expect(await verify()).toMatch(/: OK/);
      expect(JSON.stringify(fixture.logged)).toMatch(/can be used again/);
    },
  );

  test('that everybody may read is complained of', async () => {
    const key = fixture.read('authority/tls.key');
    writeFileSync(fixture.path('.open'), key, { mode: 0o644 });
    renameSync(fixture.path('.open'), fixture.path('authority/tls.key'));
    await fixture.obtain(fixture.request());
    expect(JSON.stringify(fixture.logged)).toMatch(/chmod 600/);
  });

  test('never certifies beyond its own end', async () => {
    fixture.nowMs += 10 * 365 * 24 * hour - 2 * minute;
    const { expiresMs } = await fixture.obtain(fixture.request());
    expect(expiresMs - fixture.nowMs).toBeLessThan(3 * minute);
    fixture.nowMs += 3 * minute;
    expect(await fixture.ask(fixture.request())).toBe('issuer_failed 14');
  });

  test('is not made anew when it is gone while the controller runs', async () => {
    rmSync(fixture.path('authority'), { recursive: true });
    expect(await verify()).toMatch(/: OK/);
    expect(JSON.stringify(fixture.logged)).toMatch(/is gone; put its files back/);
    expect(existsSync(fixture.path('authority'))).toBe(false);
  });
});

describe('an external signer behind files', () => {
  let answer: (id: string) => void;

  beforeEach(async () => {
    answer = () => {};
    fixture = new AuthorityFixture((root) => {
      mkdirSync(join(root, 'pki'));
      return new ExternalIssuer({
        folder: join(root, 'pki'),
        timeoutMs: 1000,
        wait: async () => {
          for (const name of readdirSync(fixture.path('pki/requests')))
            answer(name.replace('.workload.csr', ''));
        },
      });
    });
    makeRoot('corp');
    writeFileSync(fixture.path('pki/ca.crt'), fixture.read('corp.crt'));
    await fixture.start();
  });

  /** What a script around openssl does. */
  function sign(id: string, extensions: string): void {
    writeFileSync(fixture.path('leaf.ext'), extensions);
    const ca = [
      '-CA',
      fixture.path('corp.crt'),
      '-CAkey',
      fixture.path('corp.key'),
      '-CAcreateserial',
      '-days',
      '1',
    ];
    const request = fixture.path('pki/requests', `${id}.workload.csr`);
    const draft = fixture.path('draft.crt');
    openssl('x509', '-req', '-in', request, ...ca, '-extfile', fixture.path('leaf.ext'), '-out', draft);
    // It dates by the machine's clock.
    fixture.nowMs = Date.now() + 1000;
    renameSync(draft, fixture.path('pki/certificates', `${id}.crt`));
  }

  const right = `basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth,clientAuth
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
subjectAltName=critical,URI:${cartId}
`;

  test('openssl signs, openssl verifies, and nothing is left in the folder', async () => {
    answer = (id) => sign(id, right);
    expect(await verify()).toMatch(/: OK/);
    expect(readdirSync(fixture.path('pki/requests'))).toEqual([]);
    expect(readdirSync(fixture.path('pki/certificates'))).toEqual([]);
  });

  test.each([
    ['another name', right.replace('sa/default', 'sa/admin'), /not for spiffe/],
    ['two names', right.replace('URI:', 'DNS:cart,URI:'), /not for spiffe/],
    ['an authority', right.replace('CA:FALSE', 'CA:TRUE'), /is an authority/],
    [
      'signing certificates',
      right.replace('digitalSignature', 'digitalSignature,keyCertSign'),
      /may sign others/,
    ],
    ['no handshakes', right.replace('digitalSignature', 'keyAgreement'), /may not sign handshakes/],
    ['a name that is not critical', right.replace('critical,URI', 'URI'), /subjectAltName is not critical/],
    ['servers alone', right.replace(',clientAuth', ''), /both servers and clients/],
  ])('a certificate for %s is not passed on', async (_what, extensions, why) => {
    answer = (id) => sign(id, extensions);
    expect(await fixture.ask(fixture.request())).toBe('issuer_failed 14');
    expect(JSON.stringify(fixture.logged)).toMatch(why);
  });

  test('a signer that does not answer is waited for so long and no longer', async () => {
    expect(await fixture.ask(fixture.request())).toBe('issuer_failed 14');
    expect(JSON.stringify(fixture.logged)).toMatch(/did not answer request [0-9a-f]{16} within 1000 ms/);
    expect(readdirSync(fixture.path('pki/requests'))).toEqual([]);
  });
});

test('roots that leave and come back are held as if they had never left', () => {
  const [one, two] = [new Uint8Array([1]), new Uint8Array([2])];
  let held: readonly HeldRoot[] = updateRoots([], [one], 0, 100);
  held = updateRoots(held, [two], 50, 100);
  expect(held.map(({ untilMs }) => untilMs)).toEqual([null, 150]);
  held = updateRoots(held, [one, two], 60, 100);
  expect(held.map(({ sinceMs, untilMs }) => [sinceMs, untilMs])).toEqual([
    [0, null],
    [50, null],
  ]);
  expect(updateRoots(updateRoots(held, [two], 70, 100), [two], 170, 100)).toHaveLength(1);
});

test('openssl is there: what is checked by it is not skipped', () => {
  expect(spawnSync('openssl', ['version']).status).toBe(0);
});
