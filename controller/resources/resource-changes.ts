/** What is different between one state of the mesh's resources and another: nothing else has to be looked at. */
import type { Resource } from '../../model/resource.js';
import { type ResourceId, resourceId } from '../publish/resource-id.js';
import type { EndpointScope } from '../publish/scope-endpoints.js';

export class ResourceChanges {
  /** New and changed resources; undefined for those that are gone. */
  readonly resources = new Map<ResourceId, Resource | undefined>();
  /** By `namespace/name` of the service, as far as they changed; undefined: its endpoints are for everybody. */
  readonly scopes = new Map<string, EndpointScope | undefined>();
  /** Zone by node; null: as before. */
  zones: ReadonlyMap<string, string> | null = null;

  /** In one step several may have the resource's name: who comes counts, and not who goes. */
  note(before: Resource | undefined, after: Resource | undefined): void {
    if (before !== undefined) {
      const id = resourceId(before);
      const other = this.resources.get(id);
      if (other === undefined || other === before) this.resources.set(id, undefined);
    }
    if (after !== undefined) this.resources.set(resourceId(after), after);
  }

  noteScope(service: string, scope: EndpointScope | undefined): void {
    this.scopes.set(service, scope);
  }

  noteZones(zones: Readonly<Record<string, string>>): void {
    this.zones = new Map(Object.entries(zones));
  }
}
