/** Clients of several kinds that never try again (programs/steady-clients.ts), and what they have seen. */
import { join } from 'node:path';
import type { LabProcess } from './lab-process.js';
import type { Pod } from './pod.js';

export type ClientKind = 'http1' | 'http2' | 'grpc' | 'tcp';

/** Of one kind of client. */
export interface SeenByClients {
  readonly done: number;
  readonly connections: number;
  readonly failures: readonly string[];
}

const program = join(import.meta.dirname, '../programs/steady-clients.js');

export class SteadyClients {
  private readonly process: LabProcess;

  private constructor(process: LabProcess) {
    this.process = process;
  }

  /** Resolves once each kind has had answers. */
  static async start(pod: Pod, targets: Partial<Record<ClientKind, string>>): Promise<SteadyClients> {
    const words = Object.entries(targets).flat();
    const process = pod.spawn([globalThis.process.execPath, program, ...words], { name: 'steady clients' });
    await process.awaitOutput(/^steady$/m, 20_000);
    return new SteadyClients(process);
  }

  /** What each kind has seen so far. */
  async look(): Promise<Record<ClientKind, SeenByClients>> {
    const before = this.process.stdout.length;
    this.process.write('look\n');
    await this.process.awaitOutput(new RegExp(`^[\\s\\S]{${before}}.*\\{.*\\}\\n`), 5_000);
    return this.last();
  }

  /** Ends them in order. */
  async stop(): Promise<Record<ClientKind, SeenByClients>> {
    this.process.closeInput();
    await this.process.result(30_000);
    return this.last();
  }

  private last(): Record<ClientKind, SeenByClients> {
    return JSON.parse(this.process.stdout.trim().split('\n').at(-1) ?? '{}');
  }
}
