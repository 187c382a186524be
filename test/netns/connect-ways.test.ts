import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Mesh } from './harness/mesh.js';
import { openingSegments, PacketCapture } from './harness/packet-capture.js';
import { type Service, startNginx } from './harness/services.js';
import { awaitLine } from './harness/weft.js';

/**
 * A program may connect as it likes: the mesh sees it, and the program sees the address that it asked for. Not so with
 * MPTCP, where getpeername(2) asks the socket above the subflow, which carries no note: it shows the steered address.
 */
describe('every way of connecting goes through the mesh', () => {
  let mesh: Mesh;
  let server: Service;
  let capture: PacketCapture;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'client' },
          { name: 'server', ports: [{ name: 'http', port: 8080, appProtocol: 'http' }] },
        ],
        services: [
          { name: 'server', host: 1, port: 80, targetPort: 8080, appProtocol: 'http', families: [4, 6] },
        ],
      },
      async ({ lab }) => {
        server = await startNginx(lab.pod('server'), { port: 8080 });
      },
    );
    capture = await PacketCapture.start(mesh.lab, openingSegments);
  });
  afterAll(() => mesh?.close());

  const ways = ['plain', 'nonblocking', 'fastopen', 'device', 'mptcp'];
  const targets = [
    ['virtual IPv4 address', '10.97.0.1', 80],
    ['virtual IPv6 address', 'fd97::1', 80],
  ] as const;

  test.each(targets.flatMap((target) => ways.map((way) => [way, ...target] as const)))(
    '%s to a %s',
    async (way, _, address, port) => {
      const path = `/${way}-${address.replaceAll(':', '-')}`;
      const seen = await mesh.fetch('client', way, address, port, path);
      expect(seen).toMatchObject(way === 'mptcp' ? { status: 200 } : { peer: [address, port], status: 200 });
      await expectThroughMesh(path);
    },
  );

  test('an IPv4 address through an IPv6 socket', async () => {
    const seen = await mesh.fetch('client', 'mapped', '10.97.0.1', 80, '/mapped');
    expect(seen).toMatchObject({ peer: ['::ffff:10.97.0.1', 80], status: 200 });
    await expectThroughMesh('/mapped');
  });

  test('a process in another cgroup than the pod', async () => {
    const elsewhere = join(mesh.lab.cgroup, 'elsewhere');
    mkdirSync(elsewhere, { recursive: true });
    const seen = await mesh.fetch('client', 'plain', '10.97.0.1', 80, '/elsewhere', elsewhere);
    expect(seen).toMatchObject({ peer: ['10.97.0.1', 80], status: 200 });
    await expectThroughMesh('/elsewhere');
  });

  test.each(['plain', 'nonblocking', 'fastopen', 'device', 'mptcp', 'mapped'])(
    "%s to the pod's own address is proxied as well",
    async (way) => {
      const { ipv4 } = mesh.pod('server');
      const seen = await mesh.fetch('client', way, ipv4, 8080, `/direct-${way}`);
      const peer = [way === 'mapped' ? `::ffff:${ipv4}` : ipv4, 8080];
      expect(seen).toMatchObject(way === 'mptcp' ? { status: 200 } : { peer, status: 200 });
      await expectThroughMesh(`/direct-${way}`);
    },
  );

  test('no opening packet went to a virtual address, nor to a server but from the proxy', async () => {
    const packets = await capture.stop();
    expect(packets.filter((line) => / > (10\.97\.|fd97:)/.test(line))).toEqual([]);
    // Every request that the server saw carries the mesh's trace context: none came round it.
    const log = readFileSync(server.accessLog, 'utf8').trim().split('\n');
    expect(log.filter((line) => !/ 00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/.test(line))).toEqual([]);
    expect(log.length).toBeGreaterThanOrEqual(18);
  });

  /** The server's log names the real client, and the trace context that the mesh started. */
  async function expectThroughMesh(path: string): Promise<void> {
    const line = await awaitLine(server.accessLog, new RegExp(` ${path} `));
    const { ipv4, ipv6 } = mesh.pod('client');
    expect([ipv4, ipv6]).toContain(line.split(' ')[0]);
    expect(line).toMatch(/ 00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
  }
});
