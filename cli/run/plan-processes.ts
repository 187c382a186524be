/** Which processes `weft run` and `weft node` start, as whom, and with what arguments. Pure. */
import { join } from 'node:path';
import type { StatePaths } from '../state-folder.js';
import type { UserIds } from './find-user.js';
import type { NodeOptions } from './node-options.js';
import { mountPrefix, type ProcessFiles } from './plan-mounts.js';
import type { JoinFiles } from './prepare-state.js';
import type { RunOptions } from './run-options.js';

export type PartName = 'controller' | 'capture' | 'proxy';

/** One process to start. */
export interface ProcessPlan {
  readonly name: PartName | 'clean';
  readonly argv: readonly [string, ...string[]];
  /** Working folder. */
  readonly folder: string;
}

/** What capture and proxy of every node need. */
export interface NodePlanInput {
  readonly options: NodeOptions;
  readonly paths: StatePaths;
  readonly proxyUser: UserIds;
  readonly files: ProcessFiles;
  /** Where capture keeps the node's own key; undefined: in memory alone. */
  readonly nodeKeyFile?: string | undefined;
}

/** Where the proxy finds its controller: on this machine, or on another one. */
export type ControllerPlace =
  | { readonly kind: 'here'; readonly identities: boolean }
  | { readonly kind: 'elsewhere'; readonly address: string; readonly joining: JoinFiles };

/** What `weft run` needs besides. */
export interface PlanInput extends NodePlanInput {
  readonly options: RunOptions;
  readonly controllerUser: UserIds;
  readonly trustDomain: string;
}

/**
 * What capture's kernel work needs, and to give its socket to the proxy's user; everything else of root's power is
 * dropped (capabilities(7)).
 */
const captureCapabilities = ['bpf', 'chown', 'net_admin', 'perfmon', 'sys_admin'];

/** Root with those capabilities and nothing more, until the end of its parent. */
export const barelyPrivileged: readonly string[] = [
  'setpriv',
  `--bounding-set=-all,${captureCapabilities.map((name) => `+${name}`).join(',')}`,
  '--inh-caps=-all',
  '--ambient-caps=-all',
  '--clear-groups',
  '--no-new-privs',
  '--pdeathsig=SIGTERM',
  '--',
];

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

export function planController(input: PlanInput): ProcessPlan {
  const { options, paths, controllerUser, trustDomain, files } = input;
  return {
    name: 'controller',
    folder: paths.controllerFolder,
    argv: asCommand([
      ...mountPrefix(files.mounts),
      ...unprivileged(controllerUser),
      files.node,
      join(files.dist, 'controller/main.js'),
      ...['--folder', files.manifests ?? options.manifests],
      ...['--shown-as', options.manifests],
      ...['--listen', `unix:${paths.controllerSocket}`],
      ...['--admin', paths.controllerAdmin],
      ...['--node', options.node],
      ...['--trust-domain', trustDomain],
      ...identityWords(options, paths),
      ...(options.listen === null ? [] : ['--listen-nodes', options.listen, '--tokens', paths.tokens]),
    ]),
  };
}

function identityWords({ identities }: RunOptions, paths: StatePaths): string[] {
  if (identities === null) return [];
  const { certificateSeconds, externalIssuer } = identities;
  const issuer =
    externalIssuer === undefined
      ? ['--authority', paths.authorityFolder, '--create-authority']
      : ['--external-issuer', externalIssuer];
  return [...issuer, '--certificate-seconds', String(certificateSeconds)];
}

/** Root with few capabilities: it makes kernel objects and enters the pods' namespaces, and parses no traffic. */
export function planCapture({ options, paths, proxyUser, files, nodeKeyFile }: NodePlanInput): ProcessPlan {
  return {
    name: 'capture',
    folder: paths.captureFolder,
    argv: asCommand([
      ...mountPrefix(files.mounts),
      ...barelyPrivileged,
      files.node,
      join(files.dist, 'agent/capture/main.js'),
      ...['--socket', paths.captureSocket],
      ...['--pin-folder', paths.pinFolder],
      ...options.cgroups.flatMap((cgroup) => ['--cgroup', cgroup]),
      ...options.netnsFolders.flatMap((folder) => ['--netns-folder', folder]),
      ...['--proxy-uid', String(proxyUser.uid)],
      ...(options.graceMs === undefined ? [] : ['--grace-ms', options.graceMs]),
      ...(nodeKeyFile === undefined ? [] : ['--node-key-file', nodeKeyFile]),
    ]),
  };
}

export function planProxy(
  { options, paths, proxyUser, files }: NodePlanInput,
  controller: ControllerPlace,
): ProcessPlan {
  const accessLog = options.accessLog.kind === 'state' ? paths.accessLog : options.accessLog.value;
  return {
    name: 'proxy',
    folder: paths.proxyFolder,
    argv: asCommand([
      ...mountPrefix(files.mounts),
      ...unprivileged(proxyUser),
      files.node,
      join(files.dist, 'agent/proxy/main.js'),
      ...['--node', options.node],
      ...controllerWords(controller, paths),
      ...['--capture', paths.captureSocket],
      ...['--workers', String(options.workers)],
      ...['--metrics', options.metrics, '--shared-metrics'],
      ...['--drain-ms', String(options.drainMs)],
      ...['--admin', paths.proxyAdmin],
      ...['--access-log', accessLog],
      ...['--state', join(paths.proxyFolder, 'snapshot')],
    ]),
  };
}

function controllerWords(controller: ControllerPlace, paths: StatePaths): string[] {
  if (controller.kind === 'here') {
    return [
      '--controller',
      `unix:${paths.controllerSocket}`,
      ...(controller.identities ? [] : ['--no-identities']),
    ];
  }
  const { address, joining } = controller;
  return [...['--controller', address], ...['--token-file', joining.token], ...['--ca-file', joining.ca]];
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
