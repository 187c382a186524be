/** The rules that every subject follows, the requests that exercise them, and what each must answer. */

export const hosts = Array.from({ length: 50 }, (_, index) => `h${index}.shop.test`);
export const prefixes = Array.from({ length: 10 }, (_, index) => `/p${index}`);

/** Ports of the four backends; one nginx serves them all and names the port in `X-Backend`. */
export const backendPorts = [9001, 9002, 9003, 9004] as const;

/** The backends that speak HTTP/2 without TLS; they answer with a trailer `grpc-status: 0`, and do not name their port. */
export const http2Ports = [9201, 9202, 9203, 9204] as const;

/** The same answers, reached as opaque bytes: no proxy reads what is said. */
export const opaquePort = 9100;

/** Index into {@link backendPorts} of the backend behind a host and prefix. */
export function backendOf(host: number, prefix: number): number {
  return (host * 3 + prefix) % backendPorts.length;
}

/** What the authorization denies; everything else is allowed. A workload's source is `untrusted` by its namespace. */
export const denied = {
  header: { name: 'x-debug', value: 'on' },
  /** These methods below this prefix. */
  write: { methods: ['DELETE', 'PATCH'], prefix: '/p3/admin' },
  /** Any method below this prefix. */
  prefix: '/p7/internal',
} as const;

/** One request and what a correct subject answers. */
export interface Probe {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly status: number;
  /** Port of the backend that must have answered; null where the subject answers by itself. */
  readonly backend: number | null;
}

function probe(method: string, path: string, status: number, backend: number | null, header = ''): Probe {
  const headers: Record<string, string> = header === '' ? {} : { [denied.header.name]: header };
  return { method, host: hosts[0] ?? '', path, headers, status, backend };
}

/** Every host and prefix, and what lies beside them. */
export function routeProbes(named: boolean): Probe[] {
  const found = hosts.flatMap((host, hostIndex) =>
    prefixes.map((prefix, prefixIndex) => {
      const backend = named ? (backendPorts[backendOf(hostIndex, prefixIndex)] ?? null) : null;
      return { ...probe('GET', `${prefix}/items/1`, 200, backend), host };
    }),
  );
  return [
    ...found,
    { ...probe('GET', '/p1/items/1', 404, null), host: 'unknown.shop.test' },
    probe('GET', '/nothing/here', 404, null),
  ];
}

/** Each deny rule and its near misses; `port` is the backend behind the hop, or null to leave that open. */
export function authorizationProbes(port: number | null): Probe[] {
  return [
    probe('GET', '/p1/items/1', 200, port),
    probe('GET', '/p1/items/1', 403, null, denied.header.value),
    probe('GET', '/p1/items/1', 200, port, 'off'),
    ...denied.write.methods.map((method) => probe(method, `${denied.write.prefix}/users`, 403, null)),
    probe('GET', `${denied.write.prefix}/users`, 200, port),
    probe('DELETE', '/p3/items/1', 200, port),
    probe('GET', `${denied.prefix}/state`, 403, null),
    probe('GET', '/p7/items/1', 200, port),
  ];
}

/** What a denied source gets. */
export function untrustedProbes(): Probe[] {
  return [probe('GET', '/p1/items/1', 403, null)];
}
