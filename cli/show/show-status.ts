/** `weft status`: is everything in force, and what is wrong. */
import type { TransportCounts } from '../../model/count-transports.js';
import type { StatusProblem } from '../../model/status-problem.js';
import { type Asked, answers, type MeshSource } from '../mesh-source.js';
import { formatAge, formatTable } from './format-table.js';

const clockWarningMs = 5_000;

/** What the controller's /status answers. */
export interface ControllerStatus {
  readonly version: number;
  readonly summary: string;
  readonly resources: readonly { readonly kind: string; readonly name: string; readonly version: string }[];
  readonly problems: readonly StatusProblem[];
  readonly transports: TransportCounts;
  readonly nodes: readonly {
    readonly node: string;
    readonly connected: boolean;
    readonly agentVersion: string;
    readonly ackedVersion: number;
    readonly refusals: readonly {
      readonly kind: string;
      readonly name: string;
      readonly problems: readonly {
        readonly field: string;
        readonly message: string;
        readonly fix: string;
      }[];
    }[];
  }[];
}

/** What the proxy's /stats answers. */
export interface ProxyStatus {
  readonly node: string;
  readonly version: string;
  readonly ready: boolean;
  readonly capture: boolean;
  readonly controller: boolean;
  readonly configured: boolean;
  readonly workloadsServed: number;
  readonly workloadsWanted: number;
  readonly snapshot: number;
  /** Only with identities. */
  readonly identities?: { readonly wanted: number; readonly inForce: number } | undefined;
  /** Workloads by phase, and those outside of the mesh. */
  readonly transports: TransportCounts;
  /** The node's kernel, whether it tells its types (BTF), and its clock: milliseconds since the epoch. */
  readonly host: { readonly kernel: string; readonly btf: boolean; readonly nowMs: number };
  /** How far the node's clock is ahead of the controller's; null or absent where that is not known. */
  readonly clockSkewMs?: number | null | undefined;
  readonly engine: { readonly connections: number; readonly pooled: number; readonly bufferedBytes: number };
}

export interface WholeStatus {
  /** Every replica; none where it is on another machine. */
  readonly controllers: readonly Asked<ControllerStatus>[];
  /** One for each node. */
  readonly proxies: readonly Asked<ProxyStatus>[];
}

export async function readStatus(source: MeshSource): Promise<WholeStatus> {
  const [controllers, proxies] = await Promise.all([
    source.askControllers<ControllerStatus>('/status'),
    source.askProxies<ProxyStatus>('/stats'),
  ]);
  return { controllers, proxies };
}

/** Everything runs, is ready, is told of changes, and nothing is refused. */
export function isWell({ controllers, proxies }: WholeStatus): boolean {
  if (!proxies.every((one) => one.ok && isServing(one.answer))) return false;
  const told = joinControllers(answers(controllers));
  if (told === null) return controllers.length === 0;
  const { problems, nodes } = told;
  return (
    controllers.every(({ ok }) => ok) &&
    problems.every(({ severity }) => severity !== 'error') &&
    nodes.every((node) => node.refusals.length === 0)
  );
}

const isServing = ({ ready, controller }: ProxyStatus) => ready && controller;

/** What all replicas tell, as one; `reached`: the node has what its own replica publishes. */
export interface JoinedStatus extends ControllerStatus {
  readonly nodes: readonly (ControllerStatus['nodes'][number] & { readonly reached: boolean })[];
}

/**
 * The leader knows every node, the others those that are connected to them. Each counts versions for itself, so a node is
 * held against the replica that tells of it.
 */
export function joinControllers(told: readonly ControllerStatus[]): JoinedStatus | null {
  const [widest] = [...told].sort((a, b) => b.nodes.length - a.nodes.length || b.version - a.version);
  if (widest === undefined) return null;
  const nodes = new Map<string, JoinedStatus['nodes'][number]>();
  const rank = ({ connected, reached }: JoinedStatus['nodes'][number]) => Number(connected) + Number(reached);
  for (const { version, nodes: own } of told) {
    for (const node of own) {
      const joined = { ...node, reached: node.connected && node.ackedVersion === version };
      const other = nodes.get(node.node);
      if (other === undefined || rank(joined) > rank(other)) nodes.set(node.node, joined);
    }
  }
  return { ...widest, nodes: [...nodes.values()].sort((a, b) => (a.node < b.node ? -1 : 1)) };
}

export function formatStatus({ controllers, proxies }: WholeStatus): string {
  const told = joinControllers(answers(controllers));
  const transports = told?.transports ?? answers(proxies)[0]?.transports;
  const lines = [
    ...describeControllers(controllers, told),
    ...describeProxies(proxies),
    ...describeClocks(proxies),
    ...(transports === undefined ? [] : [`transport   ${describeTransports(transports)}`]),
  ];
  const nodes = told === null ? '' : `\n${formatNodes(told)}`;
  return `${lines.join('\n')}\n${nodes}${told === null ? '' : formatProblems(told)}`;
}

function describeControllers(
  controllers: readonly Asked<ControllerStatus>[],
  told: JoinedStatus | null,
): string[] {
  if (controllers.length === 0) return ['controller  on another machine'];
  const answering = controllers.filter(({ ok }) => ok).length;
  const replicas = controllers.length === 1 ? '' : `${answering} of ${controllers.length} replicas answer; `;
  return [
    ...(told === null ? [] : [`controller  ${replicas}${describeController(told)}`]),
    ...describeSilent('controller', controllers),
  ];
}

function describeProxies(proxies: readonly Asked<ProxyStatus>[]): string[] {
  const told = answers(proxies);
  const single = proxies.length === 1 && told[0] !== undefined;
  const troubled = proxies.flatMap((one) =>
    one.ok && !isServing(one.answer) ? [`proxy       on ${one.name}: ${describeProxy(one.answer)}`] : [],
  );
  const lines = single
    ? [`proxy       ${describeProxy(told[0] as ProxyStatus)}`]
    : [
        `proxies     ${told.filter(({ ready }) => ready).length} of ${proxies.length} ready: ${describeSums(told)}`,
        ...troubled,
      ];
  return [...(told.length === 0 && proxies.length > 0 ? [] : lines), ...describeSilent('proxy', proxies)];
}

/** Nodes whose clocks differ from the controller's by more than messages take. */
function describeClocks(proxies: readonly Asked<ProxyStatus>[]): string[] {
  return answers(proxies).flatMap(({ node, clockSkewMs: skewMs }) => {
    if (skewMs == null || Math.abs(skewMs) < clockWarningMs) return [];
    const way = skewMs < 0 ? 'behind' : 'ahead of';
    return [`clock       of ${node} is ${formatAge(Math.abs(skewMs))} ${way} the controller's`];
  });
}

function describeSilent(part: string, asked: readonly Asked<unknown>[]): string[] {
  const name = (one: Asked<unknown>) => (one.name === part ? '' : `${one.name}: `);
  return asked.flatMap((one) => (one.ok ? [] : [`${part.padEnd(12)}${name(one)}${one.error}`]));
}

function describeSums(told: readonly ProxyStatus[]): string {
  const sum = (read: (status: ProxyStatus) => number) => told.reduce((total, one) => total + read(one), 0);
  const served = sum(({ workloadsServed }) => workloadsServed);
  const wanted = sum(({ workloadsWanted }) => workloadsWanted);
  const connections = sum(({ engine }) => engine.connections);
  const proven = sum(({ identities }) => identities?.inForce ?? 0);
  const identities = sum((one) => one.identities?.wanted ?? 0);
  return (
    `serve ${served} of ${wanted} workloads, ${count(connections, 'connection')}, ` +
    `prove ${proven} of ${identities} identities`
  );
}

function describeController({ resources, problems, summary }: ControllerStatus): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const counts = [
    count(resources.length, 'resource'),
    count(errors, 'error'),
    count(problems.length - errors, 'warning'),
  ];
  return `${counts.join(', ')}; ${summary}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function describeProxy(status: ProxyStatus): string {
  const { workloadsServed, workloadsWanted, engine, snapshot, identities } = status;
  const missing = [
    ...(status.capture ? [] : ['capture']),
    ...(status.controller ? [] : ['controller']),
    ...(status.configured ? [] : ['configuration']),
    ...(identities === undefined || identities.inForce >= identities.wanted ? [] : ['identities']),
  ];
  const state = status.ready ? 'ready' : 'not ready';
  const proven =
    identities === undefined ? '' : `, proves ${identities.inForce} of ${identities.wanted} identities`;
  const without = missing.length === 0 ? '' : ` (without ${missing.join(', ')})`;
  return (
    `${state}${without}: serves ${workloadsServed} of ${workloadsWanted} workloads ` +
    `at version ${snapshot}, ${count(engine.connections, 'connection')}, ${engine.pooled} pooled${proven}`
  );
}

function describeTransports({ outside, ...phases }: TransportCounts): string {
  const meshed = Object.values(phases).reduce((sum, number) => sum + number, 0);
  const under = (['arriving', 'leaving', 'plaintext'] as const).flatMap((phase) =>
    phases[phase] === 0 ? [] : [`${phases[phase]} ${phase}`],
  );
  const others = under.length === 0 ? '' : ` (${under.join(', ')})`;
  return `mutual TLS with ${phases['weft-tls']} of ${count(meshed, 'workload')}${others}, ${outside} outside the mesh`;
}

function formatNodes({ nodes }: JoinedStatus): string {
  const columns = ['node', 'state', 'version', 'agent', 'refuses'].map((title) => ({ title }));
  const rows = nodes.map((node) => [
    node.node,
    !node.connected ? 'disconnected' : node.reached ? 'reached' : 'behind',
    String(node.ackedVersion),
    node.agentVersion || '-',
    node.refusals.map(({ kind, name }) => `${kind} ${name}`).join(', ') || '-',
  ]);
  return formatTable(columns, rows, 'no node has ever connected');
}

function formatProblems({ problems, nodes }: ControllerStatus): string {
  const own = problems.map((problem) => {
    const { severity, origin, line, kind, namespace, name, field, value, message, fix, inForce } = problem;
    const resource = kind === '' ? '' : `${kind} ${namespace === '' ? name : `${namespace}/${name}`}: `;
    const at = [field, value].filter((part) => part !== '').join(' = ');
    const what = at === '' ? message : `${at} ${message}`;
    return `${severity}: ${origin}${line > 0 ? `:${line}` : ''}\n  ${resource}${what}\n  fix: ${fix} (in force: ${inForce})\n`;
  });
  const refused = nodes.flatMap(({ node, refusals }) =>
    refusals.flatMap(({ kind, name, problems: causes }) =>
      causes.map(
        ({ field, message, fix }) =>
          `error: node ${node} refuses ${kind} ${name}\n  ${field} ${message}\n  fix: ${fix}\n`,
      ),
    ),
  );
  return [...own, ...refused].map((text) => `\n${text}`).join('');
}
