/** Sessions of mutual TLS that are resumed: what it takes, what ends it, and what a stolen ticket is worth. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitEvent } from './harness/await-event.js';
import { makeRoot } from './harness/make-root.js';
import { peerAuthentication, policy } from './harness/manifests.js';
import { Mesh } from './harness/mesh.js';
import { type Sample, sumSamples } from './harness/metrics.js';
import { type CredentialFiles, RogueAuthority } from './harness/rogue-authority.js';
import { type Service, startFixture } from './harness/services.js';

const virtual = '10.97.0.2';
const port = 9000;

/** Counters of the one proxy that is both ends. */
interface Counts {
  readonly full: number;
  readonly resumedAsClient: number;
  readonly resumedAsServer: number;
  readonly outdated: number;
  readonly misplaced: number;
  readonly tickets: number;
}

function countsOf(samples: readonly Sample[]): Counts {
  const sum = (name: string, labels = {}) => sumSamples(samples, name, labels);
  const resumedAsServer = sum('weft_tls_resumed_handshakes_total', { role: 'server' });
  return {
    full: sum('weft_tls_handshakes_total', { role: 'server', result: 'ok' }) - resumedAsServer,
    resumedAsClient: sum('weft_tls_resumed_handshakes_total', { role: 'client' }),
    resumedAsServer,
    outdated: sum('weft_tls_refused_tickets_total', { cause: 'outdated' }),
    misplaced: sum('weft_tls_refused_tickets_total', { cause: 'misplaced' }),
    tickets: sum('weft_engine_tls_tickets'),
  };
}

describe('resumption', () => {
  let mesh: Mesh;
  let server: Service;
  let credential: CredentialFiles;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'client' },
          { name: 'server', ports: [{ name: 'line', port, appProtocol: 'tcp' }] },
          // Enrolled, says the configuration, on a node that is not there: nobody stands between them and the wire.
          { name: 'neighbour', node: 'elsewhere' },
          { name: 'thief', node: 'elsewhere' },
        ],
        services: [{ name: 'server', host: 2, port, targetPort: port, appProtocol: 'tcp' }],
        more: [peerAuthentication('strict', 'Strict', 'server')],
      },
      async ({ lab }) => {
        server = await startFixture(lab.pod('server'), 'line-server.py', port);
      },
    );
    const rogue = await RogueAuthority.withStolenKey(
      join(mesh.weft.state, 'controller/authority'),
      join(mesh.lab.folder, 'rogue'),
    );
    credential = await rogue.issue({ uris: ['spiffe://test.example/ns/test/sa/neighbour'] });
  });
  afterAll(() => mesh?.close());

  /** One opaque connection of the client's from beginning to end. */
  async function pass(): Promise<void> {
    const { received, end } = await mesh.sendRaw('client', virtual, port, 'hello\nbye\n', 10);
    expect(received).toMatch(/HELLO/);
    expect(end).toBe('closed');
  }
  const counts = async () => countsOf(await mesh.samples());

  /** What the counters gain by `work`, those that stay left out. */
  async function gained(work: () => Promise<unknown>): Promise<Partial<Counts>> {
    const before = await counts();
    await work();
    const after = await counts();
    const changes = Object.entries(after).map(
      ([name, value]) => [name, value - before[name as keyof Counts]] as const,
    );
    return Object.fromEntries(changes.filter(([, change]) => change !== 0));
  }
  const resumed = { resumedAsClient: 1, resumedAsServer: 1 };

  /** What has come late, and the tickets that ended by it, is over: one connection is resumed. */
  const warm = () =>
    awaitEvent('a connection that is resumed', 10_000, async () => {
      const before = (await counts()).resumedAsServer;
      await pass();
      return (await counts()).resumedAsServer > before;
    });

  test('connections of one pod to another resume, each with a ticket of the one before', async () => {
    await warm();
    const change = await gained(async () => {
      for (let i = 0; i < 20; i += 1) await pass();
    });
    expect(change).toEqual({ resumedAsClient: 20, resumedAsServer: 20 });
    expect((await counts()).tickets).toBe(1);
  });

  test('after a change of policies the next handshake is full, on both sides', async () => {
    await warm();
    const deny = policy('another-port', {
      selector: { matchLabels: { app: 'server' } },
      action: 'DENY',
      rules: [{ ports: [1] }],
    });
    mesh.write('policies.yaml', [deny]);
    await awaitEvent('the tickets to be forgotten', 10_000, async () => (await counts()).tickets === 0);
    expect(await gained(pass)).toEqual({ full: 1, tickets: 1 });
    expect(await gained(pass)).toEqual(resumed);
  });

  test('after a change of the trust bundle, which gives both ends new identities, too', async () => {
    await warm();
    const folder = join(mesh.lab.folder, 'second');
    await makeRoot(folder, 'second');
    appendFileSync(join(mesh.weft.state, 'controller/authority/ca.crt'), readFileSync(`${folder}.crt`));
    await awaitEvent('two roots, and the tickets to be forgotten', 10_000, async () => {
      const samples = await mesh.samples();
      return sumSamples(samples, 'weft_trust_bundle_roots') === 2 && countsOf(samples).tickets === 0;
    });
    expect(await gained(pass)).toEqual({ full: 1, tickets: 1 });
    expect(await gained(pass)).toEqual(resumed);
  });

  test('a workload that leaves takes its tickets along; when it is back it proves its key', async () => {
    await warm();
    const manifest = join(mesh.manifests, 'workloads.yaml');
    const whole = readFileSync(manifest, 'utf8');
    const others = whole.split(/^---\n/m).filter((text) => !text.includes('name: client'));
    mesh.write('workloads.yaml', others.join('---\n'));
    await awaitEvent('the tickets to be forgotten', 20_000, async () => (await counts()).tickets === 0);
    mesh.write('workloads.yaml', whole);
    const before = await counts();
    await awaitEvent('a connection by TLS', 30_000, async () => {
      await pass().catch(() => undefined); // it is not captured again yet
      return (await counts()).full > before.full;
    });
    expect((await counts()).resumedAsServer).toBe(before.resumedAsServer);
    expect(await gained(pass)).toEqual(resumed);
  });

  describe('a ticket that somebody took out of an agent', () => {
    const arrived = () => server.process.stdout.split('\n').filter(Boolean).length;

    /** openssl's own client, which says one line; `more`: how it proves who it is. */
    const dial = (pod: string, ...more: string[]) =>
      mesh
        .pod(pod)
        .try(
          [
            'openssl',
            's_client',
            '-connect',
            `${mesh.pod('server').ipv4}:${port}`,
            '-alpn',
            'weft/tcp',
            '-ign_eof',
            ...more,
          ],
          { input: 'steal\nbye\n', timeoutMs: 25_000 },
        );

    /** A ticket as neighbour's agent would get it. */
    async function takeTicket(name: string): Promise<string> {
      const file = join(mesh.lab.folder, name);
      const said = await dial(
        'neighbour',
        '-cert',
        credential.certificate,
        '-key',
        credential.key,
        '-sess_out',
        file,
      );
      expect(said.stdout).toMatch(/^New, TLSv1\.3/m);
      expect(said.stdout).toMatch(/STEAL/);
      expect(existsSync(file)).toBe(true);
      return file;
    }

    async function expectRefused(pod: string, ticket: string, cause: 'outdated' | 'misplaced') {
      const seen = arrived();
      const refusals = async () =>
        sumSamples(await mesh.samples(), 'weft_refusals_total', { reason: 'tls_no_client_certificate' });
      const before = await refusals();
      const change = await gained(async () => {
        const { stdout } = await dial(pod, '-sess_in', ticket);
        expect(stdout).not.toMatch(/STEAL/);
        await awaitEvent('the refusal', 8_000, async () => (await refusals()) > before);
      });
      expect(change).toEqual({ [cause]: 1 });
      expect(arrived()).toBe(seen);
    }

    test('is good at the address that it was given to, without a key: so the rest fail for what they do', async () => {
      const { stdout } = await dial('neighbour', '-sess_in', await takeTicket('good.pem'));
      expect(stdout).toMatch(/^Reused, TLSv1\.3/m);
      expect(stdout).toMatch(/STEAL/);
    });

    test('is of no use at another address', async () => {
      await expectRefused('thief', await takeTicket('moved.pem'), 'misplaced');
    });

    test('is of no use after a change of policies', async () => {
      const ticket = await takeTicket('judged.pem');
      await warm();
      mesh.write('policies.yaml', []);
      await awaitEvent('the tickets to be forgotten', 10_000, async () => (await counts()).tickets === 0);
      await expectRefused('neighbour', ticket, 'outdated');
    });

    test('is of no use after the server`s identity was replaced', async () => {
      const ticket = await takeTicket('old.pem');
      await warm();
      const folder = join(mesh.lab.folder, 'third');
      await makeRoot(folder, 'third');
      appendFileSync(join(mesh.weft.state, 'controller/authority/ca.crt'), readFileSync(`${folder}.crt`));
      await awaitEvent('the tickets to be forgotten', 10_000, async () => (await counts()).tickets === 0);
      await expectRefused('neighbour', ticket, 'outdated');
    });
  });
});
