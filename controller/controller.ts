/** The controller's way of a change, in one place: source → parse → store → build → publish → status. */
import type { Authority } from './authority/authority.js';
import type { AuthoritySurroundings } from './authority/create-authority.js';
import type { NodeAuthenticator } from './authority/node-authenticator.js';
import { NodeRefusals } from './authority/node-refusals.js';
import type { LeaseHolder } from './kubernetes/hold-lease.js';
import { AgentListeners, type Issuing, type ListenAddresses } from './publish/agent-listeners.js';
import { ConfigServer, type ConfigServerEvents, type StreamTimes } from './publish/config-server.js';
import { type NodeStatus, Publisher } from './publish/publisher.js';
import type { Changes } from './publish/snapshot.js';
import { Replication } from './replicas/replication.js';
import { type BuildSettings, MeshBuilder } from './resources/build-resources.js';
import { ManifestStore } from './resources/manifest-store.js';
import type { ResourceChanges } from './resources/resource-changes.js';
import { describeProblem, type StatusProblem } from './resources/status-problem.js';
import type { Source, SourceChange } from './source/source.js';
import type { Log } from './status/log.js';
import { TransportControl } from './transport/transport-control.js';

export interface ControllerOptions {
  readonly source: Source;
  readonly build: BuildSettings;
  readonly log: Log;
  /** Absent: workloads get no certificates. */
  readonly createAuthority?: ((surroundings: AuthoritySurroundings) => Issuing) | undefined;
  /** How nodes of other machines join; absent: they do not. */
  readonly joining?: NodeAuthenticator | undefined;
  /** The node that the socket is for; absent: whoever reaches it is the node that it names. */
  readonly socketNode?: string | undefined;
  /** Wall clock in milliseconds. */
  readonly now: () => number;
  /** Time limits of agents' streams; absent: the usual ones. */
  readonly times?: StreamTimes;
  /** Told after every change of what the status shows. */
  readonly onChange?: () => void;
  /** Held by the one of several controllers that decides about transport; absent: this one decides. */
  readonly lease?: LeaseHolder | undefined;
  /** Where other replicas reach this one, a host's address without a port; absent: they do not. */
  readonly advertise?: string | undefined;
  /** This controller holds the lease, or no more. */
  readonly onLead?: (leads: boolean) => void;
}

/** Files of the authority that change are noticed within this time. */
const refreshMs = 1000;

export class Controller {
  readonly authority: Authority | null;
  readonly nodeRefusals: NodeRefusals;
  readonly publisher = new Publisher();
  readonly #options: ControllerOptions;
  readonly #store: ManifestStore;
  readonly #server: ConfigServer;
  readonly #transport: TransportControl;
  readonly #listeners: AgentListeners;
  readonly #replication: Replication | null;
  readonly #issuing: Issuing | null;
  #problems: readonly StatusProblem[] = [];
  readonly #builder: MeshBuilder;
  /** What is being published beside resources. */
  #scopes: Pick<ResourceChanges, 'scopes' | 'zones'> | null = null;
  #refresh: NodeJS.Timeout | undefined;

  constructor(options: ControllerOptions) {
    this.nodeRefusals = new NodeRefusals(options.log, options.now);
    this.#options = options;
    this.#store = new ManifestStore(options.build.cluster === undefined ? 'folder' : 'cluster');
    this.#builder = new MeshBuilder(options.build);
    const { log, now, createAuthority, joining = null, socketNode = null, lease } = options;
    this.#transport = new TransportControl({
      now: () => performance.now(),
      publish: (changes) => this.#publish(changes),
      mayMove: lease === undefined ? undefined : () => lease.held,
    });
    const { publisher, nodeRefusals } = this;
    this.#server = new ConfigServer(publisher, log, this.#agentEvents(), options.times);
    const issuing = createAuthority?.({ publisher, log, now }) ?? null;
    this.#issuing = issuing;
    this.authority = issuing?.authority ?? null;
    this.#replication = lease === undefined ? null : this.#createReplication(lease);
    this.#listeners = new AgentListeners({
      config: this.#server,
      issuing,
      joining,
      socketNode,
      replicas: this.#replication?.service ?? null,
      refusals: nodeRefusals,
      trustDomain: () => publisher.trustDomain,
      now,
    });
  }

  get problems(): readonly StatusProblem[] {
    return this.#problems;
  }

  /** Reads the source, then serves; resolves once agents can connect. Returns the port for nodes (0 without). */
  async start(listen: ListenAddresses): Promise<number> {
    await this.#options.source.start((changes) => this.#apply(changes));
    const { authority } = this;
    if (authority !== null) {
      await authority.refresh();
      this.#refresh = setInterval(() => {
        void authority
          .refresh()
          .then(() => Promise.all([this.#listeners.refresh(), this.#replication?.refresh()]));
      }, refreshMs).unref();
    }
    const port = await this.#listeners.start(listen);
    const { advertise } = this.#options;
    const address = advertise === undefined || port === 0 ? '' : `${advertise}:${port}`;
    const certify = this.#issuing?.certify;
    this.#replication?.start(address, certify && ((take) => certify(take, 'replica')));
    return port;
  }

  /** Agents are served: everything has been read, and this controller decides, or follows the one that does. */
  get ready(): boolean {
    return this.publisher.snapshot !== null && (this.#replication?.mayServe ?? true);
  }

  /** How all nodes stand, those of other replicas too where this controller decides. */
  nodes(): NodeStatus[] {
    return this.#replication?.nodes() ?? this.publisher.nodes();
  }

  /** Lets another replica decide at once, then sends agents away and ends. */
  async close(): Promise<void> {
    await this.#replication?.stop();
    this.#server.endAll('the controller is stopping');
    await this.#listeners.drain();
    this.stop();
  }

  stop(): void {
    clearInterval(this.#refresh);
    this.#options.source.stop();
    this.#transport.stop();
    this.#server.endAll('the controller is stopping');
    this.#listeners.stop();
  }

  #agentEvents(): ConfigServerEvents {
    const transport = this.#transport;
    return {
      onAgentChange: () => {
        this.#replication?.changed();
        this.#options.onChange?.();
      },
      mayServe: () => this.#replication?.mayServe ?? true,
      onRefused: (node, refusal) => this.nodeRefusals.record({ node }, refusal),
      onCome: ({ node, transports }) => transport.come(node, transports),
      onGone: ({ node }) => transport.gone(node),
      onAcked: ({ node, ackedVersion }) => transport.acked(node, ackedVersion),
      onReport: ({ node, report }) => transport.report(node, report ?? new Map()),
    };
  }

  #createReplication(lease: LeaseHolder): Replication {
    const { log, onLead, onChange } = this.#options;
    const { publisher } = this;
    return new Replication({
      lease,
      log,
      transport: this.#transport,
      ownNodes: () => publisher.nodes(),
      version: () => publisher.snapshot?.version ?? 0,
      trustDomain: () => publisher.trustDomain,
      now: () => performance.now(),
      onLead: (leads) => onLead?.(leads),
      onCutOff: () => this.#server.endAll('this replica is out of touch with the one that decides'),
      onChange: () => onChange?.(),
    });
  }

  #apply(changes: readonly SourceChange[]): void {
    const { log, onChange } = this.#options;
    this.#builder.apply(this.#store.apply(changes));
    const problems = [...this.#store.problems(), ...this.#builder.problems()];
    logProblems(log, this.#problems, problems);
    this.#problems = problems;
    const changed = this.#builder.takeChanges();
    if (changed !== null) {
      this.#scopes = changed;
      this.#transport.want(changed.resources);
    }
    onChange?.();
  }

  /** Returns the version that holds them. */
  #publish(resources: Changes): number {
    const { log, now } = this.#options;
    const changed = this.publisher.publish({ ...this.#scopes, resources }, this.#store.incomplete, now());
    this.#scopes = null;
    const version = this.publisher.snapshot?.version ?? 0;
    const { size } = this.publisher.snapshot?.resources ?? { size: 0 };
    if (changed) log.info('published', { version, resources: size, problems: this.#problems.length });
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
