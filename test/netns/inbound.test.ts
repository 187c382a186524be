import { Mesh } from './harness/mesh.js';
import { startNginx } from './harness/services.js';
import { awaitLine } from './harness/weft.js';

/** Where an application listens decides who reaches it, as without a mesh; it always sees the real client. */
describe('applications bound to different addresses', () => {
  let mesh: Mesh;
  const logs = new Map<string, string>();
  const binds = ['pod', 'any', 'any6', 'loopback'] as const;

  beforeAll(async () => {
    const http = { name: 'http', port: 8080, appProtocol: 'http' };
    mesh = await Mesh.open(
      {
        pods: [{ name: 'client' }, ...binds.map((name) => ({ name, ports: [http] }))],
        services: binds.map((name, index) => ({
          name,
          host: index + 1,
          port: 80,
          targetPort: 8080,
          appProtocol: 'http',
        })),
      },
      async ({ lab }) => {
        const listen = {
          pod: `${lab.pod('pod').ipv4}:8080`,
          any: '0.0.0.0:8080',
          any6: '[::]:8080 ipv6only=off',
          loopback: '127.0.0.1:8080',
        };
        for (const name of binds) {
          const { accessLog } = await startNginx(lab.pod(name), { port: 8080, listen: [listen[name]] });
          logs.set(name, accessLog);
        }
      },
    );
  });
  afterAll(() => mesh?.close());

  test.each([
    ['pod', 1],
    ['any', 2],
    ['any6', 3],
  ] as const)('bound to %s: reached, by service and by pod address', async (name, host) => {
    expect(await mesh.curl('client', `http://10.97.0.${host}/by-service`)).toContain(name);
    expect(await mesh.curl('client', `http://${mesh.pod(name).ipv4}:8080/by-pod`)).toContain(name);
    for (const path of ['/by-service', '/by-pod']) {
      const line = await awaitLine(logs.get(name) ?? '', new RegExp(` ${path} `));
      expect(line.replace('::ffff:', '').split(' ')[0]).toBe(mesh.pod('client').ipv4);
    }
  });

  test('bound to 127.0.0.1 only: refused from outside, and still reached from inside', async () => {
    expect(await mesh.status('client', 'http://10.97.0.4/')).toBe(503);
    expect(await mesh.curl('loopback', 'http://127.0.0.1:8080/inside')).toContain('loopback');
  });

  test("a pod reaches itself by its own address and by its service's", async () => {
    const { ipv4 } = mesh.pod('any');
    expect(await mesh.curl('any', `http://${ipv4}:8080/own`)).toContain('any');
    expect(await mesh.curl('any', 'http://10.97.0.2/own-service')).toContain('any');
  });
});
