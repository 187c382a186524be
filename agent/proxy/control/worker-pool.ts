/** The engine threads, seen from the main thread. */
import { Worker } from 'node:worker_threads';
import type { DrainWay, EngineStats } from '../../../native/engine.js';
import type { WorkerMetrics } from '../telemetry/worker-metrics.js';
import type {
  FromWorker,
  LiveConnection,
  ReportDetail,
  ToWorker,
  WorkerEdges,
  WorkerStart,
} from '../worker/messages.js';

/** What one worker says about itself. */
export interface WorkerReport {
  readonly worker: number;
  readonly metrics: WorkerMetrics;
  readonly stats: EngineStats;
  readonly connections: readonly LiveConnection[];
  readonly edges: WorkerEdges;
}

/** What a worker tells without being asked. */
export type WorkerNews = Extract<
  FromWorker,
  { readonly type: 'used' | 'sockets-low' | 'access-log' | 'log' | 'identity-in-force' }
>;

export interface WorkerPoolEvents {
  readonly onNews: (worker: number, news: WorkerNews) => void;
  /** A worker's thread ended though nobody asked it to: its engine and its connections are gone. */
  readonly onDeath: (worker: number, error: Error) => void;
}

/** A worker that does not report in time is left out of the answer: a scrape must not hang. */
const reportTimeoutMs = 2_000;

/** What every worker is told at its start. */
export interface WorkerPoolOptions {
  readonly workers: number;
  readonly accessLog: boolean;
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #events: WorkerPoolEvents;
  readonly #workers: Worker[] = [];
  /** Messages from before the start; undefined: to every worker. */
  #early: {
    readonly worker: number | undefined;
    readonly message: ToWorker;
    readonly transfer: ArrayBuffer[];
  }[] = [];
  readonly #ready: Promise<void>[] = [];
  readonly #reports = new Map<number, (report: WorkerReport) => void>();
  readonly #drained: Promise<void>[] = [];
  #nextRequest = 1;
  #closing = false;

  constructor(options: WorkerPoolOptions, events: WorkerPoolEvents) {
    this.#options = options;
    this.#events = events;
  }

  get started(): boolean {
    return this.#workers.length > 0;
  }

  /** Starts the threads; `notesMap` stays the caller's and open. */
  start(notesMap: number): void {
    const { workers, accessLog } = this.#options;
    for (let worker = 0; worker < workers; worker += 1) this.#spawn({ worker, notesMap, accessLog });
    for (const { worker, message, transfer } of this.#early) {
      if (worker === undefined) this.sendAll(message);
      else this.send(worker, message, transfer);
    }
    this.#early = [];
  }

  /** Resolves when every worker's engine runs; only after the start. */
  async ready(): Promise<void> {
    await Promise.all(this.#ready);
  }

  /** The memory behind `transfer` moves to the worker. */
  send(worker: number, message: ToWorker, transfer: ArrayBuffer[] = []): void {
    if (this.started) this.#workers[worker]?.postMessage(message, transfer);
    else this.#early.push({ worker, message, transfer });
  }

  sendAll(message: ToWorker): void {
    if (this.started) for (const worker of this.#workers) worker.postMessage(message);
    else this.#early.push({ worker: undefined, message, transfer: [] });
  }

  /** Asks every worker; the slow ones are missing from the answer. */
  async report(detail: ReportDetail): Promise<WorkerReport[]> {
    const asked = this.#workers.map((_, worker) => this.#askReport(worker, detail));
    const reports = await Promise.all(asked);
    return reports.filter((report) => report !== undefined);
  }

  /** Lets running exchanges end, then ends the threads. */
  async drain(deadlineMs: number, way: DrainWay): Promise<void> {
    this.#closing = true;
    if (!this.started) return;
    this.sendAll({ type: 'drain', deadlineMs, way });
    await Promise.all(this.#drained);
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #spawn(start: WorkerStart): void {
    const worker = new Worker(new URL('../worker/main.js', import.meta.url), {
      workerData: start,
      name: `weft-worker-${start.worker}`,
    });
    const index = start.worker;
    const ready = Promise.withResolvers<void>();
    const drained = Promise.withResolvers<void>();
    this.#workers.push(worker);
    this.#ready.push(ready.promise);
    this.#drained.push(drained.promise);
    const died = (error: Error): void => {
      ready.reject(error);
      drained.resolve();
      if (!this.#closing) this.#events.onDeath(index, error);
    };
    ready.promise.catch(() => {});
    worker.on('error', died);
    worker.on('exit', (code) => died(new Error(`the worker's thread ended with code ${code}`)));
    worker.on('message', (message: FromWorker) => {
      switch (message.type) {
        case 'ready':
          ready.resolve();
          return;
        case 'drained':
          drained.resolve();
          return;
        case 'report':
          this.#reports.get(message.request)?.({ worker: index, ...message });
          return;
        default:
          this.#events.onNews(index, message);
      }
    });
  }

  #askReport(worker: number, detail: ReportDetail): Promise<WorkerReport | undefined> {
    const request = this.#nextRequest;
    this.#nextRequest += 1;
    return new Promise((resolve) => {
      const finish = (report: WorkerReport | undefined): void => {
        clearTimeout(timeout);
        this.#reports.delete(request);
        resolve(report);
      };
      const timeout = setTimeout(() => finish(undefined), reportTimeoutMs);
      this.#reports.set(request, finish);
      this.send(worker, { type: 'report', request, detail });
    });
  }
}
