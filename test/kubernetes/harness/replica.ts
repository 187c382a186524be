/** Replicas of the controller on the cluster, each a process, with one authority and one lease between them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getJson, kubeconfig } from './cluster.js';
import { eventually } from './wait.js';

const program = join(import.meta.dirname, 'replica-program.js');

export class Replicas {
  readonly #folder = mkdtempSync(join(tmpdir(), 'weft-kr-'));
  readonly #namespace: string;
  readonly #running = new Set<Replica>();
  #count = 0;

  /** `namespace` holds the lease. */
  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** Resolves once agents can connect. `before`: a program and its arguments to run it under. */
  async start(config = kubeconfig(), before: readonly string[] = []): Promise<Replica> {
    this.#count += 1;
    const socket = join(this.#folder, `${this.#count}.sock`);
    const args = [program, socket, this.#namespace, join(this.#folder, 'authority'), config];
    const replica = new Replica(`unix:${socket}`, [...before, process.execPath, ...args]);
    this.#running.add(replica);
    await replica.started;
    return replica;
  }

  /** Of the lease, as it is; empty: nobody. */
  async holder(): Promise<string> {
    const lease = (await getJson('lease', 'weft-controller', '-n', this.#namespace)) as {
      spec?: { holderIdentity?: string };
    };
    return lease.spec?.holderIdentity ?? '';
  }

  /** Resolves with the name of a holder that is not this one. */
  holderAfter(before: string, timeoutMs: number): Promise<string> {
    const found = (holder: string) => holder !== '' && holder !== before;
    return eventually('next holder', () => this.holder(), found, timeoutMs);
  }

  async stop(): Promise<void> {
    for (const replica of this.#running) await replica.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export class Replica {
  readonly agents: string;
  readonly started: Promise<void>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  log = '';

  constructor(agents: string, [command = '', ...args]: readonly string[]) {
    this.agents = agents;
    // A group of its own: what it runs under is another process, and would leave it behind.
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.log += chunk;
    });
    this.#exited = once(this.#child, 'exit');
    this.started = Promise.race([
      once(this.#child.stdout as NodeJS.ReadableStream, 'data').then(() => {}),
      this.#exited.then(() => {
        throw new Error(`the replica ended: ${this.log.slice(-2000)}`);
      }),
    ]);
  }

  says(text: string): Promise<unknown> {
    return eventually(
      `'${text}' of a replica`,
      async () => this.log.slice(-1500),
      () => this.log.includes(text),
      40_000,
    );
  }

  /** SIGSTOP: it is there, and silent. Throws where it has ended. */
  signal(signal: NodeJS.Signals): void {
    process.kill(-(this.#child.pid as number), signal);
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.signal(signal);
    await this.#exited;
  }
}
