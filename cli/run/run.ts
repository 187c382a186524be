/** `weft run` and `weft node`: the processes of a node, started, watched, and taken down in order. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type StatePaths, statePaths } from '../state-folder.js';
import { CommandError } from '../usage-error.js';
import { canRead } from './check-access.js';
import { choosePort } from './choose-port.js';
import { findUser, type UserIds } from './find-user.js';
import type { JoinOptions } from './join-options.js';
import type { NodeOptions } from './node-options.js';
import { type NodePlan, NodeProcesses } from './node-processes.js';
import { mountedFiles, type ProcessFiles } from './plan-mounts.js';
import {
  barelyPrivileged,
  type PlanInput,
  planCapture,
  planClean,
  planController,
  planProxy,
  unprivileged,
} from './plan-processes.js';
import {
  prepareAccessLog,
  prepareJoining,
  prepareKeyFolder,
  prepareMountPoints,
  prepareState,
} from './prepare-state.js';
import { formatLogLine } from './relay-log.js';
import type { RunOptions } from './run-options.js';
import type { ProcessOutput } from './supervised-process.js';

export interface RunEnvironment {
  /** The folder of compiled rooms. */
  readonly dist: string;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Resolves when the user asks to end, with the signal's name. */
  readonly ended: Promise<string>;
  /** Calls back whenever the user asks for new processes in place of those that run. */
  readonly onUpgrade: (call: () => void) => void;
}

/** `weft run`: runs until it is asked to end. Throws CommandError where something cannot be started. */
export async function run(options: RunOptions, environment: RunEnvironment): Promise<void> {
  const { dist } = environment;
  checkMachine('run', dist);
  const paths = statePaths(options.state, options.pinFolder);
  const input = prepareRun({ ...options, metrics: await choosePort(options.metrics) }, paths, dist);
  const plan: NodePlan = {
    controller: planController(input),
    capture: planCapture(input),
    proxy: planProxy(input, { kind: 'here', identities: options.identities !== null }),
  };
  const ready = `${options.manifests} is in force on node ${options.node}`;
  await supervise(plan, ready, input.options, paths, environment);
}

/** `weft node`: as {@link run}, under a controller elsewhere. */
export async function runNode(options: JoinOptions, environment: RunEnvironment): Promise<void> {
  const { dist } = environment;
  checkMachine('node', dist);
  const paths = statePaths(options.state, options.pinFolder);
  const proxyUser = findUser(options.proxyUser, readFileSync('/etc/passwd', 'utf8'));
  prepareState(paths, { controller: null, proxy: proxyUser });
  prepareOwnLog(options, proxyUser);
  const given = { token: options.tokenFile, ca: options.caFile };
  const { nodeKeyFile } = options;
  if (nodeKeyFile !== undefined) prepareKeyFolder(nodeKeyFile);
  const returning = nodeKeyFile !== undefined && existsSync(nodeKeyFile);
  const joining = prepareJoining(paths, given, proxyUser, returning);
  const files = findFiles(undefined, paths, dist, [proxyUser]);
  const input = {
    options: { ...options, metrics: await choosePort(options.metrics) },
    paths,
    proxyUser,
    files,
    nodeKeyFile,
  };
  const plan: NodePlan = {
    controller: undefined,
    capture: planCapture(input),
    proxy: planProxy(input, { kind: 'elsewhere', address: options.controller, joining }),
  };
  const ready = `node ${options.node} has joined ${options.controller}`;
  await supervise(plan, ready, input.options, paths, environment);
}

/** `ready` is said once all are. */
async function supervise(
  plan: NodePlan,
  ready: string,
  options: NodeOptions,
  paths: StatePaths,
  { dist, out, err, ended, onUpgrade }: RunEnvironment,
): Promise<void> {
  const output: ProcessOutput = {
    log: (part, line) => err(`${formatLogLine(part, line)}\n`),
    data: (_part, line) => out(`${line}\n`),
    note: (text) => err(`weft: ${text}\n`),
  };
  const processes = new NodeProcesses(plan, output, options.drainMs);
  const serve = async () => {
    await processes.start();
    onUpgrade(() => void processes.upgrade());
    output.note(`ready: ${ready}; state is in ${paths.root}`);
    output.note(`metrics: http://${options.metrics}/metrics`);
    return ended;
  };
  try {
    const signal = await Promise.race([serve(), ended]);
    output.note(`${signal}: stopping`);
  } finally {
    await processes.stop();
    if (!options.keepKernelState) cleanKernel(paths, dist, output.note);
    rmSync(paths.owner, { force: true });
  }
}

function checkMachine(command: string, dist: string): void {
  if (process.platform !== 'linux') throw new CommandError(`weft ${command} needs Linux`);
  if (process.getuid?.() !== 0) throw new CommandError(`weft ${command} needs root: start it with sudo`);
  for (const program of ['controller/main.js', 'agent/capture/main.js', 'agent/proxy/main.js']) {
    if (!existsSync(join(dist, program))) {
      throw new CommandError(`${join(dist, program)} is missing: run "make build" first`);
    }
  }
}

function prepareRun(options: RunOptions, paths: StatePaths, dist: string): PlanInput {
  if (!existsSync(options.manifests)) throw new CommandError(`there is no folder ${options.manifests}`);
  const passwd = readFileSync('/etc/passwd', 'utf8');
  const proxyUser = findUser(options.proxyUser, passwd);
  const controllerUser = findUser(options.controllerUser, passwd);
  if (options.identities !== null && controllerUser.uid === proxyUser.uid) {
    throw new CommandError(
      'a controller that signs needs another user than the proxy: name one by --controller-user',
    );
  }
  const id = prepareState(paths, { controller: controllerUser, proxy: proxyUser });
  prepareOwnLog(options, proxyUser);
  const files = findFiles(options.manifests, paths, dist, [controllerUser, proxyUser]);
  return { options, paths, proxyUser, controllerUser, trustDomain: `${id}.weft`, files };
}

function prepareOwnLog({ accessLog }: NodeOptions, proxyUser: UserIds): void {
  if (accessLog.kind === 'given' && accessLog.value.startsWith('/'))
    prepareAccessLog(accessLog.value, proxyUser);
}

/** The files as they are, or mounted where one of the processes could not reach them. */
function findFiles(
  manifests: string | undefined,
  paths: StatePaths,
  dist: string,
  users: readonly UserIds[],
): ProcessFiles {
  const plain = { node: process.execPath, dist, manifests, mounts: [] };
  const needed = [
    plain.node,
    join(dist, 'controller/main.js'),
    ...(manifests === undefined ? [] : [manifests]),
  ];
  const asWhom = [...users.map(unprivileged), barelyPrivileged];
  if (asWhom.every((words) => canRead(words, needed))) return plain;
  const mounted = mountedFiles(paths.mountFolder, { node: plain.node, codeRoot: dirname(dist), manifests });
  prepareMountPoints(paths.mountFolder, mounted.mounts);
  return mounted;
}

/** Takes programs, links and pins away; what is left is said, with the command that tries again. */
export function cleanKernel(paths: StatePaths, dist: string, note: (text: string) => void): boolean {
  const [program, ...args] = planClean(paths, process.execPath, dist).argv;
  const result = spawnSync(program, args, { encoding: 'utf8', timeout: 60_000 });
  if (result.status === 0) return true;
  const why = result.error?.message ?? result.stderr.trim();
  note(`kernel state could not be removed: ${why}; try "weft clean --state ${paths.root}"`);
  return false;
}
