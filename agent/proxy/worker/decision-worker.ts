/** One worker put together: an engine, the snapshot that decides for it, and everything between them. */
import { applyDelta } from '../../../model/apply-delta.js';
import type { Delta } from '../../../model/resource.js';
import { emptySnapshot, type Snapshot } from '../../../model/snapshot.js';
import { type DrainWay, type Engine, type EngineOptions, maxWantedHeaders } from '../../../native/engine.js';
import type { Timers } from '../control/timers.js';
import { noteOpenUses } from '../stages/find-destination.js';
import { TrafficRecheck } from '../stages/recheck-traffic.js';
import { describeError, type ProcessLog } from '../start/process-log.js';
import { AccessLog } from '../telemetry/access-log.js';
import { AccessLogBuffer } from '../telemetry/access-log-buffer.js';
import { LabelTable } from '../telemetry/label-table.js';
import { PlaintextCallers } from '../telemetry/plaintext-callers.js';
import { PolicyAudit } from '../telemetry/policy-audit.js';
import { SeenConnections } from '../telemetry/seen-connections.js';
import type { FillRandom } from '../telemetry/trace-context.js';
import { TrafficCounters } from '../telemetry/traffic-counters.js';
import { BackendTable } from './backend-table.js';
import { ConnectionRecord } from './connection-record.js';
import { Decider } from './decider.js';
import type { DecisionContext } from './decision-context.js';
import { DetailUses } from './detail-uses.js';
import { EndpointSubsets } from './endpoint-subsets.js';
import { EndpointTable } from './endpoint-table.js';
import { HeldConnections } from './held-connections.js';
import type { FromWorker, ReportDetail, ToWorker } from './messages.js';
import { RecordPool } from './record-pool.js';
import { collectMetrics, listConnections, listEdges, noEdges, type ReportedWorker } from './report-worker.js';
import { RequestRecord } from './request-record.js';
import { RouteEffects } from './route-effects.js';
import { RowRequest } from './row-request.js';
import { ServedWorkloads } from './served-workloads.js';
import { ServiceTrafficTable } from './service-traffic.js';
import { TrafficLedger } from './traffic-ledger.js';
import { VerdictWriter } from './verdict-writer.js';

export interface DecisionWorkerParts {
  readonly worker: number;
  readonly notesMap: number;
  readonly accessLog: boolean;
  readonly createEngine: (options: EngineOptions) => Engine;
  readonly post: (message: FromWorker) => void;
  readonly closeDescriptor: (descriptor: number) => void;
  readonly timers: Timers;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly fillRandom: FillRandom;
  readonly log: ProcessLog;
}

/** Defects are logged at most so often: one bad rule must not fill the disk. */
const defectLogMs = 1_000;
const sweepMs = 10_000;
/** What is used is told again so often. */
const tellUsesMs = 60_000;

export class DecisionWorker {
  readonly #parts: DecisionWorkerParts;
  readonly #engine: Engine;
  readonly #context: DecisionContext & { nowMs: number; snapshot: Snapshot };
  readonly #head: RowRequest;
  readonly #connections = new RecordPool((tag) => new ConnectionRecord(tag));
  readonly #requests = new RecordPool((tag) => new RequestRecord(tag));
  readonly #workloads: ServedWorkloads;
  readonly #labels = new LabelTable();
  readonly #counters = new TrafficCounters(this.#labels);
  readonly #seen = new SeenConnections(this.#labels);
  readonly #logBuffer: AccessLogBuffer;
  readonly #held: HeldConnections;
  readonly #recheck: TrafficRecheck;
  readonly #decider: Decider;
  #wanted: readonly string[] = [];
  #defectLoggedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: DecisionWorkerParts) {
    this.#parts = parts;
    this.#engine = parts.createEngine({
      notesMap: parts.notesMap,
      decide: (rows, completions) => this.#decider.decide(rows, completions),
      onDecideError: (error) => this.#defect(error),
      onStockLow: (handle, family, count) => parts.post({ type: 'sockets-low', handle, family, count }),
    });
    this.#workloads = new ServedWorkloads(this.#engine, this.#labels, parts.closeDescriptor);
    const verdict = new VerdictWriter(this.#engine);
    const endpoints = new EndpointTable(this.#engine);
    const traffic = new ServiceTrafficTable(endpoints, this.#counters, this.#labels);
    this.#head = new RowRequest(this.#engine);
    this.#context = {
      snapshot: emptySnapshot,
      nowMs: 0,
      random: parts.random,
      head: this.#head,
      verdict,
      endpoints,
      subsets: new EndpointSubsets(),
      traffic,
      backends: new BackendTable(traffic, this.#labels),
      effects: new RouteEffects(this.#engine),
      uses: new DetailUses((details) => parts.post({ type: 'used', details })),
      audit: new PolicyAudit(),
      callers: new PlaintextCallers(this.#labels),
      fillRandom: parts.fillRandom,
      logging: parts.accessLog,
    };
    this.#logBuffer = new AccessLogBuffer((lines) => parts.post({ type: 'access-log', lines }), parts.timers);
    this.#held = new HeldConnections(this.#engine, verdict, parts.timers);
    this.#recheck = new TrafficRecheck({
      context: this.#context,
      engine: this.#engine,
      connections: this.#connections,
      requests: this.#requests,
      timers: parts.timers,
      onDefect: (error) => this.#defect(error),
    });
    this.#decider = this.#createDecider();
    this.#askForHeaders(emptySnapshot);
    this.#scheduleSweep();
    this.#scheduleUses();
  }

  get snapshot(): Snapshot {
    return this.#context.snapshot;
  }

  receive(message: ToWorker): void {
    switch (message.type) {
      case 'delta':
        this.#apply(message.delta, message.version);
        return;
      case 'listeners':
        this.#workloads.serve(message, this.#context.snapshot);
        return;
      case 'retire':
        this.#workloads.retire(message.handle, message.endMs);
        return;
      case 'withdraw':
        this.#workloads.withdraw(message.handle, message.graceMs);
        return;
      case 'identity':
        this.#identify(message);
        return;
      case 'identity-withdrawn':
        this.#workloads.removeIdentity(message.handle, message.reason);
        return;
      case 'sockets':
        this.#workloads.addSockets(message);
        return;
      case 'report':
        this.#report(message.request, message.detail);
        return;
      case 'log-written':
        this.#logBuffer.written(message.lines);
        return;
      case 'drain':
        void this.#drain(message.deadlineMs, message.way);
        return;
      default:
        message satisfies never;
    }
  }

  #createDecider(): Decider {
    const shared = {
      engine: this.#engine,
      context: this.#context,
      connections: this.#connections,
      requests: this.#requests,
      held: this.#held,
    };
    const accessLog = new AccessLog({
      completions: this.#engine.completions,
      add: (line) => this.#logBuffer.add(line),
      wallClock: this.#parts.wallClock,
      snapshotVersion: () => this.#context.snapshot.version,
    });
    const ledger = new TrafficLedger({
      ...shared,
      endpoints: this.#context.endpoints,
      labels: this.#labels,
      counters: this.#counters,
      seen: this.#seen,
      accessLog: this.#parts.accessLog ? accessLog : undefined,
    });
    return new Decider({
      ...shared,
      head: this.#head,
      ledger,
      workloads: this.#workloads.byHandle,
      now: () => this.#parts.timers.now(),
      onDefect: (error) => this.#defect(error),
    });
  }

  /** The engine's message says what does not fit, and nothing of the key. */
  #identify(message: Extract<ToWorker, { type: 'identity' }>): void {
    try {
      this.#workloads.identify(message, this.#context.snapshot);
      const { uid, generation } = message;
      this.#parts.post({ type: 'identity-in-force', uid, generation });
    } catch (error) {
      this.#parts.log('error', `the engine refused the identity ${message.spiffeId}`, {
        workload: message.uid,
        error: describeError(error),
      });
    }
  }

  /** Between two batches, so that none is decided by two snapshots. */
  #apply(delta: Delta, version: number): void {
    const { snapshot, touched } = applyDelta(this.#context.snapshot, delta, version);
    this.#askForHeaders(snapshot);
    this.#context.snapshot = snapshot;
    this.#context.effects.follow(snapshot);
    this.#workloads.follow(snapshot, touched.workloads);
    if (touched.policies.size > 0) this.#engine.forgetTickets();
    if (touched.policies.size + touched.workloads.size > 0) this.#recheck.begin();
    this.#held.retry((connection) => this.#decider.decideHeld(connection));
  }

  /** The engine delivers what matches and policies read, and the trace context. A name too many fails closed. */
  #askForHeaders(snapshot: Snapshot): void {
    if (snapshot.headerNames === this.#wanted) return;
    this.#wanted = snapshot.headerNames;
    const others = snapshot.headerNames.filter((name) => name !== 'traceparent');
    const names = ['traceparent', ...others.slice(0, maxWantedHeaders - 1)];
    if (others.length >= maxWantedHeaders) {
      this.#parts.log(
        'error',
        'routes and policies read more headers than can be; those beyond fail closed',
        {
          headers: others.slice(maxWantedHeaders - 1),
        },
      );
    }
    this.#engine.setWantedHeaders(names);
    this.#head.setColumns(new Map(names.map((name, column) => [name, column])));
  }

  #report(request: number, detail: ReportDetail): void {
    this.#parts.post({
      type: 'report',
      request,
      metrics: collectMetrics(this.#reported()),
      stats: this.#engine.stats(),
      connections: detail === 'connections' ? listConnections(this.#reported()) : [],
      edges: detail === 'edges' ? listEdges(this.#reported()) : noEdges,
    });
  }

  #reported(): ReportedWorker {
    return {
      worker: this.#parts.worker,
      engine: this.#engine,
      connections: this.#connections,
      workloads: this.#workloads.byHandle,
      counters: this.#counters,
      seen: this.#seen,
      audit: this.#context.audit,
      callers: this.#context.callers,
      droppedLines: this.#logBuffer.dropped,
    };
  }

  async #drain(deadlineMs: number, way: DrainWay): Promise<void> {
    try {
      const reset = await this.#engine.drain(deadlineMs, way);
      const details = { connections: reset, afterMs: deadlineMs };
      if (reset > 0) this.#parts.log('warn', 'the time to drain is over: connections were reset', details);
    } catch (error) {
      this.#parts.log('error', 'the engine did not drain', { error: describeError(error) });
    }
    this.#logBuffer.flush();
    this.#parts.post({ type: 'drained' });
  }

  #scheduleSweep(): void {
    this.#parts.timers.after(sweepMs, () => {
      const now = this.#parts.timers.now();
      this.#context.endpoints.sweep(now);
      this.#context.traffic.sweep(now);
      this.#scheduleSweep();
    });
  }

  #scheduleUses(): void {
    this.#parts.timers.after(tellUsesMs, () => {
      noteOpenUses(this.#context, this.#connections);
      this.#context.uses.refresh();
      this.#scheduleUses();
    });
  }

  #defect(error: unknown): void {
    const now = this.#parts.timers.now();
    if (now - this.#defectLoggedMs < defectLogMs) return;
    this.#defectLoggedMs = now;
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    this.#parts.log('error', 'a decision failed; its request was answered with 500', {
      error: describeError(error),
      stack,
    });
  }
}
