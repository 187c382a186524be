import { ConnectionLoad } from '../../netns/harness/connection-load.js';
import { parseMetrics } from '../../netns/harness/metrics.js';
import { PacketCapture } from '../../netns/harness/packet-capture.js';
import type { Demo } from '../demo.js';

/** Step 8: the proxy dies under a load of new connections; capture keeps their listeners. */
export async function surviveKill(demo: Demo): Promise<void> {
  const { lab, narrator, weft } = demo;
  const pastTheMesh = await PacketCapture.start(lab, 'dst net 10.97.0.0/16');
  const target = { address: '10.97.0.20', port: 80, path: '/cart', concurrency: 32, perSecond: 400 };
  const load = new ConnectionLoad(lab.pod('web'), target);
  await load.awaitAnswers(200, 20_000);
  demo.scrapes.beforeKill = await parseMetrics(await weft.metricsText());
  narrator.command(`kill -9 ${weft.pidOf('proxy')}   # the proxy, under 400 new connections a second`);
  const { pid, killed, gone } = await weft.killProxy();
  await load.awaitAnswers(400, 20_000);
  const result = await load.stop();
  const packets = await pastTheMesh.stop();

  const firstAfter = Math.min(...result.times.filter(([began]) => began > killed).map(([, ended]) => ended));
  const inFlight = result.failures.filter(([kind, began]) => kind === 'cut' && began <= gone).length;
  narrator.seen(
    `${result.answered} answered, ${result.refused} refused, ${result.late} late, ${result.cut} cut (${inFlight} in flight)\n` +
      `a connection made after the kill was answered ${(firstAfter - killed).toFixed(0)} ms after it`,
  );
  narrator.check(
    'no connection was refused',
    result.refused === 0 && result.late === 0,
    JSON.stringify(result.reasons),
  );
  narrator.check('only those in flight were reset', result.cut === inFlight, JSON.stringify(result.reasons));
  narrator.check('serving again in under a second', firstAfter - killed < 1_000);
  narrator.check(
    'nothing went past the mesh: 0 packets to a virtual address on the bridge',
    packets.length === 0,
    packets[0] ?? '',
  );
  narrator.check('another proxy serves', weft.pidOf('proxy') !== pid);
}
