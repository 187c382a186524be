/** Services and their endpoints. */
import type { Endpoint, EndpointSet, Service } from '../../model/service.js';
import type { Workload } from '../../model/workload.js';
import {
  type EndpointSliceManifest,
  manifestKey,
  type ServiceManifest,
  type SliceEndpoint,
} from '../parse/manifest.js';
import type { BuildMemo } from './build-memo.js';
import type { AddressOwners } from './build-workloads.js';
import type { CrossCheck, Stored } from './manifests-by-kind.js';

/** Services without the addresses that somebody else owns. */
export function buildServices(
  manifests: readonly Stored<ServiceManifest>[],
  owners: AddressOwners,
  check: CrossCheck,
): Service[] {
  return manifests.map((stored) => {
    const key = manifestKey(stored.manifest.id);
    const addresses = stored.manifest.service.addresses.filter((address) => {
      const owner = owners.get(address);
      if (owner === undefined) owners.set(address, key);
      else if (owner !== key) {
        const fix = 'give each service its own virtual address';
        check.error(stored, ['spec', 'clusterIP'], address, `belongs to ${owner} already`, fix);
      }
      return owner === undefined;
    });
    return { ...stored.manifest.service, addresses };
  });
}

/** Finds workloads for endpoints. */
export class WorkloadIndex {
  readonly #byAddress = new Map<string, Workload>();
  /** Slices name pods that are not workloads of their own (the host's network), or not known yet. */
  readonly unknownTargets: boolean;

  /** @param unknownTargets whether it is usual that a slice names a pod that no workload is known for */
  constructor(workloads: readonly Workload[], unknownTargets: boolean) {
    this.unknownTargets = unknownTargets;
    for (const workload of workloads) {
      for (const address of workload.addresses) this.#byAddress.set(address, workload);
    }
  }

  /** The workload that owns an endpoint's address; what a slice's targetRef claims beyond that does not count. */
  find(endpoint: SliceEndpoint): Workload | undefined {
    return this.#byAddress.get(endpoint.address);
  }
}

/** One set for each service, from all slices that name it; a service without slices has an empty set. */
export function buildEndpointSets(
  services: readonly Service[],
  slices: readonly Stored<EndpointSliceManifest>[],
  workloads: WorkloadIndex,
  check: CrossCheck,
  memo: BuildMemo,
): EndpointSet[] {
  const byService = new Map<string, Stored<EndpointSliceManifest>[]>();
  for (const stored of slices) {
    const key = `${stored.manifest.id.namespace}/${stored.manifest.service}`;
    const others = byService.get(key);
    if (others === undefined) byService.set(key, [stored]);
    else others.push(stored);
  }
  const slicesOf = ({ namespace, name }: Service) => byService.get(`${namespace}/${name}`) ?? [];
  const sets = memo.each(
    'endpoints',
    services,
    check,
    (service) => {
      const own = slicesOf(service);
      const found = own.flatMap(({ manifest }) => manifest.endpoints.map((one) => workloads.find(one)));
      return [workloads.unknownTargets, ...own, ...found];
    },
    (service, own) => buildEndpoints(service, slicesOf(service), workloads, own),
  );
  for (const { namespace, name } of services) byService.delete(`${namespace}/${name}`);
  for (const orphan of [...byService.values()].flat()) {
    const path = ['metadata', 'labels', 'kubernetes.io/service-name'];
    check.warning(orphan, path, orphan.manifest.service, 'names no known service', 'add the service');
  }
  return sets;
}

function buildEndpoints(
  service: Service,
  slices: readonly Stored<EndpointSliceManifest>[],
  workloads: WorkloadIndex,
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
