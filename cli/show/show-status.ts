/** `weft status`: is everything in force, and what is wrong. */
import { existsSync } from 'node:fs';
import type { TransportCounts } from '../../model/count-transports.js';
import type { StatePaths } from '../state-folder.js';
import { CommandError, describeError } from '../usage-error.js';
import { askJson } from './ask-admin.js';
import { formatTable } from './format-table.js';

/** What the controller's /status answers. */
export interface ControllerStatus {
  readonly version: number;
  readonly summary: string;
  readonly resources: readonly { readonly kind: string; readonly name: string; readonly version: string }[];
  readonly problems: readonly {
    readonly severity: 'error' | 'warning';
    readonly origin: string;
    readonly line: number;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly field: string;
    readonly value: string;
    readonly message: string;
    readonly fix: string;
    readonly inForce: string;
  }[];
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
  readonly engine: { readonly connections: number; readonly pooled: number; readonly bufferedBytes: number };
}

/** A part's answer, or why there is none. */
export type Asked<Answer> =
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: false; readonly error: string };

export interface WholeStatus {
  /** Null where it is on another machine. */
  readonly controller: Asked<ControllerStatus> | null;
  readonly proxy: Asked<ProxyStatus>;
}

export async function readStatus(paths: StatePaths): Promise<WholeStatus> {
  const [controller, proxy] = await Promise.all([
    existsSync(paths.joinFolder) ? null : ask<ControllerStatus>(paths.controllerAdmin, '/status'),
    ask<ProxyStatus>(paths.proxyAdmin, '/stats'),
  ]);
  return { controller, proxy };
}

/** Everything runs, is ready, and nothing is refused. */
export function isWell({ controller, proxy }: WholeStatus): boolean {
  if (!proxy.ok || !proxy.answer.ready) return false;
  if (controller === null) return proxy.answer.controller;
  if (!controller.ok) return false;
  const { problems, nodes } = controller.answer;
  return (
    problems.every(({ severity }) => severity !== 'error') &&
    nodes.every((node) => node.refusals.length === 0)
  );
}

export function formatStatus({ controller, proxy }: WholeStatus): string {
  const lines = [
    `controller  ${describeAskedController(controller)}`,
    `proxy       ${proxy.ok ? describeProxy(proxy.answer) : proxy.error}`,
    ...(proxy.ok ? [`transport   ${describeTransports(proxy.answer.transports)}`] : []),
  ];
  const nodes = controller?.ok ? `\n${formatNodes(controller.answer)}` : '';
  const problems = controller?.ok ? formatProblems(controller.answer) : '';
  return `${lines.join('\n')}\n${nodes}${problems}`;
}

async function ask<Answer>(socket: string, path: string): Promise<Asked<Answer>> {
  try {
    return { ok: true, answer: await askJson<Answer>(socket, path) };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { ok: false, error: describeError(error) };
  }
}

function describeAskedController(controller: WholeStatus['controller']): string {
  if (controller === null) return 'on another machine';
  return controller.ok ? describeController(controller.answer) : controller.error;
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

function formatNodes({ nodes, version }: ControllerStatus): string {
  const columns = [{ title: 'node' }, { title: 'state' }, { title: 'version' }, { title: 'refuses' }];
  const rows = nodes.map((node) => [
    node.node,
    !node.connected ? 'disconnected' : node.ackedVersion === version ? 'reached' : 'behind',
    String(node.ackedVersion),
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
