/** Nodes over TCP: how they join, what they prove afterwards, and everybody who must stay outside. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { jest } from '@jest/globals';
import { decodeDelta } from '../../proto/decode-delta.js';
import { BuiltInIssuer } from './built-in-issuer.js';
import { JoinTokens } from './join-tokens.js';
import { AuthorityFixture, cartId, cartUid, openssl, pemOf } from './test-authority.js';
import { keysOf, TestNode } from './test-node.js';

// Each openssl is a process, and machines are slow.
jest.setTimeout(30_000);

const minute = 60_000;
const farId = 'spiffe://test.mesh/ns/shop/sa/default';
let fixture: AuthorityFixture;
let nodes: TestNode[];

beforeEach(async () => {
  fixture = new AuthorityFixture(
    (root) => new BuiltInIssuer({ folder: `${root}/authority`, create: true, announceMs: 0 }),
  );
  nodes = [];
  await fixture.start(true);
});

afterEach(() => {
  for (const node of nodes) node.close();
  fixture.stop();
});

function newNode(name = 'other'): TestNode {
  const node = new TestNode(fixture, name);
  nodes.push(node);
  return node;
}

async function joined(name = 'other'): Promise<TestNode> {
  const node = newNode(name);
  const { token } = await fixture.tokens.create(name, 10 * minute);
  expect(await node.join(token)).toBe('joined');
  return node;
}

/** What openssl s_client sees of the listener; it ends with its input. */
function handshake(...more: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${fixture.nodesPort}`, ...more]);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      said[name] += chunk;
    });
  }
  child.stdin.end();
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said })));
}

describe('joining', () => {
  test('a token is exchanged for a certificate for clients alone, under the node`s own name', async () => {
    const text = (await joined()).text();
    expect(text).toMatch(
      /Subject Alternative Name: critical\s+URI:spiffe:\/\/test.mesh\/weft\/node\/other\n/,
    );
    expect(text).toMatch(/Extended Key Usage: \s+TLS Web Client Authentication\n/);
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(text).toMatch(/CA:FALSE/);
    const issued = fixture.logged.filter((line) => line.audit === 'certificate-issued');
    expect(issued.map(({ node, identity }) => [node, identity])).toEqual([
      [undefined, 'spiffe://test.mesh/weft/controller'],
      ['other', 'spiffe://test.mesh/weft/node/other'],
    ]);
  });

  test('a token is good once, from wherever it comes the second time', async () => {
    const { token } = await fixture.tokens.create('other', 10 * minute);
    expect(await newNode().join(token)).toBe('joined');
    expect(await newNode().join(token)).toBe('node_token_replayed 16');
    expect(fixture.refused).toEqual(['node_token_replayed other']);
    expect(fixture.controller.authority?.refusals).toEqual(new Map([['node_token_replayed', 1]]));
  });

  test('of two that use a token at the same moment, one gets in', async () => {
    const { token } = await fixture.tokens.create('other', 10 * minute);
    const answers = await Promise.all([newNode().join(token), newNode().join(token)]);
    expect(answers.sort()).toEqual(['joined', 'node_token_replayed 16']);
  });

  test('a used token stays used when the controller starts anew', async () => {
    const file = fixture.path('tokens.json');
    const { token } = await fixture.tokens.create('other', 10 * minute);
    await newNode().join(token);
    const next = new JoinTokens({ file, now: () => fixture.nowMs });
    expect(await next.authenticate(token, 'other')).toMatchObject({ reason: 'node_token_replayed' });
  });

  test('a token ends with its time', async () => {
    const { token } = await fixture.tokens.create('other', 10 * minute);
    fixture.nowMs += 10 * minute;
    expect(await newNode().join(token)).toBe('node_token_expired 16');
    expect(fixture.refused).toEqual(['node_token_expired other']);
  });

  test.each([
    ['of another node', async () => (await fixture.tokens.create('third', minute)).token],
    ['that nobody made', async () => `weft.${'0'.repeat(16)}.${'A'.repeat(43)}`],
    [
      'whose secret was changed',
      async () => `${(await fixture.tokens.create('other', minute)).token.slice(0, -2)}AA`,
    ],
    ['that is no token', async () => 'please'],
  ])('a token %s is unknown, and is not spent', async (_what, make) => {
    const { token } = await fixture.tokens.create('other', minute);
    expect(await newNode().join(await make())).toBe('node_token_unknown 16');
    expect(fixture.refused).toEqual(['node_token_unknown other']);
    expect(await newNode().join(token)).toBe('joined');
  });

  test('a token does not buy another name', async () => {
    const create = () => fixture.tokens.create('other', minute).then(({ token }) => token);
    expect(await newNode().join(await create(), `URI:${cartId}`)).toBe('identity_mismatch 7');
    expect(await newNode().join(await create(), 'URI:spiffe://test.mesh/weft/controller')).toBe(
      'identity_mismatch 7',
    );
    expect(await newNode().join(await create(), 'URI:spiffe://test.mesh/weft/node/local')).toBe(
      'identity_mismatch 7',
    );
  });

  test('the file of tokens holds hashes and no secret, for the controller`s user alone', async () => {
    const { token } = await fixture.tokens.create('other', minute);
    const text = readFileSync(fixture.path('tokens.json'), 'utf8');
    expect(text).toContain('"node":"other"');
    expect(text).not.toContain(token.split('.')[2]);
    expect(JSON.stringify(fixture.logged)).not.toContain(token.split('.')[2]);
    expect(statSync(fixture.path('tokens.json')).mode & 0o777).toBe(0o600);
  });

  test('a file of tokens that is not understood is not taken for an empty one', async () => {
    const file = fixture.path('authority/ca.crt');
    expect(() => new JoinTokens({ file, now: () => 0 })).toThrow(/holds no join tokens/);
  });
});

describe('a node that has joined', () => {
  test('gets its configuration, and certificates of the workloads that run there', async () => {
    const node = await joined();
    const delta = await node.subscribe();
    if (typeof delta === 'string') throw new Error(delta);
    const captured = decodeDelta(delta).upserts.filter(
      (one) => one.kind === 'workload' && one.body.capture !== null,
    );
    expect(captured.map(({ name }) => name)).toEqual(['shop.far']);
    expect(await node.issue('shop.far', `URI:${farId}`)).toMatchObject({ chain: [expect.anything()] });
    expect(await node.issue(cartUid, `URI:${cartId}`)).toBe('identity_not_on_node 7');
  });

  test('renews its certificate by the one that it has', async () => {
    const node = await joined();
    const first = node.keys?.cert;
    expect(await node.issueNode('')).toBe('joined');
    expect(node.keys?.cert).not.toBe(first);
    expect(typeof (await node.subscribe())).toBe('object');
  });

  test('is no other node, to any call', async () => {
    const node = await joined();
    expect(await node.subscribe('local')).toBe('node_not_authenticated 16');
    expect(await node.issue(cartUid, `URI:${cartId}`, 'local')).toBe('node_not_authenticated 16');
    expect(await node.issueNode('', 'URI:spiffe://test.mesh/weft/node/local', 'local')).toBe(
      'node_not_authenticated 16',
    );
    expect(await node.followBundle('local').ended).toBe('node_not_authenticated 16');
    expect(fixture.controller.nodeRefusals.counts).toEqual(new Map([['node_not_authenticated', 1]]));
    expect(fixture.logged).toContainEqual(
      expect.objectContaining({ audit: 'node-refused', reason: 'node_not_authenticated', node: 'local' }),
    );
  });
});

describe('a root that is replaced', () => {
  test('takes nobody out: the old certificate gets in, the new server is known, the stream goes on', async () => {
    const node = await joined();
    const following = node.followBundle();
    await following.withRoots(1);
    let dropped = false;
    void following.ended.then(() => {
      dropped = true;
    });
    fixture.makeRoot('next');
    const [key, root] = [fixture.read('next.key'), fixture.read('next.crt')];
    fixture.install({ 'tls.key': key, 'tls.crt': root, 'ca.crt': root });
    node.roots = (await following.withRoots(2)).roots.map(pemOf).join('');
    // The certificate of the old root still proves the node, to a server whose certificate is of the new one.
    expect(typeof (await node.subscribe())).toBe('object');
    await awaitServer(root);
    node.roots = root;
    expect(typeof (await node.subscribe())).toBe('object');
    expect(await node.issueNode('')).toBe('joined');
    expect(node.text()).toMatch(/Issuer: CN = next/);
    expect(typeof (await node.subscribe())).toBe('object');
    expect(dropped).toBe(false);
  });

  /** Until the listener's own certificate leads to these roots and no others. */
  async function awaitServer(roots: string): Promise<void> {
    const path = fixture.path('only.crt');
    writeFileSync(path, roots);
    const deadline = Date.now() + 10_000;
    for (;;) {
      const { code } = await handshake('-CAfile', path, '-verify_return_error', '-alpn', 'h2');
      if (code === 0) return;
      if (Date.now() > deadline) throw new Error('the listener keeps the certificate of the old root');
    }
  }
});

describe('a certificate that ends', () => {
  test('ends the connection that it opened', async () => {
    fixture.stop();
    fixture = new AuthorityFixture(
      (root) => new BuiltInIssuer({ folder: `${root}/authority`, create: true, announceMs: 0 }),
      5_000,
    );
    await fixture.start(true);
    const node = await joined();
    expect(await node.followBundle().ended).toBe('no reason 14');
    expect(await node.subscribe()).toBe('no reason 14');
  });
});

describe('who is refused', () => {
  test('a connection without a certificate, by every call but joining', async () => {
    const node = newNode();
    expect(await node.subscribe()).toBe('node_not_authenticated 16');
    expect(await node.issue('shop.far', `URI:${farId}`)).toBe('node_not_authenticated 16');
    expect(await node.issueNode('')).toBe('node_not_authenticated 16');
    expect(await node.followBundle().ended).toBe('node_not_authenticated 16');
  });

  test('a workload`s certificate: it is no node`s', async () => {
    const node = newNode();
    node.keys = keysOf(fixture, await fixture.obtain(fixture.request()));
    expect(await node.subscribe()).toBe('no reason 14');
    expect(fixture.logged).toContainEqual(
      expect.objectContaining({
        audit: 'node-refused',
        message: expect.stringMatching(/ns\/shop\/sa\/default, which is no node/),
      }),
    );
  });

  test('a certificate of another root, with the right name', async () => {
    const node = newNode();
    const [key, cert] = [fixture.path('own.key'), fixture.path('own.crt')];
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x'];
    const name = ['-addext', `subjectAltName=URI:${node.id}`, '-addext', 'extendedKeyUsage=clientAuth'];
    openssl(
      'req',
      '-x509',
      '-config',
      '/dev/null',
      ...ec,
      '-days',
      '1',
      ...name,
      '-keyout',
      key,
      '-out',
      cert,
    );
    node.keys = { key: fixture.read('own.key'), cert: fixture.read('own.crt') };
    expect(await node.subscribe()).toBe('no reason 14');
    expect(fixture.controller.nodeRefusals.counts.get('node_not_authenticated')).toBeGreaterThan(0);
  });

  test('the server is known by its own name: a workload cannot stand in for it, nor a node', async () => {
    const trusted = ['-CAfile', fixture.path('authority/ca.crt'), '-verify_return_error'];
    const { stdout: text } = await handshake(
      ...trusted,
      '-purpose',
      'sslserver',
      '-alpn',
      'h2',
      '-showcerts',
    );
    const [certificate = ''] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text) ?? [];
    const seen = spawnSync('openssl', ['x509', '-noout', '-text'], {
      input: certificate,
      encoding: 'utf8',
    }).stdout;
    expect(seen).toMatch(/URI:spiffe:\/\/test.mesh\/weft\/controller\n/);
    expect(seen).toMatch(/Extended Key Usage: \s+TLS Web Server Authentication\n/);
  });
});

describe('the listener by openssl', () => {
  test('speaks TLS 1.3, and resumes no session', async () => {
    const { stdout } = await handshake('-tls1_3', '-alpn', 'h2');
    expect(stdout).toMatch(/New, TLSv1.3, Cipher is TLS_/);
    expect(stdout).toMatch(/ALPN protocol: h2/);
  });

  test.each([['-tls1_2'], ['-tls1_1'], ['-tls1']])('refuses %s', async (version) => {
    const { code, stderr, stdout } = await handshake(version, '-cipher', 'ALL:@SECLEVEL=0');
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/alert protocol version|no protocols available|unsupported protocol/);
    expect(stdout).not.toMatch(/Cipher is TLS_/);
  });

  test('refuses a protocol that is not HTTP/2', async () => {
    expect((await handshake('-tls1_3', '-alpn', 'http/1.1')).stderr).toMatch(/no application protocol/);
  });

  test('closes what is no TLS', async () => {
    const socket = connectTcp(fixture.nodesPort, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) =>
      socket
        .on('close', resolve)
        .on('error', () => {})
        .resume(),
    );
    expect(fixture.controller.nodeRefusals.counts.get('node_not_authenticated')).toBe(1);
  });
});
