/** Where a connection goes that asks for an address and port: service, workload, outside, or nowhere. */
import { Reason, type ReasonCode } from '../reasons/reasons.js';
import { lookupRange } from './address-ranges.js';
import type { ServicePortView, ServiceView, Snapshot, WorkloadView } from './snapshot.js';
import { workloadAt } from './snapshot.js';
import type { AppProtocol } from './workload.js';
import type { Detail } from './workload-index.js';

export type Destination =
  /** A virtual address of a service and one of its ports. */
  | { readonly kind: 'service'; readonly port: ServicePortView }
  /** A workload's own address: no route is asked. */
  | {
      readonly kind: 'workload';
      readonly view: WorkloadView;
      readonly port: number;
      readonly protocol: AppProtocol;
    }
  /** Nothing of the mesh: to the connection's own destination, as opaque bytes. */
  | { readonly kind: 'passthrough' }
  | { readonly kind: 'refused'; readonly reason: ReasonCode }
  /** The mesh has it, and what deciding needs of it is not here yet: ask the controller for it. */
  | { readonly kind: 'unfetched'; readonly detail: Detail };

const unknown: Destination = { kind: 'refused', reason: Reason.unknown_destination };
const passthrough: Destination = { kind: 'passthrough' };
const denied: Destination = { kind: 'refused', reason: Reason.kernel_range_denied };

/**
 * Looks up a destination: a virtual address first, then a workload, then the mesh's ranges. A port that a service
 * does not have, and an address inside the mesh's own (`proxy`) ranges that nobody owns, are refused as unknown: the
 * configuration may be on its way, so the caller may hold the connection for a while and ask again. So it is with one
 * that is unfetched, once it is asked for.
 *
 * @param address canonical text
 */
export function findDestination(snapshot: Snapshot, address: string, port: number): Destination {
  const serviceKey = snapshot.servicesByAddress.get(address);
  if (serviceKey !== undefined) {
    const service = snapshot.services.get(serviceKey);
    const found = service?.ports.get(port);
    if (found === undefined) return unknown;
    if (service?.endpoints !== undefined) return { kind: 'service', port: found };
    return { kind: 'unfetched', detail: { kind: 'service', name: serviceKey } };
  }
  const view = workloadAt(snapshot, address);
  if (view?.indexed === true)
    return { kind: 'unfetched', detail: { kind: 'workload', name: view.workload.uid } };
  if (view !== undefined)
    return { kind: 'workload', view, port, protocol: portProtocol(snapshot, view, port) };
  switch (lookupRange(snapshot.ranges, address)) {
    case 'proxy':
      return unknown;
    case 'deny':
      return denied;
    case 'direct':
    case undefined:
      return passthrough;
  }
}

/**
 * The protocol that a workload's port is declared to carry, in- and outbound alike: by the workload itself, else by
 * the services of its namespace in front of it; `tcp` where nobody says. Where services disagree one that declares
 * requests wins, so that a further service cannot take a port out of its policies' sight.
 */
export function portProtocol(snapshot: Snapshot, view: WorkloadView, port: number): AppProtocol {
  const { ports, addresses, namespace } = view.workload;
  const own = ports.find((declared) => declared.port === port);
  if (own !== undefined) return own.protocol;
  let found: AppProtocol = 'tcp';
  for (const address of addresses) {
    for (const key of snapshot.servicesByEndpoint.get(address) ?? []) {
      const service = snapshot.services.get(key);
      if (service?.service.namespace !== namespace) continue;
      const declared = protocolBehind(service, address, port);
      if (declared !== undefined && (found === 'tcp' || found === 'tls')) found = declared;
    }
  }
  return found;
}

/** The protocol of the service's port behind which an endpoint's own port stands. */
function protocolBehind(view: ServiceView, address: string, port: number): AppProtocol | undefined {
  const endpoint = view.endpointsByAddress.get(address);
  if (endpoint === undefined) return undefined;
  for (const { port: declared } of view.ports.values()) {
    if (endpoint.ports[declared.port] === port) return declared.protocol;
  }
  return undefined;
}

/** Whether requests on a port of this protocol are decided one by one. */
export function carriesRequests(protocol: AppProtocol): boolean {
  switch (protocol) {
    case 'http':
    case 'http2':
    case 'grpc':
      return true;
    case 'tcp':
    case 'tls':
      return false;
  }
}
