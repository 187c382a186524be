import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Mesh } from './harness/mesh.js';
import { runCommand } from './harness/run-command.js';
import { fixture, python, startNginx } from './harness/services.js';

const http = { name: 'http', port: 8080, appProtocol: 'http' };

describe('who can reach what', () => {
  let mesh: Mesh;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [{ name: 'web' }, { name: 'server', ports: [http, { ...http, name: 'second', port: 8081 }] }],
        services: [
          { name: 'server', host: 1, port: 80, targetPort: 8080, appProtocol: 'http' },
          { name: 'second', host: 2, port: 80, targetPort: 8081, appProtocol: 'http', pods: ['server'] },
        ],
      },
      ({ lab }) => startNginx(lab.pod('server'), { port: 8080, listen: ['8080', '8081', '[::]:8080'] }),
    );
  });
  afterAll(() => mesh?.close());

  test('root of a pod who scans and binds the listeners of the agent gets nothing', async () => {
    const { ipv4, ipv6 } = mesh.pod('web');
    const scan = JSON.parse(
      await mesh.pod('web').run([python, fixture('scan-agent.py'), ipv4, ipv6], { timeoutMs: 90_000 }),
    ) as {
      readonly listeners: readonly unknown[];
      readonly answers: Readonly<Record<string, string>>;
      readonly binds: Readonly<Record<string, string>>;
    };
    expect(scan.listeners.length).toBeGreaterThanOrEqual(2);
    expect(Object.entries(scan.answers).filter(([, answer]) => answer.startsWith('HTTP'))).toEqual([]);
    expect(Object.entries(scan.binds).filter(([, result]) => result === 'bound')).toEqual([]);
    expect(await mesh.status('web', 'http://10.97.0.1/')).toBe(200);
  });

  test('a packet filter on the pod that allows one port keeps its meaning', async () => {
    const rules = `table inet filter {
      chain input {
        type filter hook input priority 0; policy accept;
        iifname "eth0" tcp flags & (syn | ack) == syn tcp dport != 8080 drop
      }
    }`;
    await mesh.pod('server').run(['nft', '-f', '-'], { input: rules });
    try {
      expect(await mesh.status('web', '--max-time', '3', 'http://10.97.0.1/')).toBe(200);
      expect(await mesh.status('web', '--max-time', '8', 'http://10.97.0.2/')).not.toBe(200);
    } finally {
      await mesh.pod('server').run(['nft', 'flush', 'ruleset']);
    }
    expect(await mesh.status('web', '--max-time', '10', 'http://10.97.0.2/')).toBe(200);
  });

  test('a filter on the node sees the addresses and ports that were asked for', async () => {
    const rules = `table bridge filter {
      chain forward {
        type filter hook forward priority 0; policy accept;
        ip saddr ${mesh.pod('web').ipv4} ip daddr ${mesh.pod('server').ipv4} tcp dport 8080 counter
      }
    }`;
    await runCommand(['ip', 'netns', 'exec', mesh.lab.nodeNetns, 'nft', '-f', '-'], { input: rules });
    const listed = async () =>
      runCommand(['ip', 'netns', 'exec', mesh.lab.nodeNetns, 'nft', 'list', 'ruleset']);
    const packets = async () => Number(/counter packets (\d+)/.exec(await listed())?.[1]);
    const before = await packets();
    expect(await mesh.status('web', 'http://10.97.0.1/')).toBe(200);
    expect(await packets()).toBeGreaterThan(before);
    await runCommand(['ip', 'netns', 'exec', mesh.lab.nodeNetns, 'nft', 'flush', 'ruleset']);
  });

  test('the proxy runs as another user without capability, and gains none', () => {
    const status = readFileSync(`/proc/${mesh.weft.pidOf('proxy')}/status`, 'utf8');
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
    expect(field('Uid').split(/\s+/).map(Number)).not.toContain(0);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      expect([set, field(set)]).toEqual([set, '0000000000000000']);
    expect(field('NoNewPrivs')).toBe('1');
  });

  test('as that user, entering a pod, getting pinned maps and tracing capture fail', async () => {
    const proxy = mesh.weft.pidOf('proxy');
    const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${proxy}/status`, 'utf8'))?.[1] ?? '';
    const argv = [
      'setpriv',
      `--reuid=${uid}`,
      `--regid=${uid}`,
      '--clear-groups',
      '--inh-caps=-all',
      '--ambient-caps=-all',
      '--bounding-set=-all',
      '--no-new-privs',
      python,
      fixture('privilege-probe.py'),
    ];
    const capture = mesh.weft.pidOf('capture');
    const netns = join('/run/netns', mesh.pod('server').netns);
    const result = JSON.parse(await runCommand([...argv, netns, findPinnedMap(), String(capture)])) as Record<
      string,
      unknown
    >;
    expect(result).toEqual({
      uid: Number(uid),
      openAndEnterPod: 'EPERM',
      enterCapture: 'EACCES',
      unshare: 'EPERM',
      bpfObjGet: expect.stringMatching(/^(EPERM|EACCES)$/),
      bpfMapCreate: 'EPERM',
      ptrace: 'EPERM',
      captureMemory: 'EACCES',
      captureDescriptors: 'EACCES',
    });
  });

  test('the probe itself is sharp: root may do all of it', async () => {
    const target = mesh.pod('server').spawn(['sleep', '60']);
    const netns = join('/run/netns', mesh.pod('server').netns);
    const argv = [python, fixture('privilege-probe.py'), netns, findPinnedMap(), String(target.pid)];
    expect(JSON.parse(await runCommand(argv))).toMatchObject({
      openAndEnterPod: 'allowed',
      bpfObjGet: 'allowed',
      ptrace: 'allowed',
      captureMemory: 'allowed',
    });
  });
});

/** Some map that weft has pinned. */
function findPinnedMap(): string {
  const entry = readdirSync('/sys/fs/bpf', { recursive: true, withFileTypes: true }).find(
    (one) => one.isFile() && one.parentPath.includes('weft') && one.name === 'notes',
  );
  if (entry === undefined) throw new Error('weft has pinned no map named notes below /sys/fs/bpf');
  return join(entry.parentPath, entry.name);
}
