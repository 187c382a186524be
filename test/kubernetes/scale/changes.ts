/**
 * What one change costs in the controller, by kind of change: the real controller over a generated mesh, without API
 * server and network. Sessions of many agents take and acknowledge every delta within the process, as messages.
 * usage: changes.js [--services N] [--agents N] [--changes N] [--sizes 1,2,4] [--only KIND]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Controller } from '../../../controller/controller.js';
import { AgentSession } from '../../../controller/publish/agent-session.js';
import type { SourceChange } from '../../../controller/source/source.js';
import { createLog } from '../../../controller/status/log.js';
import {
  addressOf,
  nodeName,
  nodeOf,
  podOf,
  podsPerService,
  routeOf,
  serviceOf,
  sliceOf,
} from './objects.js';

const { values } = parseArgs({
  options: {
    services: { type: 'string', default: '1000' },
    agents: { type: 'string', default: '200' },
    changes: { type: 'string', default: '50' },
    sizes: { type: 'string', default: '1,2,4' },
    only: { type: 'string' },
  },
});
const [services, agents, changes] = [values.services, values.agents, values.changes].map(Number) as [
  number,
  number,
  number,
];
const namespace = 'scale';
const noLine = () => 0;

interface ObjectLike {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

function holds(object: ObjectLike, more: object = {}): SourceChange {
  const { kind, metadata } = object;
  const origin = `${kind}/${metadata.name}`;
  const place = ['Node', 'Namespace', 'ServiceCIDR'].includes(kind) ? {} : { namespace };
  const named = { ...object, metadata: { uid: origin.replace('/', '.'), ...metadata, ...place }, ...more };
  return { type: 'holds', origin, documents: [{ value: named, locate: noLine }] };
}

function runningPod(service: number, pod: number, label: string): SourceChange {
  const object = podOf(service, pod, agents);
  const { metadata } = object;
  const labelled = { ...object, metadata: { ...metadata, labels: { ...metadata.labels, turn: label } } };
  return holds(labelled, { status: { phase: 'Running', podIPs: [{ ip: addressOf(service, pod, agents) }] } });
}

function slice(service: number, ready: boolean): SourceChange {
  const object = sliceOf(service, agents);
  const [first, ...others] = object.endpoints;
  return holds({ ...object, endpoints: [{ ...first, conditions: { ready } }, ...others] } as typeof object);
}

function policy(number: number, port: number): SourceChange {
  return holds({
    apiVersion: 'weft.dev/v1alpha1',
    kind: 'AuthorizationPolicy',
    metadata: { name: `a${number}` },
    spec: {
      action: 'DENY',
      targetRefs: [{ kind: 'Service', name: `s${number}` }],
      rules: [{ ports: [port] }],
    },
  } as ObjectLike);
}

function gone(kind: string, name: string): SourceChange {
  return { type: 'gone', origin: `${kind}/${name}` };
}

/** What is applied at each turn, by kind of change. */
const kinds: Readonly<Record<string, (turn: number, total: number) => SourceChange[]>> = {
  pod: (turn, total) => [runningPod(turn % total, 3, `t${turn}`)],
  heartbeat: (turn, total) => [runningPod(turn % total, 4, '')],
  'pod gone and back': (turn, total) => {
    const service = (turn >> 1) % total;
    return turn % 2 === 0 ? [gone('Pod', `p${service}-5`)] : [runningPod(service, 5, '')];
  },
  slice: (turn, total) => [slice((turn >> 1) % total, turn % 2 === 1)],
  route: (turn, total) => [holds(routeOf((turn * 10) % total, turn + 1))],
  'route gone and back': (turn, total) => {
    const number = ((turn >> 1) * 10) % total;
    return turn % 2 === 0 ? [gone('HTTPRoute', `r${number}`)] : [holds(routeOf(number, turn))];
  },
  service: (turn, total) => {
    const object = serviceOf(turn % total);
    const port = { ...object.spec.ports[0], appProtocol: turn % 2 === 0 ? 'tcp' : 'http' };
    return [holds(object, { spec: { clusterIP: clusterAddress(turn % total), ports: [port] } })];
  },
  policy: (turn, total) => [policy(((turn % 5) * 7) % total, 1000 + turn)],
  'policy gone and back': (turn) =>
    turn % 2 === 0 ? [gone('AuthorizationPolicy', 'a0')] : [policy(0, turn)],
};

function clusterAddress(number: number): string {
  return `10.96.${number >> 8}.${number & 255}`;
}

function everything(total: number): SourceChange[] {
  const all: SourceChange[] = [
    holds({ kind: 'Namespace', apiVersion: 'v1', metadata: { name: namespace } } as ObjectLike),
  ];
  const services = { cidrs: ['10.96.0.0/16'] };
  const range = { kind: 'ServiceCIDR', apiVersion: 'networking.k8s.io/v1', metadata: { name: 'kubernetes' } };
  all.push(holds(range, { spec: services }));
  for (let node = 0; node < agents; node += 1) all.push(holds(nodeOf(node)));
  for (let number = 0; number < total; number += 1) {
    const service = serviceOf(number);
    all.push(holds(service, { spec: { ...service.spec, clusterIP: clusterAddress(number) } }));
    for (let pod = 0; pod < podsPerService; pod += 1) all.push(runningPod(number, pod, ''));
    all.push(slice(number, true));
    if (number % 10 === 0) all.push(holds(routeOf(number, 1)));
  }
  return all;
}

/** An agent that acknowledges at once. */
function connect(controller: Controller, node: string, wanted: readonly string[]): void {
  const session = new AgentSession();
  const wants = wanted.map((name) => ({ kind: 'service', name }));
  const hello = { protocol: 1, node, agentVersion: '', scoped: true, held: [], transports: [], wants };
  const fault = session.receive({ hello } as unknown as Parameters<AgentSession['receive']>[0]);
  if (fault !== null) throw new Error(fault.message);
  const wake = () => {
    for (let delta = session.next(controller.publisher); delta; delta = session.next(controller.publisher)) {
      session.receive({ ack: { nonce: delta.nonce ?? 0, refusals: [] } } as never);
    }
  };
  controller.publisher.add(session, wake);
  wake();
}

async function measure(size: number): Promise<void> {
  const total = services * size;
  let apply: (changes: readonly SourceChange[]) => void = () => {};
  const controller = new Controller({
    source: {
      start: (take) => {
        apply = take;
        take(everything(total));
        return Promise.resolve();
      },
      stop: () => {},
    },
    build: { trustDomain: 'scale.mesh', node: '', cluster: { excludedNamespaces: [] } },
    log: createLog(
      () => {},
      () => new Date(),
    ),
    now: () => Date.now(),
  });
  const folder = mkdtempSync(join(tmpdir(), 'weft-changes-'));
  const begun = performance.now();
  await controller.start({ socket: join(folder, 'agents.sock'), nodes: null });
  const built = performance.now();
  for (let agent = 0; agent < agents; agent += 1) {
    connect(
      controller,
      nodeName(agent),
      Array.from({ length: 20 }, (_, at) => `${namespace}/s${(agent * 84 + at * 13) % total}`),
    );
  }
  process.stdout.write(
    `${total} services, ${total * podsPerService} pods: built in ${(built - begun).toFixed(0)} ms, ${agents} agents in ${(performance.now() - built).toFixed(0)} ms\n`,
  );
  for (const [kind, make] of Object.entries(kinds)) {
    if (values.only !== undefined && values.only !== kind) continue;
    for (let turn = 0; turn < 10; turn += 1) apply(make(turn, total));
    const startMs = performance.now();
    for (let turn = 10; turn < 10 + changes; turn += 1) apply(make(turn, total));
    const eachMs = (performance.now() - startMs) / changes;
    process.stdout.write(
      `  ${kind.padEnd(22)} ${eachMs.toFixed(2)} ms, problems ${controller.problems.length}\n`,
    );
  }
  const { rss, heapUsed } = process.memoryUsage();
  process.stdout.write(
    `  ${(rss / 1024 ** 2).toFixed(0)} MiB resident, ${(heapUsed / 1024 ** 2).toFixed(0)} MiB of it heap in use\n`,
  );
  controller.stop();
  rmSync(folder, { recursive: true });
}

for (const size of values.sizes.split(',').map(Number)) await measure(size);
