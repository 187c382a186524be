/**
 * `node dist/test/bench/plan.js`: what a change of the mesh costs each node's proxy before its workers have it: to apply the
 * delta, and to plan the kernel's rules. `--pods=10000,40000`, `--policies=none,deny,allow`, `--changes=50`. The node runs 50 of
 * the pods and uses 20 services beside; a change is one pod of another node. Prints means in milliseconds.
 */
import { parseArgs } from 'node:util';
import { NodePlan } from '../../agent/proxy/control/plan-node.js';
import { applyDelta } from '../../model/apply-delta.js';
import type { Resource } from '../../model/resource.js';
import { emptySnapshot, type Snapshot } from '../../model/snapshot.js';
import {
  endpoint,
  endpointSet,
  mesh,
  policy,
  policyRule,
  resource,
  service,
  workload,
} from '../../model/test-resources.js';
import { permissiveMtls } from '../../model/workload.js';

const { values } = parseArgs({
  options: {
    pods: { type: 'string', default: '10000,40000' },
    policies: { type: 'string', default: 'none,deny,allow' },
    changes: { type: 'string', default: '50' },
  },
});
const changes = Number(values.changes);
const podsPerService = 10;
const podsPerNode = 50;
const namespaces = 20;
const used = 20;

const spaceOf = (number: number) => `n${number % namespaces}`;
const addressOf = (pod: number) => `10.${1 + (pod >> 16)}.${(pod >> 8) & 255}.${pod & 255}`;

function entryOf(pod: number, label: string) {
  const number = Math.floor(pod / podsPerService);
  return {
    kind: 'pod' as const,
    uid: `u${pod}`,
    name: `p${pod}`,
    namespace: spaceOf(number),
    serviceAccount: `s${number}`,
    addresses: [addressOf(pod)],
    captured: true,
    mtls: permissiveMtls,
    transport: 'weft-tls' as const,
    label,
  };
}

/** Pods go round over the nodes. */
function indexOf(node: number, nodes: number, turn: number): Resource {
  const workloads = Array.from({ length: podsPerNode }, (_, at) =>
    entryOf(at * nodes + node, at === 0 ? `turn-${turn}` : 'l'),
  );
  const body = { trustDomain: 'mesh.test', cluster: 'one', network: 'one', partial: false, workloads };
  const name = `node-${node}`;
  return {
    kind: 'workload-index',
    name: `${name}/`,
    version: `${turn}`,
    ownerNamespace: '',
    body: { ...body, node: name },
  };
}

function serviceOf(number: number): Resource {
  const addresses = [`10.96.${number >> 8}.${number & 255}`];
  return resource('service', service({ namespace: spaceOf(number), name: `s${number}`, addresses }));
}

function endpointsOf(number: number): Resource {
  const endpoints = Array.from({ length: podsPerService }, (_, at) => {
    const pod = number * podsPerService + at;
    return endpoint({ workloadUid: `u${pod}`, address: addressOf(pod) });
  });
  return resource('endpoints', endpointSet(endpoints, { namespace: spaceOf(number), name: `s${number}` }));
}

/** `deny`: one port from one namespace. `allow`: one namespace, and nobody else. */
function policyOf(kind: string, namespace: string): Resource {
  const sources = { namespaces: ['n1'], serviceAccounts: [], spiffeIds: [] };
  const rules = [policyRule({ sources, ports: kind === 'deny' ? [6379] : [] })];
  const action = kind === 'deny' ? 'DENY' : 'ALLOW';
  return resource('authorization-policy', policy({ namespace, name: 'p', action, rules }));
}

function everything(pods: number, kind: string): Resource[] {
  const [nodes, services] = [pods / podsPerNode, pods / podsPerService];
  const own = Array.from({ length: podsPerNode }, (_, at) => at * nodes);
  const detailed = new Set([
    ...own.map((pod) => Math.floor(pod / podsPerService)),
    ...Array.from({ length: used }, (_, at) => (at * 13) % services),
  ]);
  const spaces = kind === 'none' ? [] : Array.from({ length: namespaces }, (_, at) => spaceOf(at));
  return [
    resource('mesh', mesh()),
    ...spaces.map((namespace) => policyOf(kind, namespace)),
    ...own.map((pod) => resource('workload', workload({ ...entryOf(pod, ''), node: 'node-0' }))),
    ...Array.from({ length: nodes }, (_, node) => indexOf(node, nodes, 0)),
    ...Array.from({ length: services }, (_, number) => serviceOf(number)),
    ...[...detailed].map(endpointsOf),
  ];
}

function measure(pods: number, kind: string): void {
  const nodes = pods / podsPerNode;
  const plan = new NodePlan('node-0');
  const sum = { apply: 0, plan: 0 };
  let snapshot: Snapshot = applyDelta(
    emptySnapshot,
    { upserts: everything(pods, kind), removals: [] },
    1,
  ).snapshot;
  const first = timed(() => plan.update(snapshot));
  for (let turn = 1; turn <= changes; turn += 1) {
    const upserts = [indexOf(1 + (turn % (nodes - 1)), nodes, turn)];
    sum.apply += timed(() => {
      ({ snapshot } = applyDelta(snapshot, { upserts, removals: [] }, turn + 1));
    });
    sum.plan += timed(() => {
      plan.update(snapshot);
      void plan.enrolments;
    });
  }
  const { destinations, rules } = plan.kernelRules;
  const each = (ms: number) => (ms / changes).toFixed(2);
  process.stdout.write(
    `${pods} pods, policies ${kind}: delta ${each(sum.apply)} ms, plan ${each(sum.plan)} ms; ` +
      `the first plan ${first.toFixed(0)} ms; ${destinations.length} destinations, ${rules.length} rules\n`,
  );
}

function timed(work: () => void): number {
  const begunMs = performance.now();
  work();
  return performance.now() - begunMs;
}

for (const pods of values.pods.split(',').map(Number)) {
  for (const kind of values.policies.split(',')) measure(pods, kind);
}
