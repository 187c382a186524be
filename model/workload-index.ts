/**
 * What every node knows of workloads that it neither runs nor uses: enough to tell who calls, and how to speak with
 * whom. Policies, ports and labels are details (see {@link Detail}).
 */
import type { MtlsMode, Workload, WorkloadLimits } from './workload.js';

/** One workload; fields as in {@link Workload}. */
export interface IndexedWorkload
  extends Pick<
    Workload,
    'kind' | 'uid' | 'name' | 'namespace' | 'serviceAccount' | 'addresses' | 'captured' | 'mtls' | 'transport'
  > {
  /** The workload label of metrics, which only labels tell. */
  readonly label: string;
}

/** Some workloads of one node; a workload is in one index at a time, the one that came last. */
export interface WorkloadIndex {
  readonly trustDomain: string;
  readonly cluster: string;
  readonly network: string;
  readonly node: string;
  /** The controller does not know everything yet: workloads that were here and are not named stay. */
  readonly partial: boolean;
  readonly workloads: readonly IndexedWorkload[];
}

/** Configuration that a node gets because it uses it: by a service's `namespace/name` or a workload's uid. */
export interface Detail {
  readonly kind: 'service' | 'workload';
  readonly name: string;
}

/** Key of a detail in maps. */
export function detailKey({ kind, name }: Detail): string {
  return `${kind} ${name}`;
}

/** The detail of a key. */
export function detailOf(key: string): Detail {
  const space = key.indexOf(' ');
  return { kind: key.slice(0, space) === 'service' ? 'service' : 'workload', name: key.slice(space + 1) };
}

const unknownLimits: WorkloadLimits = { connections: 0, pendingRequests: 0, bufferedBytes: 0, cpuShare: 0 };
const nowhere = { region: '', zone: '' };
const noLabels: Readonly<Record<string, string>> = {};

/** The workload as far as the index tells: what it does not hold is empty. */
export function indexedWorkload(index: WorkloadIndex, { label: _, ...known }: IndexedWorkload): Workload {
  const { trustDomain, cluster, network, node } = index;
  return {
    ...known,
    trustDomain,
    cluster,
    network,
    node,
    locality: nowhere,
    labels: noLabels,
    ports: [],
    limits: unknownLimits,
    capture: null,
  };
}

/** Whether two entries, of indices with equal texts of their own, say the same. */
export function sameIndexed(left: IndexedWorkload, right: IndexedWorkload): boolean {
  return (
    left.transport === right.transport &&
    left.captured === right.captured &&
    left.name === right.name &&
    left.namespace === right.namespace &&
    left.serviceAccount === right.serviceAccount &&
    left.label === right.label &&
    left.kind === right.kind &&
    left.addresses.join() === right.addresses.join() &&
    left.mtls.mode === right.mtls.mode &&
    samePorts(left.mtls.ports, right.mtls.ports)
  );
}

function samePorts(
  left: Readonly<Record<number, MtlsMode>>,
  right: Readonly<Record<number, MtlsMode>>,
): boolean {
  const ports = Object.keys(left).map(Number);
  return ports.length === Object.keys(right).length && ports.every((port) => left[port] === right[port]);
}
