/** A node that ends as a whole, without its controller's knowing, and comes back by the key that it has kept. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitEvent } from './harness/await-event.js';
import { Lab } from './harness/lab.js';
import { weftMain } from './harness/lab-folder.js';
import { type LabNode, linkAddresses } from './harness/lab-node.js';
import { mesh, toYaml, workload } from './harness/manifests.js';
import { Weft } from './harness/weft.js';

interface Certificate {
  readonly workload: string;
  readonly serial: string | null;
}

interface StatusAnswer {
  readonly nodes: readonly { readonly node: string; readonly connected: boolean }[];
}

const controller = `${linkAddresses[0]}:15012`;

describe('a node with --node-key-file', () => {
  let lab: Lab;
  let far: LabNode;
  let first: Weft;
  let second: Weft;
  let keyFile: string;

  beforeAll(async () => {
    lab = await Lab.open();
    far = await lab.addNode('far');
    const away = await lab.addPod('server', { ipv4: '10.66.1.10', ipv6: 'fd66:0:0:1::a' }, far);
    const manifests = join(lab.folder, 'manifests');
    mkdirSync(manifests);
    const there = workload({ name: 'server' }, away) as { spec: object };
    const documents = [mesh, { ...there, spec: { ...there.spec, node: 'far' } }];
    writeFileSync(join(manifests, 'all.yaml'), toYaml(documents));
    keyFile = join(lab.folder, 'kept', 'node.key');
    first = await Weft.start(lab, { manifests, more: ['--listen', controller], netns: lab.node.netns });
    const { stdout } = await first.command('token', 'create', '--node', 'far', '--ttl', '5m');
    second = await joinFar(stdout.trim());
  });
  afterAll(async () => {
    try {
      await second?.stop();
      await first?.stop();
    } finally {
      await lab?.close();
    }
  });

  const joinFar = (token: string | null) =>
    Weft.join(lab, far, {
      controller,
      token,
      ca: join(first.state, 'controller/authority/ca.crt'),
      more: ['--node-key-file', keyFile],
    });
  const serials = async () => {
    const { stdout } = await second.command('certificates', '-o', 'json');
    const found = (JSON.parse(stdout) as Certificate[]).map(({ workload: name, serial }) => [name, serial]);
    return Object.fromEntries(found) as Record<string, string | null>;
  };

  test('the file is root`s alone, and holds the node`s key and no workload`s', async () => {
    const { uid, mode } = statSync(keyFile);
    expect([uid, mode & 0o7777]).toEqual([0, 0o600]);
    const { key, chain } = JSON.parse(Buffer.from(readFileSync(keyFile, 'utf8'), 'base64').toString()) as {
      readonly key: string;
      readonly chain: readonly string[];
    };
    expect(key).not.toBe('');
    const names = Buffer.from(chain[0] ?? '', 'base64').toString('latin1');
    expect(names).toContain('spiffe://test.example/weft/node/far');
    expect(names).not.toContain('/ns/test/sa/server');
  });

  test('after a power cut, with the controller killed too, it is back without a token, as the same node', async () => {
    const before = await serials();
    await second.cutPower();
    // As a folder in memory would be.
    rmSync(second.state, { recursive: true });
    process.kill(first.pidOf('controller'), 'SIGKILL');
    second = await joinFar(null);
    const workloadSerial = await awaitEvent('a certificate of the workload', 20_000, async () => {
      return (await serials())['test.server'] ?? undefined;
    });
    expect(workloadSerial).not.toBe(before['test.server']);
    expect((await serials())['weft/node']).toBe(before['weft/node']);
    await awaitEvent('the controller to know it', 10_000, async () => {
      const { stdout } = await first.command('status', '-o', 'json');
      const [controllerStatus] = JSON.parse(stdout).controllers as { readonly answer?: StatusAnswer }[];
      return controllerStatus?.answer?.nodes.some(({ node, connected }) => node === 'far' && connected);
    });
  });

  test('stopped in order and started again, it needs no token either', async () => {
    const before = await serials();
    await second.stop();
    second = await joinFar(null);
    expect((await serials())['weft/node']).toBe(before['weft/node']);
  });

  test('without the file it has to join again', async () => {
    await second.stop();
    rmSync(keyFile);
    const tokenFile = join(lab.folder, 'spent');
    writeFileSync(tokenFile, 'weft.far.spent', { mode: 0o600 });
    const argv = [process.execPath, weftMain, 'node', '--controller', controller, '--node', 'far'];
    const files = ['--token-file', tokenFile, '--ca-file', join(first.state, 'controller/authority/ca.crt')];
    const more = ['--node-key-file', keyFile, '--state', join(lab.folder, 'state-again')];
    const again = lab.spawn([...argv, ...files, ...more], { name: 'again', netns: far.netns }, 'again');
    await again.awaitOutput(/no certificate for .*token/, 30_000);
    await again.stop(30_000);
    const { stdout } = await first.command('token', 'create', '--node', 'far', '--ttl', '5m');
    second = await joinFar(stdout.trim());
    await awaitEvent('its key to be kept', 10_000, () => existsSync(keyFile) || undefined);
    expect((await serials())['weft/node']).toMatch(/./);
  });
});
