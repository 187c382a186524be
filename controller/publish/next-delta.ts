/** What an agent must be sent next, from what it holds and what it should hold. Pure. */
import type { Resource } from '../../model/resource.js';
import type { ResourceId } from './resource-id.js';
import type { Entry, NodeView } from './snapshot.js';

/** Resources in one delta; more travel in further ones, so that no message grows without bound. */
export const maxPerDelta = 2000;

/** Versions that an agent holds, or has refused. */
export type HeldVersions = ReadonlyMap<ResourceId, string>;

export interface NextDelta {
  readonly upserts: readonly Resource[];
  readonly removals: readonly ResourceId[];
  /** Nothing is missing once this delta is applied. */
  readonly complete: boolean;
}

export interface DeltaLimits {
  /**
   * Tells resources that this controller itself has seen go. While the view is incomplete, only those are removed:
   * an unreadable file after a restart must not take away what agents still hold from before.
   */
  readonly goneHere: (id: ResourceId) => boolean;
  /** The version that the agent holds in full, 0 for none: only what changed since is looked at, where that is known. */
  readonly since: number;
  readonly most?: number;
}

export function nextDelta(held: HeldVersions, view: NodeView, limits: DeltaLimits): NextDelta {
  const draft = new DeltaDraft(held, view, limits);
  const changed = view.changedSince(limits.since);
  if (changed === null) draft.takeAll(view.entries());
  else draft.takeChanged(changed);
  return draft;
}

class DeltaDraft implements NextDelta {
  readonly upserts: Resource[] = [];
  readonly removals: ResourceId[] = [];
  complete = true;
  readonly #held: HeldVersions;
  readonly #view: NodeView;
  readonly #goneHere: DeltaLimits['goneHere'];
  readonly #most: number;

  constructor(held: HeldVersions, view: NodeView, { goneHere, most = maxPerDelta }: DeltaLimits) {
    this.#held = held;
    this.#view = view;
    this.#goneHere = goneHere;
    this.#most = most;
  }

  /** Looks at everything. An agent that comes with nothing does so once for each of its first deltas. */
  takeAll(entries: readonly Entry[]): void {
    let known = 0;
    for (const [id, resource] of entries) {
      const version = this.#held.get(id);
      if (version !== undefined) known += 1;
      if (version !== resource.version) this.#put(resource);
    }
    if (known === this.#held.size) return;
    const there = new Set(entries.map(([id]) => id));
    for (const id of this.#held.keys()) if (!there.has(id)) this.#remove(id);
  }

  takeChanged(ids: Iterable<ResourceId>): void {
    const gone: ResourceId[] = [];
    for (const id of ids) {
      const resource = this.#view.get(id);
      if (resource === undefined) gone.push(id);
      else if (this.#held.get(id) !== resource.version) this.#put(resource);
    }
    for (const id of gone) if (this.#held.has(id)) this.#remove(id);
  }

  #put(resource: Resource): void {
    if (this.upserts.length >= this.#most) this.complete = false;
    else this.upserts.push(resource);
  }

  #remove(id: ResourceId): void {
    if (this.#view.incomplete && !this.#goneHere(id)) return;
    if (this.upserts.length + this.removals.length >= this.#most) this.complete = false;
    else this.removals.push(id);
  }
}
