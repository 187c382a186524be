/** `weft run` in a lab: the real controller, capture and proxy, started as a user would start them. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitEvent } from './await-event.js';
import { cgroupProcesses, removeCgroup } from './cgroup.js';
import type { Lab } from './lab.js';
import { weftMain } from './lab-folder.js';
import type { LabNode } from './lab-node.js';
import type { LabProcess } from './lab-process.js';
import { type CommandResult, runCommand, tryCommand } from './run-command.js';

export interface WeftOptions {
  readonly manifests: string;
  readonly workers?: number;
  /** cgroup2 folders to attach to; default: the root alone. */
  readonly cgroups?: readonly string[];
  /** Further words of `weft run`. */
  readonly more?: readonly string[];
  /** Another build's program than this one's. */
  readonly main?: string;
  /** The namespace that it runs in; default: the machine's own. */
  readonly netns?: string;
}

/** How a further node joins. */
export interface JoinOptions {
  /** HOST:PORT. */
  readonly controller: string;
  /** What weft token create printed; null: there is no token, for the node has kept its key. */
  readonly token: string | null;
  /** PEM file. */
  readonly ca: string;
  readonly workers?: number;
  /** Further words of `weft node`. */
  readonly more?: readonly string[];
  /** A program and its arguments to run it under. */
  readonly under?: readonly string[];
}

export class Weft {
  readonly lab: Lab;
  readonly process: LabProcess;
  /** Sockets, logs and the version of what is pinned. */
  readonly state: string;
  readonly accessLog: string;
  /** cgroup of its processes. */
  private readonly cgroup: string;

  private constructor(lab: Lab, process: LabProcess, state: string, group: string) {
    this.lab = lab;
    this.process = process;
    this.state = state;
    this.accessLog = join(state, 'access.log');
    this.cgroup = join(lab.cgroup, group);
  }

  /** Starts it and waits until it says that every workload is in the mesh. */
  static async start(lab: Lab, options: WeftOptions): Promise<Weft> {
    const state = join(lab.folder, 'state');
    const workers = options.workers ?? Number(process.env.WEFT_TEST_WORKERS ?? 1);
    const argv = [
      process.execPath,
      options.main ?? weftMain,
      'run',
      '-f',
      options.manifests,
      '--state',
      state,
    ];
    const cgroups = (options.cgroups ?? []).flatMap((cgroup) => ['--cgroup', cgroup]);
    const started = lab.spawn([...argv, '--workers', String(workers), ...cgroups, ...(options.more ?? [])], {
      name: 'weft run',
      netns: options.netns,
    });
    const weft = new Weft(lab, started, state, 'node');
    await started.awaitOutput(/weft: ready/, 60_000);
    return weft;
  }

  /** Starts `weft node` in a further node's namespace, and waits until every workload there is in the mesh. */
  static async join(lab: Lab, node: LabNode, options: JoinOptions): Promise<Weft> {
    const state = join(lab.folder, `state-${node.name}`);
    const tokenFile = join(lab.folder, `token-${node.name}`);
    if (options.token === null) rmSync(tokenFile, { force: true });
    else writeFileSync(tokenFile, options.token, { mode: 0o600 });
    const workers = options.workers ?? Number(process.env.WEFT_TEST_WORKERS ?? 1);
    const argv = [
      ...[...(options.under ?? []), process.execPath, weftMain, 'node'],
      ...['--controller', options.controller, '--node', node.name],
      ...['--token-file', tokenFile, '--ca-file', options.ca],
      ...['--state', state, '--workers', String(workers)],
      ...(options.more ?? []),
    ];
    const group = `node-${node.name}`;
    const started = lab.spawn(argv, { name: 'weft node', netns: node.netns }, group);
    const weft = new Weft(lab, started, state, group);
    await started.awaitOutput(/weft: ready/, 60_000);
    return weft;
  }

  /** Where its kernel objects are pinned, as capture says. */
  get pinFolder(): string {
    const folder = /pinFolder=(\S+)/.exec(this.process.stderr)?.[1];
    if (folder === undefined) throw new Error('capture has not said where it pins');
    return folder;
  }

  /** The process id of one of weft's parts, by the program that it runs. */
  pidOf(part: 'controller' | 'capture' | 'proxy'): number {
    const pids = cgroupProcesses(this.cgroup).filter((pid) => commandLine(pid).includes(`/${part}/main.js`));
    if (pids.length !== 1) throw new Error(`weft runs ${pids.length} processes of ${part}, not one`);
    return pids[0] ?? -1;
  }

  /**
   * Kills the proxy by its id. `killed` and `gone`: when it was asked for, and when the process had let go of its
   * connections (monotonic milliseconds); a connection that began in between may still have been its own.
   */
  async killProxy(): Promise<{ readonly pid: number; readonly killed: number; readonly gone: number }> {
    const pid = this.pidOf('proxy');
    const killed = monotonicMs();
    process.kill(pid, 'SIGKILL');
    await awaitEvent(`proxy ${pid} to be gone`, 5_000, () => !isRunning(pid));
    return { pid, killed, gone: monotonicMs() };
  }

  /** Ends all of its processes at once, by force. What was pinned stays, which a real power cut would take too. */
  async cutPower(): Promise<void> {
    await removeCgroup(this.cgroup);
  }

  /** The text of /metrics, through the proxy's admin socket. */
  async metricsText(): Promise<string> {
    return this.admin('/metrics');
  }

  async admin(path: string): Promise<string> {
    const socket = join(this.state, 'admin.sock');
    return runCommand(['curl', '-sS', '--fail-with-body', '--unix-socket', socket, `http://weft${path}`]);
  }

  /** The text of the controller's /metrics. */
  async controllerMetrics(): Promise<string> {
    const socket = join(this.state, 'controller/admin.sock');
    return runCommand(['curl', '-sS', '--fail-with-body', '--unix-socket', socket, 'http://weft/metrics']);
  }

  /** Asks it to end; throws where it does not end in order. Pinned state goes with it. */
  async stop(): Promise<void> {
    const status = await this.process.stop(30_000);
    if (status.code !== 0) {
      throw new Error(`weft run: exit ${status.code ?? status.signal}: ${this.process.stderr.slice(-2000)}`);
    }
  }

  /** Another command of weft's over the same state; a non-zero exit is a result. */
  command(...args: string[]): Promise<CommandResult> {
    return tryCommand([process.execPath, weftMain, ...args, '--state', this.state]);
  }

  /** `weft clean`: removes every trace that a killed weft left. */
  async clean(): Promise<string> {
    const result = await this.command('clean');
    if (result.code !== 0) throw new Error(`weft clean: exit ${result.code}: ${result.stderr}`);
    return result.stdout;
  }
}

/** Waits for a line of a file that grows. */
export function awaitLine(file: string, pattern: RegExp, deadlineMs = 5_000): Promise<string> {
  return awaitEvent(`a line ${pattern} in ${file}`, deadlineMs, () =>
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .find((line) => pattern.test(line))
      : undefined,
  );
}

/** A zombie has closed everything already. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The monotonic clock in milliseconds, as Python's time.monotonic() × 1000. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
