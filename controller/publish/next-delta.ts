/** What an agent must be sent next, from what it holds and what it should hold. Pure. */
import type { Resource } from '../../model/resource.js';
import type { ResourceId } from './resource-id.js';
import type { NodeView } from './snapshot.js';

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
  const { goneHere, since, most = maxPerDelta } = limits;
  const changed = view.changedSince(since);
  const upserts: Resource[] = [];
  const removals: ResourceId[] = [];
  let complete = true;
  for (const id of changed ?? view.ids()) {
    const resource = view.get(id);
    if (resource === undefined || held.get(id) === resource.version) continue;
    if (upserts.length === most) {
      complete = false;
      break;
    }
    upserts.push(resource);
  }
  for (const id of changed ?? held.keys()) {
    if (view.get(id) !== undefined || !held.has(id) || (view.incomplete && !goneHere(id))) continue;
    if (upserts.length + removals.length >= most) complete = false;
    else removals.push(id);
  }
  return { upserts, removals, complete };
}
