import { awaitEvent } from './harness/await-event.js';
import { policy } from './harness/manifests.js';
import { Mesh } from './harness/mesh.js';
import { PacketCapture } from './harness/packet-capture.js';
import { type Service, startNginx } from './harness/services.js';
import { awaitLine } from './harness/weft.js';

/** While no proxy serves, each pod does what it declared: closed waits, open goes past; a policy forbids open. */
describe('no proxy for longer than its grace', () => {
  let mesh: Mesh;
  let outside: Service;
  let url: string;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'closed', capture: { failMode: 'closed' } },
          { name: 'opened', capture: { failMode: 'open' } },
          { name: 'guarded', capture: { failMode: 'open' } },
          { name: 'outside', capture: null, ports: [{ name: 'http', port: 8080, appProtocol: 'http' }] },
        ],
        services: [],
        more: [
          policy('guard', {
            selector: { matchLabels: { app: 'guarded' } },
            action: 'DENY',
            rules: [{ sources: { serviceAccounts: ['test/nobody'] } }],
          }),
        ],
      },
      async ({ lab }) => {
        outside = await startNginx(lab.pod('outside'), { port: 8080 });
      },
    );
    url = `http://${mesh.pod('outside').ipv4}:8080`;
  });
  afterAll(() => mesh?.close());

  const reach = (pod: string, path: string) => mesh.status(pod, '--max-time', '2', `${url}${path}`);

  test('open goes past it, closed and guarded do not; then all are in the mesh again', async () => {
    for (const pod of ['closed', 'opened', 'guarded']) {
      expect([pod, await reach(pod, `/before-${pod}`)]).toEqual([pod, 200]);
    }
    // The one that would start another proxy stands still meanwhile.
    mesh.weft.process.signal('SIGSTOP');
    try {
      process.kill(mesh.weft.pidOf('proxy'), 'SIGKILL');
      await awaitEvent(
        'the open pod to be let past',
        20_000,
        async () => (await reach('opened', '/open')) === 200,
      );
      const sent = await PacketCapture.start(
        mesh.lab,
        `tcp and (src ${mesh.pod('closed').ipv4} or src ${mesh.pod('guarded').ipv4})`,
      );
      expect(await reach('closed', '/never')).toBe(0);
      expect(await reach('guarded', '/never')).toBe(0);
      expect(await sent.stop()).toEqual([]);
    } finally {
      mesh.weft.process.signal('SIGCONT');
    }
    for (const pod of ['closed', 'opened', 'guarded']) {
      await awaitEvent(
        `${pod} to be served`,
        10_000,
        async () => (await reach(pod, `/after-${pod}`)) === 200,
      );
    }
    expect(await awaitLine(outside.accessLog, / \/open /)).toMatch(/ -?$/);
    await awaitEvent('opened to be in the mesh', 10_000, async () => {
      await reach('opened', '/again');
      return / 00-[0-9a-f]{32}-/.test(await awaitLine(outside.accessLog, / \/again .* 00-/, 100));
    });
  });
});
