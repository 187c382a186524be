/**
 * v1 Pod. In a folder it is enrolled where annotation weft.dev/netns names its network namespace; on a cluster by labels
 * (resources/enrol-pods.ts).
 */
import { parseAddress } from '../../model/address.js';
import type { Capture, WorkloadPort } from '../../model/workload.js';
import { declaresProtocol, readAppProtocol } from './app-protocol.js';
import { type FieldPath, fieldProblem } from './field-problem.js';
import type { Fields } from './fields.js';
import type { WorkloadManifest } from './manifest.js';
import type { ObjectMetadata } from './object-metadata.js';
import { defaultLimits, derivedUid } from './parse-workload.js';
import { netnsName } from './text-rules.js';

export const netnsAnnotation = 'weft.dev/netns';
export const failModeAnnotation = 'weft.dev/fail-mode';
export const udpAnnotation = 'weft.dev/udp';
/** Label of a namespace or a pod: `enabled` or `disabled`. */
export const meshLabel = 'weft.dev/mesh';

/** A Pod of a cluster: what its author writes about capturing never says where its namespace is. */
export function parseClusterPod(object: Fields, metadata: ObjectMetadata): WorkloadManifest | null {
  const { [netnsAnnotation]: _, ...annotations } = metadata.annotations;
  return parsePod(object, { ...metadata, annotations });
}

/**
 * A pod that has ended, or that shares its node's namespace, is no workload of its own: no address is its. Its lists are
 * copied to their length at last, since there are many pods: one that was put together has room for a dozen more.
 */
export function parsePod(object: Fields, metadata: ObjectMetadata): WorkloadManifest | null {
  const { namespace, name, labels } = metadata;
  const spec = object.object('spec');
  const status = object.object('status');
  const phase = status?.text('phase') ?? '';
  const hostNetwork = spec?.flag('hostNetwork') === true;
  const ended = phase === 'Succeeded' || phase === 'Failed';
  const alone = !hostNetwork && !ended;
  const containers = [...(spec?.objects('containers', 100) ?? []), ...sidecars(spec)];
  const declared = containers.flatMap((container) => readPorts(container));
  // A port whose name tells no protocol leaves that to the services in front of it.
  const ports = declared
    .filter(({ name }) => declaresProtocol(undefined, name))
    .filter(({ port }, index, all) => all.findIndex((other) => other.port === port) === index)
    .slice();
  const probePorts = [...new Set(containers.flatMap((container) => readProbePorts(container, declared)))];
  return {
    id: { kind: 'Pod', namespace, name },
    workload: {
      kind: 'pod',
      uid: derivedUid(metadata),
      name,
      namespace,
      serviceAccount: spec?.text('serviceAccountName') ?? 'default',
      node: spec?.text('nodeName') ?? '',
      locality: { region: '', zone: '' },
      labels,
      addresses: alone ? readAddresses(status) : [],
      ports,
      limits: defaultLimits,
      capture: alone ? readCapture(object, metadata, probePorts) : null,
    },
    pod: {
      hostNetwork,
      runtimeClass: spec?.text('runtimeClassName') ?? '',
      ended,
      probePorts,
      meshLabel: labels[meshLabel],
      annotations: metadata.annotations,
    },
  };
}

/** Init containers that keep running (restartPolicy Always) serve beside the others. */
function sidecars(spec: Fields | undefined): Fields[] {
  const containers = spec?.objects('initContainers', 100) ?? [];
  return containers.filter((container) => container.text('restartPolicy') === 'Always');
}

function readAddresses(status: Fields | undefined): string[] {
  const listed = status?.objects('podIPs', 16).flatMap((item) => item.text('ip') ?? []) ?? [];
  const single = status?.text('podIP');
  const texts = listed.length > 0 || single === undefined || single === '' ? listed : [single];
  const addresses = texts.flatMap((text) => {
    const address = parseAddress(text);
    if (address === null) status?.problem('podIPs', `holds ${text}, which is no IP address`, 'correct it');
    return address ?? [];
  });
  return addresses.slice();
}

function readPorts(container: Fields): WorkloadPort[] {
  return container.objects('ports', 250).flatMap((port) => {
    const name = port.text('name') ?? '';
    const number = port.number('containerPort', 1, 65_535);
    const tcp = (port.text('protocol') ?? 'TCP') === 'TCP';
    return number === undefined || !tcp
      ? []
      : [{ name, port: number, protocol: readAppProtocol(undefined, name) }];
  });
}

/** Ports that kubelet probes over the network; a port's name is looked up among the pod's ports. */
function readProbePorts(container: Fields, ports: readonly WorkloadPort[]): number[] {
  return ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((probe) =>
    ['httpGet', 'tcpSocket', 'grpc'].flatMap((way) => {
      const port = container.object(probe)?.object(way)?.raw('port');
      if (typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536) return [port];
      return ports.filter((candidate) => candidate.name === port).map((candidate) => candidate.port);
    }),
  );
}

function readCapture(object: Fields, metadata: ObjectMetadata, probePorts: number[]): Capture | null {
  const { annotations } = metadata;
  const netns = annotations[netnsAnnotation];
  if (netns === undefined) return null;
  const path = (name: string): FieldPath => [...object.path, 'metadata', 'annotations', name];
  if (netns.length > netnsName.most || !netnsName.pattern.test(netns)) {
    object.problems.push(
      fieldProblem(path(netnsAnnotation), netns, 'is malformed', `must be ${netnsName.describe}`),
    );
  }
  const choose = <Name extends string>(annotation: string, names: readonly [Name, ...Name[]]): Name => {
    const text = annotations[annotation] ?? names[0];
    const found = names.find((name) => name === text);
    if (found === undefined) {
      const fix = `use one of ${names.join(', ')}`;
      object.problems.push(fieldProblem(path(annotation), text, 'is not a known value', fix));
    }
    return found ?? names[0];
  };
  return {
    netns,
    failMode: choose(failModeAnnotation, ['closed', 'open']),
    udp: choose(udpAnnotation, ['allow', 'deny']),
    probePorts,
  };
}
