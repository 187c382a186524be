/** Starts the processes of the benchmark pinned and in their namespaces, and ends them by id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

/** The subject has one core, load and backends the other. */
export const subjectCore = 0;
export const loadCore = 1;

/** Every process may open as many files as this one ever could: `soft hard` of the limit, in proc_pid_limits(5). */
const openFiles =
  /^Max open files +\S+ +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? '1024';
const readyDeadlineMs = 30_000;
const stopDeadlineMs = 15_000;

/** Aborting it ends what {@link run} runs, so that an interrupted benchmark cleans up as a failed one does. */
export const interruption = new AbortController();

export interface Launch {
  readonly argv: readonly string[];
  /** Network namespace, or null for the machine's own. */
  readonly namespace: string | null;
  readonly core: number;
}

/**
 * What else runs on the machine should not show. Where sessions are scheduled as groups (sched(7), autogroup), a
 * process' own nice value counts for nothing outside its session.
 */
export function raisePriority(pid: number): void {
  setPriority(pid, -10);
  const group = `/proc/${pid}/autogroup`;
  if (existsSync(group)) writeFileSync(group, '-10');
}

/** A launch as file and arguments. */
export function command({ argv, namespace, core }: Launch): [string, string[]] {
  const pinned = [`--nofile=${openFiles}:${openFiles}`, 'taskset', '-c', String(core)];
  const inside = namespace === null ? [] : ['ip', 'netns', 'exec', namespace];
  // prlimit, taskset and ip replace themselves by what they start, so the child's id is the program's.
  return ['prlimit', [...pinned, ...inside, ...argv]];
}

/** A process in the background. */
export interface Daemon {
  readonly pid: number;
  /** Resolves once its log holds `text`; throws where it ends before, or takes too long. */
  awaitOutput(text: string): Promise<void>;
  /** Throws, with the end of its log, where it has ended. */
  assertRunning(): void;
  /** SIGTERM, then SIGKILL to its process group after a while; resolves when it is gone. */
  stop(): Promise<void>;
}

/** Starts a process as leader of its own session; its output goes to `logFile`. */
export function startDaemon(launch: Launch, logFile: string): Daemon {
  const log = openSync(logFile, 'w');
  const [file, args] = command(launch);
  const child = spawn(file, args, { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  const pid = child.pid;
  if (pid === undefined) throw new Error(`cannot start ${launch.argv[0]}: is prlimit installed?`);
  raisePriority(pid);
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  return {
    pid,
    async awaitOutput(text) {
      const deadline = Date.now() + readyDeadlineMs;
      while (!readFileSync(logFile, 'utf8').includes(text)) {
        this.assertRunning();
        if (Date.now() > deadline) throw new Error(`${launch.argv.join(' ')} did not say "${text}"`);
        await pause(20);
      }
    },
    assertRunning() {
      if (!ended()) return;
      const tail = readFileSync(logFile, 'utf8').slice(-2000);
      throw new Error(
        `${launch.argv[0]} ended (${child.exitCode ?? child.signalCode}); its log ends:\n${tail}`,
      );
    },
    async stop() {
      if (ended()) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), stopDeadlineMs);
      await gone;
      clearTimeout(timer);
    },
  };
}

/** Runs a program to its end and returns its standard output; throws where it fails or takes longer than `timeoutMs`. */
export async function run(launch: Launch, timeoutMs: number, input = ''): Promise<string> {
  const [file, args] = command(launch);
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: timeoutMs,
    signal: interruption.signal,
  });
  const output = [collect(child.stdout), collect(child.stderr)] as const;
  child.stdin.on('error', () => {}); // it ended without reading: its exit code says why
  child.stdin.end(input);
  const [code, signal] = await exit(child);
  const [stdout, stderr] = await Promise.all(output);
  if (code !== 0) {
    const why = signal === null ? `exit code ${code}` : `${signal}; allowed ${timeoutMs} ms`;
    throw new Error(`${launch.argv.join(' ')} failed (${why}): ${stderr.slice(-2000)}${stdout.slice(-500)}`);
  }
  return stdout;
}

async function exit(child: ChildProcess): Promise<[number | null, string | null]> {
  const [code, signal] = await once(child, 'close');
  return [code as number | null, signal as string | null];
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  const parts: string[] = [];
  stream.setEncoding('utf8');
  stream.on('data', (part: string) => parts.push(part));
  await once(stream, 'end');
  return parts.join('');
}
