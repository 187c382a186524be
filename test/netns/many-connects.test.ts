import { Mesh } from './harness/mesh.js';
import { fixture, python, startFixture } from './harness/services.js';

const services = 64;

/** Connections of one pod must not share one 4-tuple space, or a busy pod runs out of ports where it would not have. */
describe('3,000 connections through 64 local ports', () => {
  let mesh: Mesh;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'client' },
          { name: 'server', ports: [{ name: 'notices', port: 2525, appProtocol: 'tcp' }] },
        ],
        services: Array.from({ length: services }, (_, index) => ({
          name: `s${index}`,
          host: 256 + index,
          port: 25,
          targetPort: 2525,
          appProtocol: 'tcp',
          pods: ['server'],
        })),
      },
      ({ lab }) => startFixture(lab.pod('server'), 'line-server.py', 2525),
    );
    await mesh.pod('client').run(['sysctl', '-qw', 'net.ipv4.ip_local_port_range=40000 40063']);
  });
  afterAll(() => mesh?.close());

  test('to 64 virtual addresses: nearly all work, and each sees the address that it asked for', async () => {
    const argv = [python, fixture('many-connects.py'), '25', '10.97.1.0', String(services), '3000'];
    const result = JSON.parse(
      await mesh.pod('client').run(['prlimit', '--nofile=8192', ...argv], { timeoutMs: 90_000 }),
    );
    expect(result.worked).toBeGreaterThanOrEqual(2_950);
    expect(result.right).toBe(result.worked);
  });
});
