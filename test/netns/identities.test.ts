/** Identities end to end: the real controller, capture and proxy of `weft run`. */
import { appendFileSync, chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitEvent } from './harness/await-event.js';
import { makeRoot } from './harness/make-root.js';
import { Mesh } from './harness/mesh.js';
import { runCommand, tryCommand } from './harness/run-command.js';

interface Certificate {
  readonly workload: string;
  readonly identity: string;
  readonly state: string;
  readonly serial: string;
  readonly expires: string;
}

describe('weft run', () => {
  let mesh: Mesh;

  beforeAll(async () => {
    mesh = await Mesh.open({
      pods: [{ name: 'client' }, { name: 'server' }],
      services: [],
      weft: () => ({ more: ['--certificate-seconds', '3600'] }),
    });
  });
  afterAll(() => mesh?.close());

  /** Once each workload has one that is in force. */
  const certificates = () =>
    awaitEvent('certificates of both workloads', 15_000, async () => {
      const { code, stdout } = await mesh.weft.command('certificates', '-o', 'json');
      const found = code === 0 ? (JSON.parse(stdout) as Certificate[]) : [];
      return found.length === 2 ? found : undefined;
    });

  const serials = async () => (await certificates()).map(({ workload, serial }) => `${workload} ${serial}`);

  const metric = async (name: string) =>
    (await mesh.samples()).filter((sample) => sample.name === name).map(({ value }) => value);

  test('each workload gets a certificate of its own, and status, metrics and the table say so', async () => {
    const found = await certificates();
    expect(found.map(({ identity, state }) => [identity, state])).toEqual([
      ['spiffe://test.example/ns/test/sa/client', 'ready'],
      ['spiffe://test.example/ns/test/sa/server', 'ready'],
    ]);
    const { stdout } = await mesh.weft.command('certificates');
    expect(stdout).toMatch(/^WORKLOAD +NODE +IDENTITY +SERIAL +ISSUER +EXPIRES +STATE\n/);
    expect(stdout).toMatch(/CN=weft root .*, O=test\.example +in \d+m\d+s +ready/);
    expect(await metric('weft_identities')).toEqual([2]);
    const [seconds] = await metric('weft_identity_seconds_to_expiry');
    expect(seconds).toBeGreaterThan(3000);
    expect(JSON.parse(await mesh.weft.admin('/ready'))).toMatchObject({
      ready: true,
      identities: { wanted: 2, inForce: 2 },
    });
  });

  test('the authority`s key is of the controller`s user alone, and no file or log holds another', async () => {
    const key = join(mesh.weft.state, 'controller/authority/tls.key');
    const { uid, mode } = statSync(key);
    expect([uid, mode & 0o777]).toEqual([65_532, 0o600]);
    const thief = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'cat', key];
    expect(await tryCommand(thief)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Permission denied/),
    });
    const holders = await runCommand(['grep', '-rlsE', 'PRIVATE KEY|MIGHAgEA', mesh.weft.state]);
    expect(holders.trim()).toBe(key);
    expect(mesh.weft.process.stderr).not.toMatch(/PRIVATE|MIGHAgEA/);
  });

  test('kill -9 of the proxy with the controller dead: the same identities, out of capture`s vault', async () => {
    const before = await serials();
    const controller = mesh.weft.pidOf('controller');
    process.kill(controller, 'SIGSTOP');
    try {
      await mesh.weft.killProxy();
      expect(await serials()).toEqual(before);
      expect(await metric('weft_identity_certificates_total')).toEqual([0]);
    } finally {
      process.kill(controller, 'SIGCONT');
    }
  });

  test('a workload that leaves takes its identity along', async () => {
    const manifest = join(mesh.manifests, 'workloads.yaml');
    const whole = readFileSync(manifest, 'utf8');
    const documents = whole.split(/^---\n/m);
    mesh.write('workloads.yaml', documents.filter((text) => !text.includes('name: server')).join('---\n'));
    await awaitEvent('one identity', 10_000, async () => {
      const { stdout } = await mesh.weft.command('certificates', '-o', 'json');
      return (JSON.parse(stdout) as Certificate[]).map(({ workload }) => workload).join() === 'test.client';
    });
    writeFileSync(manifest, whole);
    expect(await certificates()).toHaveLength(2);
  });
});

describe('weft run --certificate-seconds 6', () => {
  let mesh: Mesh;

  beforeAll(async () => {
    mesh = await Mesh.open({
      pods: [{ name: 'alone' }],
      services: [],
      weft: () => ({ more: ['--certificate-seconds', '6'] }),
    });
  });
  afterAll(() => mesh?.close());

  const look = async () => {
    const { code, stdout } = await mesh.weft.command('certificates', '-o', 'json');
    const [one] = JSON.parse(stdout) as Certificate[];
    return { code, one };
  };
  const awaitState = (wanted: string) =>
    awaitEvent(`the state ${wanted}`, 20_000, async () =>
      (await look()).one?.state === wanted ? wanted : undefined,
    );

  test('certificates follow each other, and none ever ends before the next is in force', async () => {
    const serials = new Set<string>();
    const gaps: string[] = [];
    await awaitEvent('five certificates in turn', 40_000, async () => {
      const { one } = await look();
      if (one?.serial !== undefined && one.serial !== null) serials.add(one.serial);
      if (serials.size > 0 && one?.state !== 'ready' && one?.state !== 'renewing')
        gaps.push(one?.state ?? 'none');
      return serials.size >= 5;
    });
    expect(gaps).toEqual([]);
  });

  test('a root that is added in the files reaches the proxy, and identities go on', async () => {
    await awaitState('ready');
    const folder = join(mesh.lab.folder, 'second');
    await makeRoot(folder, 'second');
    appendFileSync(join(mesh.weft.state, 'controller/authority/ca.crt'), readFileSync(`${folder}.crt`));
    await awaitEvent('two roots', 10_000, async () =>
      (await mesh.samples()).some(({ name, value }) => name === 'weft_trust_bundle_roots' && value === 2),
    );
    expect((await look()).one?.state).toMatch(/ready|renewing/);
  });

  test('with the authority gone nothing changes at first, the end is told before it comes, and passes', async () => {
    await awaitState('ready');
    const { one: before } = await look();
    const folder = join(mesh.weft.state, 'controller');
    const { mode } = statSync(folder);
    // It dies at each start: it cannot make its socket there.
    chmodSync(folder, 0o000);
    const told = mesh.weft.process.awaitOutput(
      /the identity spiffe:\S+ ends in \d+ s and there is no new one/,
      20_000,
    );
    process.kill(mesh.weft.pidOf('controller'), 'SIGKILL');
    try {
      await told;
      const { code, one } = await look();
      expect([code, one?.serial]).toEqual([0, before?.serial]);
      await awaitState('expired');
      expect((await look()).code).toBe(1);
      const status = await mesh.weft.command('status');
      expect(status.code).toBe(1);
      await mesh.weft.process.awaitOutput(
        /the identity spiffe:.* has expired; is the controller running/,
        5_000,
      );
    } finally {
      chmodSync(folder, mode);
    }
    await awaitState('ready');
  });
});
