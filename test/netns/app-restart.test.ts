import { Mesh } from './harness/mesh.js';
import { type Service, startRedis } from './harness/services.js';

/** The agent's accepted sockets sit on the application's own port; the application must not notice. */
describe('an application that restarts', () => {
  let mesh: Mesh;
  let redis: Service;

  beforeAll(async () => {
    const port = { name: 'redis', port: 6379, appProtocol: 'tcp' };
    mesh = await Mesh.open(
      {
        pods: [{ name: 'client' }, { name: 'server', ports: [port] }],
        services: [{ ...port, host: 1, targetPort: 6379, pods: ['server'] }],
      },
      async ({ lab }) => {
        redis = await startRedis(lab.pod('server'));
      },
    );
  });
  afterAll(() => mesh?.close());

  test('gets its port back, though connections to it had lived until its end', async () => {
    const reader = mesh.pod('client').spawn(['redis-cli', '-h', '10.97.0.1', 'subscribe', 'news']);
    await reader.awaitOutput(/subscribe\nnews\n1/);
    await redis.process.stop();
    redis = await startRedis(mesh.pod('server'));
    expect(redis.process.running).toBe(true);
    expect(await mesh.pod('client').run(['redis-cli', '-h', '10.97.0.1', 'ping'])).toBe('PONG\n');
  });
});
