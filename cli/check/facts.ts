/** What `weft check` judges, gathered before it judges anything. */

import type { ApiObject } from '../cluster/cluster-api.js';
import type { ExplainedPod } from '../cluster/explain-pods.js';
import type { Installation } from '../cluster/find-weft.js';
import type { Asked } from '../mesh-source.js';
import type { Certificates } from '../show/show-certificates.js';
import type { ControllerStatus, ProxyStatus } from '../show/show-status.js';

export interface NodeObject extends ApiObject {
  readonly spec?: { readonly unschedulable?: boolean };
  readonly status: {
    readonly nodeInfo: {
      readonly kernelVersion: string;
      readonly operatingSystem: string;
      readonly containerRuntimeVersion: string;
    };
  };
}

export interface CustomResource extends ApiObject {
  readonly spec: {
    readonly group: string;
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}

export interface Lease extends ApiObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly renewTime?: string;
    readonly leaseDurationSeconds?: number;
  };
}

export interface Workloads extends ApiObject {
  readonly status?: {
    readonly desiredNumberScheduled?: number;
    readonly numberReady?: number;
    readonly replicas?: number;
    readonly readyReplicas?: number;
  };
  readonly spec?: { readonly replicas?: number };
}

/** What the API tells; null where an object is not there, a text where it may not be read. */
export interface ClusterFacts {
  readonly serverVersion: string;
  readonly nodes: readonly NodeObject[];
  readonly crds: readonly CustomResource[];
  readonly installation: Installation | null;
  readonly daemonSet: Workloads | null;
  readonly deployment: Workloads | null;
  readonly lease: Lease | null;
  /** The mesh's roots, PEM. */
  readonly roots: string | null;
  readonly pods: readonly ExplainedPod[];
  /** What could not be read, and so was not checked. */
  readonly unread: readonly string[];
}

/** What weft's own parts tell. */
export interface MeshFacts {
  readonly controllers: readonly Asked<ControllerStatus>[];
  readonly proxies: readonly Asked<ProxyStatus>[];
  readonly certificates: readonly Asked<Certificates>[];
  /** When the proxies were asked, milliseconds since the epoch by this machine's clock. */
  readonly askedMs: number;
}

export interface Facts {
  readonly nowMs: number;
  /** Of this command. */
  readonly version: string;
  /** null: a weft of this machine. */
  readonly cluster: ClusterFacts | null;
  /** null before weft is installed. */
  readonly mesh: MeshFacts | null;
}
