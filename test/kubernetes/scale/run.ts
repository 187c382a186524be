/**
 * How long a change takes from the API server to the last of many agents, and what it costs: the real controller on the
 * real API server of test/cluster, simulated agents. Each runs its share of the pods and uses some services beside.
 * Progress goes to standard error, figures to standard output.
 * usage: run.js [--services N] [--agents N] [--changes N] [--sizes 1,2,4] [--heap MIB, at most, for size 1]
 */
import { parseArgs } from 'node:util';
import { createNamespace, deleteNamespace, installCrds, installGatewayApi } from '../harness/cluster.js';
import { monotonicMs } from './counting-agent.js';
import { LoadedCluster } from './load-cluster.js';
import { MeasuredController, SimulatedAgents } from './measured-programs.js';
import { nodeName, nodeOfPod, podsPerService } from './objects.js';

const { values } = parseArgs({
  options: {
    services: { type: 'string', default: '1000' },
    agents: { type: 'string', default: '200' },
    changes: { type: 'string', default: '100' },
    sizes: { type: 'string', default: '1,2,4' },
    heap: { type: 'string' },
  },
});
const [services, agents, changes] = [values.services, values.agents, values.changes].map(Number) as [
  number,
  number,
  number,
];
/** Services that an agent uses beside those of its own pods. */
const used = 20;
/** So many services change. */
const changing = 100;
const begunMs = performance.now();

function say(text: string): void {
  process.stderr.write(`${((performance.now() - begunMs) / 1000).toFixed(1).padStart(7)} s  ${text}\n`);
}

/** Numbers of the services that the agent uses beside those of its own pods. */
function usedBy(agent: number, total: number): number[] {
  return Array.from({ length: used }, (_, index) => (agent * 84 + index * 13) % total);
}

/** The nodes that have details of a service. */
function nodesOf(service: number, total: number): string[] {
  const own = Array.from({ length: podsPerService }, (_, pod) => nodeOfPod(service, pod, agents));
  const others = allNodes().filter((_, agent) => usedBy(agent, total).includes(service));
  return [...new Set([...own, ...others])];
}

function allNodes(): string[] {
  return Array.from({ length: agents }, (_, agent) => nodeName(agent));
}

/** A kind of change: what is applied, whom it concerns, and a text that is in what reaches them. */
interface ChangeKind {
  readonly name: string;
  readonly text: (turn: number) => string;
  readonly nodes: (turn: number, total: number) => string[];
  readonly apply: (cluster: LoadedCluster, turn: number) => Promise<void>;
}

function changeKinds(namespace: string): ChangeKind[] {
  const number = (turn: number) => turn % Math.min(changing, services);
  return [
    {
      name: 'HTTPRoute',
      text: (turn) => `${namespace}/r${number(turn)}`,
      nodes: (turn, total) => nodesOf(number(turn), total),
      apply: (cluster, turn) => cluster.applyRoute(number(turn), 1 + (Date.now() % 1_000_000)),
    },
    {
      name: 'EndpointSlice',
      text: (turn) => `${namespace}/s${number(turn)}`,
      nodes: (turn, total) => nodesOf(number(turn), total),
      apply: (cluster, turn) => cluster.setReady(number(turn), Math.floor(turn / changing) % 2 === 1),
    },
    {
      // Every node has an index of all pods.
      name: 'Pod',
      text: (turn) => `extra-${turn}-`,
      nodes: allNodes,
      apply: (cluster, turn) => cluster.addPod(`extra-${turn}-`, turn),
    },
  ];
}

interface Mesh {
  readonly cluster: LoadedCluster;
  readonly controller: MeasuredController;
  readonly agents: SimulatedAgents;
  readonly total: number;
}

/** Figures of one size. */
async function measure(namespace: string, cluster: LoadedCluster, size: number): Promise<void> {
  const total = services * size;
  const startedMs = performance.now();
  const bound = values.heap === undefined ? null : Number(values.heap) * size;
  const controller = new MeasuredController(namespace, bound);
  const simulated = new SimulatedAgents(`unix:${controller.socket}`, (whole, drops) =>
    say(`${whole} agents have everything${drops > 0 ? `, ${drops} streams ended` : ''}`),
  );
  try {
    const started = await controller.next();
    const readyMs = performance.now() - startedMs;
    say(`the controller has read ${total * podsPerService} pods`);
    const wants = (agent: number) => usedBy(agent, total).map((number) => `${namespace}/s${number}`);
    const connected = simulated.connect(allNodes().map((node, agent) => ({ node, services: wants(agent) })));
    await controller.whileItRuns(connected);
    const synced = await controller.usage();
    const { bytes } = await simulated.usage();
    say(`the controller has ${mebibytes(synced.rssBytes)} MiB resident`);
    const rows = [
      `${total} services, ${total * podsPerService} pods, ${agents} agents`,
      `ready after ${(readyMs / 1000).toFixed(1)} s (${started.cpuMs} ms CPU)`,
      `all agents in sync with ${synced.cpuMs - started.cpuMs} ms CPU, ${(bytes / agents / 1024).toFixed(0)} KiB each`,
      `${mebibytes(started.rssBytes)} MiB resident when ready, ${mebibytes(synced.rssBytes)} when all are in sync`,
    ];
    for (const kind of changeKinds(namespace)) {
      rows.push(await measureKind({ cluster, controller, agents: simulated, total }, kind));
      say(rows.at(-1) ?? '');
    }
    const { rssBytes, heapBytes, peakBytes } = await controller.usage(true);
    rows.push(
      `${mebibytes(rssBytes)} MiB resident at the end, ${mebibytes(peakBytes)} at most; ` +
        `${mebibytes(heapBytes)} of heap in use${bound === null ? '' : `, which may be ${bound}`}`,
    );
    const { drops } = await simulated.usage();
    if (drops > 0) rows.push(`${drops} streams of agents ended and were opened again`);
    process.stdout.write(`${rows.join('\n  ')}\n`);
  } finally {
    await simulated.stop();
    await controller.stop();
  }
}

async function measureKind(mesh: Mesh, kind: ChangeKind): Promise<string> {
  const turns = turnsOf(kind.name);
  const [before, agentsBefore] = [await mesh.controller.usage(), await mesh.agents.usage()];
  const times: number[] = [];
  let concerned = 0;
  for (const turn of turns) {
    const nodes = kind.nodes(turn, mesh.total);
    concerned += nodes.length;
    const { reached } = await mesh.agents.expect(kind.text(turn), nodes);
    const appliedMs = monotonicMs();
    await kind.apply(mesh.cluster, turn);
    times.push((await mesh.controller.whileItRuns(reached)) - appliedMs);
  }
  const [after, agentsAfter] = [await mesh.controller.usage(), await mesh.agents.usage()];
  times.sort((left, right) => left - right);
  const at = (share: number) =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  const each = (sum: number) => sum / turns.length;
  const cpuMs = each(after.cpuMs - before.cpuMs).toFixed(1);
  const agentMs = each(agentsAfter.cpuMs - agentsBefore.cpuMs).toFixed(1);
  const bytes = each(agentsAfter.bytes - agentsBefore.bytes);
  const deltas = each(agentsAfter.deltas - agentsBefore.deltas);
  return (
    `${kind.name}: apply to last acknowledgement p50 ${at(0.5).toFixed(0)} ms, p99 ${at(0.99).toFixed(0)} ms; ` +
    `${cpuMs} ms CPU (agents ${agentMs}), longest turn ${after.turnMs} ms; ${each(concerned).toFixed(0)} nodes concerned, ${deltas.toFixed(0)} deltas, ` +
    `${(bytes / Math.max(deltas, 1)).toFixed(0)} bytes each`
  );
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(0);
}

/** Each turn of a kind is made once, whatever sizes are measured. */
const nextTurn = new Map<string, number>();

function turnsOf(kind: string): number[] {
  const first = nextTurn.get(kind) ?? 0;
  nextTurn.set(kind, first + changes);
  return Array.from({ length: changes }, (_, index) => first + index);
}

await installGatewayApi();
await installCrds();
const namespace = await createNamespace();
const cluster = new LoadedCluster(namespace, agents);
try {
  await cluster.addNodes();
  let filled = 0;
  for (const size of values.sizes.split(',').map(Number)) {
    say(`filling the cluster with ${services * size} services`);
    while (filled < services * size) {
      const to = Math.min(filled + 250, services * size);
      await cluster.fill(filled, to);
      filled = to;
      say(`${filled} services`);
    }
    await measure(namespace, cluster, size);
  }
} finally {
  await cluster.removeNodes();
  cluster.close();
  await deleteNamespace(namespace);
}
