/**
 * What a document says, once parsed and checked by itself. References between documents are resolved later (see
 * resources/), because they may arrive in any order.
 */
import type { Mesh } from '../../model/mesh.js';
import type { AuthorizationPolicy } from '../../model/policy.js';
import type { HttpRoute } from '../../model/route.js';
import type { Service } from '../../model/service.js';
import type { Locality, MtlsMode, Workload } from '../../model/workload.js';

/** Kinds that weft reads, by their Kubernetes names. */
export type ManifestKind =
  | 'Mesh'
  | 'Workload'
  | 'Pod'
  | 'Service'
  | 'EndpointSlice'
  | 'HTTPRoute'
  | 'GRPCRoute'
  | 'ReferenceGrant'
  | 'AuthorizationPolicy'
  | 'PeerAuthentication'
  | 'Namespace'
  | 'Node'
  | 'ServiceAccount'
  | 'ServiceCIDR';

/** Names a manifest. `namespace` is empty for kinds that have none. */
export interface ManifestId {
  readonly kind: ManifestKind;
  readonly namespace: string;
  readonly name: string;
}

/** A manifest's identity as one text, for maps and logs. */
export function manifestKey({ kind, namespace, name }: ManifestId): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

export interface MeshManifest {
  readonly id: ManifestId & { readonly kind: 'Mesh' };
  readonly mesh: Mesh;
  /** What workloads demand of their callers where no PeerAuthentication says otherwise. */
  readonly mode: MtlsMode;
  /** Disabled: nobody is in the mesh, whatever labels say. */
  readonly enrolment: 'Enabled' | 'Disabled';
}

/** All of a workload but what the mesh gives it. An empty `node` means the folder's own node. */
export interface WorkloadManifest {
  readonly id: ManifestId & { readonly kind: 'Workload' | 'Pod' };
  readonly workload: Omit<
    Workload,
    'trustDomain' | 'cluster' | 'network' | 'captured' | 'mtls' | 'transport'
  >;
  /** Of a Pod: what decides on a cluster whether it is enrolled. */
  readonly pod?: PodFacts;
}

/** What a Pod says about being captured, as written. */
export interface PodFacts {
  /** Shares its node's network namespace, so that there is none to capture. */
  readonly hostNetwork: boolean;
  /** Empty: the node's usual runtime, where the pod's sockets are the node's kernel's. */
  readonly runtimeClass: string;
  /** Its containers have all ended for good. */
  readonly ended: boolean;
  readonly probePorts: readonly number[];
  /** Label weft.dev/mesh. */
  readonly meshLabel: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ServiceManifest {
  readonly id: ManifestId & { readonly kind: 'Service' };
  readonly service: Service;
  /** Ports that do not say what they carry, so that they are opaque TCP. */
  readonly undeclaredPorts: readonly number[];
  /** Headless and ExternalName services have no virtual address and cannot be a route's parent. */
  readonly form: 'virtual' | 'headless' | 'external-name';
  /** internalTrafficPolicy Local: a caller reaches endpoints of its own node alone. */
  readonly localOnly: boolean;
}

export interface SliceEndpoint {
  readonly address: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly zone: string;
  /** Empty where the slice does not say. */
  readonly node: string;
  /** Zones and nodes that the endpoint is meant for (`hints`); empty: all. */
  readonly forZones: readonly string[];
  readonly forNodes: readonly string[];
  /** The workload that the slice names, null where it names none. An empty uid matches any. */
  readonly target: { readonly namespace: string; readonly name: string; readonly uid: string } | null;
}

export interface EndpointSliceManifest {
  readonly id: ManifestId & { readonly kind: 'EndpointSlice' };
  /** The service that it belongs to, of the same namespace. */
  readonly service: string;
  /** Endpoint port by the service's port name. */
  readonly ports: Readonly<Record<string, number>>;
  readonly endpoints: readonly SliceEndpoint[];
}

/** A backend reference as written. */
export interface BackendReference {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

export interface RouteManifest {
  readonly id: ManifestId & { readonly kind: 'HTTPRoute' | 'GRPCRoute' };
  /** `parents` are those of kind Service; every backend's `service` is null until it is resolved. */
  readonly route: HttpRoute;
  /** Where each of `route.parents` stands in `spec.parentRefs`. */
  readonly parentPlaces: readonly number[];
  /** By rule, then by backend: what the backends of a rule refer to. */
  readonly references: readonly (readonly BackendReference[])[];
}

/** References from these namespaces and kinds to these services are permitted (in the grant's own namespace). */
export interface ReferenceGrantManifest {
  readonly id: ManifestId & { readonly kind: 'ReferenceGrant' };
  /** Whose routes may refer. */
  readonly from: readonly { readonly kind: RouteManifest['id']['kind']; readonly namespace: string }[];
  /** Names of services that may be referred to; null is all of them. */
  readonly services: readonly string[] | null;
}

export interface PolicyManifest {
  readonly id: ManifestId & { readonly kind: 'AuthorizationPolicy' };
  readonly policy: AuthorizationPolicy;
}

/** What workloads demand of their callers. */
export interface PeerAuthentication {
  readonly namespace: string;
  readonly name: string;
  readonly createdMs: number;
  /** null: every workload of the namespace. */
  readonly labels: Readonly<Record<string, string>> | null;
  /** null: as a wider one says. */
  readonly mode: MtlsMode | null;
  readonly ports: Readonly<Record<number, MtlsMode>>;
  /** It could not be read, so it is strict, whatever others say. */
  readonly broken: boolean;
}

export interface PeerAuthenticationManifest {
  readonly id: ManifestId & { readonly kind: 'PeerAuthentication' };
  readonly peerAuthentication: PeerAuthentication;
}

export interface NamespaceManifest {
  readonly id: ManifestId & { readonly kind: 'Namespace' };
  readonly labels: Readonly<Record<string, string>>;
}

export interface NodeManifest {
  readonly id: ManifestId & { readonly kind: 'Node' };
  readonly locality: Locality;
  /** CIDRs of its pods' addresses; empty where its network plugin keeps them elsewhere. */
  readonly podRanges: readonly string[];
}

export interface ServiceAccountManifest {
  readonly id: ManifestId & { readonly kind: 'ServiceAccount' };
}

export interface ServiceRangeManifest {
  readonly id: ManifestId & { readonly kind: 'ServiceCIDR' };
  /** CIDRs of virtual addresses. */
  readonly serviceRanges: readonly string[];
}

export type Manifest =
  | MeshManifest
  | WorkloadManifest
  | ServiceManifest
  | EndpointSliceManifest
  | RouteManifest
  | ReferenceGrantManifest
  | PolicyManifest
  | PeerAuthenticationManifest
  | NamespaceManifest
  | NodeManifest
  | ServiceAccountManifest
  | ServiceRangeManifest;
