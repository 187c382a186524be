/** Tells where two services declare different protocols for one port of a pod: the pod's port carries one of them only. */
import type { EndpointSet } from '../../model/service.js';
import type { ServiceManifest } from '../parse/manifest.js';
import type { CrossCheck, Stored } from './manifests-by-kind.js';

interface Declaration {
  readonly stored: Stored<ServiceManifest>;
  readonly index: number;
  readonly protocol: string;
}

/**
 * Only what is declared counts, and only services of one namespace: another namespace's cannot speak for a pod
 * (model/find-destination.ts).
 */
export function checkProtocols(
  services: readonly Stored<ServiceManifest>[],
  sets: readonly EndpointSet[],
  check: CrossCheck,
): void {
  const endpointsOf = new Map(sets.map((set) => [`${set.namespace}/${set.name}`, set.endpoints]));
  const first = new Map<string, Declaration>();
  const told = new Set<string>();
  for (const stored of services) {
    const { id, service, undeclaredPorts } = stored.manifest;
    for (const [index, { port, protocol }] of service.ports.entries()) {
      if (undeclaredPorts.includes(port)) continue;
      for (const { address, ports } of endpointsOf.get(`${id.namespace}/${id.name}`) ?? []) {
        if (ports[port] === undefined) continue;
        const declared = { stored, index, protocol };
        const key = `${id.namespace} ${address} ${ports[port]}`;
        const other = first.get(key);
        if (other === undefined) first.set(key, declared);
        else if (other.protocol !== protocol) tellBoth(other, declared, ports[port], told, check);
      }
    }
  }
}

function tellBoth(
  left: Declaration,
  right: Declaration,
  port: number,
  told: Set<string>,
  check: CrossCheck,
): void {
  const names = [left, right].map(({ stored, index }) => `${stored.manifest.id.name}.${index}`);
  const pair = `${left.stored.manifest.id.namespace} ${names.join(' ')} ${port}`;
  if (told.has(pair)) return;
  told.add(pair);
  for (const [own, other] of [
    [left, right],
    [right, left],
  ] as const) {
    const name = other.stored.manifest.id.name;
    const message = `differs from ${other.protocol}, which service ${name} declares for port ${port} of the same pods`;
    const path = ['spec', 'ports', own.index, 'appProtocol'];
    check.warning(own.stored, path, own.protocol, message, 'declare one protocol', 'ProtocolConflict');
  }
}
