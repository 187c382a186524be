/** Manifests in force as tables, by kind: what all resources follow from. */
import type { Graph } from '../derive/graph.js';
import { Input } from '../derive/table.js';
import type {
  EndpointSliceManifest,
  Manifest,
  ManifestKind,
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
import type { Stored } from './cross-check.js';
import type { StoredManifest } from './manifest-store.js';

/**
 * By `namespace/name`, or by name alone; where a table holds two kinds, by manifestKey. The order of keys decides
 * between rivals, so that the outcome does not depend on the order of arrival.
 */
export class ManifestTables {
  readonly meshes: Input<Stored<MeshManifest>>;
  /** Workloads and Pods. */
  readonly workloads: Input<Stored<WorkloadManifest>>;
  readonly services: Input<Stored<ServiceManifest>>;
  readonly slices: Input<Stored<EndpointSliceManifest>>;
  /** HTTPRoutes and GRPCRoutes. */
  readonly routes: Input<Stored<RouteManifest>>;
  readonly grants: Input<Stored<ReferenceGrantManifest>>;
  readonly policies: Input<Stored<PolicyManifest>>;
  readonly peerAuthentications: Input<Stored<PeerAuthenticationManifest>>;
  readonly namespaces: Input<Stored<NamespaceManifest>>;
  readonly nodes: Input<Stored<NodeManifest>>;
  readonly serviceAccounts: Input<Stored<ServiceAccountManifest>>;
  readonly serviceRanges: Input<Stored<ServiceRangeManifest>>;

  constructor(graph: Graph) {
    this.meshes = new Input(graph);
    this.workloads = new Input(graph);
    this.services = new Input(graph);
    this.slices = new Input(graph);
    this.routes = new Input(graph);
    this.grants = new Input(graph);
    this.policies = new Input(graph);
    this.peerAuthentications = new Input(graph);
    this.namespaces = new Input(graph);
    this.nodes = new Input(graph);
    this.serviceAccounts = new Input(graph);
    this.serviceRanges = new Input(graph);
  }

  /** `key`: manifestKey. undefined: it is in force no more. */
  set(key: string, stored: StoredManifest | undefined): void {
    const space = key.indexOf(' ');
    const kind = key.slice(0, space) as ManifestKind;
    const table = this.#tableOf(kind) as Input<Stored<Manifest>>;
    const shared = table === this.workloads || table === this.routes;
    table.set(shared ? key : key.slice(space + 1), stored);
  }

  #tableOf(kind: ManifestKind): unknown {
    switch (kind) {
      case 'Mesh':
        return this.meshes;
      case 'Workload':
      case 'Pod':
        return this.workloads;
      case 'Service':
        return this.services;
      case 'EndpointSlice':
        return this.slices;
      case 'HTTPRoute':
      case 'GRPCRoute':
        return this.routes;
      case 'ReferenceGrant':
        return this.grants;
      case 'AuthorizationPolicy':
        return this.policies;
      case 'PeerAuthentication':
        return this.peerAuthentications;
      case 'Namespace':
        return this.namespaces;
      case 'Node':
        return this.nodes;
      case 'ServiceAccount':
        return this.serviceAccounts;
      case 'ServiceCIDR':
        return this.serviceRanges;
    }
  }
}
