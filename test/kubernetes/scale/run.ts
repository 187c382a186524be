/**
 * How long a route takes from the API server to the last of many agents, and what it costs: the real controller on the
 * real API server of test/cluster, simulated agents. Each runs its share of the pods and uses some services beside; a
 * few decode all that they get, the others acknowledge and count.
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
import { CountingAgent } from './counting-agent.js';
import { LoadedCluster } from './load-cluster.js';
import { nodeName, podsPerService } from './objects.js';

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
/** Agents that decode everything. */
const decoding = 3;
/** Services that an agent uses beside those of its own pods. */
const used = 20;
/** So many services have routes that change. */
const changing = 100;

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

/** Services that the agent uses; those that decode use all that change. */
function usedBy(agent: number, namespace: string, total: number): string[] {
  const count = agent < decoding ? changing : used;
  const step = agent < decoding ? 1 : 13;
  return Array.from(
    { length: count },
    (_, index) => `${namespace}/s${(agent * 7 * (step - 1) + index * step) % total}`,
  );
}

interface SimulatedMesh {
  readonly decoding: readonly TestAgent[];
  readonly counting: readonly CountingAgent[];
}

/** Figures of one size. */
async function measure(namespace: string, cluster: LoadedCluster, size: number): Promise<void> {
  const total = services * size;
  const begunMs = performance.now();
  const controller = new MeasuredController(namespace);
  const started = await controller.next();
  const readyMs = performance.now() - begunMs;
  const address = `unix:${controller.socket}`;
  const nodes = Array.from({ length: agents }, (_, index) => index);
  const mesh: SimulatedMesh = {
    decoding: nodes
      .slice(0, decoding)
      .map(
        (index) =>
          new TestAgent(address, { node: nodeName(index), services: usedBy(index, namespace, total) }),
      ),
    counting: nodes
      .slice(decoding)
      .map((index) => new CountingAgent(address, nodeName(index), usedBy(index, namespace, total))),
  };
  try {
    await Promise.all(
      mesh.decoding.map((agent) =>
        agent.waitFor('everything', ({ deltas }) => deltas.at(-1)?.complete, deadlineMs),
      ),
    );
    await Promise.all(mesh.counting.map((agent) => agent.reached(1)));
    const synced = await controller.usage();
    const first = totalBytes(mesh);
    const times: number[] = [];
    for (let change = 0; change < changes; change += 1)
      times.push(await changeRoute(namespace, cluster, mesh, change));
    const ended = await controller.usage();
    times.sort((left, right) => left - right);
    const at = (share: number) =>
      times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
    const each = mesh.counting.length;
    const row = [
      `${total} services, ${total * podsPerService} pods, ${agents} agents`,
      `ready after ${(readyMs / 1000).toFixed(1)} s (${started.cpuMs} ms CPU)`,
      `all agents in sync with ${synced.cpuMs - started.cpuMs} ms CPU, ${(first / each / 1024).toFixed(0)} KiB each`,
      `apply to last acknowledgement: p50 ${at(0.5).toFixed(0)} ms, p99 ${at(0.99).toFixed(0)} ms`,
      `each change: ${((ended.cpuMs - synced.cpuMs) / changes).toFixed(0)} ms CPU, ${((totalBytes(mesh) - first) / each / changes).toFixed(0)} bytes to each agent`,
      `${(ended.rssBytes / 1024 ** 2).toFixed(0)} MiB resident`,
    ];
    process.stdout.write(`${row.join('\n  ')}\n`);
  } finally {
    for (const agent of [...mesh.decoding, ...mesh.counting]) agent.close();
    await controller.stop();
  }
}

function totalBytes({ counting }: SimulatedMesh): number {
  return counting.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Milliseconds from the request to the API server until the last agent has acknowledged the change. */
async function changeRoute(
  namespace: string,
  cluster: LoadedCluster,
  mesh: SimulatedMesh,
  change: number,
): Promise<number> {
  const number = change % Math.min(changing, services);
  const id = `http-route ${namespace}/r${number}`;
  const weight = 1 + (Date.now() % 1_000_000);
  const arrived = mesh.decoding.map((agent) =>
    agent.waitFor(
      id,
      ({ resources, deltas }) => {
        const route = resources.get(id);
        const here = route?.kind === 'http-route' && route.body.rules[0]?.backends[0]?.weight === weight;
        return here ? { atMs: performance.now(), version: deltas.at(-1)?.snapshotVersion ?? 0 } : undefined;
      },
      deadlineMs,
    ),
  );
  const begunMs = performance.now();
  await cluster.applyRoute(number, weight);
  const decoded = await Promise.all(arrived);
  const version = Math.min(...decoded.map((one) => one.version));
  const counted = await Promise.all(mesh.counting.map((agent) => agent.reached(version)));
  return Math.max(...decoded.map(({ atMs }) => atMs), ...counted) - begunMs;
}

await installGatewayApi();
await installCrds();
const namespace = await createNamespace();
const cluster = new LoadedCluster(namespace, agents);
try {
  await cluster.addNodes();
  let filled = 0;
  for (const size of values.sizes.split(',').map(Number)) {
    process.stderr.write(`filling the cluster with ${services * size} services\n`);
    await cluster.fill(filled, services * size);
    filled = services * size;
    await measure(namespace, cluster, size);
  }
} finally {
  await cluster.removeNodes();
  cluster.close();
  await deleteNamespace(namespace);
}
