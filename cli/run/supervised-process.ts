/** One process that is kept running: started, waited for until it is ready, restarted when it ends, stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { CommandError } from '../usage-error.js';
import type { ProcessPlan } from './plan-processes.js';
import { LineSplitter } from './relay-log.js';
import { noFailures, planRestart } from './restart-backoff.js';

export interface ProcessOutput {
  /** A line of the process's log. */
  log(part: string, line: string): void;
  /** A line that the process writes for programs (an access log to standard output). */
  data(part: string, line: string): void;
  /** Something that this supervisor does or sees. */
  note(text: string): void;
}

type State =
  | { readonly kind: 'new' }
  | { readonly kind: 'running'; readonly child: ChildProcess; readonly startedMs: number }
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout }
  /** With the process that has been asked to end. */
  | { readonly kind: 'stopped'; readonly child: ChildProcess | undefined };

/** What the children see of this process's environment: nothing that could steer node. */
const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };

export class SupervisedProcess {
  readonly #plan: ProcessPlan;
  readonly #output: ProcessOutput;
  #state: State = { kind: 'new' };
  #history = noFailures;
  #settleFirst: { ready: (details: unknown) => void; failed: (error: Error) => void } | null = null;

  constructor(plan: ProcessPlan, output: ProcessOutput) {
    this.#plan = plan;
    this.#output = output;
  }

  get name(): string {
    return this.#plan.name;
  }

  get pid(): number | undefined {
    return this.#state.kind === 'running' ? this.#state.child.pid : undefined;
  }

  /**
   * Resolves with the line that says {"ready":true}, parsed. Rejects where the process ends before it, or is not
   * ready in time; from then on it is not started again. After it was ready once, it is always started again.
   */
  start(timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settleFirst?.failed(
          new CommandError(`${this.name} was not ready within ${timeoutMs / 1000} s`),
        );
      }, timeoutMs);
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#settleFirst = null;
        act();
      };
      this.#settleFirst = {
        ready: (details) => settle(() => resolve(details)),
        failed: (error) => settle(() => reject(error)),
      };
      this.#spawn();
    });
  }

  /**
   * Asks the process to end, and ends it by force after so long. Resolves once it is gone. May be called again: a proxy
   * that is asked twice does not drain to the end.
   */
  async stop(timeoutMs: number): Promise<void> {
    const state = this.#state;
    const child = state.kind === 'running' || state.kind === 'stopped' ? state.child : undefined;
    this.#state = { kind: 'stopped', child };
    this.#settleFirst?.failed(new CommandError(`${this.name} was stopped before it was ready`));
    if (state.kind === 'waiting') clearTimeout(state.timer);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const timer = setTimeout(() => {
      this.#output.note(`${this.name} did not end within ${timeoutMs / 1000} s and was killed`);
      child.kill('SIGKILL');
    }, timeoutMs);
    await gone;
    clearTimeout(timer);
  }

  #spawn(): void {
    const [program, ...args] = this.#plan.argv;
    const child = spawn(program, args, {
      cwd: this.#plan.folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: Ctrl-C reaches this process alone, which then stops all in order.
      detached: true,
    });
    this.#state = { kind: 'running', child, startedMs: performance.now() };
    const data = new LineSplitter((line) => this.#onData(line));
    const log = new LineSplitter((line) => this.#output.log(this.name, line));
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => data.push(chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => log.push(chunk));
    // A program that cannot be started gives no exit, only an error.
    child.once('error', (error) => this.#onEnd(`cannot be started: ${error.message}`));
    child.once('close', (code, signal) => {
      data.end();
      log.end();
      this.#onEnd(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`);
    });
  }

  #onData(line: string): void {
    const ready = parseReady(line);
    if (ready === null) this.#output.data(this.name, line);
    else if (this.#settleFirst !== null) this.#settleFirst.ready(ready);
    else this.#output.note(`${this.name} is ready again`);
  }

  #onEnd(how: string): void {
    const state = this.#state;
    if (state.kind !== 'running') return;
    if (this.#settleFirst !== null) {
      this.#state = { kind: 'stopped', child: undefined };
      this.#settleFirst.failed(new CommandError(`${this.name} ${how} before it was ready`));
      return;
    }
    const { delayMs, history } = planRestart(this.#history, performance.now() - state.startedMs);
    this.#history = history;
    this.#output.note(`${this.name} ${how}; it is started again${delayMs === 0 ? '' : ` in ${delayMs} ms`}`);
    if (delayMs === 0) this.#spawn();
    else this.#state = { kind: 'waiting', timer: setTimeout(() => this.#spawn(), delayMs) };
  }
}

function parseReady(line: string): object | null {
  if (!line.startsWith('{"ready":true')) return null;
  try {
    return JSON.parse(line) as object;
  } catch {
    return null;
  }
}
