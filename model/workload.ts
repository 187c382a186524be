/** A workload: one thing with its own network namespace (or address) that sends and receives connections. */

/** pod: a Kubernetes pod. unit: a network namespace of a plain Linux machine. external: known by address only. */
export type WorkloadKind = 'pod' | 'unit' | 'external';

/** What happens to a workload's new connections while no proxy serves them. */
export type FailMode = 'closed' | 'open';

/** Where a workload runs, for endpoint choice. Empty strings where unknown. */
export interface Locality {
  readonly region: string;
  readonly zone: string;
}

/** What one workload may use of its node's proxy; 0 means the proxy's default. */
export interface WorkloadLimits {
  /** Open connections, both directions. */
  readonly connections: number;
  /** Requests that wait for an upstream connection or a parked decision. */
  readonly pendingRequests: number;
  /** Bytes buffered for the workload, both directions. */
  readonly bufferedBytes: number;
  /** Relative share of a worker's time under contention (deficit round robin), 1 to 1000; 100 is usual. */
  readonly cpuShare: number;
}

/** How a node captures a workload; null in {@link Workload.capture} where it is not enrolled. */
export interface Capture {
  /**
   * Name below the node's namespace folders (for example /run/netns), never a path. Empty: the node finds it by the
   * workload's uid, which its container runtime told it (Kubernetes).
   */
  readonly netns: string;
  readonly failMode: FailMode;
  /** UDP is not proxied: all of it is allowed or refused (connect and sendmsg give EPERM). */
  readonly udp: 'allow' | 'deny';
  /** Ports that the node's own health probes may reach round the proxy. */
  readonly probePorts: readonly number[];
}

/**
 * What a port demands of its callers. strict: TLS, by a certificate of the mesh. permissive: TLS of those who can,
 * plaintext of the others. disabled: plaintext of all.
 */
export type MtlsMode = 'strict' | 'permissive' | 'disabled';

/** Modes in force, whatever level they were written at; see modeOf in mtls.ts. */
export interface WorkloadMtls {
  readonly mode: MtlsMode;
  /** Ports that differ from {@link mode}. */
  readonly ports: Readonly<Record<number, MtlsMode>>;
}

/** What holds where nothing was written. */
export const permissiveMtls: WorkloadMtls = { mode: 'permissive', ports: {} };

/**
 * Whether TLS may be spoken with a workload, in both directions; the controller moves it (see controller/transport).
 * A change of phase is safe because everybody takes both kinds in `arriving` and `leaving`.
 *
 * plaintext: it is not known to stand behind its agent with an identity. arriving: it does; those who call it, and it
 * when it calls, speak TLS, and everybody takes both. weft-tls: everybody knows that, so TLS may be demanded. leaving:
 * it will leave its agent or has lost its identity; back to plaintext, and everybody takes both.
 */
export type TransportPhase = 'plaintext' | 'arriving' | 'weft-tls' | 'leaving';

/** Which application protocol a port carries. 'tcp' is opaque bytes. */
export type AppProtocol = 'http' | 'http2' | 'grpc' | 'tcp' | 'tls';

/** A port that the workload itself declares. */
export interface WorkloadPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: AppProtocol;
}

export interface Workload {
  readonly kind: WorkloadKind;
  /** Unique for all time; a Kubernetes pod's UID. */
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly trustDomain: string;
  readonly cluster: string;
  readonly network: string;
  /** Name of the node that runs it. */
  readonly node: string;
  readonly locality: Locality;
  readonly labels: Readonly<Record<string, string>>;
  /** Canonical text (see address.ts), IPv4 and IPv6; the first one is shown to people. */
  readonly addresses: readonly string[];
  readonly ports: readonly WorkloadPort[];
  readonly limits: WorkloadLimits;
  /** Its node shall capture it: the wish, which every node is told. */
  readonly captured: boolean;
  /** How; null where it is not enrolled, and on every node but its own. Outlives {@link captured} until nobody speaks TLS to it. */
  readonly capture: Capture | null;
  readonly mtls: WorkloadMtls;
  readonly transport: TransportPhase;
}

/** The SPIFFE id of a workload: `spiffe://<trust-domain>/ns/<namespace>/sa/<service-account>`. */
export function spiffeId(workload: Pick<Workload, 'trustDomain' | 'namespace' | 'serviceAccount'>): string {
  return `spiffe://${workload.trustDomain}/ns/${workload.namespace}/sa/${workload.serviceAccount}`;
}
