/** `weft run`: the three processes of a node, started, watched, and taken down in order. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type StatePaths, statePaths } from '../state-folder.js';
import { CommandError } from '../usage-error.js';
import { canRead } from './check-access.js';
import { choosePort } from './choose-port.js';
import { findUser } from './find-user.js';
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
import { prepareAccessLog, prepareMountPoints, prepareState } from './prepare-state.js';
import { formatLogLine } from './relay-log.js';
import type { RunOptions } from './run-options.js';
import { type ProcessOutput, SupervisedProcess } from './supervised-process.js';

/** Loading programs and testing them on a slow machine takes a while. */
const readyTimeoutMs = 60_000;
/** The proxy drains connections for ten seconds before it ends. */
const stopTimeoutMs = 12_000;

export interface RunEnvironment {
  /** The folder of compiled rooms. */
  readonly dist: string;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Resolves when the user asks to end, with the signal's name. */
  readonly ended: Promise<string>;
}

/** Runs until it is asked to end. Throws CommandError where something cannot be started. */
export async function run(options: RunOptions, environment: RunEnvironment): Promise<void> {
  const { dist, out, err, ended } = environment;
  checkMachine(dist);
  const paths = statePaths(options.state, options.pinFolder);
  const metrics = await choosePort(options.metrics);
  const input = prepare({ ...options, metrics }, paths, dist);
  const output: ProcessOutput = {
    log: (part, line) => err(`${formatLogLine(part, line)}\n`),
    data: (_part, line) => out(`${line}\n`),
    note: (text) => err(`weft: ${text}\n`),
  };
  const started: SupervisedProcess[] = [];
  const start = (plan: ReturnType<typeof planProxy>) => {
    const supervised = new SupervisedProcess(plan, output);
    started.push(supervised);
    return supervised.start(readyTimeoutMs);
  };
  const serve = async () => {
    await Promise.all([start(planController(input)), start(planCapture(input))]);
    await start(planProxy(input));
    output.note(`ready: ${options.manifests} is in force on node ${options.node}; state is in ${paths.root}`);
    output.note(`metrics: http://${metrics}/metrics`);
    return ended;
  };
  try {
    const signal = await Promise.race([serve(), ended]);
    output.note(`${signal}: stopping`);
  } finally {
    for (const supervised of started.reverse()) await supervised.stop(stopTimeoutMs);
    if (!options.keepKernelState) cleanKernel(paths, dist, output.note);
    rmSync(paths.owner, { force: true });
  }
}

function checkMachine(dist: string): void {
  if (process.platform !== 'linux') throw new CommandError('weft run needs Linux');
  if (process.getuid?.() !== 0) throw new CommandError('weft run needs root: start it with sudo');
  for (const program of ['controller/main.js', 'agent/capture/main.js', 'agent/proxy/main.js']) {
    if (!existsSync(join(dist, program))) {
      throw new CommandError(`${join(dist, program)} is missing: run "make build" first`);
    }
  }
}

function prepare(options: RunOptions, paths: StatePaths, dist: string): PlanInput {
  if (!existsSync(options.manifests)) throw new CommandError(`there is no folder ${options.manifests}`);
  const passwd = readFileSync('/etc/passwd', 'utf8');
  const proxyUser = findUser(options.proxyUser, passwd);
  const controllerUser = findUser(options.controllerUser, passwd);
  if (options.identities !== null && controllerUser.uid === proxyUser.uid) {
    throw new CommandError(
      'with --identities the controller needs a user of its own: name one by --controller-user',
    );
  }
  const id = prepareState(paths, { controller: controllerUser, proxy: proxyUser });
  const { accessLog } = options;
  if (accessLog.kind === 'given' && accessLog.value.startsWith('/'))
    prepareAccessLog(accessLog.value, proxyUser);
  const trustDomain = `${id}.weft`;
  const files = findFiles(options, paths, dist, [unprivileged(controllerUser), unprivileged(proxyUser)]);
  return { options, paths, proxyUser, controllerUser, trustDomain, files };
}

/** The files as they are, or mounted where one of the three processes could not reach them. */
function findFiles(
  options: RunOptions,
  paths: StatePaths,
  dist: string,
  users: readonly (readonly string[])[],
): ProcessFiles {
  const { manifests } = options;
  const plain = { node: process.execPath, dist, manifests, mounts: [] };
  const needed = [plain.node, join(dist, 'controller/main.js'), manifests];
  if ([...users, barelyPrivileged].every((words) => canRead(words, needed))) return plain;
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
