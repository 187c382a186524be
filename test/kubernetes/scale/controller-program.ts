/**
 * The controller of the scale measurement: as the program, but its socket takes agents of any node. Prints a line when
 * it serves; answers each line of standard input with what it has used so far, after a collection where
 * the line is `collect` (run with --expose-gc).
 * usage: controller-program SOCKET NAMESPACE
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Controller } from '../../../controller/controller.js';
import { openCluster } from '../../../controller/kubernetes/open-cluster.js';
import { createLog } from '../../../controller/status/log.js';
import { kubeconfig } from '../harness/cluster.js';

/** What the controller has used since its start. */
export interface ControllerUsage {
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** The most that was ever resident. */
  readonly peakBytes: number;
  /** The longest turn of the event loop since the line before. */
  readonly turnMs: number;
  /** Heap in use, after a collection; 0 where none was asked for: it takes time. */
  readonly heapBytes: number;
  readonly version: number;
}

const [, , socket = '', namespace = ''] = process.argv;
const log = createLog(
  (line) => process.stderr.write(line),
  () => new Date(),
);
const settings = { kubeconfig: kubeconfig(), namespace, status: true };
const { source, cluster, statuses, lease } = openCluster(settings, log);
const controller = new Controller({
  source,
  build: { trustDomain: 'scale.mesh', node: '', cluster },
  log,
  now: () => Date.now(),
  onChange: () => statuses?.changed(),
  onLead: (leads) => statuses?.lead(leads),
  lease: lease ?? undefined,
});
statuses?.reportFrom(() => ({
  version: controller.publisher.snapshot?.version ?? 0,
  problems: controller.problems,
  nodes: controller.nodes(),
}));
await controller.start({ socket, nodes: null });
// Agents are sent away before it holds the lease.
while (!controller.ready) await delay(50);

const turns = monitorEventLoopDelay({ resolution: 10 });
turns.enable();

function usage(collect: boolean): ControllerUsage {
  const { user, system } = process.cpuUsage();
  const { rss } = process.memoryUsage();
  if (collect) globalThis.gc?.();
  const { heapUsed } = process.memoryUsage();
  const turnMs = Math.round(turns.max / 1e6);
  turns.reset();
  return {
    cpuMs: Math.round((user + system) / 1000),
    rssBytes: rss,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    turnMs,
    heapBytes: collect ? heapUsed : 0,
    version: controller.publisher.snapshot?.version ?? 0,
  };
}

process.stdout.write(`${JSON.stringify(usage(false))}\n`);
createInterface({ input: process.stdin })
  .on('line', (line) => process.stdout.write(`${JSON.stringify(usage(line === 'collect'))}\n`))
  .on('close', () => void controller.close().finally(() => process.exit(0)));
