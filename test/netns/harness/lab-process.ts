/** A process of a lab: its output by lines, its end, and ways to wait for either. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { withDeadline } from './await-event.js';

export interface SpawnOptions {
  /** Short name for messages. */
  readonly name: string;
  /** cgroup2 folder that it is moved to before it starts. */
  readonly cgroup: string;
  /** Network namespace (name below /run/netns); undefined for the caller's own. */
  readonly netns?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  /** Text for its standard input, which is then closed. Undefined: a pipe that stays open. */
  readonly input?: string | undefined;
}

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The shell moves itself, then becomes the program: the process id stays the same, and no moment is outside. */
const enterCgroup = 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"';

/** One started program. Its id is that of the program itself, so that signals reach exactly it. */
export class LabProcess {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<ExitStatus>;
  stdout = '';
  stderr = '';
  private status: ExitStatus | undefined;
  private readonly child: ChildProcess;
  private readonly watchers = new Set<() => void>();

  constructor(argv: readonly string[], options: SpawnOptions) {
    this.name = options.name;
    const enterNetns =
      options.netns === undefined ? [] : ['nsenter', `--net=${join('/run/netns', options.netns)}`, '--'];
    const args = ['-c', enterCgroup, 'sh', options.cgroup, ...enterNetns, ...argv];
    this.child = spawn('/bin/sh', args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    this.pid = this.child.pid ?? -1;
    this.child.stdin?.on('error', () => undefined);
    if (options.input !== undefined) this.child.stdin?.end(options.input);
    this.collect('stdout');
    this.collect('stderr');
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.stderr += `${this.name}: ${error.message}\n`;
        resolve(this.end({ code: 127, signal: null }));
      });
      this.child.once('close', (code, signal) => resolve(this.end({ code, signal })));
    });
  }

  get running(): boolean {
    return this.status === undefined;
  }

  write(text: string): void {
    this.child.stdin?.write(text);
  }

  closeInput(): void {
    this.child.stdin?.end();
  }

  /** Waits for its output (both streams) to match; throws with the output where it ends or the time is over. */
  async awaitOutput(pattern: RegExp, deadlineMs = 10_000): Promise<RegExpMatchArray> {
    const found = new Promise<RegExpMatchArray>((resolve, reject) => {
      const look = () => {
        const match = this.stdout.match(pattern) ?? this.stderr.match(pattern);
        if (match === null && this.status === undefined) return;
        this.watchers.delete(look);
        if (match !== null) resolve(match);
        else reject(new Error(`${this.name} ended (${describe(this.status)}) before it said ${pattern}`));
      };
      this.watchers.add(look);
      look();
    });
    try {
      return await withDeadline(`${this.name}: output ${pattern}`, deadlineMs, found);
    } catch (error) {
      const said = `${this.stdout}${this.stderr}`.slice(-2000);
      throw new Error(`${(error as Error).message}\nit said: ${said}`, { cause: error });
    }
  }

  /** Waits for its end; throws unless it exited with 0. Returns standard output. */
  async result(deadlineMs: number): Promise<string> {
    const status = await withDeadline(`${this.name}: end`, deadlineMs, this.exited);
    if (status.code === 0) return this.stdout;
    throw new Error(
      `${this.name}: ${describe(status)}\n${this.stderr.slice(-2000)}${this.stdout.slice(-2000)}`,
    );
  }

  /** Passes on what it says on standard error, from now on. */
  follow(show: (text: string) => void): void {
    this.child.stderr?.on('data', show);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.status === undefined) this.child.kill(signal);
  }

  /** Asks it to end, and makes it end after `graceMs`. */
  async stop(graceMs = 3_000): Promise<ExitStatus> {
    this.signal('SIGTERM');
    try {
      return await withDeadline(`${this.name}: end`, graceMs, this.exited);
    } catch {
      this.signal('SIGKILL');
      return this.exited;
    }
  }

  private collect(stream: 'stdout' | 'stderr'): void {
    this.child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      this[stream] += text;
      for (const look of [...this.watchers]) look();
    });
  }

  private end(status: ExitStatus): ExitStatus {
    this.status = status;
    for (const look of [...this.watchers]) look();
    return status;
  }
}

function describe(status: ExitStatus | undefined): string {
  if (status === undefined) return 'running';
  return status.signal === null ? `exit ${status.code}` : `signal ${status.signal}`;
}
