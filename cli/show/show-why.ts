/** `weft why`: which route, endpoint and policy would decide, and what they would say. */

/** What the proxy's /why answers. */
export interface WhyAnswer {
  readonly snapshot: number;
  /** In a cluster: who asks. */
  readonly source?: WhySource;
  readonly destination: {
    /** `unfetched`: the node does not hold its details, and no controller gave them in time. */
    readonly kind: 'service' | 'workload' | 'passthrough' | 'refused' | 'unfetched';
    readonly service?: string;
    readonly workload?: string;
    readonly port?: number;
    readonly reason?: string;
    readonly summary?: string;
    readonly hint?: string;
  };
  readonly protocol?: string;
  readonly routesAsked: readonly string[];
  readonly route?: string;
  readonly redirect?: string;
  readonly reason: string;
  readonly status?: number;
  readonly grpc?: string;
  readonly summary?: string;
  readonly hint?: string;
  readonly backends: readonly WhyBackend[];
}

export interface WhyBackend {
  readonly backend: string;
  readonly share: number;
  readonly reason: string;
  readonly status?: number;
  readonly grpc?: string;
  readonly summary?: string;
  readonly hint?: string;
  readonly target?: string;
  readonly endpoints: readonly WhyEndpoint[];
}

export interface WhyEndpoint {
  readonly endpoint: string;
  /** Its uid. */
  readonly workload: string;
  /** `namespace/name`; empty where it is no workload of the mesh, as is {@link node}. */
  readonly name: string;
  readonly node: string;
  /** In a cluster: who says whether it is allowed. Its own node does, unless it could not be asked. */
  readonly toldBy?: 'its node' | "the caller's node";
  /** Why its own node could not be asked. */
  readonly trouble?: string;
  readonly ready: boolean;
  readonly transport: 'tls' | 'plaintext';
  /** Why it is plaintext; `none` for TLS. */
  readonly cause: string;
  /** What the port demands of its callers; null: no workload of the mesh. */
  readonly mode: string | null;
  /** SPIFFE id that the endpoint must prove. */
  readonly identity: string;
  readonly allowed: boolean;
  readonly policy: string | null;
  readonly reason: string;
  readonly status?: number;
  readonly grpc?: string;
  readonly summary?: string;
  readonly hint?: string;
  readonly audit: readonly string[];
}

interface Because {
  readonly reason: string;
  readonly status?: number;
  readonly grpc?: string;
  readonly summary?: string;
  readonly hint?: string;
}

export interface WhySource {
  /** `namespace/name` of a pod, or an address. */
  readonly name: string;
  readonly node: string;
  /** Its connections go through its node's proxy. */
  readonly captured: boolean;
  /** What is to be known of it: which pod of several was taken, why it is not captured. */
  readonly notes: readonly string[];
}

/** Whether at least one endpoint would be asked and let it in. */
export function isAllowed(answer: WhyAnswer): boolean {
  if (answer.destination.kind === 'passthrough' || answer.redirect !== undefined) return true;
  return answer.backends.some(({ endpoints }) => endpoints.some(({ allowed }) => allowed));
}

export function formatWhy(answer: WhyAnswer): string {
  const lines = [
    ...(answer.source === undefined ? [] : describeSource(answer.source)),
    `destination  ${describeDestination(answer)}`,
  ];
  if (answer.routesAsked.length > 0) lines.push(`routes       ${answer.routesAsked.join(', ')}`);
  if (answer.route !== undefined) lines.push(`rule         ${answer.route}`);
  if (answer.redirect !== undefined) lines.push(`redirect     ${answer.redirect}`);
  if (answer.reason !== 'none') lines.push(`answer       ${describeReason(answer, answer.protocol)}`);
  for (const backend of answer.backends) lines.push(...describeBackend(backend, answer.protocol));
  return `${lines.join('\n')}\n`;
}

function describeSource({ name, node, captured, notes }: WhySource): string[] {
  const place = node === '' ? '' : ` on ${node}`;
  const mesh = captured ? '' : ', not in the mesh: no route of weft applies, kube-proxy chooses the endpoint';
  return [`source       ${name}${place}${mesh}`, ...notes.map((note) => `             ${note}`)];
}

function describeDestination({ destination, protocol }: WhyAnswer): string {
  const carried = protocol === undefined ? '' : ` (${protocol})`;
  switch (destination.kind) {
    case 'service':
      return `service ${destination.service}:${destination.port}${carried}`;
    case 'workload':
      return `workload ${destination.workload}:${destination.port}${carried}`;
    case 'passthrough':
      return 'outside the mesh: passes by';
    case 'unfetched':
      return `not fetched: ${describeReason({ reason: '', ...destination })}`;
    case 'refused':
      return `refused: ${describeReason({ reason: '', ...destination })}`;
  }
}

function describeBackend(backend: WhyBackend, protocol: string | undefined): string[] {
  const share = `${Math.round(backend.share * 1000) / 10}%`;
  const target = backend.target === undefined ? '' : ` as ${backend.target}`;
  const name = backend.backend || (backend.endpoints.length > 0 ? 'direct' : 'invalid reference');
  const failing = backend.reason === 'none' ? '' : `: ${describeReason(backend, protocol)}`;
  return [
    `backend      ${name} ${share}${target}${failing}`,
    ...backend.endpoints.map((endpoint) => {
      const name = endpoint.name || endpoint.workload;
      const workload = `${name === '' ? '' : ` ${name}`}${endpoint.node === '' ? '' : ` on ${endpoint.node}`}`;
      const state = endpoint.ready ? '' : ' (not ready: only where nothing else is)';
      const policy = endpoint.policy === null ? '' : ` by ${endpoint.policy}`;
      const verdict = endpoint.allowed
        ? `allowed${policy}`
        : `refused${policy}: ${describeReason(endpoint, protocol)}`;
      const audit =
        endpoint.audit.length === 0 ? '' : `; in audit mode would refuse: ${endpoint.audit.join(', ')}`;
      return `  endpoint   ${endpoint.endpoint}${workload}${state} ${describeTransport(endpoint)}: ${verdict}${audit}${describeTrouble(endpoint)}`;
    }),
  ];
}

function describeTrouble({ trouble }: WhyEndpoint): string {
  return trouble === undefined ? '' : ` (as the caller's node sees it; its own was not asked: ${trouble})`;
}

function describeTransport({ transport, cause, mode, identity }: WhyEndpoint): string {
  const demand = mode === null ? '' : `, ${mode}`;
  if (transport === 'tls') return `by TLS as ${identity}${demand}`;
  return `in plaintext (${cause.replaceAll('_', ' ')}${demand})`;
}

/** A gRPC client sees the gRPC status, any other one that of HTTP. */
function describeReason({ reason, status, grpc, summary, hint }: Because, protocol?: string): string {
  const seen = protocol === 'grpc' ? grpc : status === 0 ? '' : status;
  const code = seen === undefined || seen === '' ? '' : `${seen} `;
  return `${code}${reason}${summary === undefined ? '' : `: ${summary}`}${hint === undefined ? '' : ` (${hint})`}`;
}
