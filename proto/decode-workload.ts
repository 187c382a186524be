/** Mesh, workloads, services and endpoints from their messages. */
import { parseCidr } from '../model/address.js';
import type { Mesh } from '../model/mesh.js';
import type { Endpoint, EndpointSet, Service } from '../model/service.js';
import { defaultAffinitySeconds } from '../model/session-affinity.js';
import {
  type AppProtocol,
  type Capture,
  permissiveMtls,
  type TransportPhase,
  type Workload,
  type WorkloadLimits,
  type WorkloadMtls,
  type WorkloadPort,
} from '../model/workload.js';
import { checkAddress, checkName, checkNumber, checkPort, checkText } from './check-values.js';
import type {
  ReceivedEndpointSet,
  ReceivedMesh,
  ReceivedService,
  ReceivedWorkload,
  ReceivedWorkloadPort,
} from './messages.js';
import type { ProblemList } from './problem-list.js';

export const transportPhases = [
  'plaintext',
  'arriving',
  'weft-tls',
  'leaving',
] as const satisfies TransportPhase[];
const appProtocols = ['http', 'http2', 'grpc', 'tcp', 'tls'] as const satisfies AppProtocol[];

export function decodeMesh(message: ReceivedMesh, problems: ProblemList): Mesh {
  return {
    trustDomain: checkText(problems, 'mesh.trustDomain', message.trustDomain),
    cluster: message.cluster,
    network: message.network,
    ranges: message.ranges.map(({ cidr, action }, index) => {
      const field = `mesh.ranges[${index}]`;
      if (parseCidr(cidr) === null) {
        problems.add(`${field}.cidr`, cidr, 'is no CIDR', 'send address/prefix with zero host bits');
      }
      return { cidr, action: checkName(problems, `${field}.action`, action, ['direct', 'deny', 'proxy']) };
    }),
    enrolledNamespaces: message.enrolledNamespaces,
  };
}

export function decodeWorkload(message: ReceivedWorkload, problems: ProblemList): Workload {
  const { name, trustDomain, cluster, network, node, region, zone, labels } = message;
  return {
    kind: checkName(problems, 'workload.kind', message.kind, ['pod', 'unit', 'external']),
    uid: checkText(problems, 'workload.uid', message.uid),
    name: checkText(problems, 'workload.name', name),
    namespace: checkText(problems, 'workload.namespace', message.namespace),
    serviceAccount: checkText(problems, 'workload.serviceAccount', message.serviceAccount),
    trustDomain: checkText(problems, 'workload.trustDomain', trustDomain),
    cluster,
    network,
    node,
    locality: { region, zone },
    labels: { ...labels },
    addresses: decodeAddresses(message.addresses, 'workload.addresses', problems),
    ports: decodePorts(message.ports, 'workload.ports', problems),
    limits: decodeLimits(message.limits, problems),
    captured: message.captured,
    capture: message.capture === null ? null : decodeCapture(message.capture, problems),
    mtls: message.mtls === null ? permissiveMtls : decodeMtls(message.mtls, problems),
    transport:
      message.transport === ''
        ? 'plaintext'
        : checkName(problems, 'workload.transport', message.transport, transportPhases),
  };
}

export function decodeService(message: ReceivedService, problems: ProblemList): Service {
  return {
    namespace: checkText(problems, 'service.namespace', message.namespace),
    name: checkText(problems, 'service.name', message.name),
    addresses: decodeAddresses(message.addresses, 'service.addresses', problems),
    ports: decodePorts(message.ports, 'service.ports', problems),
    balancing: checkName(problems, 'service.balancing', message.balancing, [
      'peak-ewma',
      'round-robin',
      'least-request',
    ]),
    affinitySeconds: message.sessionAffinity
      ? checkNumber(problems, 'service.sessionAffinitySeconds', message.sessionAffinitySeconds, 0, 86_400) ||
        defaultAffinitySeconds
      : 0,
  };
}

export function decodeEndpoints(message: ReceivedEndpointSet, problems: ProblemList): EndpointSet {
  return {
    namespace: checkText(problems, 'endpoints.namespace', message.namespace),
    name: checkText(problems, 'endpoints.name', message.name),
    endpoints: message.endpoints.map((endpoint, index) => {
      const field = `endpoints.endpoints[${index}]`;
      const { workloadUid, ready, serving, zone } = endpoint;
      return {
        workloadUid,
        address: checkAddress(problems, `${field}.address`, endpoint.address),
        ports: decodePortMap(endpoint.ports, `${field}.ports`, problems),
        ready,
        serving,
        zone,
      } satisfies Endpoint;
    }),
  };
}

function decodeAddresses(addresses: readonly string[], field: string, problems: ProblemList): string[] {
  return addresses.map((address, index) => checkAddress(problems, `${field}[${index}]`, address));
}

function decodePorts(
  ports: readonly ReceivedWorkloadPort[],
  field: string,
  problems: ProblemList,
): WorkloadPort[] {
  return ports.map(({ name, port, protocol }, index) => ({
    name,
    port: checkPort(problems, `${field}[${index}].port`, port),
    protocol: checkName(problems, `${field}[${index}].protocol`, protocol, appProtocols),
  }));
}

function decodePortMap(
  ports: Readonly<Record<number, number>>,
  field: string,
  problems: ProblemList,
): Record<number, number> {
  const entries = Object.entries(ports).map(([from, to]) => [
    checkPort(problems, `${field} (key)`, Number(from)),
    checkPort(problems, `${field}[${from}]`, to),
  ]);
  return Object.fromEntries(entries) as Record<number, number>;
}

function decodeLimits(limits: ReceivedWorkload['limits'], problems: ProblemList): WorkloadLimits {
  if (limits === null) {
    problems.add('workload.limits', '', 'is missing', 'send it; 0 means the default');
    return { connections: 0, pendingRequests: 0, bufferedBytes: 0, cpuShare: 0 };
  }
  const { connections, pendingRequests, bufferedBytes } = limits;
  checkNumber(problems, 'workload.limits.bufferedBytes', bufferedBytes, 0, Number.MAX_SAFE_INTEGER);
  const cpuShare = checkNumber(problems, 'workload.limits.cpuShare', limits.cpuShare, 0, 1000);
  return { connections, pendingRequests, bufferedBytes, cpuShare };
}

export function decodeMtls(mtls: NonNullable<ReceivedWorkload['mtls']>, problems: ProblemList): WorkloadMtls {
  const mode = (value: string, field: string) =>
    checkName(problems, field, value, ['strict', 'permissive', 'disabled']);
  const ports = Object.entries(mtls.ports).map(([port, value]) => [
    checkPort(problems, 'workload.mtls.ports (key)', Number(port)),
    mode(value, `workload.mtls.ports[${port}]`),
  ]);
  return { mode: mode(mtls.mode, 'workload.mtls.mode'), ports: Object.fromEntries(ports) };
}

/** As a resource has it. */
export function decodeCapture(
  capture: NonNullable<ReceivedWorkload['capture']>,
  problems: ProblemList,
): Capture {
  const { netns } = capture;
  if (netns === '.' || netns === '..' || netns.includes('/')) {
    problems.add('workload.capture.netns', netns, 'is no plain name', 'send the name below the netns folder');
  }
  return {
    netns,
    failMode: checkName(problems, 'workload.capture.failMode', capture.failMode, ['closed', 'open']),
    udp: checkName(problems, 'workload.capture.udp', capture.udp, ['allow', 'deny']),
    probePorts: capture.probePorts.map((port, index) =>
      checkPort(problems, `workload.capture.probePorts[${index}]`, port),
    ),
  };
}
