/** v1 Service. */
import { parseAddress } from '../../model/address.js';
import type { Balancing, ServicePort } from '../../model/service.js';
import { defaultAffinitySeconds } from '../../model/session-affinity.js';
import { declaresProtocol, readAppProtocol } from './app-protocol.js';
import { fieldProblem } from './field-problem.js';
import type { Fields } from './fields.js';
import type { ServiceManifest } from './manifest.js';
import type { ObjectMetadata } from './object-metadata.js';

/** Chooses how endpoints of the service are picked; see docs/manifests.md. */
export const balancingAnnotation = 'weft.dev/balancing';

const balancings: readonly Balancing[] = ['peak-ewma', 'round-robin', 'least-request'];

export function parseService(object: Fields, metadata: ObjectMetadata): ServiceManifest | null {
  const { namespace, name } = metadata;
  const spec = object.object('spec');
  object.ignore('status');
  if (spec === undefined) {
    if (!object.has('spec')) object.problem('spec', 'is missing', 'add spec with clusterIP and ports');
    return null;
  }
  spec.ignore('selector', 'ipFamilies', 'ipFamilyPolicy');
  // Kubernetes turns trafficDistribution into hints of the slices.
  spec.ignore('externalTrafficPolicy', 'trafficDistribution', 'externalIPs');
  spec.ignore('loadBalancerIP', 'loadBalancerClass', 'loadBalancerSourceRanges', 'healthCheckNodePort');
  spec.ignore('allocateLoadBalancerNodePorts', 'publishNotReadyAddresses', 'externalName');
  const type = spec.oneOf('type', ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']) ?? 'ClusterIP';
  const affinitySeconds = readAffinity(spec);
  const localOnly = spec.oneOf('internalTrafficPolicy', ['Cluster', 'Local']) === 'Local';
  const texts = clusterAddresses(spec);
  const undeclaredPorts: number[] = [];
  const ports = spec.objects('ports', 250).flatMap((port) => readPort(port, undeclaredPorts) ?? []);
  spec.finish();
  const headless = type !== 'ExternalName' && texts.length === 1 && texts[0] === 'None';
  const addresses = type === 'ExternalName' || headless ? [] : readAddresses(spec, texts);
  if (type !== 'ExternalName' && !headless && addresses.length === 0) {
    spec.problem('clusterIP', 'is missing', 'give the virtual address, or None for a headless service');
  }
  const form = type === 'ExternalName' ? 'external-name' : headless ? 'headless' : 'virtual';
  return {
    id: { kind: 'Service', namespace, name },
    service: {
      namespace,
      name,
      addresses,
      ports,
      balancing: readBalancing(object, metadata),
      affinitySeconds,
    },
    undeclaredPorts,
    form,
    localOnly,
  };
}

/** The time counts for ClientIP alone; Kubernetes keeps what else stands there. */
function readAffinity(spec: Fields): number {
  const byClient = spec.oneOf('sessionAffinity', ['None', 'ClientIP']) === 'ClientIP';
  const config = spec.object('sessionAffinityConfig');
  const client = config?.object('clientIP');
  const seconds = client?.number('timeoutSeconds', 1, 86_400) ?? defaultAffinitySeconds;
  client?.finish();
  config?.finish();
  return byClient ? seconds : 0;
}

/** clusterIPs where given; its first entry and clusterIP must agree. */
function clusterAddresses(spec: Fields): string[] {
  const first = spec.text('clusterIP');
  const all = spec.texts('clusterIPs', 2);
  if (first !== undefined && first !== '' && all.length > 0 && all[0] !== first) {
    spec.problem(
      'clusterIPs',
      `does not begin with clusterIP ${first}`,
      'make them agree, or drop clusterIP',
    );
  }
  if (all.length > 0) return all;
  return first === undefined || first === '' ? [] : [first];
}

function readAddresses(spec: Fields, texts: readonly string[]): string[] {
  return texts.flatMap((text) => {
    const address = parseAddress(text);
    if (address !== null) return [address];
    const path = [...spec.path, spec.has('clusterIPs') ? 'clusterIPs' : 'clusterIP'];
    spec.problems.push(fieldProblem(path, text, 'is not an IP address', 'write IPv4 or IPv6, or None'));
    return [];
  });
}

/** UDP and SCTP ports are not proxied, so they are left out. Adds to `undeclared` where nothing says what it carries. */
function readPort(port: Fields, undeclared: number[]): ServicePort | null {
  const name = port.text('name') ?? '';
  const transport = port.oneOf('protocol', ['TCP', 'UDP', 'SCTP']) ?? 'TCP';
  const number = port.number('port', 1, 65_535);
  if (!port.has('port')) port.problem('port', 'is missing', "add the service's port number");
  const appProtocol = port.text('appProtocol');
  port.ignore('targetPort', 'nodePort');
  port.finish();
  if (transport !== 'TCP' || number === undefined) return null;
  if (!declaresProtocol(appProtocol, name)) undeclared.push(number);
  return { name, port: number, protocol: readAppProtocol(appProtocol, name) };
}

function readBalancing(object: Fields, metadata: ObjectMetadata): Balancing {
  const text = metadata.annotations[balancingAnnotation];
  const found = balancings.find((balancing) => balancing === text);
  if (text !== undefined && found === undefined) {
    const path = [...object.path, 'metadata', 'annotations', balancingAnnotation];
    const fix = `use one of ${balancings.join(', ')}`;
    object.problems.push(fieldProblem(path, text, 'is not a known value', fix));
  }
  return found ?? 'peak-ewma';
}
