import { route } from './harness/manifests.js';
import { Mesh } from './harness/mesh.js';
import { startFixture, startNginx } from './harness/services.js';

const http = { name: 'http', port: 8080, appProtocol: 'http' };

describe('endpoints that fail', () => {
  let mesh: Mesh;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'web' },
          { name: 'good', ports: [http] },
          { name: 'dead', ports: [http] },
          { name: 'slow', ports: [http] },
        ],
        services: [
          { name: 'half', host: 1, port: 80, targetPort: 8080, appProtocol: 'http', pods: ['good', 'dead'] },
          { name: 'dead', host: 2, port: 80, targetPort: 8080, appProtocol: 'http' },
          { name: 'slow', host: 3, port: 80, targetPort: 8080, appProtocol: 'http' },
          { name: 'none', host: 4, port: 80, targetPort: 8080, appProtocol: 'http', pods: [] },
        ],
        more: [
          route('slow', 'slow', [
            {
              matches: [{ path: { value: '/stall' } }],
              timeouts: { request: '300ms' },
              backendRefs: [{ name: 'slow', port: 80 }],
            },
            { backendRefs: [{ name: 'slow', port: 80 }] },
          ]),
          route('broken', 'none', [
            { matches: [{ path: { value: '/missing' } }], backendRefs: [{ name: 'nowhere', port: 80 }] },
            { backendRefs: [{ name: 'none', port: 80 }] },
          ]),
        ],
      },
      async ({ lab }) => {
        await startNginx(lab.pod('good'), { port: 8080 });
        await startFixture(lab.pod('slow'), 'raw-server.py', 8080);
      },
    );
  });
  afterAll(() => mesh?.close());

  test('an endpoint that answers no connection costs no request: another is tried', async () => {
    const argv = ['curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}\\n', 'http://10.97.0.1/?n=[1-200]'];
    const statuses = (await mesh.pod('web').run(argv, { timeoutMs: 60_000 })).trim().split('\n');
    expect(new Set(statuses)).toEqual(new Set(['200']));
    expect(statuses).toHaveLength(200);
  });

  test('where no endpoint answers: 502 or 503, with its reason', async () => {
    const answer = await mesh.curl('web', '-i', 'http://10.97.0.2/');
    expect(answer).toMatch(/^HTTP\/1\.1 50[23] /);
    expect(answer).toMatch(/weft-reason: \w+/i);
  });

  test('where a service has no endpoint: 503 no_ready_endpoint', async () => {
    const answer = await mesh.curl('web', '-i', 'http://10.97.0.4/');
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toMatch(/weft-reason: no_ready_endpoint/i);
  });

  test('where a backend does not exist: 500 backend_invalid', async () => {
    const answer = await mesh.curl('web', '-i', 'http://10.97.0.4/missing');
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(answer).toMatch(/weft-reason: backend_invalid/i);
  });

  test('a request that outlives its timeout: 504, and the next one is served', async () => {
    const began = performance.now();
    const answer = await mesh.curl('web', '-i', 'http://10.97.0.3/stall');
    expect(answer).toMatch(/^HTTP\/1\.1 504 /);
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await mesh.status('web', 'http://10.97.0.3/next')).toBe(200);
  });
});
