/**
 * Moves every workload's transport phase by what nodes report and acknowledge. Nothing here waits or asks: times and
 * versions are told. The rules:
 *
 * - a workload comes to `arriving` only after its own node has reported it ready;
 * - TLS is demanded (`weft-tls`) only once every node has `arriving` in force;
 * - capture ends only once every node has `leaving` in force, or {@link patienceMs} have passed;
 * - a node that has been gone for {@link patienceMs} is not waited for;
 * - a controller that has just started goes on from the phases that agents bring ({@link TransportPhases.come}).
 */
import type { Resource } from '../../model/resource.js';
import type { Capture, TransportPhase } from '../../model/workload.js';
import { makeResource } from '../resources/make-resource.js';
import { nextPhase, type PhaseFacts } from './next-phase.js';
import { NodeBook, patienceMs } from './node-book.js';

/** From the moment a phase is known to all to the next one: connections that were begun before get through. */
export const settleMs = 1000;

type WorkloadResource = Extract<Resource, { kind: 'workload' }>;

interface Track {
  /** As the manifests want it. */
  base: WorkloadResource;
  phase: TransportPhase;
  /** The last one there was: it outlives the wish. */
  capture: Capture | null;
  /** The version that brought phase and wish, and when it was published; null until then. */
  told: { readonly version: number; readonly atMs: number } | null;
  /** Since when every node has that version in force. */
  knownSinceMs: number | null;
  /** An agent brought the phase over a restart of the controller. */
  adopted: boolean;
  /** What is published, made of the above. */
  made: WorkloadResource | null;
}

export interface Advance {
  /** Something must be published. */
  readonly changed: boolean;
  /** Something goes on when a node speaks or time passes. */
  readonly waiting: boolean;
}

export class TransportPhases {
  readonly #startMs: number;
  readonly #tracks = new Map<string, Track>();
  readonly #nodes = new NodeBook();
  /** What agents brought of workloads that are not known (yet). */
  readonly #brought = new Map<string, TransportPhase>();
  /** Agents brought phases: others, which have not come yet, may hold some too. */
  #restarted = false;

  constructor(nowMs: number) {
    this.#startMs = nowMs;
  }

  /** An agent has come. `held`: phases that it has in force; they count where this controller has decided nothing yet. */
  come(node: string, held: ReadonlyMap<string, TransportPhase>, nowMs: number): void {
    const first = this.#nodes.connected === 0;
    this.#nodes.come(node, nowMs);
    if (nowMs - this.#startMs >= patienceMs) return;
    for (const [uid, phase] of held) {
      if (phase === 'plaintext') continue;
      this.#restarted = true;
      const track = this.#tracks.get(uid);
      // Others that were told plaintext meanwhile must not be asked for TLS at once.
      const safe = phase === 'weft-tls' && !first ? 'arriving' : phase;
      if (track === undefined) this.#brought.set(uid, 'arriving');
      else if (track.phase === 'plaintext' && track.base.body.captured) adopt(track, safe);
    }
  }

  gone(node: string, nowMs: number): void {
    this.#nodes.gone(node, nowMs);
  }

  acked(node: string, version: number): void {
    this.#nodes.acked(node, version);
  }

  /** All workloads of a node; true: captured, and its identity in force. */
  report(node: string, workloads: ReadonlyMap<string, boolean>): void {
    this.#nodes.report(node, workloads);
  }

  /** The workloads that the manifests want now. */
  want(resources: readonly Resource[]): void {
    const wanted = resources.filter((resource) => resource.kind === 'workload');
    const places = new Set(wanted.flatMap(({ body }) => placeOf(body.node, body.capture) ?? []));
    const uids = new Set(wanted.map(({ name }) => name));
    for (const uid of this.#tracks.keys()) if (!uids.has(uid)) this.#tracks.delete(uid);
    for (const base of wanted) {
      const track = this.#tracks.get(base.name);
      if (track !== undefined) rebase(track, base, places);
      else this.#tracks.set(base.name, this.#newTrack(base));
    }
  }

  /** Moves what can be moved. */
  advance(nowMs: number): Advance {
    // Zero is before every version.
    const ackedByAll = this.#allCame(nowMs) ? this.#nodes.ackedByAll(nowMs) : 0;
    let changed = false;
    let waiting = this.#nodes.reportsDue;
    for (const track of this.#tracks.values()) {
      const facts = this.#factsOf(track, ackedByAll, nowMs);
      const phase = nextPhase(track.phase, facts);
      const moved = phase !== track.phase;
      if (moved) move(track, phase);
      waiting ||= moved || nextPhase(phase, { ...facts, known: true }) !== phase;
      changed ||= track.told === null;
    }
    return { changed, waiting };
  }

  /** Resources as they shall be published: workloads in their phases, all else as it is. */
  inForce(resources: readonly Resource[]): Resource[] {
    return resources.map((resource) => {
      const track = resource.kind === 'workload' ? this.#tracks.get(resource.name) : undefined;
      if (track === undefined) return resource;
      track.made ??= make(track);
      return track.made;
    });
  }

  /** What {@link inForce} gave last is published. */
  published(version: number, nowMs: number): void {
    for (const track of this.#tracks.values()) track.told ??= { version, atMs: nowMs };
  }

  #newTrack(base: WorkloadResource): Track {
    const { capture, captured } = base.body;
    const track: Track = {
      base,
      phase: 'plaintext',
      capture,
      told: null,
      knownSinceMs: null,
      adopted: false,
      made: null,
    };
    const brought = this.#brought.get(base.name);
    this.#brought.delete(base.name);
    if (brought !== undefined && captured) adopt(track, brought);
    return track;
  }

  #factsOf(track: Track, ackedByAll: number, nowMs: number): PhaseFacts {
    const { captured: wanted, node } = track.base.body;
    const said = this.#nodes.readiness(node, track.base.name, nowMs);
    if (said !== undefined) track.adopted = false;
    // Agents brought the phase, so it was ready, and nobody has said otherwise.
    const ready = said ?? track.adopted;
    return { wanted, ready, known: isKnown(track, wanted && ready, ackedByAll, nowMs) };
  }

  /** After a restart of the controller, nodes that run workloads and have not come yet count as those that are gone. */
  #allCame(nowMs: number): boolean {
    if (!this.#restarted || nowMs - this.#startMs >= patienceMs) return true;
    for (const { base } of this.#tracks.values()) {
      if (base.body.captured && !this.#nodes.has(base.body.node)) return false;
    }
    return true;
  }
}

function isKnown(track: Track, up: boolean, ackedByAll: number, nowMs: number): boolean {
  const { told } = track;
  if (told === null) return false;
  if (told.version <= ackedByAll) track.knownSinceMs ??= nowMs;
  else track.knownSinceMs = null;
  const waitMs = track.phase === 'plaintext' ? 0 : settleMs;
  if (track.knownSinceMs !== null && nowMs - track.knownSinceMs >= waitMs) return true;
  // Whoever wants to go is not held up for ever; TLS is never demanded of a node that has not said it knows.
  return !up && nowMs - told.atMs >= patienceMs;
}

function move(track: Track, phase: TransportPhase): void {
  track.phase = phase;
  track.told = null;
  track.knownSinceMs = null;
  track.made = null;
}

function adopt(track: Track, phase: TransportPhase): void {
  move(track, phase);
  track.adopted = true;
}

/** Takes another version of what is wanted. `places`: where other workloads shall be captured now. */
function rebase(track: Track, base: WorkloadResource, places: ReadonlySet<string>): void {
  const before = track.base;
  if (before.version === base.version) return;
  track.base = base;
  track.capture = base.body.capture ?? track.capture;
  track.made = null;
  const place = placeOf(base.body.node, track.capture);
  const displaced = base.body.capture === null && place !== null && places.has(place);
  if (displaced) move(track, 'plaintext');
  else if (before.body.captured !== base.body.captured) move(track, track.phase);
}

/** A namespace of a node, which belongs to one workload; null: its node finds one of its own. */
function placeOf(node: string, capture: Capture | null): string | null {
  return capture === null || capture.netns === '' ? null : `${node}/${capture.netns}`;
}

function make({ base, phase, capture }: Track): WorkloadResource {
  if (phase === 'plaintext') return base;
  const { kind, name, ownerNamespace, body } = base;
  return makeResource(kind, name, ownerNamespace, { ...body, capture, transport: phase }) as WorkloadResource;
}
