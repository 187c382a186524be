/** A service: a name and virtual addresses in front of endpoints. */
import type { AppProtocol } from './workload.js';

/** How an endpoint is chosen. peak-ewma: the better of two random ones by decaying peak latency × load. */
export type Balancing = 'peak-ewma' | 'round-robin' | 'least-request';

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly protocol: AppProtocol;
}

export interface Service {
  readonly namespace: string;
  readonly name: string;
  /** Virtual addresses in canonical text; empty for a headless service. */
  readonly addresses: readonly string[];
  readonly ports: readonly ServicePort[];
  readonly balancing: Balancing;
  /**
   * One client uses one endpoint as long as that is usable and the client comes back within so many seconds
   * (Kubernetes: sessionAffinity ClientIP); 0: none.
   */
  readonly affinitySeconds: number;
}

/** One backend of a service. */
export interface Endpoint {
  /** The workload behind it, empty where the address belongs to none that the mesh knows. */
  readonly workloadUid: string;
  /** Canonical text. */
  readonly address: string;
  /** The endpoint's own port by the service's port number. */
  readonly ports: Readonly<Record<number, number>>;
  readonly ready: boolean;
  /** Still answers, though it may be terminating: used when nothing is ready. */
  readonly serving: boolean;
  readonly zone: string;
}

/** All endpoints of a service; replaced as a whole. */
export interface EndpointSet {
  readonly namespace: string;
  /** The service's name. */
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
}
