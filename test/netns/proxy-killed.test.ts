import { awaitEvent } from './harness/await-event.js';
import { ConnectionLoad } from './harness/connection-load.js';
import { policy } from './harness/manifests.js';
import { Mesh } from './harness/mesh.js';
import { PacketCapture } from './harness/packet-capture.js';
import { startNginx } from './harness/services.js';

const http = { name: 'http', port: 8080, appProtocol: 'http' };

describe('the proxy is killed', () => {
  let mesh: Mesh;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'closed' },
          { name: 'opened', capture: { failMode: 'open' } },
          { name: 'server', ports: [http], capture: { probePorts: [8080] } },
        ],
        services: [{ name: 'server', host: 1, port: 80, targetPort: 8080, appProtocol: 'http' }],
      },
      ({ lab }) => startNginx(lab.pod('server'), { port: 8080 }),
    );
  });
  afterAll(() => mesh?.close());

  test('under load of new connections: none refused, none past the mesh, serving again in under a second', async () => {
    const capture = await PacketCapture.start(mesh.lab, 'dst net 10.97.0.0/16');
    const target = { address: '10.97.0.1', port: 80, path: '/', concurrency: 32, perSecond: 300 };
    const load = new ConnectionLoad(mesh.pod('closed'), target);
    await load.awaitAnswers(200, 20_000);
    const { pid, killed, gone } = await mesh.weft.killProxy();
    await load.awaitAnswers(400, 20_000);
    const result = await load.stop();
    expect(result).toMatchObject({ refused: 0, late: 0 });
    expect(result.failures.filter(([, began]) => began > gone)).toEqual([]);
    const first = Math.min(...result.times.filter(([began]) => began > killed).map(([, ended]) => ended));
    expect(first - killed).toBeLessThan(1_000);
    expect(Math.max(...result.times.map(([began, ended]) => ended - began))).toBeLessThan(2_000);
    expect(await capture.stop()).toEqual([]);
    expect(mesh.weft.pidOf('proxy')).not.toBe(pid);
  });

  test('with the controller dead right after a change, the next proxy serves the change', async () => {
    const url = 'http://10.97.0.1/';
    expect(await mesh.status('closed', url)).toBe(200);
    const source = { serviceAccounts: ['test/closed'] };
    const denied = {
      selector: { matchLabels: { app: 'server' } },
      action: 'DENY',
      rules: [{ sources: source, http: { methods: ['GET'] } }],
    };
    mesh.write('more.yaml', [policy('late', denied)]);
    await awaitEvent('the policy to be in force', 5_000, async () =>
      (await mesh.weft.admin('/config')).includes('test/late'),
    );
    const controller = mesh.weft.pidOf('controller');
    process.kill(controller, 'SIGSTOP');
    try {
      await mesh.weft.killProxy();
      expect(await mesh.status('closed', url)).toBe(403);
    } finally {
      process.kill(controller, 'SIGCONT');
    }
    mesh.write('more.yaml', []);
    await awaitEvent('no policy', 5_000, async () => (await mesh.status('closed', url)) === 200);
  });

  test('a stopped proxy makes connections wait, and none goes past it: slowness never opens', async () => {
    const pid = mesh.weft.pidOf('proxy');
    process.kill(pid, 'SIGSTOP');
    try {
      const waiting = mesh
        .pod('opened')
        .spawn(['curl', '-sS', '--max-time', '20', 'http://10.97.0.1/waited']);
      await awaitEvent('the connection to wait in the backlog', 5_000, async () => {
        const sockets = await mesh.pod('opened').run(['ss', '-Htn', 'state', 'established']);
        return sockets.trim() !== '';
      });
      expect(waiting.running).toBe(true);
      process.kill(pid, 'SIGCONT');
      expect(await waiting.result(10_000)).toContain('/waited');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});
