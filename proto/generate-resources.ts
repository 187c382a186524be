/** Random resources of every kind from a seed, for property tests of whatever carries or holds them. */
import { formatAddress } from '../model/address.js';
import type { AuthorizationPolicy, PolicyTarget } from '../model/policy.js';
import type { Resource, ResourceKind } from '../model/resource.js';
import type {
  HeaderEdits,
  HttpFilter,
  HttpRoute,
  NamedMatch,
  PathEdit,
  PathMatch,
  RouteKind,
} from '../model/route.js';
import type { EndpointSet, Service } from '../model/service.js';
import type { Workload, WorkloadPort } from '../model/workload.js';
import type { IndexedWorkload, WorkloadIndex } from '../model/workload-index.js';

/** A source of choices that a seed repeats exactly (mulberry32). */
export class Choices {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from `least` to `most`, both included. */
  number(least: number, most: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return least + (((mixed ^ (mixed >>> 14)) >>> 0) % (most - least + 1));
  }

  of<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.number(0, items.length - 1)] ?? items[0];
  }

  list<Item>(make: () => Item, least = 0, most = 3): Item[] {
    return Array.from({ length: this.number(least, most) }, make);
  }

  maybe<Item>(make: () => Item): Item | undefined {
    return this.number(0, 1) === 0 ? undefined : make();
  }

  text(): string {
    return this.of(['a', 'web', 'über-lang', 'x y', '0', '"\\', '/a/b', '日本', 'v1.2']);
  }

  address(): string {
    const length = this.of([4, 16] as const);
    return formatAddress(
      Uint8Array.from({ length }, () => this.number(0, 255)),
      0,
      length,
    );
  }

  port(): number {
    return this.number(1, 65_535);
  }
}

/** One resource of the kind, different for each state of the choices. */
export function generateResource(choices: Choices, kind: ResourceKind): Resource {
  const version = `v${choices.number(1, 1_000_000)}`;
  const namespace = choices.of(['shop', 'bank', 'default']);
  const name = choices.text();
  const key = { name: `${namespace}/${name}`, version, ownerNamespace: namespace };
  const owned = { namespace, name };
  switch (kind) {
    case 'mesh': {
      const action = () => choices.of(['direct', 'deny', 'proxy'] as const);
      const ranges = choices.list(() => ({ cidr: `10.${choices.number(0, 255)}.0.0/16`, action: action() }));
      const enrolledNamespaces = choices.list(() => choices.text());
      const body = {
        trustDomain: 'example.org',
        cluster: choices.text(),
        network: '',
        ranges,
        enrolledNamespaces,
      };
      return { kind, name: 'mesh', version, ownerNamespace: '', body };
    }
    case 'workload': {
      const body = generateWorkload(choices, owned);
      return { kind, ...key, name: body.uid, body };
    }
    case 'workload-index':
      return { kind, ...key, ownerNamespace: '', body: generateIndex(choices) };
    case 'service':
      return { kind, ...key, body: generateService(choices, owned) };
    case 'endpoints':
      return { kind, ...key, body: generateEndpoints(choices, owned) };
    case 'http-route':
      return { kind, ...key, body: generateRoute(choices, owned, kind) };
    case 'grpc-route':
      return { kind, ...key, body: generateRoute(choices, owned, kind) };
    case 'authorization-policy':
      return { kind, ...key, body: generatePolicy(choices, owned) };
  }
}

interface Owned {
  readonly namespace: string;
  readonly name: string;
}

function generateIndex(choices: Choices): WorkloadIndex {
  const { trustDomain, cluster, network, node } = generateWorkload(choices, { namespace: 'a', name: 'b' });
  const partial = choices.of([true, false]);
  return {
    trustDomain,
    cluster,
    network,
    node,
    partial,
    workloads: choices.list(() => generateIndexed(choices)),
  };
}

function generateIndexed(choices: Choices): IndexedWorkload {
  const owned = { namespace: choices.text(), name: choices.text() };
  const { kind, addresses, serviceAccount, captured, mtls, transport } = generateWorkload(choices, owned);
  const uuid = `01234567-89ab-cdef-0000-${`${choices.number(0, 99_999)}`.padStart(12, '0')}`;
  const uid = choices.of([uuid, choices.text()]);
  return { kind, uid, ...owned, serviceAccount, label: choices.text(), addresses, captured, mtls, transport };
}

function generatePort(choices: Choices): WorkloadPort {
  const protocol = choices.of(['http', 'http2', 'grpc', 'tcp', 'tls'] as const);
  return { name: choices.of(['', 'http', 'metrics']), port: choices.port(), protocol };
}

function generateWorkload(choices: Choices, owned: Owned): Workload {
  return {
    kind: choices.of(['pod', 'unit', 'external'] as const),
    uid: `uid-${choices.number(1, 99)}`,
    ...owned,
    serviceAccount: choices.text(),
    trustDomain: 'example.org',
    cluster: choices.of(['', 'one']),
    network: choices.of(['', 'net']),
    node: choices.of(['', 'node-1']),
    locality: { region: choices.of(['', 'r']), zone: choices.of(['', 'z']) },
    labels: Object.fromEntries(choices.list(() => [choices.text(), choices.text()])),
    addresses: choices.list(() => choices.address()),
    ports: choices.list(() => generatePort(choices)),
    limits: {
      connections: choices.number(0, 10_000),
      pendingRequests: choices.number(0, 10_000),
      bufferedBytes: choices.of([0, 1, 2 ** 40, Number.MAX_SAFE_INTEGER]),
      cpuShare: choices.number(0, 1000),
    },
    capture:
      choices.maybe(() => ({
        netns: choices.of(['', 'pod-1']),
        failMode: choices.of(['closed', 'open'] as const),
        udp: choices.of(['allow', 'deny'] as const),
        probePorts: choices.list(() => choices.port()),
      })) ?? null,
    captured: choices.of([true, false]),
    mtls: {
      mode: choices.of(['strict', 'permissive', 'disabled'] as const),
      ports: Object.fromEntries(
        choices.list(() => [choices.port(), choices.of(['strict', 'permissive', 'disabled'] as const)]),
      ),
    },
    transport: choices.of(['plaintext', 'arriving', 'weft-tls', 'leaving'] as const),
  };
}

function generateService(choices: Choices, owned: Owned): Service {
  return {
    ...owned,
    addresses: choices.list(() => choices.address()),
    ports: choices.list(() => generatePort(choices)),
    balancing: choices.of(['peak-ewma', 'round-robin', 'least-request'] as const),
    affinitySeconds: choices.number(0, 1) * choices.number(1, 86_400),
  };
}

function generateEndpoints(choices: Choices, owned: Owned): EndpointSet {
  const endpoints = choices.list(() => ({
    workloadUid: choices.of(['', 'uid-1']),
    address: choices.address(),
    ports: Object.fromEntries(choices.list(() => [choices.port(), choices.port()])),
    ready: choices.of([true, false]),
    serving: choices.of([true, false]),
    zone: choices.of(['', 'z']),
  }));
  return { ...owned, endpoints };
}

function generateRoute(choices: Choices, owned: Owned, kind: RouteKind): HttpRoute {
  const named = (): NamedMatch => ({
    name: choices.text(),
    match: { type: choices.of(['Exact', 'RegularExpression'] as const), value: choices.text() },
  });
  const rule = () => ({
    name: choices.of(['', 'rule']),
    matches: choices.list(
      () => ({
        path: generatePath(choices),
        headers: choices.list(named),
        queryParams: choices.list(named),
        method: choices.of([undefined, 'GET']),
      }),
      1,
    ),
    filters: choices.list(() => generateFilter(choices)),
    backends: choices.list(() => ({
      service: choices.maybe(() => ({ ...owned, port: choices.port() })) ?? null,
      weight: choices.number(0, 1_000_000),
      filters: choices.list(() => generateFilter(choices)),
    })),
    requestTimeoutMs: choices.of([0, 1500]),
    backendTimeoutMs: choices.of([0, 4_000_000_000]),
    retry: choices.maybe(() => ({
      codes: choices.list(() => choices.number(500, 599)),
      attempts: choices.number(0, 5),
      backoffMs: choices.number(0, 500),
    })),
  });
  return {
    kind,
    ...owned,
    parents: choices.list(() => ({ ...owned, port: choices.maybe(() => choices.port()) })),
    hostnames: choices.list(() => choices.of(['shop.example', '*.shop.example'])),
    rules: choices.list(rule),
    createdMs: choices.of([0, 1_700_000_000_000]),
  };
}

function generatePath(choices: Choices): PathMatch {
  const type = choices.of([
    'Exact',
    'PathPrefix',
    'RegularExpression',
    'GrpcExact',
    'GrpcRegularExpression',
  ] as const);
  if (type !== 'GrpcExact' && type !== 'GrpcRegularExpression') return { type, value: choices.text() };
  return { type, service: choices.of(['', 'shop.Cart']), method: choices.of(['', 'Get']) };
}

function generateFilter(choices: Choices): HttpFilter {
  const edits = (): HeaderEdits => ({
    set: choices.list(() => ({ name: choices.text(), value: choices.text() })),
    add: choices.list(() => ({ name: choices.text(), value: choices.text() })),
    remove: choices.list(() => choices.text()),
  });
  const path = (): PathEdit => ({
    type: choices.of(['ReplaceFullPath', 'ReplacePrefixMatch'] as const),
    value: choices.of(['', '/', '/x']),
  });
  const hostname = choices.maybe(() => 'new.example');
  switch (choices.number(0, 3)) {
    case 0:
      return { type: 'RequestHeaderModifier', edits: edits() };
    case 1:
      return { type: 'ResponseHeaderModifier', edits: edits() };
    case 2:
      return { type: 'URLRewrite', hostname, path: choices.maybe(path) };
    default:
      return {
        type: 'RequestRedirect',
        scheme: choices.of([undefined, 'http', 'https'] as const),
        hostname,
        path: choices.maybe(path),
        port: choices.maybe(() => choices.port()),
        statusCode: choices.of([301, 302, 303, 307, 308] as const),
      };
  }
}

function generatePolicy(choices: Choices, owned: Owned): AuthorizationPolicy {
  const texts = () => choices.list(() => choices.text());
  return {
    ...owned,
    targets: choices.list(() =>
      choices.of<PolicyTarget>([
        { kind: 'Service', name: 'web' },
        { kind: 'Selector', labels: {} },
        { kind: 'Selector', labels: { app: 'web' } },
      ]),
    ),
    action: choices.of(['ALLOW', 'DENY'] as const),
    mode: choices.of(['Enforce', 'Audit'] as const),
    requireAuthenticated: choices.of([true, false]),
    rules: choices.list(() => ({
      sources: { serviceAccounts: texts(), namespaces: texts(), spiffeIds: texts() },
      ports: choices.list(() => choices.port()),
      http:
        choices.maybe(() => ({
          methods: texts(),
          paths: texts(),
          hosts: texts(),
          headers: choices.list(() => ({ name: choices.text(), values: texts() })),
        })) ?? null,
    })),
    broken: choices.of([true, false]),
  };
}
