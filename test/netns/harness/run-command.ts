/** Commands that run to their end and whose output is the result. */
import { execFile, execFileSync } from 'node:child_process';

export interface CommandResult {
  readonly code: number;
  /** The signal that ended it, null where it exited. */
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

const outputBytes = 256 * 1024 * 1024;

/** Runs a command; a non-zero exit is a result, not an error. Throws where it cannot start or overruns its time. */
export function tryCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [file = '', ...args] = argv;
  const timeout = options.timeoutMs ?? 30_000;
  return new Promise((resolve, reject) => {
    const settings = {
      timeout,
      killSignal: 'SIGKILL' as const,
      maxBuffer: outputBytes,
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    };
    const child = execFile(file, args, settings, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, signal: null, stdout, stderr });
      else if (error.killed) {
        reject(new Error(`${argv.join(' ')}: not done within ${timeout} ms\n${stderr}`, { cause: error }));
      } else if (typeof error.code === 'number' || error.signal) {
        resolve({ code: Number(error.code ?? 1), signal: error.signal ?? null, stdout, stderr });
      } else reject(new Error(`${argv.join(' ')}: ${error.message}`, { cause: error }));
    });
    // A command that ends before it has read its input is judged by its exit, not by the broken pipe.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}

/** Runs a command that must succeed; returns its standard output. */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await tryCommand(argv, options);
  if (result.code !== 0) {
    const how = result.signal === null ? `exit ${result.code}` : `signal ${result.signal}`;
    throw new Error(`${argv.join(' ')}: ${how}: ${result.stderr.trim() || result.stdout.trim()}`);
  }
  return result.stdout;
}

/** As {@link runCommand}, waiting: for set-up and the rare place that cannot await. */
export function runCommandSync(argv: readonly string[]): string {
  const [file = '', ...args] = argv;
  return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 });
}
