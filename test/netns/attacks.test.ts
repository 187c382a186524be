/** What must not get in: certificates, protocols and claims that lie, each refused by its name and counted under it. */
import { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { awaitEvent } from './harness/await-event.js';
import { peerAuthentication, policy } from './harness/manifests.js';
import { Mesh } from './harness/mesh.js';
import { sumSamples } from './harness/metrics.js';
import { type Claims, type CredentialFiles, RogueAuthority, usages } from './harness/rogue-authority.js';
import { runCommand } from './harness/run-command.js';
import { fixture, python, type Service, startFixture } from './harness/services.js';

const spiffeId = (account: string, domain = 'test.example') => `spiffe://${domain}/ns/test/sa/${account}`;
const captured = [
  { name: 'http', port: 8080, appProtocol: 'http' },
  { name: 'line', port: 9000, appProtocol: 'tcp' },
];

/** A connection that somebody makes by openssl, past every agent. */
interface Dial {
  readonly pod?: string;
  readonly port?: number;
  readonly credential?: CredentialFiles;
  readonly alpn?: string;
  readonly more?: readonly string[];
}

describe('attacks on a strict workload', () => {
  let mesh: Mesh;
  let server: Service;
  let stolen: RogueAuthority;
  let foreign: RogueAuthority;
  let authority: string;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'client' },
          { name: 'server', ports: captured },
          // Enrolled, says the configuration, on a node that is not there: nobody stands between it and the wire.
          { name: 'neighbour', node: 'elsewhere' },
          { name: 'outsider', capture: null },
        ],
        services: [
          { name: 'server', host: 1, port: 80, targetPort: 8080, appProtocol: 'http' },
          { name: 'line', host: 2, port: 9000, targetPort: 9000, appProtocol: 'tcp', pods: ['server'] },
        ],
        more: [
          peerAuthentication('strict', 'Strict', 'server'),
          policy('no-admin', {
            selector: { matchLabels: { app: 'server' } },
            action: 'DENY',
            rules: [{ ports: [8080], http: { paths: ['/admin'] } }],
          }),
        ],
      },
      async ({ lab }) => {
        // Its address is nobody's.
        await lab.addPod('stranger');
        server = await startFixture(lab.pod('server'), 'raw-server.py', 8080);
        await startFixture(lab.pod('server'), 'line-server.py', 9000);
      },
    );
    authority = join(mesh.weft.state, 'controller/authority');
    const folder = join(mesh.lab.folder, 'rogue');
    stolen = await RogueAuthority.withStolenKey(authority, join(folder, 'stolen'));
    foreign = await RogueAuthority.ofItsOwn(join(authority, 'tls.crt'), join(folder, 'foreign'));
    await awaitEvent('the server to speak TLS', 20_000, async () => {
      const answer = await mesh.status('client', 'http://10.97.0.1/warm');
      const secured = sumSamples(await mesh.samples(), 'weft_requests_total', {
        direction: 'inbound',
        authenticated: 'true',
        status: '200',
      });
      return answer === 200 && secured > 0;
    });
  });
  afterAll(() => mesh?.close());

  /** Requests that reached the application so far. */
  const arrived = () => server.process.stdout.split('\n').filter(Boolean).length;
  const refusals = async (reason: string) =>
    sumSamples(await mesh.samples(), 'weft_refusals_total', { reason });

  /** openssl's own client; the request goes as soon as its side of the handshake is done. */
  const dial = ({ pod = 'neighbour', port = 8080, credential, alpn = 'weft/h1', more = [] }: Dial) => {
    const address = `${mesh.pod('server').ipv4}:${port}`;
    const shown = credential === undefined ? [] : ['-cert', credential.certificate, '-key', credential.key];
    const protocol = alpn === '' ? [] : ['-alpn', alpn];
    return mesh
      .pod(pod)
      .try(['openssl', 's_client', '-connect', address, '-quiet', ...protocol, ...shown, ...more], {
        input: 'GET /attack HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n',
        // Longer than the one that is held.
        timeoutMs: 90_000,
      });
  };

  const tlsFailures = async (reason: string) =>
    sumSamples(await mesh.samples(), 'weft_tls_failures_total', { reason, direction: 'inbound' });

  async function expectRefusal(reason: string, attack: () => Promise<{ readonly stdout: string }>) {
    const [seen, before, failed] = [arrived(), await refusals(reason), await tlsFailures(reason)];
    const { stdout } = await attack();
    expect(stdout).not.toMatch(/HTTP\/1\.1 200/);
    await awaitEvent(`a count of ${reason}`, 8_000, async () => (await refusals(reason)) > before);
    if (reason.startsWith('tls_')) expect(await tlsFailures(reason)).toBeGreaterThan(failed);
    expect(arrived()).toBe(seen);
  }

  const right: Claims = { uris: [spiffeId('neighbour')] };

  test('who has the key of the identity that its address has gets in: so the rest fail for what is wrong in them', async () => {
    const seen = arrived();
    const { stdout } = await dial({ credential: await stolen.issue(right) });
    expect(stdout).toMatch(/^HTTP\/1\.1 200 /);
    expect(arrived()).toBe(seen + 1);
  });

  test.each<[what: string, reason: string, make: () => Promise<CredentialFiles | undefined>]>([
    ['no certificate', 'tls_no_client_certificate', async () => undefined],
    ['a self-made one', 'tls_untrusted_certificate', () => foreign.selfSign(right)],
    ["another root's, of the same name", 'tls_untrusted_certificate', () => foreign.issue(right)],
    [
      'an expired one',
      'tls_expired_certificate',
      () => stolen.issue({ ...right, fromMinutes: -9, toMinutes: -1 }),
    ],
    [
      'one that is not valid yet',
      'tls_expired_certificate',
      () => stolen.issue({ ...right, fromMinutes: 9 }),
    ],
    [
      'one of another trust domain',
      'tls_wrong_identity',
      () => stolen.issue({ uris: [spiffeId('neighbour', 'evil.example')] }),
    ],
    [
      'one with two identities',
      'tls_wrong_identity',
      () => stolen.issue({ uris: [spiffeId('neighbour'), spiffeId('client')] }),
    ],
    [
      'one whose identity is no SPIFFE id',
      'tls_wrong_identity',
      () => stolen.issue({ uris: ['https://test.example/ns/test/sa/neighbour'] }),
    ],
    [
      'one for servers only',
      'tls_wrong_purpose',
      () => stolen.issue({ ...right, usages: [usages.serverAuth] }),
    ],
    ["an authority's", 'tls_wrong_purpose', () => stolen.issue({ ...right, authority: true })],
    [
      "another workload's, used from this address",
      'tls_wrong_identity',
      () => stolen.issue({ uris: [spiffeId('client')] }),
    ],
    ["the server's own", 'tls_wrong_identity', () => stolen.issue({ uris: [spiffeId('server')] })],
  ])('with %s: %s', async (_, reason, make) => {
    const credential = await make();
    await expectRefusal(reason, () => dial(credential === undefined ? {} : { credential }));
  });

  test('a right key from an address that nobody has: held for a while, then tls_wrong_identity', async () => {
    const credential = await stolen.issue(right);
    await expectRefusal('tls_wrong_identity', () => dial({ pod: 'stranger', credential }));
  });

  test.each<[what: string, reason: string, dial: Dial]>([
    ['TLS 1.2', 'tls_version_refused', { more: ['-tls1_2'] }],
    ['a null cipher', 'tls_version_refused', { more: ['-tls1_2', '-cipher', 'eNULL:@SECLEVEL=0'] }],
    ['no application protocol', 'tls_alpn_refused', { alpn: '' }],
    ['an application protocol that is not ours', 'tls_alpn_refused', { alpn: 'h2' }],
    ['requests on an opaque port', 'tls_alpn_refused', { alpn: 'weft/h1', port: 9000 }],
    ['opaque bytes where a policy reads requests', 'policy_denied', { alpn: 'weft/tcp' }],
  ])('with the right key and %s: %s', async (_, reason, attempt) => {
    const credential = await stolen.issue(right);
    await expectRefusal(reason, () => dial({ credential, ...attempt }));
  });

  test('a server name that lies changes nothing: the answer is the identity of the address', async () => {
    const credential = await stolen.issue(right);
    const address = `${mesh.pod('server').ipv4}:8080`;
    const files = ['-cert', credential.certificate, '-key', credential.key];
    const said = await mesh
      .pod('neighbour')
      .try([
        'openssl',
        's_client',
        '-connect',
        address,
        '-alpn',
        'weft/h1',
        ...files,
        '-servername',
        'client.test',
      ]);
    const pem = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(said.stdout)?.[0] ?? '';
    expect(new X509Certificate(pem).subjectAltName).toBe(`URI:${spiffeId('server')}`);
    expect(said.stdout).toMatch(/TLSv1\.3, Cipher is TLS_/);
  });

  test.each(['outsider', 'neighbour', 'stranger'])('plaintext from %s is refused unread', async (pod) => {
    const address = mesh.pod('server').ipv4;
    await expectRefusal('plaintext_refused', async () => {
      const way = [
        '-o',
        '/dev/null',
        '--max-time',
        '5',
        '-w',
        '%{http_code}',
        `http://${address}:8080/plain`,
      ];
      const { stdout } = await mesh.pod(pod).try(['curl', '-s', ...way]);
      expect(stdout).toBe('000');
      return { stdout };
    });
  });

  test('who speaks TLS inside the mesh speaks it to nobody: its own agent takes it for a bad request', async () => {
    const credential = await stolen.issue({ uris: [spiffeId('client')] });
    await expectRefusal('http1_not_http', () => dial({ pod: 'client', credential }));
  });

  test('of all 65,535 ports none answers a stranger with a byte', async () => {
    const argv = [python, fixture('scan-ports.py'), mesh.pod('server').ipv4];
    const before = await refusals('plaintext_refused');
    const said = await mesh.pod('outsider').run(argv, { timeoutMs: 110_000 });
    expect(JSON.parse(said)).toEqual({ scanned: 65_535, answers: {} });
    expect(await refusals('plaintext_refused')).toBeGreaterThan(before);
    expect(await mesh.status('client', 'http://10.97.0.1/after')).toBe(200);
  });

  test('a user of a pod cannot open a socket of weft, and no socket of weft is abstract', async () => {
    const sockets = (await runCommand(['find', mesh.weft.state, '-type', 's'])).trim().split('\n');
    expect(sockets.length).toBeGreaterThanOrEqual(3);
    const knock = `import socket, sys
for path in sys.argv[1:]:
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        print(path, 'open')
    except OSError as error:
        print(path, error.strerror)`;
    // Neither the proxy's user nor the controller's.
    const asUser = ['setpriv', '--reuid=12345', '--regid=12345', '--clear-groups', '--no-new-privs'];
    const said = await mesh.pod('client').run([...asUser, python, '-c', knock, ...sockets]);
    expect(said.trim().split('\n')).toEqual(sockets.map((path) => `${path} Permission denied`));
    const abstract = await mesh.pod('client').run(['cat', '/proc/net/unix']);
    expect(abstract).not.toMatch(/ @/);
    for (const path of sockets) expect(statSync(path).mode & 0o007).toBe(0);
  });

  test('a filter on the node that allows 8080 alone between two pods does exactly that', async () => {
    const [client, peer] = [mesh.pod('client').ipv4, mesh.pod('server').ipv4];
    const rules = `table bridge filter {
      chain forward {
        type filter hook forward priority 0; policy accept;
        ip saddr ${client} ip daddr ${peer} tcp dport 8080 accept
        ip saddr ${peer} ip daddr ${client} tcp sport 8080 accept
        ip saddr ${client} ip daddr ${peer} counter drop
        ip saddr ${peer} ip daddr ${client} counter drop
      }
    }`;
    const nft = (...args: string[]) =>
      runCommand(['ip', 'netns', 'exec', mesh.lab.nodeNetns, 'nft', ...args], { input: rules });
    const line = () => mesh.sendRaw('client', '10.97.0.2', 9000, 'hello\n', 3);
    expect((await line()).received).toMatch(/HELLO/);
    await nft('-f', '-');
    try {
      const fresh = ['-H', 'connection: close', '--max-time', '5', 'http://10.97.0.1/filtered'];
      expect(await mesh.status('client', ...fresh)).toBe(200);
      expect((await line()).received).toBe('');
    } finally {
      await nft('flush', 'ruleset');
    }
    await awaitEvent('the other port to answer again', 15_000, async () =>
      /HELLO/.test((await line()).received),
    );
  });
});
