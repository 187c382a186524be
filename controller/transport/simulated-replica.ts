/** For tests: a controller under a lease, with links to other replicas that take their time, freeze and break. */
import type { Resource } from '../../model/resource.js';
import { resourceId } from '../publish/resource-id.js';
import type { Changes } from '../publish/snapshot.js';
import type { WorkloadResource } from './held-phases.js';
import type { HolderMessage, ReplicaMessage } from './phase-news.js';
import { ReplicaTransport } from './replica-transport.js';
import { HolderWatch, silentMs } from './watch-holder.js';

/** As usualLeaseTimes, without depending on the room of Kubernetes. */
const lease = { durationMs: 15_000, deadlineMs: 10_000, intervalMs: 3000 };
/** A frozen link is noticed within this time, by each end for itself. */
const keepaliveMs = 8000;

/** A process: its replica has another one after a restart. */
interface Process {
  readonly replica: SimulatedReplica;
}

export interface SimulatedLease {
  holder: Process | null;
  term: number;
  renewedMs: number;
}

interface Link {
  readonly holder: SimulatedReplica;
  readonly toHolder: ReplicaMessage[];
  readonly toReplica: HolderMessage[];
  /** Nothing goes through any more; each end notices at its own time. */
  frozen: boolean;
  replicaEndsMs: number;
  holderEndsMs: number;
}

let links = 0;

export class SimulatedReplica {
  readonly name: string;
  alive = true;
  /** It reaches the API server. */
  connected = true;
  /** It reaches other replicas. */
  joined = true;
  transport: ReplicaTransport;
  version = 0;
  published: readonly WorkloadResource[] = [];
  /** What this process has published so far, by id. */
  #inForce = new Map<string, WorkloadResource>();
  /** Ids of what it was told last. */
  #wanted: readonly string[] = [];
  readonly welcomed = new Set<string>();
  /** Its links as a holder, by the name that the other end has in this holder's books. */
  readonly serving = new Map<string, Link>();
  link: Link | null = null;
  readonly #lease: SimulatedLease | null;
  readonly #onPublish: (resources: readonly WorkloadResource[]) => void;
  #watch = new HolderWatch();
  #sawMs = 0;
  #process: Process = { replica: this };
  #seen = { holder: null as Process | null, renewedMs: -1, sinceMs: 0 };
  #linkName = '';
  #nowMs = 0;

  /** `lease` null: it leads alone, always. */
  constructor(
    name: string,
    held: SimulatedLease | null,
    nowMs: number,
    onPublish: (resources: readonly WorkloadResource[]) => void,
  ) {
    this.name = name;
    this.#lease = held;
    this.#onPublish = onPublish;
    this.transport = this.#newTransport(nowMs);
  }

  #newTransport(nowMs: number): ReplicaTransport {
    this.#nowMs = nowMs;
    const transport = new ReplicaTransport(
      {
        publish: (changes) => this.#publish(changes),
        welcome: (node) => this.welcomed.add(node),
        mayMove: () => this.#lease === null || this.leads,
      },
      nowMs,
    );
    if (this.#lease === null) transport.lead(1, nowMs);
    return transport;
  }

  get leads(): boolean {
    const held = this.#lease;
    return this.alive && held?.holder === this.#process && this.#nowMs - held.renewedMs < lease.deadlineMs;
  }

  /** The decider hears it. */
  get heard(): boolean {
    if (this.#lease === null || this.leads) return true;
    return this.link !== null && !this.link.frozen && this.link.holder.leads;
  }

  get mayServe(): boolean {
    return this.alive && (this.#lease === null || this.#watch.mayServe(this.#nowMs));
  }

  /** What the API server tells it. */
  want(resources: readonly Resource[]): void {
    const gone = [...this.#wanted].map((id) => [id, undefined] as const);
    const changes = new Map<string, Resource | undefined>(gone);
    for (const resource of resources) changes.set(resourceId(resource), resource);
    this.#wanted = resources.map(resourceId);
    this.transport.want(changes, this.#nowMs);
  }

  /** Takes it away with all that it knew; another of its name begins. */
  restart(): void {
    this.freezeLinks();
    this.link = null;
    this.serving.clear();
    this.welcomed.clear();
    this.#watch = new HolderWatch();
    this.#sawMs = 0;
    this.#process = { replica: this };
    this.alive = true;
    this.#inForce = new Map();
    this.#wanted = [];
    this.transport = this.#newTransport(this.#nowMs);
  }

  die(): void {
    this.freezeLinks();
    this.alive = false;
  }

  /** From now on nothing goes through its links. */
  freezeLinks(random: () => number = () => 0.5): void {
    const soon = () => this.#nowMs + random() * keepaliveMs;
    for (const link of [this.link, ...this.serving.values()]) {
      if (link === null || link.frozen) continue;
      link.frozen = true;
      link.replicaEndsMs = soon();
      link.holderEndsMs = soon();
    }
  }

  pass(nowMs: number, random: () => number): void {
    this.#nowMs = nowMs;
    if (!this.alive) return;
    this.#noticeLinks();
    if (this.#lease !== null && this.connected && nowMs - this.#sawMs >= lease.intervalMs)
      this.#look(this.#lease);
    this.transport.advance(nowMs);
    this.carry(random);
  }

  /** Some of what is on the way to and from the holder arrives. */
  carry(random: () => number): void {
    const { link } = this;
    if (link === null || link.frozen) return;
    for (const message of link.toHolder.splice(0, Math.floor(random() * (link.toHolder.length + 1)))) {
      const send = (answer: HolderMessage) => void link.toReplica.push(answer);
      if (link.holder.transport.fromReplica(this.#linkName, message, send, this.#nowMs)) continue;
      this.#unlink();
      return;
    }
    for (const message of link.toReplica.splice(0, Math.floor(random() * (link.toReplica.length + 1)))) {
      this.transport.fromHolder(message);
      this.#watch.begun();
    }
  }

  #publish(changes: Changes): number {
    this.version += 1;
    for (const [id, resource] of changes) {
      if (resource === undefined) this.#inForce.delete(id);
      else this.#inForce.set(id, resource as WorkloadResource);
    }
    this.published = [...this.#inForce.values()];
    this.#onPublish(this.published);
    return this.version;
  }

  #look(held: SimulatedLease): void {
    this.#sawMs = this.#nowMs;
    if (held.holder !== this.#seen.holder || held.renewedMs !== this.#seen.renewedMs) {
      this.#seen = { holder: held.holder, renewedMs: held.renewedMs, sinceMs: this.#nowMs };
    }
    if (held.holder === this.#process) {
      held.renewedMs = this.#nowMs;
      return;
    }
    if (this.transport.standing === 'leading') this.#stepDown();
    const waitedMs = this.#nowMs - this.#seen.sinceMs;
    const freeAfterMs = (held.holder === null ? 0 : lease.durationMs) + this.#watch.reluctanceMs(this.#nowMs);
    if (waitedMs >= freeAfterMs) {
      this.#take(held);
      return;
    }
    if (held.holder === null || waitedMs >= silentMs) this.#watch.sawNobody(this.#nowMs);
    const holder = held.holder?.replica;
    if (this.link !== null && this.link.holder !== holder) this.#unlink();
    if (this.link !== null || holder === undefined || !this.joined || !holder.joined) return;
    if (holder.alive && holder.transport.standing === 'leading') this.#connect(holder);
  }

  #take(held: SimulatedLease): void {
    this.#unlink();
    held.holder = this.#process;
    held.term += 1;
    held.renewedMs = this.#nowMs;
    this.#watch.begun();
    this.#watch.inTouch(true, this.#nowMs);
    this.transport.lead(held.term, this.#nowMs);
  }

  #connect(holder: SimulatedReplica): void {
    links += 1;
    this.#linkName = `${this.name}#${links}`;
    const link: Link = {
      holder,
      toHolder: [],
      toReplica: [],
      frozen: false,
      replicaEndsMs: 0,
      holderEndsMs: 0,
    };
    this.link = link;
    holder.serving.set(this.#linkName, link);
    this.#watch.inTouch(true, this.#nowMs);
    this.transport.link((message) => void link.toHolder.push(message));
  }

  #unlink(): void {
    if (this.link === null) return;
    this.link.frozen = true;
    this.link.holderEndsMs = this.#nowMs;
    this.link = null;
    this.#watch.inTouch(false, this.#nowMs);
    this.transport.unlink();
  }

  #stepDown(): void {
    this.transport.stepDown();
    this.#watch.inTouch(false, this.#nowMs);
    for (const link of this.serving.values()) {
      link.frozen = true;
      link.replicaEndsMs = this.#nowMs;
    }
    this.serving.clear();
  }

  #noticeLinks(): void {
    if (this.link?.frozen === true && this.#nowMs >= this.link.replicaEndsMs) this.#unlink();
    for (const [name, link] of this.serving) {
      if (!link.frozen || this.#nowMs < link.holderEndsMs) continue;
      this.serving.delete(name);
      this.transport.replicaGone(name, this.#nowMs);
    }
  }
}
