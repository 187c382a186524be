/**
 * Moves every workload's transport phase by what nodes report and acknowledge. Nothing here waits or asks: times and
 * generations are told. The rules:
 *
 * - a workload comes to `arriving` only after its own node has reported it ready;
 * - TLS is demanded (`weft-tls`) only once every node has `arriving` in force;
 * - capture ends only once every node has `leaving` in force, or {@link releaseMs} have passed;
 * - nothing moves past what another replica has not taken in: it may be the next to decide;
 * - a node or replica that has been gone for {@link patienceMs} is not waited for;
 * - who has just begun to decide goes on from the newest phases that replicas hold ({@link TransportPhases.replicaCame}),
 *   or, where no replica was left, from those that agents bring ({@link TransportPhases.come}).
 */
import type { Capture, TransportPhase } from '../../model/workload.js';
import type { Changes } from '../publish/snapshot.js';
import type { WorkloadResource } from './held-phases.js';
import { nextPhase, type PhaseFacts } from './next-phase.js';
import { NodeBook, patienceMs, releaseMs } from './node-book.js';
import {
  isNewer,
  isTrivial,
  noTable,
  type PhaseEntry,
  type PhaseNews,
  type TableStamp,
} from './phase-news.js';
import { TrackIndex } from './track-index.js';

/** From the moment a phase is known to all to the next one: connections that were begun before get through. */
export const settleMs = 1000;
/**
 * So long a new holder moves nothing: by then every other replica has come to it, or serves nobody until it has
 * (cutOffMs in watch-holder.ts, and the time in which a replica looks at the lease).
 */
export const takeOverMs = 15_000;

interface Track {
  /** As the manifests want it. */
  base: WorkloadResource;
  phase: TransportPhase;
  /** The last one there was: it outlives the wish. */
  capture: Capture | null;
  /** The generation that told phase and wish, and when; null until then. */
  told: { readonly generation: number; readonly atMs: number } | null;
  /** Since when every node has that generation in force. */
  knownSinceMs: number | null;
  /** It was brought by those who held it before this controller decided. */
  adopted: boolean;
}

export interface Advance {
  /** What must be told; null: nothing. */
  readonly news: PhaseNews | null;
  /** Something goes on when a node speaks or time passes. */
  readonly waiting: boolean;
}

export class TransportPhases {
  readonly #startMs: number;
  readonly #tracks = new Map<string, Track>();
  readonly #index = new TrackIndex();
  readonly #nodes = new NodeBook();
  /** What was brought of workloads that are not known (yet). */
  readonly #brought = new Map<string, PhaseEntry>();
  /** The newest table that was brought by a replica. */
  #inherited: TableStamp;
  /** Agents brought phases: others, which have not come yet, may hold some too. */
  #restarted = false;
  #moved = false;
  #stamp: TableStamp;
  #gone: string[] = [];

  /** `inherited`: the table that this controller has followed. `term`: of what is decided from now on. */
  constructor(nowMs: number, inherited: PhaseNews = noTable, term = 0) {
    this.#startMs = nowMs;
    this.#inherited = inherited.stamp;
    this.#stamp = { ...inherited.stamp };
    this.beginTerm(term);
    for (const [uid, entry] of inherited.entries) if (!isTrivial(entry)) this.#brought.set(uid, entry);
  }

  /** From now on the table is of this term, or of a higher one where that has been seen. */
  beginTerm(term: number): void {
    const { term: inherited } = this.#inherited;
    this.#stamp = { ...this.#stamp, term: inherited === 0 ? term : Math.max(term, inherited + 1) };
  }

  /** An agent has come. `held`: phases that it has in force; they count where nobody has decided anything yet. */
  come(node: string, via: string, held: ReadonlyMap<string, TransportPhase>, nowMs: number): void {
    const first = this.#nodes.connected === 0;
    this.#nodes.come(node, via, nowMs);
    this.#index.rouse(node);
    if (this.#inherited.term > 0 || nowMs - this.#startMs >= patienceMs) return;
    for (const [uid, phase] of held) {
      if (phase === 'plaintext') continue;
      this.#restarted = true;
      const track = this.#tracks.get(uid);
      // Others that were told plaintext meanwhile must not be asked for TLS at once.
      const safe = phase === 'weft-tls' && !first ? 'arriving' : phase;
      if (track === undefined) this.#brought.set(uid, broughtByAgent);
      else if (track.phase === 'plaintext' && track.base.body.captured) {
        adopt(track, safe);
        this.#index.restless.add(uid);
      }
    }
  }

  gone(node: string, via: string, nowMs: number): void {
    for (const one of [node, ...this.#nodes.gone(node, via, nowMs)]) this.#index.rouse(one);
  }

  acked(node: string, via: string, generation: number): void {
    this.#nodes.acked(node, via, generation);
  }

  /** All workloads of a node; true: captured, and its identity in force. */
  report(node: string, via: string, workloads: ReadonlyMap<string, boolean>): void {
    this.#nodes.report(node, via, workloads);
    this.#index.rouse(node);
  }

  /** Another replica has come with the table that it holds; a newer one than was inherited counts, until something moves. */
  replicaCame(replica: string, table: PhaseNews, nowMs: number): void {
    this.#nodes.replicaCame(replica);
    const newer = isNewer(table.stamp, this.#inherited) && table.stamp.term > 0;
    const alone = table.stamp.term === 0 && this.#inherited.term === 0;
    if (this.#moved || nowMs - this.#startMs >= patienceMs || !(newer || alone)) return;
    if (newer) {
      this.#inherited = table.stamp;
      const generation = Math.max(this.#stamp.generation, table.stamp.generation);
      this.#stamp = { term: Math.max(this.#stamp.term, table.stamp.term + 1), generation };
    }
    for (const [uid, entry] of table.entries) this.#bring(uid, entry, newer);
  }

  replicaGone(replica: string, nowMs: number): void {
    this.#nodes.replicaGone(replica, nowMs);
    for (const uid of this.#tracks.keys()) this.#index.restless.add(uid);
  }

  /** The replica publishes everything up to this generation. */
  replicaApplied(replica: string, generation: number): void {
    this.#nodes.replicaApplied(replica, generation);
  }

  /** What the manifests want now, as far as it has changed. */
  want(changes: Changes): void {
    const workloads = [...changes].flatMap(([id, resource]) => {
      const concerned = id.startsWith('workload ');
      const base = resource?.kind === 'workload' ? resource : undefined;
      return concerned ? [{ uid: id.slice(id.indexOf(' ') + 1), base }] : [];
    });
    for (const { uid, base } of workloads) {
      const before = this.#tracks.get(uid)?.base;
      if (before !== undefined) this.#index.leave(before);
      if (base !== undefined) this.#index.join(base);
    }
    for (const { uid, base } of workloads) {
      const track = this.#tracks.get(uid);
      if (base === undefined) {
        if (this.#tracks.delete(uid)) this.#gone.push(uid);
      } else if (track !== undefined) rebase(track, base, this.#index);
      else this.#tracks.set(uid, this.#newTrack(base));
    }
  }

  /** Moves what can be moved, and gives what has changed since the last time. `mayMove`: this controller decides. */
  advance(nowMs: number, mayMove: boolean): Advance {
    const { overdue, expected } = this.#nodes.reportsDue(nowMs);
    for (const node of overdue) this.#index.rouse(node);
    let waiting = expected;
    // Zero is before every generation.
    const ackedByAll = this.#allCame(nowMs) ? this.#nodes.ackedByAll(nowMs) : 0;
    const moves = mayMove && this.#tookOver(nowMs);
    const untold = new Map<string, Track>();
    for (const uid of this.#index.restless) {
      const track = this.#tracks.get(uid);
      if (track === undefined) continue;
      const facts = this.#factsOf(track, ackedByAll, nowMs);
      const phase = nextPhase(track.phase, facts);
      const moved = moves && phase !== track.phase;
      this.#moved ||= moved;
      if (moved) move(track, phase);
      const goesOn = moved || nextPhase(track.phase, { ...facts, known: true }) !== track.phase;
      waiting ||= goesOn;
      if (!goesOn) this.#index.restless.delete(uid);
      if (track.told === null) untold.set(uid, track);
    }
    return { news: this.#tell(untold, nowMs), waiting };
  }

  /** The whole table, for a replica that has just come. */
  table(): PhaseNews {
    const told = [...this.#tracks].filter(([, track]) => track.told !== null);
    const entries = new Map(told.map(([uid, track]) => [uid, entryOf(track)] as const));
    return { stamp: this.#stamp, whole: true, entries, gone: [] };
  }

  #tell(changed: ReadonlyMap<string, Track>, nowMs: number): PhaseNews | null {
    if (changed.size === 0 && this.#gone.length === 0) return null;
    const generation = this.#stamp.generation + 1;
    this.#stamp = { ...this.#stamp, generation };
    for (const track of changed.values()) track.told = { generation, atMs: nowMs };
    const entries = new Map([...changed].map(([uid, track]) => [uid, entryOf(track)] as const));
    const gone = this.#gone;
    this.#gone = [];
    return { stamp: this.#stamp, whole: false, entries, gone };
  }

  #newTrack(base: WorkloadResource): Track {
    const { capture } = base.body;
    const track: Track = {
      base,
      phase: 'plaintext',
      capture,
      told: null,
      knownSinceMs: null,
      adopted: false,
    };
    const brought = this.#brought.get(base.name);
    this.#brought.delete(base.name);
    if (brought !== undefined) takeOver(track, brought);
    return track;
  }

  #bring(uid: string, entry: PhaseEntry, decided: boolean): void {
    const track = this.#tracks.get(uid);
    if (track === undefined) {
      if (!isTrivial(entry)) this.#brought.set(uid, entry);
    } else if (entry.phase !== track.phase && (decided || track.phase === 'plaintext')) {
      takeOver(track, entry);
      this.#index.restless.add(uid);
    }
  }

  #factsOf(track: Track, ackedByAll: number, nowMs: number): PhaseFacts {
    const { captured: wanted, node } = track.base.body;
    const said = this.#nodes.readiness(node, track.base.name, nowMs);
    if (said !== undefined) track.adopted = false;
    // The phase was brought, so it was ready, and nobody has said otherwise.
    const ready = said ?? track.adopted;
    return { wanted, ready, known: isKnown(track, wanted && ready, ackedByAll, nowMs) };
  }

  #tookOver(nowMs: number): boolean {
    return this.#inherited.term === 0 || nowMs - this.#startMs >= takeOverMs;
  }

  /** After a change of the decider, nodes that run workloads and have not come yet count as those that are gone. */
  #allCame(nowMs: number): boolean {
    const changed = this.#restarted || this.#inherited.term > 0;
    if (!changed || nowMs - this.#startMs >= patienceMs) return true;
    for (const { base, phase } of this.#tracks.values()) {
      const concerned = base.body.captured || phase !== 'plaintext';
      if (concerned && !this.#nodes.has(base.body.node)) return false;
    }
    return true;
  }
}

const broughtByAgent: PhaseEntry = { phase: 'arriving', wanted: true, capture: null, since: 0 };

function entryOf({ base, phase, capture, told }: Track): PhaseEntry {
  const speaks = phase !== 'plaintext';
  return {
    phase,
    wanted: base.body.captured,
    capture: speaks ? capture : null,
    since: told?.generation ?? 0,
  };
}

function isKnown(track: Track, up: boolean, ackedByAll: number, nowMs: number): boolean {
  const { told } = track;
  if (told === null) return false;
  if (told.generation <= ackedByAll) track.knownSinceMs ??= nowMs;
  else track.knownSinceMs = null;
  const waitMs = track.phase === 'plaintext' ? 0 : settleMs;
  if (track.knownSinceMs !== null && nowMs - track.knownSinceMs >= waitMs) return true;
  // Whoever wants to go is not held up for ever; TLS is never demanded of a node that has not said it knows.
  return !up && nowMs - told.atMs >= releaseMs;
}

function move(track: Track, phase: TransportPhase): void {
  track.phase = phase;
  track.told = null;
  track.knownSinceMs = null;
}

function adopt(track: Track, phase: TransportPhase): void {
  move(track, phase);
  track.adopted = true;
}

/** Goes on from what another decider told of the workload. One that was to be released then is so until all know. */
function takeOver(track: Track, { phase, capture }: PhaseEntry): void {
  track.capture ??= capture;
  // Nobody knows how to go on capturing it: it was released while nobody decided.
  if (phase !== 'plaintext' && track.capture === null) return;
  adopt(track, phase);
}

/** Takes another version of what is wanted. */
function rebase(track: Track, base: WorkloadResource, index: TrackIndex): void {
  const before = track.base;
  if (before.version === base.version) return;
  track.base = base;
  track.capture = base.body.capture ?? track.capture;
  const displaced = base.body.capture === null && index.isTaken(base.body.node, track.capture);
  if (displaced) move(track, 'plaintext');
  else if (before.body.captured !== base.body.captured) move(track, track.phase);
}
