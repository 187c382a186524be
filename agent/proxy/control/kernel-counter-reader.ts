/** Asks capture for the kernel's counters when somebody scrapes. */
import { KernelCounters } from '../telemetry/kernel-counters.js';
import type { WorkloadLabels } from '../telemetry/label-table.js';
import type { WorkerMetrics } from '../telemetry/worker-metrics.js';
import type { KernelCounters as CountersMessage } from './handover-client.js';
import type { Timers } from './timers.js';

/** A scrape waits so long, then shows the last counters that came. */
const timeoutMs = 500;

export class KernelCounterReader {
  readonly #capture: { readonly ready: boolean; requestCounters(): void };
  readonly #timers: Timers;
  readonly #labelsOf: (uid: string) => WorkloadLabels | undefined;
  readonly #counters = new KernelCounters();
  #waiting: (() => void)[] = [];

  constructor(
    capture: { readonly ready: boolean; requestCounters(): void },
    timers: Timers,
    labelsOf: (uid: string) => WorkloadLabels | undefined,
  ) {
    this.#capture = capture;
    this.#timers = timers;
    this.#labelsOf = labelsOf;
  }

  async read(): Promise<WorkerMetrics> {
    if (this.#capture.ready) {
      await new Promise<void>((resolve) => {
        const timer = this.#timers.after(timeoutMs, () => this.lost());
        this.#waiting.push(() => {
          timer.cancel();
          resolve();
        });
        if (this.#waiting.length === 1) this.#capture.requestCounters();
      });
    }
    return this.#counters.collect();
  }

  arrived({ refusals, pods }: CountersMessage): void {
    this.#counters.update(refusals, pods, this.#labelsOf);
    this.lost();
  }

  /** Nothing will come: whoever waits goes on with the last counters. */
  lost(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
