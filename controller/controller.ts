/** The controller's way of a change, in one place: source → parse → store → build → publish → status. */
import type { Resource } from '../model/resource.js';
import type { Authority } from './authority/authority.js';
import type { AuthoritySurroundings } from './authority/create-authority.js';
import {
  type AddedService,
  ConfigServer,
  type ConfigServerEvents,
  type StreamTimes,
} from './publish/config-server.js';
import { Publisher } from './publish/publisher.js';
import { type BuildSettings, buildResources } from './resources/build-resources.js';
import { ManifestStore } from './resources/manifest-store.js';
import { describeProblem, type StatusProblem } from './resources/status-problem.js';
import type { Source, SourceChange } from './source/source.js';
import type { Log } from './status/log.js';
import { TransportControl } from './transport/transport-control.js';

export interface ControllerOptions {
  readonly source: Source;
  readonly build: BuildSettings;
  readonly log: Log;
  /** Absent: workloads get no certificates. */
  readonly createAuthority?:
    | ((surroundings: AuthoritySurroundings) => {
        readonly authority: Authority;
        readonly service: AddedService;
      })
    | undefined;
  /** Wall clock in milliseconds. */
  readonly now: () => number;
  /** Time limits of agents' streams; absent: the usual ones. */
  readonly times?: StreamTimes;
  /** Told after every change of what the status shows. */
  readonly onChange?: () => void;
}

/** Files of the authority that change are noticed within this time. */
const refreshMs = 1000;

export class Controller {
  readonly authority: Authority | null;
  readonly publisher = new Publisher();
  readonly #options: ControllerOptions;
  readonly #store: ManifestStore;
  readonly #server: ConfigServer;
  readonly #transport: TransportControl;
  #problems: readonly StatusProblem[] = [];
  #refresh: NodeJS.Timeout | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#store = new ManifestStore(options.build.cluster === undefined ? 'folder' : 'cluster');
    this.#transport = new TransportControl({
      now: () => performance.now(),
      publish: (resources) => this.#publish(resources),
    });
    const transport = this.#transport;
    const events: ConfigServerEvents = {
      onAgentChange: () => options.onChange?.(),
      onCome: ({ node, transports }) => transport.come(node, transports),
      onGone: ({ node }) => transport.gone(node),
      onAcked: ({ node, ackedVersion }) => transport.acked(node, ackedVersion),
      onReport: ({ node, report }) => transport.report(node, report ?? new Map()),
    };
    this.#server = new ConfigServer(this.publisher, options.log, events, options.times);
    const { log, now, createAuthority } = options;
    const created = createAuthority?.({ publisher: this.publisher, log, now });
    this.authority = created?.authority ?? null;
    if (created !== undefined) this.#server.add(created.service);
  }

  get problems(): readonly StatusProblem[] {
    return this.#problems;
  }

  /** Reads the source, then serves; resolves once agents can connect. Returns the port (0 for a Unix socket). */
  async start(listen: string): Promise<number> {
    await this.#options.source.start((changes) => this.#apply(changes));
    const { authority } = this;
    if (authority !== null) {
      await authority.refresh();
      this.#refresh = setInterval(() => void authority.refresh(), refreshMs).unref();
    }
    return this.#server.listen(listen);
  }

  stop(): void {
    clearInterval(this.#refresh);
    this.#options.source.stop();
    this.#transport.stop();
    this.#server.stop();
  }

  #apply(changes: readonly SourceChange[]): void {
    const { build, log, onChange } = this.#options;
    this.#store.apply(changes);
    const built = buildResources(this.#store.manifests(), build);
    const problems = [...this.#store.problems(), ...built.problems];
    logProblems(log, this.#problems, problems);
    this.#problems = problems;
    if (built.resources !== null) this.#transport.want(built.resources);
    onChange?.();
  }

  /** Returns the version that holds them. */
  #publish(resources: readonly Resource[]): number {
    const { log, now } = this.#options;
    const changed = this.publisher.publish(resources, this.#store.incomplete, now());
    const version = this.publisher.snapshot?.version ?? 0;
    if (changed) {
      log.info('published', { version, resources: resources.length, problems: this.#problems.length });
    }
    return version;
  }
}

/** Tells each problem once, and each that went away. */
function logProblems(log: Log, before: readonly StatusProblem[], after: readonly StatusProblem[]): void {
  const old = new Set(before.map(describeProblem));
  const current = new Set(after.map(describeProblem));
  for (const problem of after) {
    const text = describeProblem(problem);
    if (old.has(text)) continue;
    if (problem.severity === 'error') log.error(text, { reason: 'resource_refused', problem });
    else log.warn(text, { problem });
  }
  for (const text of old) if (!current.has(text)) log.info(`solved: ${text}`);
}
