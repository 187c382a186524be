/** Tells where two services declare different protocols for one port of a pod: the pod's port carries one of them only. */
import type { EndpointSet } from '../../model/service.js';
import { Each } from '../derive/derived.js';
import { Grouping } from '../derive/grouping.js';
import type { Table } from '../derive/table.js';
import type { ServiceManifest } from '../parse/manifest.js';
import type { CrossCheck, Stored } from './cross-check.js';
import type { ManifestTables } from './manifest-tables.js';

/** What a service declares for ports of pods. */
interface Declarations {
  readonly stored: Stored<ServiceManifest>;
  /** Indices of the service's ports by `namespace address port` of a pod. */
  readonly places: Readonly<Record<string, readonly number[]>>;
}

interface Declaration {
  readonly stored: Stored<ServiceManifest>;
  readonly index: number;
  readonly protocol: string;
}

/**
 * Only what is declared counts, and only services of one namespace: another namespace's cannot speak for a pod
 * (model/find-destination.ts). Every service that another one contradicts is told of the first that does.
 */
export function checkProtocols({ services }: ManifestTables, sets: Table<EndpointSet>): void {
  const declarations = new Each(services, (stored, _, key) => declaredBy(stored, sets.get(key)));
  const byPlace = new Grouping(declarations, ({ places }) => Object.keys(places));
  new Each(declarations, ({ stored, places }, check) => {
    const told = new Set<string>();
    for (const place of Object.keys(places)) {
      const all = byPlace.get(place).flatMap((one) => declaredAt(one, place));
      for (const own of all) {
        const other = own.stored === stored && all.find(({ protocol }) => protocol !== own.protocol);
        if (other) tell(own, other, place, told, check);
      }
    }
  });
}

function declaredBy(stored: Stored<ServiceManifest>, set: EndpointSet | undefined): Declarations {
  const { id, service, undeclaredPorts } = stored.manifest;
  const places: Record<string, number[]> = {};
  for (const [index, { port }] of service.ports.entries()) {
    if (undeclaredPorts.includes(port)) continue;
    for (const { address, ports } of set?.endpoints ?? []) {
      if (ports[port] === undefined) continue;
      const place = `${id.namespace} ${address} ${ports[port]}`;
      places[place] = [...(places[place] ?? []), index];
    }
  }
  return { stored, places };
}

function declaredAt({ stored, places }: Declarations, place: string): Declaration[] {
  const { ports } = stored.manifest.service;
  return (places[place] ?? []).map((index) => ({ stored, index, protocol: ports[index]?.protocol ?? '' }));
}

function tell(
  own: Declaration,
  other: Declaration,
  place: string,
  told: Set<string>,
  check: CrossCheck,
): void {
  const { name } = other.stored.manifest.id;
  const port = place.slice(place.lastIndexOf(' ') + 1);
  const pair = `${own.index} ${name}.${other.index} ${port}`;
  if (told.has(pair)) return;
  told.add(pair);
  const message = `differs from ${other.protocol}, which service ${name} declares for port ${port} of the same pods`;
  const path = ['spec', 'ports', own.index, 'appProtocol'];
  check.warning(own.stored, path, own.protocol, message, 'declare one protocol', 'ProtocolConflict');
}
