/** A second node: it joins over TLS, serves its own pods, and outlives what happens to its proxy and its controller. */
import { chownSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitEvent } from './harness/await-event.js';
import { Lab } from './harness/lab.js';
import { weftMain } from './harness/lab-folder.js';
import { linkAddresses } from './harness/lab-node.js';
import { Load } from './harness/load.js';
import { makeRoot } from './harness/make-root.js';
import { mesh, type PodSpec, service, toYaml, workload } from './harness/manifests.js';
import { tryCommand } from './harness/run-command.js';
import { startNginx } from './harness/services.js';
import { Weft } from './harness/weft.js';

interface Certificate {
  readonly workload: string;
  readonly identity: string;
  readonly serial: string;
  readonly issuer: string;
  readonly state: string;
}

const controller = `${linkAddresses[0]}:15012`;
const server: PodSpec = { name: 'server', ports: [{ name: 'http', port: 8080, appProtocol: 'http' }] };

describe('a second node', () => {
  let lab: Lab;
  let first: Weft;
  let second: Weft;
  let token: string;

  beforeAll(async () => {
    lab = await Lab.open();
    const far = await lab.addNode('far');
    const near = await lab.addPod('client');
    const away = await lab.addPod('server', { ipv4: '10.66.1.10', ipv6: 'fd66:0:0:1::a' }, far);
    const manifests = join(lab.folder, 'manifests');
    mkdirSync(manifests);
    const write = (name: string, text: string) => writeFileSync(join(manifests, name), text);
    write('mesh.yaml', toYaml([mesh]));
    const there = workload(server, away) as { spec: object };
    write(
      'workloads.yaml',
      toYaml([workload({ name: 'client' }, near), { ...there, spec: { ...there.spec, node: 'far' } }]),
    );
    const shop = { name: 'server', host: 1, port: 80, targetPort: 8080, appProtocol: 'http' };
    // The same pod behind three virtual addresses: one that all tests use, one that one test uses, one that none can.
    const services = ['server', 'other', 'never'].flatMap((name, index) =>
      service({ ...shop, name, host: index + 1, pods: ['server'] }, lab.pods),
    );
    write('services.yaml', toYaml(services));
    await startNginx(away, { port: 8080 });
    const more = ['--certificate-seconds', '16', '--listen', controller];
    first = await Weft.start(lab, { manifests, more, netns: lab.node.netns });
    const made = await first.command('token', 'create', '--node', 'far', '--ttl', '5m');
    expect(made).toMatchObject({ code: 0, stderr: expect.stringMatching(/node far may join with it once/) });
    token = made.stdout.trim();
    second = await Weft.join(lab, far, {
      controller,
      token,
      ca: join(first.state, 'controller/authority/ca.crt'),
    });
  });
  afterAll(async () => {
    try {
      await second?.stop();
      await first?.stop();
    } finally {
      await lab?.close();
    }
  });

  const certificates = async (weft: Weft): Promise<Certificate[]> => {
    const { stdout } = await weft.command('certificates', '-o', 'json');
    return JSON.parse(stdout) as Certificate[];
  };
  const nodeSerial = async () =>
    (await certificates(second)).find(({ workload: place }) => place === 'weft/node')?.serial;
  const endpointsHeld = async (weft: Weft): Promise<string[]> => {
    const { resources } = JSON.parse(await weft.admin('/config')) as {
      resources: readonly { readonly kind: string; readonly name: string }[];
    };
    return resources.flatMap(({ kind, name }) => (kind === 'endpoints' ? [name] : [])).sort();
  };
  const fetch = () => lab.pod('client').run(['curl', '-sS', '-m', '10', 'http://10.97.0.1/over']);

  test('each node serves its own pods and proves them; the joined one proves itself too', async () => {
    const identities = async (weft: Weft) => (await certificates(weft)).map(({ identity }) => identity);
    expect(await identities(first)).toEqual(['spiffe://test.example/ns/test/sa/client']);
    expect((await identities(second)).sort()).toEqual([
      'spiffe://test.example/ns/test/sa/server',
      'spiffe://test.example/weft/node/far',
    ]);
    const status = await first.command('status');
    expect(status.stdout).toMatch(/far +reached/);
    expect(status.stdout).toMatch(/local +reached/);
    expect((await second.command('status')).stdout).toMatch(/^controller +on another machine\nproxy +ready/);
  });

  test('a request goes from a pod of one node to a pod of the other', async () => {
    expect(await fetch()).toBe('server GET 10.97.0.1 /over from 10.66.0.10\n');
  });

  test('a service is asked for when it is first used, and the connection goes on with its details', async () => {
    expect(await endpointsHeld(first)).not.toContain('test/other');
    // Those in front of its own pods.
    expect(await endpointsHeld(second)).toEqual(['test/never', 'test/other', 'test/server']);
    const url = 'http://10.97.0.2/first';
    const timed = ['curl', '-sS', '-o', '/dev/null', '-m', '10', '-w', '%{http_code} %{time_total}', url];
    const [status, seconds] = (await lab.pod('client').run(timed)).split(' ');
    expect(status).toBe('200');
    // Milliseconds on a quiet machine; held ones that nothing came for would have been refused after two seconds.
    expect(Number(seconds)).toBeLessThan(1);
    expect(await endpointsHeld(first)).toContain('test/other');
  });

  test('what a node joined with is nothing to anybody else', async () => {
    const secret = token.split('.')[2] ?? '';
    // Ends with 2 where a file went while it looked.
    const found = await tryCommand(['grep', '-rlsF', secret, join(first.state, 'controller')]);
    expect([found.code === 0, found.stdout]).toEqual([false, '']);
    const file = join(lab.folder, 'stolen');
    writeFileSync(file, token);
    const words = ['--controller', controller, '--node', 'far', '--token-file', file];
    const thief = lab.spawn(
      [
        ...[
          process.execPath,
          weftMain,
          'node',
          ...words,
          '--ca-file',
          join(first.state, 'controller/authority/ca.crt'),
        ],
        ...['--state', join(lab.folder, 'state-thief')],
      ],
      { name: 'a thief', netns: lab.node.netns },
      'thief',
    );
    await thief.awaitOutput(/no certificate for .*: the token of node far was used at/, 30_000);
    await first.process.awaitOutput(
      /certificate refused: the token of node far was used.* audit=certificate-refused/,
      5_000,
    );
    await thief.stop(30_000);
  });

  test('the node`s certificate is renewed, and its connection with it, while requests go on', async () => {
    const before = await nodeSerial();
    await awaitEvent('another certificate of the node', 20_000, async () => {
      expect(await fetch()).toMatch(/^server GET/);
      return (await nodeSerial()) !== before;
    });
    const { nodes } = JSON.parse((await first.command('status', '-o', 'json')).stdout).controllers[0].answer;
    expect(nodes).toContainEqual(expect.objectContaining({ node: 'far', connected: true }));
  });

  test('a root that is replaced, all files at once, fails no request and takes no node out', async () => {
    const folder = join(first.state, 'controller/authority');
    const owner = statSync(join(folder, 'tls.key'));
    const made = join(lab.folder, 'next');
    await makeRoot(made, 'next');
    for (const [name, source] of [
      ['tls.key', 'key'],
      ['tls.crt', 'crt'],
      ['ca.crt', 'crt'],
    ] as const) {
      const draft = join(folder, `.${name}`);
      writeFileSync(draft, readFileSync(`${made}.${source}`), { mode: 0o600 });
      chownSync(draft, owner.uid, owner.gid);
      renameSync(draft, join(folder, name));
    }
    const load = new Load(lab.pod('client'), { url: 'http://10.97.0.1/load', connections: 4 });
    const ofNext = async (weft: Weft) =>
      (await certificates(weft)).every(({ issuer, state }) => issuer === 'CN=next' && state !== 'expired');
    await awaitEvent('every certificate of both nodes by the new root', 60_000, async () => {
      expect(await fetch()).toMatch(/^server GET/);
      return (await ofNext(first)) && (await ofNext(second));
    });
    await awaitEvent('the old root to be forgotten', 60_000, async () => {
      expect(await fetch()).toMatch(/^server GET/);
      return /^weft_trust_bundle_roots 1$/m.test(await second.metricsText());
    });
    const { requests, socketErrors, badStatuses } = await load.stop();
    expect([socketErrors, badStatuses]).toEqual([0, 0]);
    expect(requests).toBeGreaterThan(1_000);
    expect((await second.command('status')).code).toBe(0);
  });

  test('without a controller what was never used is refused by name, and a restarted proxy holds what was', async () => {
    const pid = first.pidOf('controller');
    process.kill(pid, 'SIGSTOP');
    const ask = () => lab.pod('client').try(['curl', '-sS', '-f', '-m', '10', 'http://10.97.0.3/new']);
    try {
      expect((await ask()).code).not.toBe(0);
      const counted = /^weft_refusals_total\{[^}]*reason="detail_missing"[^}]*\} [1-9]/m;
      await awaitEvent('the refusal`s name', 5_000, async () => counted.test(await first.metricsText()));
      await first.killProxy();
      await awaitEvent('the restarted proxy', 20_000, async () => {
        const held = await endpointsHeld(first).catch((): string[] => []);
        return held.includes('test/other') && !held.includes('test/never');
      });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    // Certificates of eight seconds may have ended meanwhile, so what is asked for is the configuration alone.
    await awaitEvent('what is new to be fetched', 20_000, async () => {
      await ask();
      return (await endpointsHeld(first)).includes('test/never');
    });
  });

  test('kill -9 of its proxy while the controller is away: it serves again, and finds its way back', async () => {
    // With a whole life ahead: a node whose certificate ends meanwhile would need another token.
    const before = await nodeSerial();
    await awaitEvent('a fresh certificate', 20_000, async () => (await nodeSerial()) !== before);
    const pid = first.pidOf('controller');
    process.kill(pid, 'SIGSTOP');
    try {
      await second.killProxy();
      await awaitEvent('an answer', 10_000, async () =>
        (await fetch().catch(() => '')).startsWith('server GET'),
      );
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await awaitEvent(
      'the node to be connected',
      20_000,
      async () => (await second.command('status')).code === 0,
    );
    expect(await nodeSerial()).toBeDefined();
  });
});
