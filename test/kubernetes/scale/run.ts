/**
 * How long a route takes from the API server to the last of many agents, and what it costs: the real controller on the
 * real API server of test/cluster, simulated agents.
 * usage: run.js [--services N] [--agents N] [--changes N] [--sizes 1,2,4]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { TestAgent } from '../../../controller/test-agent.js';
import { createNamespace, deleteNamespace, installCrds, installGatewayApi } from '../harness/cluster.js';
import type { ControllerUsage } from './controller-program.js';
import { CountingLink } from './counting-link.js';
import { LoadedCluster, podsPerService } from './load-cluster.js';

const { values } = parseArgs({
  options: {
    services: { type: 'string', default: '1000' },
    agents: { type: 'string', default: '200' },
    changes: { type: 'string', default: '100' },
    sizes: { type: 'string', default: '1' },
  },
});
const [services, agents, changes] = [values.services, values.agents, values.changes].map(Number) as [
  number,
  number,
  number,
];
const deadlineMs = 120_000;

/** The controller as a process of its own, so that its use can be told from the agents'. */
class MeasuredController {
  readonly folder = mkdtempSync(join(tmpdir(), 'weft-scale-'));
  readonly socket = join(this.folder, 'agents.sock');
  readonly #child;
  readonly #lines;

  constructor(namespace: string) {
    const program = join(import.meta.dirname, 'controller-program.js');
    this.#child = spawn(process.execPath, [program, this.socket, namespace], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** The next line that it prints; the first one once it serves. */
  async next(): Promise<ControllerUsage> {
    const { done, value } = await this.#lines.next();
    if (done === true) throw new Error('the controller ended');
    return JSON.parse(value) as ControllerUsage;
  }

  usage(): Promise<ControllerUsage> {
    this.#child.stdin.write('\n');
    return this.next();
  }

  async stop(): Promise<void> {
    this.#child.stdin.end();
    await once(this.#child, 'exit');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Figures of one size. */
async function measure(namespace: string, cluster: LoadedCluster, size: number): Promise<void> {
  const begunMs = performance.now();
  const controller = new MeasuredController(namespace);
  const started = await controller.next();
  const readyMs = performance.now() - begunMs;
  const link = await CountingLink.open(join(controller.folder, 'counted.sock'), controller.socket);
  const mesh = Array.from({ length: agents }, (_, index) => {
    const path = index === 0 ? join(controller.folder, 'counted.sock') : controller.socket;
    return new TestAgent(`unix:${path}`, { node: `scale-${index}` });
  });
  try {
    const last = `endpoints ${namespace}/s${services * size - 1}`;
    await Promise.all(
      mesh.map((agent) => agent.waitFor('everything', ({ resources }) => resources.get(last), deadlineMs)),
    );
    const synced = await controller.usage();
    const first = link.received;
    const times: number[] = [];
    for (let change = 0; change < changes; change += 1)
      times.push(await changeRoute(namespace, cluster, mesh, change));
    const ended = await controller.usage();
    times.sort((left, right) => left - right);
    const at = (share: number) =>
      times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
    const row = [
      `${services * size} services, ${services * size * podsPerService} pods, ${agents} agents`,
      `ready after ${(readyMs / 1000).toFixed(1)} s (${started.cpuMs} ms CPU)`,
      `all agents in sync with ${synced.cpuMs - started.cpuMs} ms CPU, ${(first / 1024).toFixed(0)} KiB each`,
      `apply to last agent: p50 ${at(0.5).toFixed(0)} ms, p99 ${at(0.99).toFixed(0)} ms`,
      `each change: ${((ended.cpuMs - synced.cpuMs) / changes).toFixed(0)} ms CPU, ${((link.received - first) / changes).toFixed(0)} bytes to each agent`,
      `${(ended.rssBytes / 1024 ** 2).toFixed(0)} MiB resident`,
    ];
    process.stdout.write(`${row.join('\n  ')}\n`);
  } finally {
    for (const agent of mesh) agent.close();
    link.close();
    await controller.stop();
  }
}

/** Milliseconds from the request to the API server until the last agent holds the change. */
async function changeRoute(
  namespace: string,
  cluster: LoadedCluster,
  mesh: readonly TestAgent[],
  change: number,
): Promise<number> {
  const number = change % services;
  const id = `http-route ${namespace}/r${number}`;
  const weight = 1 + (Date.now() % 1_000_000);
  const arrived = mesh.map((agent) =>
    agent.waitFor(
      id,
      ({ resources }) => {
        const route = resources.get(id);
        return route?.kind === 'http-route' && route.body.rules[0]?.backends[0]?.weight === weight
          ? true
          : undefined;
      },
      deadlineMs,
    ),
  );
  const begunMs = performance.now();
  await cluster.applyRoute(number, weight);
  await Promise.all(arrived);
  return performance.now() - begunMs;
}

await installGatewayApi();
await installCrds();
const namespace = await createNamespace();
const cluster = new LoadedCluster(namespace);
try {
  let filled = 0;
  for (const size of values.sizes.split(',').map(Number)) {
    process.stderr.write(`filling the cluster with ${services * size} services\n`);
    await cluster.fill(filled, services * size);
    filled = services * size;
    await measure(namespace, cluster, size);
  }
} finally {
  cluster.close();
  await deleteNamespace(namespace);
}
