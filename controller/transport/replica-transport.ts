/**
 * One controller's part in moving transport phases, among any number of replicas. Who leads decides, by what all nodes
 * say; who follows publishes what the leader decides, and relays what its own nodes say; who is alone (there is no
 * leader, or none that can be reached) publishes what it holds and moves nothing. Without I/O, clock or timers.
 */
import type { TransportPhase } from '../../model/workload.js';
import type { Changes } from '../publish/snapshot.js';
import { HeldPhases } from './held-phases.js';
import type { HolderMessage, PhaseNews, ReplicaMessage } from './phase-news.js';
import { TransportPhases } from './transport-phases.js';

export interface ReplicaTransportParts {
  /** Publishes what has changed; returns the version that holds it. */
  readonly publish: (changes: Changes) => number;
  /** The node may be served: it will be given no older phases than it holds. */
  readonly welcome: (node: string) => void;
  /** Whether this controller may decide at this very moment. */
  readonly mayMove: () => boolean;
}

/**
 * alone: what agents brought is all that is known of phases. following: a leader's table is held; `send` is null while
 * it cannot be reached. leading: this controller decides.
 */
type Standing =
  | { readonly type: 'alone'; readonly phases: TransportPhases }
  | { readonly type: 'following'; readonly send: ((message: ReplicaMessage) => void) | null }
  | { readonly type: 'leading'; readonly phases: TransportPhases };

/** A node whose stream ends here. */
interface OwnNode {
  readonly held: ReadonlyMap<string, TransportPhase>;
  report: ReadonlyMap<string, boolean> | null;
  /** Of what is published here. */
  ackedVersion: number;
  /** Of the leader's decisions, as it was told. */
  ackedGeneration: number;
  welcome: boolean;
}

/** This controller itself, among those that nodes speak through. */
const self = '';

export class ReplicaTransport {
  readonly #parts: ReplicaTransportParts;
  readonly #held = new HeldPhases();
  readonly #nodes = new Map<string, OwnNode>();
  readonly #replicas = new Map<string, (message: HolderMessage) => void>();
  #standing: Standing;
  /** The manifests have been read: until then nothing is published. */
  #wants = false;
  /** The version that first held each generation, oldest first. */
  #versions: { readonly generation: number; readonly version: number }[] = [];
  #waiting = false;

  constructor(parts: ReplicaTransportParts, nowMs: number) {
    this.#parts = parts;
    this.#standing = { type: 'alone', phases: new TransportPhases(nowMs) };
  }

  get standing(): Standing['type'] {
    return this.#standing.type;
  }

  /** A leader hears this controller. */
  get linked(): boolean {
    return this.#standing.type === 'following' && this.#standing.send !== null;
  }

  /** Something goes on when time passes. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Publishes what the manifests want, as far as it has changed; workloads in the phases that they have come to. */
  want(changes: Changes, nowMs: number): void {
    this.#wants = true;
    this.#held.want(changes);
    const { phases } = this;
    if (phases !== null) {
      phases.want(changes);
      this.#decide(phases, nowMs);
    }
    this.#publish();
  }

  /** Moves what can be moved. */
  advance(nowMs: number): void {
    const { phases } = this;
    if (phases !== null && this.#decide(phases, nowMs)) this.#publish();
  }

  /** False: the node must wait for {@link ReplicaTransportParts.welcome}. */
  come(node: string, held: ReadonlyMap<string, TransportPhase>, nowMs: number): boolean {
    const standing = this.#standing;
    const waits = standing.type === 'following' && standing.send !== null;
    this.#nodes.set(node, {
      held,
      report: null,
      ackedVersion: 0,
      ackedGeneration: 0,
      welcome: !waits,
    });
    if (standing.type === 'following') standing.send?.({ type: 'come', node, held });
    else {
      standing.phases.come(node, self, held, nowMs);
      // What the agent brought must be in force before its first delta, which follows at once.
      this.advance(nowMs);
    }
    return !waits;
  }

  gone(node: string, nowMs: number): void {
    this.#nodes.delete(node);
    if (this.#standing.type === 'following') this.#standing.send?.({ type: 'gone', node });
    else this.#standing.phases.gone(node, self, nowMs);
  }

  acked(node: string, version: number): void {
    const own = this.#nodes.get(node);
    if (own === undefined) return;
    own.ackedVersion = version;
    this.#tellAcked(node, own);
  }

  report(node: string, workloads: ReadonlyMap<string, boolean>): void {
    const own = this.#nodes.get(node);
    if (own === undefined) return;
    own.report = workloads;
    if (this.#standing.type === 'following') this.#standing.send?.({ type: 'report', node, workloads });
    else this.#standing.phases.report(node, self, workloads);
  }

  /** This controller holds the lease from now on. `term`: higher than that of any holder before. */
  lead(term: number, nowMs: number): void {
    if (this.#standing.type === 'leading') return;
    const phases = this.phases ?? this.#inherit(term, nowMs);
    phases.beginTerm(term);
    this.#standing = { type: 'leading', phases };
    this.#welcomeAll();
    this.advance(nowMs);
    // Also where nothing differs: a table of another term begins.
    this.#held.take(phases.table());
    this.#publish();
  }

  /** It holds the lease no more. */
  stepDown(): void {
    if (this.#standing.type !== 'leading') return;
    this.#standing = { type: 'following', send: null };
    this.#waiting = false;
    this.#replicas.clear();
  }

  /** The leader hears this controller, and tells it what it decides. */
  link(send: (message: ReplicaMessage) => void): void {
    if (this.#standing.type === 'leading') return;
    this.#standing = { type: 'following', send };
    this.#waiting = false;
    send({ type: 'hello', table: this.#held.table() });
    for (const [node, own] of this.#nodes) {
      send({ type: 'come', node, held: own.held });
      if (own.report !== null) send({ type: 'report', node, workloads: own.report });
      own.ackedGeneration = 0;
    }
  }

  unlink(): void {
    if (this.#standing.type !== 'following') return;
    this.#standing = { type: 'following', send: null };
    this.#welcomeAll();
  }

  fromHolder(message: HolderMessage): void {
    if (!this.linked) return;
    if (message.type === 'welcome') this.#welcome(message.node);
    else this.#take(message.news);
  }

  /** A replica has come to this leader; false: it does not lead. */
  fromReplica(
    replica: string,
    message: ReplicaMessage,
    send: (message: HolderMessage) => void,
    nowMs: number,
  ): boolean {
    if (this.#standing.type !== 'leading') return false;
    const { phases } = this.#standing;
    switch (message.type) {
      case 'hello':
        this.#replicas.delete(replica);
        phases.replicaCame(replica, message.table, nowMs);
        this.advance(nowMs);
        this.#replicas.set(replica, send);
        send({ type: 'phases', news: phases.table() });
        break;
      case 'come':
        phases.come(message.node, replica, message.held, nowMs);
        this.advance(nowMs);
        send({ type: 'welcome', node: message.node });
        break;
      case 'gone':
        phases.gone(message.node, replica, nowMs);
        break;
      case 'acked':
        phases.acked(message.node, replica, message.generation);
        break;
      case 'report':
        phases.report(message.node, replica, message.workloads);
        break;
      case 'applied':
        phases.replicaApplied(replica, message.generation);
        break;
    }
    return true;
  }

  replicaGone(replica: string, nowMs: number): void {
    if (this.#standing.type !== 'leading') return;
    this.#replicas.delete(replica);
    this.#standing.phases.replicaGone(replica, nowMs);
  }

  /** Goes on from the table that was followed. */
  #inherit(term: number, nowMs: number): TransportPhases {
    const phases = new TransportPhases(nowMs, this.#held.table(), term);
    for (const [node, own] of this.#nodes) {
      phases.come(node, self, own.held, nowMs);
      if (own.report !== null) phases.report(node, self, own.report);
      own.ackedGeneration = 0;
    }
    phases.want(this.#held.wanted());
    return phases;
  }

  private get phases(): TransportPhases | null {
    return this.#standing.type === 'following' ? null : this.#standing.phases;
  }

  /** True: there is something to publish. */
  #decide(phases: TransportPhases, nowMs: number): boolean {
    const leading = this.#standing.type === 'leading' && this.#parts.mayMove();
    const { news, waiting } = phases.advance(nowMs, leading);
    this.#waiting = waiting && leading;
    if (news === null) return false;
    this.#held.take(news);
    for (const send of this.#replicas.values()) send({ type: 'phases', news });
    return true;
  }

  #take(news: PhaseNews): void {
    this.#held.take(news);
    if (news.whole) this.#versions = [];
    this.#publish();
  }

  #publish(): void {
    if (!this.#wants) return;
    const version = this.#parts.publish(this.#held.takeChanges());
    const generation = this.#held.complete;
    if (generation > (this.#versions.at(-1)?.generation ?? -1)) {
      this.#versions.push({ generation, version });
      if (this.linked) this.#send({ type: 'applied', generation });
    }
    for (const [node, own] of this.#nodes) this.#tellAcked(node, own);
    this.#forgetVersions();
  }

  #tellAcked(node: string, own: OwnNode): void {
    let generation = 0;
    for (const one of this.#versions) if (one.version <= own.ackedVersion) generation = one.generation;
    if (generation <= own.ackedGeneration) return;
    own.ackedGeneration = generation;
    if (this.#standing.type === 'following') this.#send({ type: 'acked', node, generation });
    else this.#standing.phases.acked(node, self, generation);
  }

  /** Those that every node is past. */
  #forgetVersions(): void {
    const acked = [...this.#nodes.values()].map(({ ackedVersion }) => ackedVersion);
    const passed = this.#versions.findLastIndex(({ version }) => acked.every((one) => version <= one));
    const excess = this.#versions.length - maxVersions;
    this.#versions.splice(0, Math.max(passed, excess));
  }

  #send(message: ReplicaMessage): void {
    if (this.#standing.type === 'following') this.#standing.send?.(message);
  }

  #welcome(node: string): void {
    const own = this.#nodes.get(node);
    if (own === undefined || own.welcome) return;
    own.welcome = true;
    this.#parts.welcome(node);
  }

  #welcomeAll(): void {
    for (const node of this.#nodes.keys()) this.#welcome(node);
  }
}

/** A node that acknowledges nothing is ended long before so many versions have been published. */
const maxVersions = 10_000;
