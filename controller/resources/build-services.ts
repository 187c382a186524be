/** Services and their endpoints. */
import type { Endpoint, EndpointSet, Service } from '../../model/service.js';
import type { Workload } from '../../model/workload.js';
import { Each } from '../derive/derived.js';
import { Grouping } from '../derive/grouping.js';
import type { Table } from '../derive/table.js';
import { type EndpointSliceManifest, manifestKey, type SliceEndpoint } from '../parse/manifest.js';
import type { BuiltWorkload } from './build-workloads.js';
import type { CrossCheck, Stored } from './cross-check.js';
import type { ManifestTables } from './manifest-tables.js';

/** Services without the addresses that somebody else owns: a workload, or the service whose key comes first. */
export function deriveServices(
  { services }: ManifestTables,
  workloadsByAddress: Grouping<BuiltWorkload>,
): Table<Service> {
  const byAddress = new Grouping(services, ({ manifest }) => manifest.service.addresses);
  return new Each(services, (stored, check) => {
    const { service } = stored.manifest;
    const addresses = service.addresses.filter((address, index) => {
      const [workload] = workloadsByAddress.get(address);
      const [first] = byAddress.get(address);
      if (workload === undefined && first === stored) return service.addresses.indexOf(address) === index;
      const owner = (workload?.stored ?? first)?.manifest.id;
      const fix = 'give each service its own virtual address';
      const message = `belongs to ${owner === undefined ? 'another' : manifestKey(owner)} already`;
      check.error(stored, ['spec', 'clusterIP'], address, message, fix);
      return false;
    });
    return { ...service, addresses };
  });
}

/** Finds workloads for endpoints. */
interface WorkloadFinder {
  /** The workload that owns an endpoint's address; what a slice's targetRef claims beyond that does not count. */
  readonly find: (endpoint: SliceEndpoint) => Workload | undefined;
  /** Slices name pods that are not workloads of their own (the host's network), or not known yet. */
  readonly unknownTargets: boolean;
}

/** One set for each service, from all slices that name it; a service without slices has an empty set. */
export function deriveEndpoints(
  services: Table<Service>,
  { slices }: ManifestTables,
  workloadsByAddress: Grouping<BuiltWorkload>,
  unknownTargets: boolean,
): Table<EndpointSet> {
  const byService = slicesByService(slices);
  const find = ({ address }: SliceEndpoint) => workloadsByAddress.get(address)[0]?.workload;
  const sets = new Each<Service, EndpointSet>(services, (service, check, key) =>
    buildEndpoints(service, byService.get(key), { find, unknownTargets }, check),
  );
  new Each(slices, (stored, check) => {
    const { id, service } = stored.manifest;
    if (services.get(`${id.namespace}/${service}`) !== undefined) return;
    const path = ['metadata', 'labels', 'kubernetes.io/service-name'];
    check.warning(stored, path, service, 'names no known service', 'add the service');
  });
  return sets;
}

/** By `namespace/name`. */
export function slicesByService(
  slices: Table<Stored<EndpointSliceManifest>>,
): Grouping<Stored<EndpointSliceManifest>> {
  return new Grouping(slices, ({ manifest }) => [`${manifest.id.namespace}/${manifest.service}`]);
}

function buildEndpoints(
  service: Service,
  slices: readonly Stored<EndpointSliceManifest>[],
  workloads: WorkloadFinder,
  check: CrossCheck,
): EndpointSet {
  const endpoints = new Map<string, Endpoint>();
  for (const stored of slices) {
    const ports = mapPorts(service, stored, check);
    for (const [index, endpoint] of stored.manifest.endpoints.entries()) {
      const workload = workloads.find(endpoint);
      if (workload !== undefined || !workloads.unknownTargets) {
        warnWrongTarget(stored, index, endpoint, workload, check);
      }
      const built = buildEndpoint(endpoint, ports, workload);
      const other = endpoints.get(endpoint.address);
      endpoints.set(endpoint.address, other === undefined ? built : merge(other, built));
    }
  }
  return { namespace: service.namespace, name: service.name, endpoints: [...endpoints.values()] };
}

function buildEndpoint(
  endpoint: SliceEndpoint,
  ports: Readonly<Record<number, number>>,
  workload: Workload | undefined,
): Endpoint {
  return {
    workloadUid: workload?.uid ?? '',
    address: endpoint.address,
    ports,
    ready: endpoint.ready,
    serving: endpoint.serving,
    zone: endpoint.zone === '' ? (workload?.locality.zone ?? '') : endpoint.zone,
  };
}

/** A slice's ports have the service's port names (EndpointSlice API reference). */
function mapPorts(
  service: Service,
  stored: Stored<EndpointSliceManifest>,
  check: CrossCheck,
): Record<number, number> {
  const names = new Set(service.ports.map((port) => port.name));
  for (const name of Object.keys(stored.manifest.ports)) {
    if (names.has(name)) continue;
    const known = [...names].map((text) => JSON.stringify(text)).join(', ');
    const fix = `use the service's port names: ${known}`;
    check.warning(stored, ['ports'], name, `is no port name of service ${service.name}`, fix);
  }
  const pairs = service.ports.flatMap(({ name, port }) => {
    const target = stored.manifest.ports[name];
    return target === undefined ? [] : [[port, target] as const];
  });
  return Object.fromEntries(pairs) as Record<number, number>;
}

/** Two slices may show one address while an endpoint moves between them. */
function merge(left: Endpoint, right: Endpoint): Endpoint {
  return {
    ...left,
    ports: { ...left.ports, ...right.ports },
    ready: left.ready || right.ready,
    serving: left.serving || right.serving,
  };
}

function warnWrongTarget(
  stored: Stored<EndpointSliceManifest>,
  index: number,
  endpoint: SliceEndpoint,
  workload: Workload | undefined,
  check: CrossCheck,
): void {
  const { target } = endpoint;
  if (target === null) return;
  const fits =
    workload !== undefined &&
    workload.namespace === target.namespace &&
    workload.name === target.name &&
    (target.uid === '' || target.uid === workload.uid);
  if (fits) return;
  const owner = workload === undefined ? 'nobody' : `${workload.namespace}/${workload.name}`;
  const message = `does not own ${endpoint.address}, which is ${owner}'s; the address counts`;
  check.warning(
    stored,
    ['endpoints', index, 'targetRef', 'name'],
    target.name,
    message,
    'correct one of the two',
  );
}
