/** `weft run` is upgraded under the eyes of clients that never try again. */
import { existsSync, readFileSync } from 'node:fs';
import { awaitEvent } from './harness/await-event.js';
import { startGrpcServer } from './harness/grpc.js';
import { Mesh } from './harness/mesh.js';
import { startNginx } from './harness/services.js';
import { SteadyClients } from './harness/steady-clients.js';

const drainMs = 20_000;
const echoServer = `require('net').createServer((s) => s.pipe(s).on('error', () => {})).listen(7000)`;
const targets = {
  http1: 'http://10.97.0.1/',
  http2: 'http://10.97.0.1/',
  grpc: '10.97.0.2:80',
  tcp: '10.97.0.3:7000',
};

describe('a node is upgraded under load', () => {
  let mesh: Mesh;

  beforeAll(async () => {
    const ports = [
      { name: 'http', port: 8080, appProtocol: 'http' },
      { name: 'grpc', port: 9090, appProtocol: 'grpc' },
      { name: 'tcp', port: 7000, appProtocol: 'tcp' },
    ];
    mesh = await Mesh.open(
      {
        pods: [{ name: 'client' }, { name: 'server', ports }],
        services: [
          { name: 'web', host: 1, port: 80, targetPort: 8080, appProtocol: 'http', pods: ['server'] },
          { name: 'chat', host: 2, port: 80, targetPort: 9090, appProtocol: 'grpc', pods: ['server'] },
          { name: 'echo', host: 3, port: 7000, targetPort: 7000, appProtocol: 'tcp', pods: ['server'] },
        ],
        weft: () => ({ more: ['--drain-ms', String(drainMs)] }),
      },
      async ({ lab }) => {
        const server = lab.pod('server');
        await startNginx(server, { port: 8080 });
        await startGrpcServer(server, 9090, 'grpc-js');
        const echo = server.spawn([process.execPath, '-e', echoServer], { name: 'echo' });
        await server.awaitPort(echo, 7000);
      },
    );
  });
  afterAll(() => mesh?.close());

  /** How often weft has said it so far. */
  const said = (text: string) => mesh.weft.process.stderr.split(text).length - 1;

  /** Resolves once weft says that it is done. */
  async function upgrade(): Promise<void> {
    const before = mesh.weft.process.stderr.length;
    const news = () => mesh.weft.process.stderr.slice(before);
    mesh.weft.process.signal('SIGUSR2');
    await awaitEvent('the end of the upgrade', 30_000, () => /weft: (not )?upgraded/.test(news()));
    expect(news()).not.toContain('not upgraded');
  }

  test('HTTP/1.1 kept alive, HTTP/2, gRPC streams, TCP: not one fails, and all but TCP move to the new proxy', async () => {
    const old = mesh.weft.pidOf('proxy');
    const clients = await SteadyClients.start(mesh.pod('client'), targets);
    await upgrade();
    const { http1, http2 } = await clients.look();
    expect(http1.done).toBeGreaterThan(50);
    await awaitEvent('further answers', 20_000, async () => {
      const now = await clients.look();
      return now.http1.done > http1.done + 200 && now.http2.done > http2.done + 200;
    });
    const seen = await clients.stop();
    const failures = Object.entries(seen).flatMap(([kind, one]) =>
      one.failures.map((why) => `${kind}: ${why}`),
    );
    expect(failures).toEqual([]);
    // Each connection was told to leave once.
    expect([seen.http1.connections, seen.http2.connections]).toEqual([8, 2]);
    await awaitEvent('the end of the old proxy', drainMs, () => !existsSync(`/proc/${old}`));
    expect(said('connections were reset')).toBe(0);
  });

  test('what outlives the time to drain is reset by name, and not before', async () => {
    const { weft } = mesh;
    const clients = await SteadyClients.start(mesh.pod('client'), { tcp: targets.tcp });
    await upgrade();
    const { tcp } = await clients.look();
    expect(tcp.failures).toEqual([]);
    await awaitEvent(
      'the reset',
      drainMs + 5_000,
      async () => (await clients.look()).tcp.failures.length > 0,
    );
    expect((await clients.stop()).tcp.failures).toEqual([expect.stringContaining('ECONNRESET')]);
    await awaitEvent('the log', 5_000, () => said('connections were reset') > 0);
    expect(readFileSync(weft.accessLog, 'utf8')).toContain('"draining"');
  });
});
