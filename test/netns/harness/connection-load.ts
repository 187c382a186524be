/** Load of new connections (fixtures/new-connections.py) and what it says of an interruption. */
import type { LabProcess } from './lab-process.js';
import type { Pod } from './pod.js';
import { fixture, python } from './services.js';

export interface ConnectionLoadResult {
  readonly answered: number;
  /** connect() failed. */
  readonly refused: number;
  /** Connected, then reset, closed early, or answered with something else than 200. */
  readonly cut: number;
  /** Nothing within 10 seconds. */
  readonly late: number;
  readonly reasons: Readonly<Record<string, number>>;
  /** When each answered connection began and ended, milliseconds of the monotonic clock. */
  readonly times: readonly (readonly [began: number, ended: number])[];
  readonly failures: readonly (readonly [kind: string, began: number, ended: number])[];
}

export interface ConnectionTarget {
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly concurrency: number;
  readonly perSecond: number;
}

export class ConnectionLoad {
  private readonly process: LabProcess;

  constructor(pod: Pod, { address, port, path, concurrency, perSecond }: ConnectionTarget) {
    const args = [address, String(port), path, String(concurrency), String(perSecond)];
    this.process = pod.spawn([python, '-u', fixture('new-connections.py'), ...args], {
      name: 'new connections',
    });
  }

  /** How many were answered so far, in steps of fifty. */
  get answered(): number {
    return Number([...this.process.stderr.matchAll(/answered (\d+)/g)].at(-1)?.[1] ?? 0);
  }

  /** Waits until so many more are answered. */
  async awaitAnswers(more: number, deadlineMs: number): Promise<void> {
    const wanted = Math.ceil((this.answered + more) / 50) * 50;
    await this.process.awaitOutput(new RegExp(`answered ${wanted}\\n`), deadlineMs);
  }

  async stop(): Promise<ConnectionLoadResult> {
    this.process.closeInput();
    return JSON.parse(await this.process.result(30_000)) as ConnectionLoadResult;
  }
}
