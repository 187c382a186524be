import { awaitEvent } from './harness/await-event.js';
import { Mesh } from './harness/mesh.js';
import { sumSamples } from './harness/metrics.js';
import { startNginx } from './harness/services.js';
import { awaitLine } from './harness/weft.js';

const http = { name: 'http', port: 8080, appProtocol: 'http' };

describe('what is counted and logged', () => {
  let mesh: Mesh;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [{ name: 'web' }, { name: 'server', ports: [http] }],
        services: [{ name: 'server', host: 1, port: 80, targetPort: 8080, appProtocol: 'http' }],
      },
      ({ lab }) => startNginx(lab.pod('server'), { port: 8080 }),
    );
  });
  afterAll(() => mesh?.close());

  test('the kernel and the proxy count the same connections', async () => {
    for (let n = 0; n < 20; n += 1) expect(await mesh.status('web', `http://10.97.0.1/${n}`)).toBe(200);
    const count = async (workload: string, path: string) =>
      sumSamples(await mesh.samples(), 'weft_workload_connections_total', { workload, path });
    await awaitEvent('both counts', 10_000, async () => (await count('web', 'steered')) >= 20);
    expect(await count('web', 'steered')).toBe(20);
    expect(await count('web', 'seen_outbound')).toBe(20);
    expect(await count('server', 'arrived')).toBe(await count('server', 'seen_inbound'));
    expect(await count('server', 'arrived')).toBeGreaterThan(0);
  });

  test('requests are counted by source, destination, route and status, as not authenticated', async () => {
    const labels = {
      direction: 'outbound',
      source_workload: 'web',
      destination_service: 'server',
      status: '200',
      authenticated: 'false',
    };
    await awaitEvent(
      'the counter',
      5_000,
      async () => sumSamples(await mesh.samples(), 'weft_requests_total', labels) >= 20,
    );
    const samples = await mesh.samples();
    expect(
      sumSamples(samples, 'weft_requests_total', { ...labels, direction: 'inbound' }),
    ).toBeGreaterThanOrEqual(0);
    expect(
      sumSamples(samples, 'weft_request_duration_seconds_count', { direction: 'outbound' }),
    ).toBeGreaterThanOrEqual(20);
    expect(sumSamples(samples, 'weft_controller_connected')).toBe(1);
  });

  test('the access log has a line of schema 1 for each, with every field', async () => {
    await mesh.curl(
      'web',
      '-H',
      'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'http://10.97.0.1/logged?x=1',
    );
    const line = await awaitLine(mesh.weft.accessLog, /"direction":"outbound".*\/logged/);
    expect(JSON.parse(line)).toMatchObject({
      schema: 1,
      kind: 'request',
      direction: 'outbound',
      source: { address: mesh.pod('web').ipv4, namespace: 'test', workload: 'web' },
      destination: { namespace: 'test', workload: 'server', service: 'server' },
      identity: 'spiffe://test.example/ns/test/sa/web',
      authenticated: false,
      protocol: 'http/1.1',
      method: 'GET',
      host: '10.97.0.1',
      path: '/logged?x=1',
      status: 200,
      reason: 'none',
      route: 'default',
      endpoint: `${mesh.pod('server').ipv4}:8080`,
      attempt: 1,
      trace: '0af7651916cd43dd8448eb211c80319c',
    });
    const inbound = JSON.parse(await awaitLine(mesh.weft.accessLog, /"direction":"inbound".*\/logged/));
    expect(inbound).toMatchObject({
      source: { workload: 'web' },
      destination: { workload: 'server' },
      status: 200,
    });
  });
});
