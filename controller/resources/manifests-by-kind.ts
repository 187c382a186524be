/** Manifests sorted by kind and name, with the problems that show only when they are seen together. */
import { type FieldPath, fieldProblem } from '../parse/field-problem.js';
import type {
  EndpointSliceManifest,
  Manifest,
  MeshManifest,
  NamespaceManifest,
  NodeManifest,
  PeerAuthenticationManifest,
  PolicyManifest,
  ReferenceGrantManifest,
  RouteManifest,
  ServiceAccountManifest,
  ServiceManifest,
  ServiceRangeManifest,
  WorkloadManifest,
} from '../parse/manifest.js';
import { manifestKey } from '../parse/manifest.js';
import type { StoredManifest } from './manifest-store.js';
import { type ConditionReason, type InForce, placeProblem, type StatusProblem } from './status-problem.js';

/** A stored manifest of a known kind. */
export type Stored<Kind extends Manifest> = Omit<StoredManifest, 'manifest'> & { readonly manifest: Kind };

export interface ManifestsByKind {
  readonly meshes: readonly Stored<MeshManifest>[];
  readonly workloads: readonly Stored<WorkloadManifest>[];
  readonly services: readonly Stored<ServiceManifest>[];
  readonly slices: readonly Stored<EndpointSliceManifest>[];
  readonly routes: readonly Stored<RouteManifest>[];
  readonly grants: readonly Stored<ReferenceGrantManifest>[];
  readonly policies: readonly Stored<PolicyManifest>[];
  readonly peerAuthentications: readonly Stored<PeerAuthenticationManifest>[];
  readonly namespaces: readonly Stored<NamespaceManifest>[];
  readonly nodes: readonly Stored<NodeManifest>[];
  readonly serviceAccounts: readonly Stored<ServiceAccountManifest>[];
  readonly serviceRanges: readonly Stored<ServiceRangeManifest>[];
}

/** What gives back the list before where a list of the same name holds the same objects. */
export interface KnownLists {
  list<List extends readonly unknown[]>(name: string, list: List): List;
}

/** Sorts by name, so that the outcome does not depend on the order of arrival. */
export function sortByKind(manifests: readonly StoredManifest[], known: KnownLists): ManifestsByKind {
  const byKind = Map.groupBy(manifests, ({ manifest }) => manifest.id.kind);
  const pick = <Kind extends Manifest>(...kinds: readonly Kind['id']['kind'][]) => {
    const picked = [...kinds].sort().flatMap((kind) => sortByName(byKind.get(kind) ?? []));
    return known.list(kinds.join(), picked as unknown as Stored<Kind>[]);
  };
  return {
    meshes: pick<MeshManifest>('Mesh'),
    workloads: pick<WorkloadManifest>('Workload', 'Pod'),
    services: pick<ServiceManifest>('Service'),
    slices: pick<EndpointSliceManifest>('EndpointSlice'),
    routes: pick<RouteManifest>('HTTPRoute', 'GRPCRoute'),
    grants: pick<ReferenceGrantManifest>('ReferenceGrant'),
    policies: pick<PolicyManifest>('AuthorizationPolicy'),
    peerAuthentications: pick<PeerAuthenticationManifest>('PeerAuthentication'),
    namespaces: pick<NamespaceManifest>('Namespace'),
    nodes: pick<NodeManifest>('Node'),
    serviceAccounts: pick<ServiceAccountManifest>('ServiceAccount'),
    serviceRanges: pick<ServiceRangeManifest>('ServiceCIDR'),
  };
}

function sortByName(manifests: readonly StoredManifest[]): StoredManifest[] {
  const keyed = manifests.map((stored) => ({ key: manifestKey(stored.manifest.id), stored }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ stored }) => stored);
}

/** Collects problems that show only between manifests. */
export class CrossCheck {
  readonly problems: StatusProblem[] = [];

  /** Part of the manifest is not in force as written. */
  error(
    stored: Omit<StoredManifest, 'manifest'> & { readonly manifest: Manifest },
    path: FieldPath,
    value: unknown,
    message: string,
    fix: string,
    inForce: InForce = 'nothing',
    reason?: ConditionReason,
  ): void {
    const problem = fieldProblem(path, value, message, fix);
    this.problems.push(placeProblem('error', stored, stored.manifest.id, problem, inForce, reason));
  }

  /** In force as written, but hardly what was meant. */
  warning(
    stored: Omit<StoredManifest, 'manifest'> & { readonly manifest: Manifest },
    path: FieldPath,
    value: unknown,
    message: string,
    fix: string,
    reason?: ConditionReason,
  ): void {
    const problem = fieldProblem(path, value, message, fix);
    this.problems.push(placeProblem('warning', stored, stored.manifest.id, problem, 'as-written', reason));
  }
}
