/** What a controller publishes and a snapshot holds: one closed union over every kind of resource. */
import type { Mesh } from './mesh.js';
import type { AuthorizationPolicy } from './policy.js';
import type { HttpRoute } from './route.js';
import type { EndpointSet, Service } from './service.js';
import type { Workload } from './workload.js';
import type { WorkloadIndex } from './workload-index.js';

export interface ResourceBodies {
  readonly mesh: Mesh;
  readonly workload: Workload;
  readonly 'workload-index': WorkloadIndex;
  readonly service: Service;
  readonly endpoints: EndpointSet;
  readonly 'http-route': HttpRoute;
  readonly 'grpc-route': HttpRoute;
  readonly 'authorization-policy': AuthorizationPolicy;
}

export type ResourceKind = keyof ResourceBodies;

/**
 * Names a resource for all time: a workload's uid; `namespace/name` for a service, its endpoints, a route or a
 * policy; `mesh` for the mesh; `node/part` for an index of workloads.
 */
export interface ResourceKey {
  readonly kind: ResourceKind;
  readonly name: string;
}

/** One resource at one version. */
export type Resource = {
  readonly [Kind in ResourceKind]: {
    readonly kind: Kind;
    readonly name: string;
    /** Whose resource it is; a refusal never touches another namespace's. Empty for the mesh. */
    readonly ownerNamespace: string;
    /** Opaque; equal versions mean equal bodies. */
    readonly version: string;
    readonly body: ResourceBodies[Kind];
  };
}[ResourceKind];

/** What changed from one snapshot to the next. */
export interface Delta {
  readonly upserts: readonly Resource[];
  readonly removals: readonly ResourceKey[];
}

/** Why a resource was refused. */
export interface Problem {
  /** Path of the field, for example `spec.rules[0].matches[1].path.value`. */
  readonly field: string;
  /** The offending value as text, shortened. */
  readonly value: string;
  /** What is wrong, as a sentence. */
  readonly message: string;
  /** What to write instead. */
  readonly fix: string;
}
