/** The processes of a node: started in order, replaced while they serve, and taken down in order. */
import type { ProcessPlan } from './plan-processes.js';
import { type ProcessOutput, SupervisedProcess } from './supervised-process.js';

/** The controller, where it is here, and capture start side by side; the proxy needs both. */
export interface NodePlan {
  readonly controller: ProcessPlan | undefined;
  readonly capture: ProcessPlan;
  readonly proxy: ProcessPlan;
}

/** Loading programs and testing them on a slow machine takes a while. */
const readyTimeoutMs = 60_000;
/** The proxy drains connections for ten seconds before it ends; where another one has taken over, for as long as it may. */
const stopTimeoutMs = 12_000;
const killAfterDrainMs = 2_000;

export class NodeProcesses {
  readonly #plan: NodePlan;
  readonly #output: ProcessOutput;
  readonly #drainMs: number;
  /** In the order of their start. */
  #serving: SupervisedProcess[] = [];
  /** Replaced, and not gone yet. */
  readonly #leaving = new Set<SupervisedProcess>();
  #upgrade: Promise<void> | undefined;

  /** `drainMs`: how long connections of a proxy that was replaced may go on. */
  constructor(plan: NodePlan, output: ProcessOutput, drainMs: number) {
    this.#plan = plan;
    this.#output = output;
    this.#drainMs = drainMs;
  }

  /** Resolves once all are ready. Rejects with CommandError where one cannot be started. */
  async start(): Promise<void> {
    const { controller, capture, proxy } = this.#plan;
    const first = controller === undefined ? [capture] : [controller, capture];
    await Promise.all(first.map((plan) => this.#start(plan, this.#serving)));
    await this.#start(proxy, this.#serving);
  }

  /**
   * Replaces all by processes of the program as it is now: capture by one that takes over from it, the proxy by one that
   * serves before the old one drains, last the controller, which nobody waits for. Where a new one does not become ready,
   * what served serves on.
   */
  upgrade(): Promise<void> {
    this.#upgrade ??= this.#replace().finally(() => {
      this.#upgrade = undefined;
    });
    return this.#upgrade;
  }

  /** Ends all, the last one first. */
  async stop(): Promise<void> {
    const all = [...this.#serving];
    this.#serving = [];
    await Promise.all([...this.#leaving].map((process) => process.stop(stopTimeoutMs)));
    for (const process of all.reverse()) await process.stop(stopTimeoutMs);
  }

  async #replace(): Promise<void> {
    const { capture, proxy } = this.#plan;
    this.#output.note('upgrading: new processes take over');
    const started: SupervisedProcess[] = [];
    try {
      await this.#start({ ...capture, argv: [...capture.argv, '--take-over'] }, started);
      await this.#start(proxy, started);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      // A capture that has taken over gives back: the one before it stands by.
      for (const process of started.reverse()) await process.stop(stopTimeoutMs);
      this.#output.note(`not upgraded: ${why}; what served serves on`);
      return;
    }
    this.#exchange(started);
    await this.#restartController();
    this.#output.note('upgraded');
  }

  /** The new ones serve: the old ones of the same names leave, in their own time. */
  #exchange(started: readonly SupervisedProcess[]): void {
    const names = new Set(started.map(({ name }) => name));
    const old = this.#serving.filter(({ name }) => names.has(name));
    this.#serving = [...this.#serving.filter(({ name }) => !names.has(name)), ...started];
    for (const process of old) {
      this.#leaving.add(process);
      void process.stop(this.#drainMs + killAfterDrainMs).then(() => this.#leaving.delete(process));
    }
  }

  /** Nodes go on with what they have meanwhile. */
  async #restartController(): Promise<void> {
    const { controller } = this.#plan;
    const old = this.#serving.find(({ name }) => name === 'controller');
    if (controller === undefined || old === undefined) return;
    await old.stop(stopTimeoutMs);
    this.#serving = this.#serving.filter((process) => process !== old);
    const started: SupervisedProcess[] = [];
    try {
      await this.#start(controller, started);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#output.note(`${why}; the node serves on with what it has`);
    }
    this.#serving = [...started, ...this.#serving];
  }

  async #start(plan: ProcessPlan, into: SupervisedProcess[]): Promise<void> {
    const process = new SupervisedProcess(plan, this.#output);
    into.push(process);
    await process.start(readyTimeoutMs);
  }
}
