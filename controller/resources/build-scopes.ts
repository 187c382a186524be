/** What a cluster says about who may use which endpoints of a service. */
import type { EndpointSet } from '../../model/service.js';
import type { EndpointPlace, NodeScopes } from '../publish/scope-endpoints.js';
import type { ManifestsByKind } from './manifests-by-kind.js';

export function buildScopes(
  { services, slices, nodes }: Pick<ManifestsByKind, 'services' | 'slices' | 'nodes'>,
  sets: readonly EndpointSet[],
): NodeScopes {
  const places = new Map<string, Map<string, EndpointPlace>>();
  const hinted = new Set<string>();
  for (const { manifest } of slices) {
    const key = `${manifest.id.namespace}/${manifest.service}`;
    const ofService = places.get(key) ?? new Map<string, EndpointPlace>();
    if (ofService.size === 0) places.set(key, ofService);
    for (const { address, node, forZones, forNodes } of manifest.endpoints) {
      ofService.set(address, { node, forZones, forNodes });
      if (forZones.length + forNodes.length > 0) hinted.add(key);
    }
  }
  const localOnly = new Set(
    services.flatMap(({ manifest: { id, localOnly } }) => (localOnly ? [`${id.namespace}/${id.name}`] : [])),
  );
  const scopes = sets.flatMap(({ namespace, name }) => {
    const key = `${namespace}/${name}`;
    if (!hinted.has(key) && !localOnly.has(key)) return [];
    const scope = { localOnly: localOnly.has(key), places: places.get(key) ?? new Map() };
    return [[key, scope] as const];
  });
  const zones = nodes.map(({ manifest }) => [manifest.id.name, manifest.locality.zone] as const);
  return { services: new Map(scopes), zones: new Map(zones) };
}
