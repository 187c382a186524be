/** An index of workloads as it travels: texts that many share once, and uids and addresses in binary. */
import { addressBytes, formatAddress } from '../model/address.js';
import { permissiveMtls, type Workload } from '../model/workload.js';
import type { IndexedWorkload, WorkloadIndex } from '../model/workload-index.js';
import { checkName, checkText } from './check-values.js';
import { decodeMtls, transportPhases } from './decode-workload.js';
import type { IndexedWorkloadMessage, ReceivedWorkloadIndex, WorkloadIndexMessage } from './messages.js';
import type { ProblemList } from './problem-list.js';

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function encodeWorkloadIndex(index: WorkloadIndex): WorkloadIndexMessage {
  const places = new Map<string, number>();
  const placeOf = (text: string): number => {
    const place = places.get(text) ?? places.size;
    places.set(text, place);
    return place;
  };
  const workloads = index.workloads.map((one) => encodeIndexed(one, placeOf));
  return { ...index, texts: [...places.keys()], workloads };
}

function encodeIndexed(one: IndexedWorkload, placeOf: (text: string) => number): IndexedWorkloadMessage {
  const { mtls, kind } = one;
  return {
    ...encodeUid(one.uid),
    name: one.name,
    namespace: placeOf(one.namespace),
    serviceAccount: placeOf(one.serviceAccount),
    label: placeOf(one.label),
    addresses: one.addresses.map((address) => Buffer.from(addressBytes(address) ?? [])),
    kind: kind === 'pod' ? '' : kind,
    captured: one.captured,
    transport: transportPhases.indexOf(one.transport),
    mtls: mtls === permissiveMtls ? null : { mode: mtls.mode, ports: { ...mtls.ports } },
  };
}

function encodeUid(uid: string): Pick<IndexedWorkloadMessage, 'uid' | 'uuid'> {
  return uuidForm.test(uid) ? { uuid: Buffer.from(uid.replaceAll('-', ''), 'hex') } : { uid };
}

export function decodeWorkloadIndex(message: ReceivedWorkloadIndex, problems: ProblemList): WorkloadIndex {
  const { trustDomain, cluster, network, node, texts, partial } = message;
  return {
    trustDomain: checkText(problems, 'workloadIndex.trustDomain', trustDomain),
    cluster,
    network,
    node,
    partial,
    workloads: message.workloads.map((one, at): IndexedWorkload => {
      const field = `workloadIndex.workloads[${at}]`;
      const text = (place: number, name: string) =>
        checkText(problems, `${field}.${name}`, texts[place] ?? '');
      const transport = transportPhases[one.transport];
      if (transport === undefined) {
        problems.add(`${field}.transport`, `${one.transport}`, 'is no phase', 'send 0 to 3');
      }
      return {
        kind: one.kind === '' ? 'pod' : checkName(problems, `${field}.kind`, one.kind, kinds),
        uid: decodeUid(one.uuid, one.uid, field, problems),
        name: checkText(problems, `${field}.name`, one.name),
        namespace: text(one.namespace, 'namespace'),
        serviceAccount: text(one.serviceAccount, 'serviceAccount'),
        label: text(one.label, 'label'),
        addresses: one.addresses.map((bytes) => decodeAddress(bytes, field, problems)),
        captured: one.captured,
        transport: transport ?? 'plaintext',
        mtls: one.mtls === null ? permissiveMtls : decodeMtls(one.mtls, problems),
      };
    }),
  };
}

const kinds = ['pod', 'unit', 'external'] as const satisfies Workload['kind'][];

function decodeUid(uuid: Buffer, uid: string, field: string, problems: ProblemList): string {
  if (uuid.length === 0) return checkText(problems, `${field}.uid`, uid);
  if (uuid.length !== 16)
    problems.add(`${field}.uuid`, `${uuid.length} bytes`, 'is no UUID', 'send 16 bytes');
  const hex = uuid.toString('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return parts.join('-');
}

function decodeAddress(bytes: Buffer, field: string, problems: ProblemList): string {
  if (bytes.length === 4 || bytes.length === 16) return formatAddress(bytes, 0, bytes.length);
  problems.add(`${field}.addresses`, `${bytes.length} bytes`, 'is no IP address', 'send 4 or 16 bytes');
  return '';
}
