/** Kinds that a cluster has beside its workloads: where pods run, what their namespace says, who they may be. */
import { parseCidr } from '../../model/address.js';
import type { Fields } from './fields.js';
import type {
  NamespaceManifest,
  NodeManifest,
  ServiceAccountManifest,
  ServiceRangeManifest,
} from './manifest.js';
import type { ObjectMetadata } from './object-metadata.js';

/** v1 Namespace: its labels say whether its pods are enrolled. */
export function parseNamespace(object: Fields, { name, labels }: ObjectMetadata): NamespaceManifest {
  object.ignore('spec', 'status');
  return { id: { kind: 'Namespace', namespace: '', name }, labels };
}

/** Labels that say where a node is (Kubernetes: "Well-Known Labels, Annotations and Taints"). */
const regionLabel = 'topology.kubernetes.io/region';
const zoneLabel = 'topology.kubernetes.io/zone';

/** v1 Node: where it is, and the ranges that its pods' addresses are from. */
export function parseNode(object: Fields, { name, labels }: ObjectMetadata): NodeManifest {
  object.ignore('status');
  const podRanges = object.object('spec')?.texts('podCIDRs', 16) ?? [];
  return {
    id: { kind: 'Node', namespace: '', name },
    locality: { region: labels[regionLabel] ?? '', zone: labels[zoneLabel] ?? '' },
    podRanges: podRanges.filter((range) => parseCidr(range) !== null),
  };
}

/** v1 ServiceAccount: that it is there. */
export function parseServiceAccount(
  object: Fields,
  { namespace, name }: ObjectMetadata,
): ServiceAccountManifest {
  object.ignore('secrets', 'imagePullSecrets', 'automountServiceAccountToken');
  return { id: { kind: 'ServiceAccount', namespace, name } };
}

/** networking.k8s.io/v1 ServiceCIDR: ranges that services' virtual addresses are from. */
export function parseServiceCidr(object: Fields, { name }: ObjectMetadata): ServiceRangeManifest {
  object.ignore('status');
  const ranges = object.object('spec')?.texts('cidrs', 16) ?? [];
  return {
    id: { kind: 'ServiceCIDR', namespace: '', name },
    serviceRanges: ranges.filter((range) => parseCidr(range) !== null),
  };
}
