/** What a cluster says about who may use which endpoints of a service. */
import { Each } from '../derive/derived.js';
import { Grouping } from '../derive/grouping.js';
import { Input, type Table } from '../derive/table.js';
import type { EndpointPlace } from '../publish/scope-endpoints.js';
import { only } from './build-mesh.js';
import { slicesByService } from './build-services.js';
import type { ManifestTables } from './manifest-tables.js';

/** As publish/scope-endpoints.ts has it, as plain data. */
export interface ServiceScope {
  readonly localOnly: boolean;
  /** By address. */
  readonly places: Readonly<Record<string, EndpointPlace>>;
}

export interface ScopeTables {
  /** By the service's key; only of services whose endpoints are not for everybody. */
  readonly services: Table<ServiceScope>;
  /** Zone by node. */
  readonly zones: Table<Readonly<Record<string, string>>>;
}

export function deriveScopes({ services, slices, nodes }: ManifestTables): ScopeTables {
  const byService = slicesByService(slices);
  const scopes = new Each(services, ({ manifest: { localOnly } }, _, key) => {
    const endpoints = byService.get(key).flatMap(({ manifest }) => manifest.endpoints);
    const hinted = endpoints.some(({ forZones, forNodes }) => forZones.length + forNodes.length > 0);
    if (!hinted && !localOnly) return undefined;
    const places = endpoints.map(({ address, node, forZones, forNodes }) => [
      address,
      { node, forZones, forNodes },
    ]);
    return { localOnly, places: Object.fromEntries(places) as ServiceScope['places'] };
  });
  const zoneOf = new Each(nodes, ({ manifest }) => ({
    node: manifest.id.name,
    zone: manifest.locality.zone,
  }));
  const allNodes = new Grouping(zoneOf, () => [only]);
  const one = new Input<true>(services.graph);
  one.set(only, true);
  const zones = new Each(one, () =>
    Object.fromEntries(allNodes.get(only).map(({ node, zone }) => [node, zone])),
  );
  return { services: scopes, zones };
}
