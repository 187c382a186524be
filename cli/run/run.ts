/** `weft run`: the three processes of a node, started, watched, and taken down in order. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type StatePaths, statePaths } from '../state-folder.js';
import { CommandError } from '../usage-error.js';
import { checkAccess } from './check-access.js';
import { findUser } from './find-user.js';
import { type PlanInput, planCapture, planClean, planController, planProxy } from './plan-processes.js';
import { prepareAccessLog, prepareState } from './prepare-state.js';
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
  const input = prepare(options, paths, dist);
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
    const proxy = await start(planProxy(input));
    output.note(`ready: ${options.manifests} is in force on node ${options.node}; state is in ${paths.root}`);
    output.note(`metrics: ${metricsAddress(options.metrics, proxy)}`);
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

/** The proxy tells the port that the kernel chose. */
function metricsAddress(given: string, readyLine: unknown): string {
  const { metricsPort } = readyLine as { readonly metricsPort?: unknown };
  const host = given.slice(0, given.lastIndexOf(':'));
  return typeof metricsPort === 'number'
    ? `http://${host}:${metricsPort}/metrics`
    : `http://${given}/metrics`;
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
  checkAccess(controllerUser, [process.execPath, join(dist, 'controller/main.js'), options.manifests]);
  checkAccess(proxyUser, [process.execPath, join(dist, 'agent/proxy/main.js')]);
  const id = prepareState(paths, { controller: controllerUser, proxy: proxyUser });
  const { accessLog } = options;
  if (accessLog.kind === 'given' && accessLog.value.startsWith('/'))
    prepareAccessLog(accessLog.value, proxyUser);
  const trustDomain = `${id}.weft`;
  return { options, paths, proxyUser, controllerUser, trustDomain, node: process.execPath, dist };
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
