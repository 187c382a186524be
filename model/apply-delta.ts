/**
 * The next snapshot. Each resource is taken or refused by itself: a refused one keeps its last good version (a
 * policy without one is broken: its targets are closed), everything else advances. The cost is that of what
 * changed and of the services and namespaces it touches, not that of the mesh.
 */
import { checkResource } from './check-resource.js';
import { maxHeaderNames } from './header-draft.js';
import { problem } from './problem.js';
import type { Delta, Problem, Resource, ResourceKey } from './resource.js';
import type { Snapshot } from './snapshot.js';
import { SnapshotDraft, type Touched } from './snapshot-draft.js';

export interface Refusal {
  readonly key: ResourceKey;
  /** The version that was refused. */
  readonly version: string;
  readonly problems: readonly Problem[];
}

export interface Applied {
  readonly snapshot: Snapshot;
  readonly refusals: readonly Refusal[];
  readonly touched: Touched;
}

/**
 * Applies a delta: removals first, then upserts in their order. Indices of workloads go last: their workloads may have
 * come into others, and stay what they are.
 *
 * @param version the controller's number of the view that the delta leads to
 */
export function applyDelta(snapshot: Snapshot, delta: Delta, version: number): Applied {
  const draft = new SnapshotDraft(snapshot);
  const refusals: Refusal[] = [];
  for (const key of delta.removals) if (key.kind !== 'workload-index') draft.remove(key);
  for (const resource of delta.upserts) {
    const problems = [...checkResource(resource), ...findConflicts(draft, resource)];
    if (problems.length === 0) draft.put(resource);
    else {
      refusals.push({
        key: { kind: resource.kind, name: resource.name },
        version: resource.version,
        problems,
      });
      refuse(draft, resource);
    }
  }
  for (const key of delta.removals) if (key.kind === 'workload-index') draft.remove(key);
  return { ...draft.finish(version), refusals };
}

/** A policy without a last good version closes its targets; any other resource stays as it was. */
function refuse(draft: SnapshotDraft, resource: Resource): void {
  if (resource.kind !== 'authorization-policy') return;
  // A resource that speaks for another's name or namespace must not close anything there.
  const { namespace, name } = resource.body;
  if (resource.name !== `${namespace}/${name}` || resource.ownerNamespace !== namespace) return;
  const standing = draft.resource('authorization-policy', resource.name);
  if (standing !== undefined && !standing.body.broken) return;
  draft.put({ ...resource, body: { ...resource.body, broken: true } });
}

/** What clashes with other resources: those in force stay as they are, the newcomer is refused. */
function findConflicts(draft: SnapshotDraft, resource: Resource): Problem[] {
  const problems: Problem[] = [];
  for (const [index, address] of (resource.kind === 'service' ? resource.body.addresses : []).entries()) {
    const owner = draft.serviceAt(address);
    if (owner === undefined || owner === resource.name) continue;
    const message = `the address belongs to service ${owner}`;
    problems.push(
      problem(`addresses[${index}]`, address, message, 'choose an address that no other service has'),
    );
  }
  const names = draft.headersBeyondLimit(resource);
  if (names.length > 0) {
    const message = `routes and policies may read ${maxHeaderNames} different headers in all; these would be too many`;
    problems.push(
      problem('rules', names.join(', '), message, 'read headers that are already read, or fewer'),
    );
  }
  return problems;
}
