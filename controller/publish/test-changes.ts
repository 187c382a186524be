/** For tests: changes from whole lists of resources. */
import type { Resource } from '../../model/resource.js';
import { type ResourceId, resourceId } from './resource-id.js';
import type { Changes, Snapshot } from './snapshot.js';

/** What leads from a snapshot to exactly these resources. */
export function changesTo(resources: readonly Resource[], before?: Snapshot | null): Changes {
  const gone: ResourceId[] = [...(before?.resources.keys() ?? [])];
  const kept = resources.map((resource) => [resourceId(resource), resource] as const);
  return new Map<ResourceId, Resource | undefined>([...gone.map((id) => [id, undefined] as const), ...kept]);
}
