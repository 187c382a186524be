/** Which processes `weft run` starts, as whom, and with what arguments. Pure. */
import { join } from 'node:path';
import type { StatePaths } from '../state-folder.js';
import type { UserIds } from './find-user.js';
import type { RunOptions } from './run-options.js';

export type PartName = 'controller' | 'capture' | 'proxy';

/** One process to start. */
export interface ProcessPlan {
  readonly name: PartName | 'clean';
  readonly argv: readonly [string, ...string[]];
  /** Working folder. */
  readonly folder: string;
}

export interface PlanInput {
  readonly options: RunOptions;
  readonly paths: StatePaths;
  readonly proxyUser: UserIds;
  readonly controllerUser: UserIds;
  readonly trustDomain: string;
  /** The node program. */
  readonly node: string;
  /** The folder of compiled rooms. */
  readonly dist: string;
}

/**
 * What capture's kernel work needs, and to give its socket to the proxy's user; everything else of root's power is
 * dropped (capabilities(7)).
 */
const captureCapabilities = ['bpf', 'chown', 'net_admin', 'perfmon', 'sys_admin'];

/** An unprivileged user, no capability that could be kept or regained, and an end with its parent. */
export function unprivileged({ uid, gid }: UserIds): string[] {
  return [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--inh-caps=-all',
    '--ambient-caps=-all',
    '--bounding-set=-all',
    '--no-new-privs',
    '--pdeathsig=SIGTERM',
    '--',
  ];
}

export function planController({
  options,
  paths,
  controllerUser,
  trustDomain,
  node,
  dist,
}: PlanInput): ProcessPlan {
  return {
    name: 'controller',
    folder: paths.controllerFolder,
    argv: asCommand([
      ...unprivileged(controllerUser),
      node,
      join(dist, 'controller/main.js'),
      ...['--folder', options.manifests],
      ...['--listen', `unix:${paths.controllerSocket}`],
      ...['--admin', paths.controllerAdmin],
      ...['--node', options.node],
      ...['--trust-domain', trustDomain],
    ]),
  };
}

/** Root with few capabilities: it makes kernel objects and enters the pods' namespaces, and parses no traffic. */
export function planCapture({ options, paths, proxyUser, node, dist }: PlanInput): ProcessPlan {
  const capabilities = captureCapabilities.map((name) => `+${name}`).join(',');
  return {
    name: 'capture',
    folder: paths.captureFolder,
    argv: asCommand([
      'setpriv',
      `--bounding-set=-all,${capabilities}`,
      '--inh-caps=-all',
      '--ambient-caps=-all',
      '--clear-groups',
      '--no-new-privs',
      '--pdeathsig=SIGTERM',
      '--',
      node,
      join(dist, 'agent/capture/main.js'),
      ...['--socket', paths.captureSocket],
      ...['--pin-folder', paths.pinFolder],
      ...options.cgroups.flatMap((cgroup) => ['--cgroup', cgroup]),
      ...options.netnsFolders.flatMap((folder) => ['--netns-folder', folder]),
      ...['--proxy-uid', String(proxyUser.uid)],
      ...(options.graceMs === undefined ? [] : ['--grace-ms', options.graceMs]),
    ]),
  };
}

export function planProxy({ options, paths, proxyUser, node, dist }: PlanInput): ProcessPlan {
  const accessLog = options.accessLog.kind === 'state' ? paths.accessLog : options.accessLog.value;
  return {
    name: 'proxy',
    folder: paths.proxyFolder,
    argv: asCommand([
      ...unprivileged(proxyUser),
      node,
      join(dist, 'agent/proxy/main.js'),
      ...['--node', options.node],
      ...['--controller', `unix:${paths.controllerSocket}`],
      ...['--capture', paths.captureSocket],
      ...['--workers', String(options.workers)],
      ...['--metrics', options.metrics],
      ...['--admin', paths.proxyAdmin],
      ...['--access-log', accessLog],
      ...['--state', join(paths.proxyFolder, 'snapshot')],
    ]),
  };
}

/** Removes kernel state; with root's whole power, for it must succeed. */
export function planClean(paths: StatePaths, node: string, dist: string): ProcessPlan {
  return {
    name: 'clean',
    folder: '/',
    argv: asCommand([node, join(dist, 'agent/capture/clean.js'), '--pin-folder', paths.pinFolder]),
  };
}

function asCommand(words: readonly string[]): [string, ...string[]] {
  const [program, ...rest] = words;
  if (program === undefined) throw new Error('an empty command');
  return [program, ...rest];
}
