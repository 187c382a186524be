import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitEvent } from './harness/await-event.js';
import { createCgroup, removeCgroup } from './harness/cgroup.js';
import type { LabProcess } from './harness/lab-process.js';
import { Load } from './harness/load.js';
import { route } from './harness/manifests.js';
import { Mesh } from './harness/mesh.js';
import { countRequests, fixture, python, type Service, startNginx } from './harness/services.js';

const http = { name: 'http', port: 8080, appProtocol: 'http' };

/**
 * A quiet pod's latency beside a noisy neighbour's on the same proxy. The neighbour's own programs run at the lowest
 * priority, so that what is measured is the proxy's fairness and not the machine's two processors.
 */
describe('a noisy neighbour', () => {
  let mesh: Mesh;
  let noisyServer: Service;
  let alone: number;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'quiet' },
          { name: 'noisy' },
          { name: 'quiet-server', ports: [http] },
          { name: 'noisy-server', ports: [http] },
        ],
        services: [
          { name: 'quiet-server', host: 1, port: 80, targetPort: 8080, appProtocol: 'http' },
          { name: 'noisy-server', host: 2, port: 80, targetPort: 8080, appProtocol: 'http' },
        ],
        more: [
          // A backtracking matcher would take years for one such path; RE2 is linear.
          route('evil', 'noisy-server', [
            {
              matches: [{ path: { type: 'RegularExpression', value: '/(a+)+' } }],
              backendRefs: [{ name: 'noisy-server', port: 80 }],
            },
            { backendRefs: [{ name: 'noisy-server', port: 80 }] },
          ]),
        ],
      },
      async ({ lab }) => {
        await startNginx(lab.pod('quiet-server'), { port: 8080 });
        const server = lab.pod('noisy-server');
        writeFileSync(join(server.folder, 'big'), '');
        truncateSync(join(server.folder, 'big'), 2 ** 30);
        const answer = 'location / { return 200 "ok"; } location = /big { root $folder; }'.replace(
          '$folder',
          server.folder,
        );
        noisyServer = await startNginx(server, { port: 8080, server: answer, log: false, nice: 19 });
      },
    );
    alone = await quietP99();
    process.stderr.write(`alone: p99 ${alone.toFixed(2)} ms\n`);
  });
  afterAll(() => mesh?.close());

  const noisyCgroup = () => join(mesh.lab.cgroup, 'noise');

  /** Programs of the noisy pod that are ended together. */
  function startNoise(argv: readonly string[]): LabProcess {
    createCgroup(noisyCgroup());
    return mesh.pod('noisy').spawn(['nice', '-n', '19', ...argv], { cgroup: noisyCgroup() });
  }

  test('that floods with requests', async () => {
    const load = new Load(mesh.pod('noisy'), {
      url: 'http://10.97.0.2/',
      connections: 64,
      seconds: 60,
      nice: 19,
    });
    await awaitEvent('the flood', 10_000, async () => (await countRequests(noisyServer)) > 2_000);
    await expectQuiet('flood');
    await load.stop();
  });

  test('that moves bulk', async () => {
    const url = 'http://10.97.0.2/big';
    const bulk = Array.from({ length: 4 }, () =>
      startNoise(['sh', '-c', `echo started; while curl -sS -o /dev/null ${url}; do :; done`]),
    );
    for (const one of bulk) await one.awaitOutput(/started/);
    await expectQuiet('bulk');
    await removeCgroup(noisyCgroup());
  });

  test('whose readers stall', async () => {
    const stalled = Array.from({ length: 100 }, () =>
      startNoise([python, fixture('slow-transfer.py'), '10.97.0.2', '80', '/big']),
    );
    for (const reader of stalled) await reader.awaitOutput(/stalled/, 30_000);
    await expectQuiet('stalled readers');
    await removeCgroup(noisyCgroup());
  });

  test('whose route has a regular expression made to backtrack', async () => {
    const url = `http://10.97.0.2/${'a'.repeat(2_000)}!`;
    const load = new Load(mesh.pod('noisy'), { url, connections: 16, seconds: 60, nice: 19 });
    await expectQuiet('regular expression');
    expect((await load.stop()).badStatuses).toBe(0);
  });

  /** p99 of a client with two connections over three seconds. */
  async function quietP99(): Promise<number> {
    const load = new Load(mesh.pod('quiet'), { url: 'http://10.97.0.1/', connections: 2, seconds: 3 });
    const result = await load.result();
    expect(result).toMatchObject({ socketErrors: 0, badStatuses: 0 });
    return result.p99Ms;
  }

  async function expectQuiet(what: string): Promise<void> {
    const beside = await quietP99();
    process.stderr.write(`beside ${what}: p99 ${beside.toFixed(2)} ms, alone ${alone.toFixed(2)} ms\n`);
    expect(beside).toBeLessThanOrEqual(2 * alone);
  }
});
