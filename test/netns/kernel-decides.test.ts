import { awaitEvent } from './harness/await-event.js';
import { mesh as meshManifest } from './harness/manifests.js';
import { Mesh } from './harness/mesh.js';
import { sumSamples } from './harness/metrics.js';
import { python, startNginx } from './harness/services.js';
import { awaitLine } from './harness/weft.js';

/** What the kernel decides by itself: address ranges outside the mesh, and UDP. */
describe('decided in the kernel', () => {
  let mesh: Mesh;
  let log: string;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'talks' },
          { name: 'silent', capture: { udp: 'deny' } },
          { name: 'outside', capture: null },
        ],
        services: [],
      },
      async (opened) => {
        const outside = opened.pod('outside');
        // Addresses that belong to nobody in the mesh: 172.20/16 is direct by default, 172.21/16 is denied.
        for (const address of ['172.20.0.1/32', '172.21.0.1/32']) {
          await outside.run(['ip', 'addr', 'add', address, 'dev', 'eth0']);
        }
        for (const name of ['talks', 'silent']) {
          await opened.pod(name).run(['ip', 'route', 'add', '172.16.0.0/12', 'via', outside.ipv4]);
        }
        log = (await startNginx(outside, { port: 8080 })).accessLog;
        const ranges = [
          ...(meshManifest.spec as { ranges: object[] }).ranges,
          { cidr: '172.21.0.0/16', action: 'deny' },
        ];
        opened.write('mesh.yaml', [{ ...meshManifest, spec: { trustDomain: 'test.example', ranges } }]);
      },
    );
  });
  afterAll(() => mesh?.close());

  const counted = async (reason: string) =>
    sumSamples(await mesh.samples(), 'weft_refusals_total', { layer: 'kernel', reason });
  const awaitCounted = (reason: string) =>
    awaitEvent(`the counter of ${reason}`, 5_000, async () => (await counted(reason)) > 0);

  test('an address outside the ranges is reached directly, and counted as such', async () => {
    expect(await mesh.fetch('talks', 'plain', '172.20.0.1', 8080, '/direct')).toMatchObject({
      peer: ['172.20.0.1', 8080],
      status: 200,
    });
    expect(await awaitLine(log, / \/direct /)).toMatch(/ -$/);
    const labels = { workload: 'talks', path: 'direct' };
    await awaitEvent(
      'the count',
      5_000,
      async () => sumSamples(await mesh.samples(), 'weft_workload_connections_total', labels) > 0,
    );
  });

  test('where nobody listens, a direct connect fails at once, as without a mesh', async () => {
    expect(await mesh.fetch('talks', 'plain', '172.20.0.1', 9)).toEqual({ error: 'ECONNREFUSED' });
  });

  test('an address in a denied range: EPERM, counted', async () => {
    expect(await mesh.fetch('talks', 'plain', '172.21.0.1', 8080)).toEqual({ error: 'EPERM' });
    await awaitCounted('kernel_range_denied');
  });

  test('UDP passes where it is allowed', async () => {
    expect(await mesh.fetch('talks', 'udp', '172.20.0.1', 53)).toMatchObject({ peer: ['172.20.0.1', 53] });
  });

  test('UDP is refused where it is denied, connected or not: EPERM, counted', async () => {
    expect(await mesh.fetch('silent', 'udp', '172.20.0.1', 53)).toEqual({ error: 'EPERM' });
    const send =
      'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("172.20.0.1", 53))';
    expect((await mesh.pod('silent').try([python, '-c', send])).stderr).toContain('Operation not permitted');
    await awaitCounted('kernel_udp_denied');
  });

  test('an address inside the ranges that nobody owns is refused, never passed on', async () => {
    const answer = await mesh.pod('talks').try(['curl', '-sS', '--max-time', '5', 'http://10.97.5.5/']);
    expect(answer.code).not.toBe(0);
    await awaitEvent(
      'its counter',
      5_000,
      async () =>
        sumSamples(await mesh.samples(), 'weft_refusals_total', { reason: 'unknown_destination' }) > 0,
    );
  });
});
