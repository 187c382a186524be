/** discovery.k8s.io/v1 EndpointSlice. */
import { parseAddress } from '../../model/address.js';
import { fieldProblem } from './field-problem.js';
import type { Fields } from './fields.js';
import type { EndpointSliceManifest, SliceEndpoint } from './manifest.js';
import type { ObjectMetadata } from './object-metadata.js';

/** Names the service of a slice. */
export const serviceNameLabel = 'kubernetes.io/service-name';

export function parseEndpointSlice(object: Fields, metadata: ObjectMetadata): EndpointSliceManifest | null {
  const { namespace, name, labels } = metadata;
  const service = labels[serviceNameLabel] ?? '';
  if (service === '') {
    const path = [...object.path, 'metadata', 'labels', serviceNameLabel];
    object.problems.push(fieldProblem(path, '', 'is missing', "add the service's name as this label"));
  }
  const type = object.oneOf('addressType', ['IPv4', 'IPv6', 'FQDN']);
  if (!object.has('addressType')) object.problem('addressType', 'is missing', 'write IPv4 or IPv6');
  if (type === 'FQDN') object.problem('addressType', 'is not supported', 'write IPv4 or IPv6');
  const ports: Record<string, number> = {};
  for (const port of object.objects('ports', 100)) readPort(port, ports);
  const endpoints = object.objects('endpoints', 1000).flatMap((item) => readEndpoint(item, namespace) ?? []);
  return { id: { kind: 'EndpointSlice', namespace, name }, service, ports, endpoints };
}

function readPort(port: Fields, ports: Record<string, number>): void {
  const name = port.text('name') ?? '';
  const transport = port.oneOf('protocol', ['TCP', 'UDP', 'SCTP']) ?? 'TCP';
  const number = port.number('port', 1, 65_535);
  port.ignore('appProtocol');
  port.finish();
  if (transport !== 'TCP' || number === undefined) return;
  if (Object.hasOwn(ports, name)) port.problem('name', 'is used twice', 'give each port its own name');
  Object.defineProperty(ports, name, { value: number, enumerable: true });
}

/** An endpoint's addresses are interchangeable; consumers use the first (EndpointSlice API reference). */
function readEndpoint(endpoint: Fields, namespace: string): SliceEndpoint | null {
  const [text] = endpoint.texts('addresses', 100);
  const conditions = endpoint.object('conditions');
  const terminating = conditions?.flag('terminating') ?? false;
  // Ready while terminating is what publishNotReadyAddresses asks for, so it counts where it is written.
  const ready = conditions?.flag('ready') ?? !terminating;
  const serving = conditions?.flag('serving') ?? ready;
  conditions?.finish();
  const zone = endpoint.text('zone') ?? '';
  const target = readTarget(endpoint, namespace);
  const node = endpoint.text('nodeName') ?? '';
  const hints = endpoint.object('hints');
  const forZones = readHints(hints, 'forZones');
  const forNodes = readHints(hints, 'forNodes');
  endpoint.ignore('hostname', 'deprecatedTopology');
  endpoint.finish();
  const address = text === undefined ? null : parseAddress(text);
  if (address === null) {
    endpoint.problem('addresses', 'holds no IP address', 'give one address');
    return null;
  }
  return { address, ready, serving, zone, node, forZones, forNodes, target };
}

function readHints(hints: Fields | undefined, name: 'forZones' | 'forNodes'): string[] {
  return hints?.objects(name, 64).flatMap((hint) => hint.text('name') ?? []) ?? [];
}

function readTarget(endpoint: Fields, namespace: string): SliceEndpoint['target'] {
  const ref = endpoint.object('targetRef');
  const kind = ref?.text('kind');
  const name = ref?.text('name');
  if (name === undefined || (kind !== 'Pod' && kind !== 'Workload')) return null;
  return { namespace: ref?.text('namespace') ?? namespace, name, uid: ref?.text('uid') ?? '' };
}
