/** The programs of the measurement, each a process of its own, so that what they use can be told apart. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AgentsAnswer, AgentsRequest } from './agents-program.js';
import type { ControllerUsage } from './controller-program.js';

/** Nothing of the measurement takes so long without a word, also on a machine that is busy with other things. */
const deadlineMs = 600_000;
const maxSaid = 2048;

export class MeasuredController {
  readonly folder = mkdtempSync(join(tmpdir(), 'weft-scale-'));
  readonly socket = join(this.folder, 'agents.sock');
  readonly #child;
  readonly #lines;
  /** The last that it wrote to standard error. */
  #said = '';
  #stops = false;
  readonly #ended = Promise.withResolvers<never>();

  /** @param heapMiB bound of its heap; null: what Node makes of the machine */
  constructor(namespace: string, heapMiB: number | null) {
    const program = join(import.meta.dirname, 'controller-program.js');
    const bound = heapMiB === null ? [] : [`--max-old-space-size=${heapMiB}`];
    this.#child = spawn(process.execPath, ['--expose-gc', ...bound, program, this.socket, namespace], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-maxSaid);
    });
    this.#ended.promise.catch(() => {});
    this.#child.on('exit', (code, signal) => {
      const failure = new Error(`the controller ended (${signal ?? code}): ${this.#said}`);
      if (!this.#stops) this.#ended.reject(failure);
    });
  }

  /** What is waited for, or a rejection where the controller ends before. */
  whileItRuns<Value>(awaited: Promise<Value>): Promise<Value> {
    return Promise.race([awaited, this.#ended.promise]);
  }

  /** The next line that it prints; the first one once it serves. */
  async next(): Promise<ControllerUsage> {
    const line = this.whileItRuns(this.#lines.next());
    const { done, value } = await within(line, 'the controller says nothing');
    if (done === true) return this.#ended.promise;
    return JSON.parse(value) as ControllerUsage;
  }

  /** `collect`: with the heap that is in use after a collection. */
  usage(collect = false): Promise<ControllerUsage> {
    this.#child.stdin.write(collect ? 'collect\n' : '\n');
    return this.next();
  }

  async stop(): Promise<void> {
    this.#stops = true;
    this.#child.stdin.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class SimulatedAgents {
  readonly #child: ChildProcess;

  /** @param onProgress how many agents have their first configuration, and streams that ended meanwhile */
  constructor(address: string, onProgress: (whole: number, drops: number) => void) {
    this.#child = fork(join(import.meta.dirname, 'agents-program.js'), [address]);
    this.#child.on('message', (answer: AgentsAnswer) => {
      if (answer.type === 'progress') onProgress(answer.whole, answer.drops);
    });
  }

  async connect(agents: Extract<AgentsRequest, { type: 'connect' }>['agents']): Promise<void> {
    await this.#ask({ type: 'connect', agents }, 'connected');
  }

  /** Resolves once they wait; what it gives is when all of them had it, by monotonicMs. */
  async expect(text: string, nodes: readonly string[]): Promise<{ readonly reached: Promise<number> }> {
    const reached = this.#hear('reached', `${text} does not reach all of ${nodes.length} nodes`);
    await this.#ask({ type: 'await', text, nodes }, 'awaiting');
    return { reached: reached.then(({ atMs }) => atMs) };
  }

  usage(): Promise<Extract<AgentsAnswer, { type: 'usage' }>> {
    return this.#ask({ type: 'usage' }, 'usage');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.disconnect();
    await once(this.#child, 'exit');
  }

  #ask<Type extends AgentsAnswer['type']>(request: AgentsRequest, type: Type) {
    const heard = this.#hear(type, `the agents do not say ${type}`);
    this.#child.send(request);
    return heard;
  }

  #hear<Type extends AgentsAnswer['type']>(
    type: Type,
    failure: string,
  ): Promise<Extract<AgentsAnswer, { type: Type }>> {
    const heard = new Promise<Extract<AgentsAnswer, { type: Type }>>((resolve, reject) => {
      const listen = (answer: AgentsAnswer) => {
        if (answer.type !== type) return;
        this.#child.off('message', listen);
        this.#child.off('exit', fail);
        resolve(answer as Extract<AgentsAnswer, { type: Type }>);
      };
      const fail = () => reject(new Error(`${failure}: their process ended`));
      this.#child.on('message', listen);
      this.#child.on('exit', fail);
    });
    return within(heard, failure);
  }
}

async function within<Value>(awaited: Promise<Value>, failure: string): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${failure} within ${deadlineMs / 1000} s`)),
    deadlineMs,
  );
  return Promise.race([awaited, late.promise]).finally(() => clearTimeout(timer));
}
