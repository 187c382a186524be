/** weft.dev/v1alpha1 Workload: a network namespace of this machine, or a known address outside the mesh. */
import { parseAddress } from '../../model/address.js';
import type { Capture, WorkloadLimits, WorkloadPort } from '../../model/workload.js';
import { readAppProtocol } from './app-protocol.js';
import { fieldProblem } from './field-problem.js';
import type { Fields } from './fields.js';
import type { WorkloadManifest } from './manifest.js';
import type { ObjectMetadata } from './object-metadata.js';
import { dnsSubdomain, netnsName } from './text-rules.js';

/** All limits at the proxy's default. */
export const defaultLimits: WorkloadLimits = {
  connections: 0,
  pendingRequests: 0,
  bufferedBytes: 0,
  cpuShare: 0,
};

/** A workload's uid where its source gives none: unique by namespace and name, as a label cannot hold a dot. */
export function derivedUid(metadata: ObjectMetadata): string {
  return metadata.uid === '' ? `${metadata.namespace}.${metadata.name}` : metadata.uid;
}

export function parseWorkload(object: Fields, metadata: ObjectMetadata): WorkloadManifest | null {
  const { namespace, name, labels } = metadata;
  const spec = object.object('spec');
  object.ignore('status');
  if (spec === undefined) {
    if (!object.has('spec')) object.problem('spec', 'is missing', 'add spec with addresses');
    return null;
  }
  const captureFields = spec.object('capture');
  const capture = captureFields === undefined ? null : readCapture(captureFields);
  const locality = spec.object('locality');
  const workload: WorkloadManifest['workload'] = {
    kind: captureFields === undefined ? 'external' : 'unit',
    uid: derivedUid(metadata),
    name,
    namespace,
    serviceAccount: spec.text('serviceAccount', dnsSubdomain) ?? 'default',
    node: spec.text('node', dnsSubdomain) ?? '',
    locality: { region: locality?.text('region') ?? '', zone: locality?.text('zone') ?? '' },
    labels,
    addresses: readAddresses(spec),
    ports: spec.objects('ports', 250).flatMap((port) => readPort(port) ?? []),
    limits: readLimits(spec.object('limits')),
    capture,
  };
  locality?.finish();
  spec.finish();
  return { id: { kind: 'Workload', namespace, name }, workload };
}

function readAddresses(spec: Fields): string[] {
  const addresses = spec.texts('addresses', 16).flatMap((text, index) => {
    const address = parseAddress(text);
    if (address !== null) return [address];
    const path = [...spec.path, 'addresses', index];
    spec.problems.push(
      fieldProblem(path, text, 'is not an IP address', 'write IPv4 or IPv6 without a prefix'),
    );
    return [];
  });
  const given = spec.raw('addresses');
  if (given === undefined || (Array.isArray(given) && given.length === 0)) {
    spec.problem('addresses', 'is missing', 'list the addresses of the workload');
  }
  return addresses;
}

function readPort(port: Fields): WorkloadPort | null {
  const name = port.text('name') ?? '';
  const number = port.number('port', 1, 65_535);
  if (!port.has('port')) port.problem('port', 'is missing', 'add the port number');
  const protocol = readAppProtocol(port.text('appProtocol'), name);
  port.finish();
  return number === undefined ? null : { name, port: number, protocol };
}

function readCapture(fields: Fields): Capture | null {
  const netns = fields.requiredText('netns', netnsName);
  const failMode = fields.oneOf('failMode', ['closed', 'open']) ?? 'closed';
  const udp = fields.oneOf('udp', ['allow', 'deny']) ?? 'allow';
  const probePorts = fields.numbers('probePorts', 16, 1, 65_535);
  fields.finish();
  return netns === undefined ? null : { netns, failMode, udp, probePorts };
}

function readLimits(fields: Fields | undefined): WorkloadLimits {
  if (fields === undefined) return defaultLimits;
  const limits = {
    connections: fields.number('connections', 0, 1_000_000) ?? 0,
    pendingRequests: fields.number('pendingRequests', 0, 1_000_000) ?? 0,
    bufferedBytes: fields.number('bufferedBytes', 0, 2 ** 40) ?? 0,
    cpuShare: fields.number('cpuShare', 0, 1000) ?? 0,
  };
  fields.finish();
  return limits;
}
