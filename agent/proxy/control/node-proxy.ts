// Long because the main thread is put together in one place; what it puts together lives in files of its own.
/** The main thread put together: capture and controller on one side, workers on the other, and the books between. */
import { closeSync, fstatSync, readFileSync } from 'node:fs';
import { isStrict } from '../../../model/mtls.js';
import type { Snapshot } from '../../../model/snapshot.js';
import { spiffeId } from '../../../model/workload.js';
import type { Detail } from '../../../model/workload-index.js';
import type { ChannelFunctions } from '../../../native/channel.js';
import type { CaptureMessage, Enrolment } from '../../handover/messages.js';
import type { ControllerClock } from '../identity/controller-clock.js';
import { Identities } from '../identity/identities.js';
import type { IdentityManager, IdentityStatus } from '../identity/identity-manager.js';
import { type IdentityReadiness, identityReadiness } from '../identity/report-identities.js';
import type { Flags } from '../start/parse-flags.js';
import { describeError, type ProcessLog } from '../start/process-log.js';
import type { WorkerMetrics } from '../telemetry/worker-metrics.js';
import type { ReportDetail } from '../worker/messages.js';
import { AccessLogWriter } from './access-log-writer.js';
import { ConfigChannel } from './config-channel.js';
import { Configuration, type RefusedResource } from './configuration.js';
import { type ControllerConnection, connectController } from './connect-controller.js';
import { socketAccess } from './controller-access.js';
import { EnrolmentManager, type EnrolmentStatus } from './enrolment-manager.js';
import { HandoverClient, type StandingWorkloads } from './handover-client.js';
import { IdentityDelivery } from './identity-delivery.js';
import { KernelCounterReader } from './kernel-counter-reader.js';
import { NodePlanner } from './node-planner.js';
import { NodeReporter } from './report-node.js';
import type { Timers } from './timers.js';
import { WantedDetails } from './wanted-details.js';
import { type WorkerNews, WorkerPool, type WorkerReport } from './worker-pool.js';

export interface NodeProxyParts {
  readonly flags: Flags;
  readonly version: string;
  readonly connectChannel: ChannelFunctions['connectChannel'];
  readonly parseCaptureMessage: (packet: Buffer, descriptors: number) => CaptureMessage;
  readonly timers: Timers;
  readonly random: () => number;
  readonly log: ProcessLog;
  /** The process cannot go on; its supervisor starts another, and capture's listeners hold meanwhile. */
  readonly onFatal: (message: string, error?: unknown) => void;
}

/** What nobody uses any more is looked for so often. */
const expireMs = 60_000;
/** Who asks why waits so long for what the node does not hold. */
const fetchMs = 2_000;

export interface Readiness {
  readonly ready: boolean;
  readonly capture: boolean;
  readonly controller: boolean;
  readonly configured: boolean;
  readonly workloadsServed: number;
  readonly workloadsWanted: number;
  readonly snapshot: number;
  /** Only where identities are on. */
  readonly identities?: IdentityReadiness;
}

export class NodeProxy {
  readonly #parts: NodeProxyParts;
  readonly #accessLog: AccessLogWriter | undefined;
  readonly #configuration: Configuration;
  readonly #wanted: WantedDetails;
  /** Called once another snapshot is in force. */
  #onSnapshot: (() => void)[] = [];
  readonly #handover: HandoverClient;
  readonly #planner: NodePlanner;
  readonly #enrolments: EnrolmentManager;
  readonly #kernelCounters: KernelCounterReader;
  readonly #resourceRefusals = new Map<string, number>();
  readonly #serving = Promise.withResolvers<void>();
  readonly #pool: WorkerPool;
  readonly #delivery: IdentityDelivery;
  readonly #identities: Identities | undefined;
  /** Nothing is reported where there are no identities: all stays in plaintext. */
  readonly #reporter: NodeReporter | undefined;
  #notesMapId: string | undefined;
  readonly #configChannel = new ConfigChannel();
  #controller: ControllerConnection | undefined;
  #announced = false;
  /** The configuration is the controller's, not only what was saved. */
  #controllerSpoke = false;
  /** Another proxy leads, and speaks with the controller. */
  #silenced = false;

  constructor(parts: NodeProxyParts) {
    this.#parts = parts;
    const { flags, log, timers } = parts;
    this.#accessLog = flags.accessLog.kind === 'off' ? undefined : new AccessLogWriter(flags.accessLog, log);
    this.#configuration = new Configuration({
      onChange: (snapshot, delta) => {
        this.#pool.sendAll({ type: 'delta', delta, version: snapshot.version });
        for (const call of this.#onSnapshot.splice(0)) call();
        this.#planner.schedule();
      },
      onRefused: (refused) => this.#resourceRefused(refused),
    });
    this.#wanted = new WantedDetails({
      now: () => timers.now(),
      random: parts.random,
      onChange: (added, removed) => this.#controller?.client.want(added, removed),
    });
    const accessLog = flags.accessLog.kind !== 'off';
    this.#pool = new WorkerPool(
      { workers: flags.workers, accessLog },
      {
        onNews: (worker, news) => this.#hear(worker, news),
        onDeath: (worker, error) => parts.onFatal(`worker ${worker} ended`, error),
      },
    );
    this.#handover = this.#createHandover();
    this.#planner = new NodePlanner({
      node: flags.node,
      timers,
      snapshot: () => this.snapshot,
      capture: this.#handover,
      onEnrolments: (enrolments) => {
        this.#enrolments.setWanted(enrolments, this.#controllerSpoke);
        this.#wantIdentities(enrolments);
        this.#checkServing();
      },
    });
    this.#kernelCounters = new KernelCounterReader(this.#handover, timers, (uid) => {
      const view = this.snapshot.workloads.get(uid);
      return view && { namespace: view.workload.namespace, workload: view.label };
    });
    this.#enrolments = new EnrolmentManager({
      workers: flags.workers,
      capture: this.#handover,
      isKnown: (workload) => this.snapshot.workloads.has(workload),
      deliver: (worker, message) => this.#pool.send(worker, message),
      mayServe: (workload, isNew) => this.#mayServe(workload, isNew),
      inodeOf: (descriptor) => fstatSync(descriptor).ino,
      closeDescriptor: closeSync,
      timers,
    });
    this.#delivery = this.#createDelivery();
    this.#identities = flags.identities ? this.#createIdentities(this.#delivery) : undefined;
    this.#reporter = flags.identities ? this.#createReporter() : undefined;
  }

  /** Begins; {@link serving} tells when the wanted workloads are served. */
  start(): void {
    this.#handover.start();
    this.#scheduleExpiry();
    const { flags, version, timers, random, log } = this.#parts;
    connectController({
      flags,
      access: this.#identities?.access ?? socketAccess(flags.controller.address),
      channel: this.#configChannel,
      version,
      configuration: this.#configuration,
      wanted: this.#wanted,
      onAnswer: () => {
        this.#controllerSpoke = true;
        this.#handover.claimLead();
      },
      reporter: this.#reporter,
      timers,
      random,
      log,
    }).then(
      (connection) => {
        this.#controller = connection;
      },
      (error: unknown) => this.#parts.onFatal('the configuration client cannot start', error),
    );
  }

  /** Resolves once everything that the first configuration wants is served or was refused. */
  get serving(): Promise<void> {
    return this.#serving.promise;
  }

  get snapshot(): Snapshot {
    return this.#configuration.snapshot;
  }

  /** undefined where identities are off. */
  get identities(): IdentityManager | undefined {
    return this.#identities?.manager;
  }

  /** How far this node's clock is from the controller's; undefined where identities are off. */
  get clock(): ControllerClock | undefined {
    return this.#identities?.clock;
  }

  /** How every identity of this node stands, its own first. */
  get certificates(): readonly IdentityStatus[] {
    return [...(this.#identities?.nodeStatuses ?? []), ...(this.identities?.statuses ?? [])];
  }

  get resourceRefusals(): ReadonlyMap<string, number> {
    return this.#resourceRefusals;
  }

  readiness(): Readiness {
    const workloadsServed = this.#enrolments.served;
    const workloadsWanted = this.#enrolments.wanted;
    const identities = this.identities && identityReadiness(this.identities.statuses, Date.now());
    const proven = identities === undefined || identities.inForce >= identities.wanted;
    return {
      ready: this.#planner.planned && this.#pool.started && workloadsServed >= workloadsWanted && proven,
      capture: this.#handover.ready,
      controller: this.#controller?.client.connected === true,
      configured: this.#planner.planned,
      workloadsServed,
      workloadsWanted,
      snapshot: this.snapshot.version,
      ...(identities === undefined ? {} : { identities }),
    };
  }

  /** How every wanted enrolment stands. */
  enrolments(): EnrolmentStatus[] {
    return [...this.#enrolments.list()];
  }

  /** Wants details as connections do; resolves with the next snapshot that is in force, or after {@link fetchMs}. */
  fetch(details: readonly Detail[]): Promise<void> {
    const arrived = Promise.withResolvers<void>();
    this.#onSnapshot.push(() => arrived.resolve());
    this.#parts.timers.after(fetchMs, () => arrived.resolve());
    this.#wanted.used(details);
    return arrived.promise;
  }

  reports(detail: ReportDetail): Promise<WorkerReport[]> {
    return this.#pool.report(detail);
  }

  /** The kernel's counters, fresh where capture answers in time. */
  kernelMetrics(): Promise<WorkerMetrics> {
    return this.#kernelCounters.read();
  }

  /** Whether another proxy of the node has taken this one's place. */
  get superseded(): boolean {
    return this.#handover.standing === 'superseded';
  }

  /**
   * Ends in order: no more connections, running exchanges finish; capture keeps the listeners for the next proxy. Where
   * one serves already, clients leave when they next ask; else they are sent away at once, and wait for the next one.
   */
  async drain(deadlineMs: number): Promise<void> {
    const way = this.superseded ? 'handed-on' : 'ended';
    this.#handover.resignLead();
    this.#controller?.client.close();
    this.#planner.stop();
    await this.#pool.drain(deadlineMs, way);
    this.#identities?.close();
    this.#handover.close();
    this.#controller?.saved?.close();
    await this.#accessLog?.drained();
  }

  #createHandover(): HandoverClient {
    const { connectChannel, parseCaptureMessage, timers, log, flags } = this.#parts;
    return new HandoverClient(
      {
        connect: (handlers) => connectChannel(flags.capture, handlers),
        parse: parseCaptureMessage,
        closeDescriptor: closeSync,
        timers,
        log,
      },
      {
        onReady: (notesMap) => this.#captureReady(notesMap),
        onLeading: (standing) => this.#lead(standing),
        onSuperseded: () => this.#supersede(),
        onHeld: (workload) => this.#enrolments.held(workload),
        onLost: () => {
          this.#kernelCounters.lost();
          this.#identities?.captureLost();
        },
        onEnrolled: (workload, listeners, descriptors) => {
          this.#enrolments.enrolled(workload, listeners, descriptors);
          this.#checkServing();
        },
        onWithdrawn: (workload) => this.#enrolments.withdrawn(workload),
        onSockets: (workload, family, descriptors) => this.#enrolments.sockets(workload, family, descriptors),
        onCounters: (counters) => this.#kernelCounters.arrived(counters),
        onRulesApplied: () => this.#planner.rulesApplied(),
        onSecret: (workload, secret) => this.#identities?.secretArrived(workload, secret),
        onVaultAnswered: () => this.#identities?.vaultAnswered(),
        onRefused: (request, workload, message) => {
          if (request === 'kernel-rules') this.#planner.rulesRefused();
          if (request === 'counters') this.#kernelCounters.lost();
          if (request === 'vault-get' && workload !== undefined) {
            this.#identities?.secretArrived(workload, null);
          }
          if (request.startsWith('vault-')) this.#identities?.vaultAnswered();
          this.#enrolments.refused(request, workload, message);
          this.#checkServing();
        },
      },
    );
  }

  #captureReady(notesMap: number): void {
    const mapId = mapIdOf(notesMap);
    if (!this.#pool.started) {
      this.#notesMapId = mapId;
      this.#startWorkers(notesMap);
    } else {
      closeSync(notesMap);
      if (mapId !== this.#notesMapId) {
        this.#parts.onFatal('capture came back with other kernel maps; only a new proxy can read them');
        return;
      }
    }
    this.#identities?.captureCame();
    this.#identities?.captureReady();
  }

  #lead(standing: StandingWorkloads): void {
    this.#planner.restart();
    this.#enrolments.captureReady(standing);
    if (this.#silenced) this.#controller?.client.start();
    this.#silenced = false;
  }

  /** The configuration stays as it is: what is still served here ends before that matters. */
  #supersede(): void {
    this.#silenced = true;
    this.#controllerSpoke = false;
    this.#enrolments.superseded();
    this.#planner.stop();
    this.#controller?.client.close();
    this.#controller?.saved?.close();
  }

  #startWorkers(notesMap: number): void {
    const { flags, log } = this.#parts;
    this.#pool.start(notesMap);
    this.#pool.ready().then(
      () => {
        log('info', 'the workers run', { workers: flags.workers });
        this.#checkServing();
      },
      () => {},
    );
  }

  #hear(worker: number, news: WorkerNews): void {
    switch (news.type) {
      case 'used':
        this.#wanted.used(news.details);
        return;
      case 'sockets-low':
        this.#enrolments.socketsLow(news.handle, news.family, news.count);
        return;
      case 'access-log':
        this.#accessLog?.write(news.lines, () =>
          this.#pool.send(worker, { type: 'log-written', lines: news.lines }, [news.lines.buffer]),
        );
        return;
      case 'identity-in-force':
        this.#delivery.installed(news.uid, news.generation);
        return;
      case 'log':
        this.#parts.log(news.level, news.message, { worker, ...news.details });
        return;
      default:
        news satisfies never;
    }
  }

  #scheduleExpiry(): void {
    this.#parts.timers.after(expireMs, () => {
      this.#wanted.expire();
      this.#scheduleExpiry();
    });
  }

  #createDelivery(): IdentityDelivery {
    return new IdentityDelivery({
      placeOf: (workload) => this.#enrolments.placeOf(workload),
      deliver: (worker, message, transfer) => this.#pool.send(worker, message, transfer),
      onChange: () => this.#reporter?.changed(),
    });
  }

  #createIdentities(delivery: IdentityDelivery): Identities {
    const { flags, timers, random, log } = this.#parts;
    return new Identities({
      controller: flags.controller,
      node: flags.node,
      channel: this.#configChannel,
      vault: this.#handover,
      events: {
        onPublished: (workload, identity) => delivery.onPublished(workload, identity),
        onWithdrawn: (workload, why) => delivery.onWithdrawn(workload, why),
        onBundle: (roots) => delivery.onBundle(roots),
        onSettled: (workload) => {
          this.#enrolments.release(workload);
          this.#checkServing();
        },
      },
      timers,
      random,
      log,
    });
  }

  /**
   * A strict workload takes nothing without an identity, so its first callers wait for its first certificate, as those of a
   * new pod do. Others take plaintext meanwhile.
   */
  #mayServe(workload: string, isNew: boolean): boolean {
    const view = this.snapshot.workloads.get(workload);
    const waits = isNew || (view !== undefined && isStrict(view.workload.mtls));
    return (waits ? this.identities?.answered(workload) : this.identities?.settled(workload)) !== false;
  }

  #wantIdentities(enrolments: readonly Enrolment[]): void {
    this.identities?.setWanted(
      enrolments.flatMap(({ workload }) => {
        const view = this.snapshot.workloads.get(workload);
        return view === undefined ? [] : [{ workload, spiffeId: spiffeId(view.workload) }];
      }),
    );
  }

  #createReporter(): NodeReporter {
    return new NodeReporter({
      standings: () =>
        [...this.#enrolments.standings()].map(([uid, served]) => ({
          uid,
          captured: served && this.snapshot.workloads.get(uid)?.workload.capture != null,
          identityReady: this.#delivery.inForce(uid),
        })),
      settled: () => this.#planner.planned && this.#enrolments.settled,
      send: (report) => this.#controller?.client.report(report),
      timers: this.#parts.timers,
    });
  }

  #checkServing(): void {
    this.#reporter?.changed();
    if (this.#planner.planned && this.#pool.started && this.#enrolments.settled) {
      this.#pool.ready().then(
        () => this.#announceServing(),
        () => {},
      );
    }
  }

  #announceServing(): void {
    if (this.#announced) return;
    this.#announced = true;
    const afterMs = Math.round(this.#parts.timers.now());
    this.#parts.log('info', 'serving', { workloads: this.#enrolments.served, afterMs });
    this.#serving.resolve();
  }

  #resourceRefused({ kind, name, version, problems }: RefusedResource): void {
    this.#resourceRefusals.set(kind, (this.#resourceRefusals.get(kind) ?? 0) + 1);
    const [first] = problems;
    this.#parts.log('warn', 'a resource was refused', {
      kind,
      name,
      version,
      field: first?.field,
      problem: first?.message,
      fix: first?.fix,
    });
  }
}

/** The kernel's number of a map: equal for two descriptors of one map. */
function mapIdOf(descriptor: number): string {
  try {
    const info = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
    return /^map_id:\s*(\d+)$/m.exec(info)?.[1] ?? '';
  } catch (cause) {
    throw new Error(`the notes map's descriptor ${descriptor} cannot be examined: ${describeError(cause)}`, {
      cause,
    });
  }
}
