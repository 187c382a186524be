import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitEvent } from './harness/await-event.js';
import { Mesh } from './harness/mesh.js';
import { residentKib } from './harness/resident-memory.js';
import { fixture, python, type Service, startFixture, startNginx, startRedis } from './harness/services.js';

describe('TCP and long bodies through the mesh', () => {
  let mesh: Mesh;
  let notices: Service;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'client' },
          {
            name: 'server',
            ports: [
              { name: 'redis', port: 6379, appProtocol: 'tcp' },
              { name: 'notices', port: 2525, appProtocol: 'tcp' },
              { name: 'http', port: 8080, appProtocol: 'http' },
              { name: 'ws', port: 8765, appProtocol: 'http' },
            ],
          },
        ],
        services: [
          { name: 'redis', host: 1, port: 6379, targetPort: 6379, appProtocol: 'tcp', pods: ['server'] },
          { name: 'notices', host: 2, port: 25, targetPort: 2525, appProtocol: 'tcp', pods: ['server'] },
          { name: 'files', host: 3, port: 80, targetPort: 8080, appProtocol: 'http', pods: ['server'] },
          { name: 'ws', host: 4, port: 80, targetPort: 8765, appProtocol: 'http', pods: ['server'] },
        ],
      },
      async ({ lab }) => {
        const server = lab.pod('server');
        await startRedis(server);
        await startFixture(server, 'websocket-echo.py', 8765);
        notices = await startFixture(server, 'line-server.py', 2525);
        const file = join(server.folder, 'big');
        writeFileSync(file, '');
        truncateSync(file, 2 ** 30);
        await startNginx(server, { port: 8080, server: `location / { root ${server.folder}; }` });
      },
    );
  });
  afterAll(() => mesh?.close());

  test('redis keeps what it is told', async () => {
    const redis = (...args: string[]) => mesh.pod('client').run(['redis-cli', '-h', '10.97.0.1', ...args]);
    expect(await redis('set', 'apples', '12')).toBe('OK\n');
    expect(await redis('get', 'apples')).toBe('12\n');
    expect(await redis('-r', '500', 'incr', 'visits')).toMatch(/\n500\n$/);
  });

  test('WebSocket messages of every size come back', async () => {
    const sizes = ['0', '1', '125', '126', '65535', '65536', '3000000'];
    const argv = [python, fixture('websocket-client.py'), 'ws://10.97.0.4/', ...sizes];
    expect(JSON.parse(await mesh.pod('client').run(argv))).toEqual({
      first: 'welcome',
      echoed: sizes.map(Number),
      close: 1000,
    });
  });

  test('the client may end its side first and still read', async () => {
    const argv = [python, fixture('half-close.py'), 'client', '10.97.0.2', '25'];
    expect(JSON.parse(await mesh.pod('client').run(argv))).toEqual({
      received: '220 notices ready\r\nHELLO\n221 6 bytes\r\n',
    });
  });

  test('the server may end its side first and still read', async () => {
    const argv = [python, fixture('half-close.py'), 'server', '10.97.0.2', '25'];
    expect(JSON.parse(await mesh.pod('client').run(argv))).toEqual({ received: '220 notices ready\r\n' });
    await notices.process.awaitOutput(
      new RegExp(`^::ffff:${mesh.pod('client').ipv4} \\d+ ${4 + 100 * 11}$`, 'm'),
    );
  });

  test('1 GiB with a reader that stalls: the proxy stays small, and every byte arrives', async () => {
    const reader = mesh.pod('client').spawn([python, fixture('slow-transfer.py'), '10.97.0.3', '80', '/big']);
    const proxy = mesh.weft.pidOf('proxy');
    const before = residentKib(proxy);
    await reader.awaitOutput(/stalled/);
    // The transfer stands still once both sockets' buffers are full: then what the client has not read waits there.
    await awaitEvent(
      'the transfer to stall',
      10_000,
      steady(() => residentKib(proxy)),
    );
    const stalled = residentKib(proxy);
    reader.write('go on\n');
    let peak = stalled;
    const watch = setInterval(() => {
      peak = Math.max(peak, residentKib(proxy));
    }, 20);
    const result = JSON.parse(await reader.result(90_000)) as {
      readonly bytes: number;
      readonly sha256: string;
    };
    clearInterval(watch);
    expect(result).toMatchObject({ status: 200, bytes: 2 ** 30, sha256: sha256OfGibibyteOfZeros });
    expect(stalled - before).toBeLessThan(16 * 1024);
    expect(peak - before).toBeLessThan(48 * 1024);
  });
});

/** sha256 of 2^30 zero bytes. */
const sha256OfGibibyteOfZeros = '49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14';

/** True once twenty readings in a row differ by less than 1 MiB. */
function steady(read: () => number): () => boolean {
  const readings: number[] = [];
  return () => {
    readings.push(read());
    const last = readings.slice(-20);
    return last.length === 20 && Math.max(...last) - Math.min(...last) < 1024;
  };
}
