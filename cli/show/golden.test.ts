/** What people see, compared with files; WEFT_UPDATE_GOLDEN=1 writes them anew, to be reviewed like code. */
import { plaintextCauses } from '../../model/plaintext-cause.js';
import type { Resource } from '../../model/resource.js';
import type { Workload } from '../../model/workload.js';
import { expectGolden } from './expect-golden.js';
import { formatAge, formatBytes } from './format-table.js';
import { formatCertificates } from './show-certificates.js';
import { formatRoutes, joinRoutes } from './show-config.js';
import { formatConnections } from './show-connections.js';
import { formatEdges } from './show-edges.js';
import { formatStatus, isWell, joinControllers, type ProxyStatus, type WholeStatus } from './show-status.js';
import { formatWorkloads, type ShownWorkload, showWorkload } from './show-workloads.js';

const key = { version: 'v', ownerNamespace: 'shop' };
const workload = {
  kind: 'unit',
  uid: 'shop.cart-1',
  name: 'cart-1',
  namespace: 'shop',
  serviceAccount: 'cart',
  trustDomain: 'shop.example',
  cluster: '',
  network: '',
  node: 'local',
  locality: { region: '', zone: '' },
  labels: { app: 'cart' },
  addresses: ['10.66.0.3', 'fd66::3'],
  ports: [],
  limits: { connections: 0, pendingRequests: 0, bufferedBytes: 0, cpuShare: 0 },
  captured: true,
  capture: { netns: 'cart-1', failMode: 'closed', udp: 'allow', probePorts: [] },
  mtls: { mode: 'permissive', ports: {} },
  transport: 'plaintext',
} as const;

const everyPath = {
  path: { type: 'PathPrefix', value: '/' },
  headers: [],
  queryParams: [],
  method: undefined,
} as const;
const rule = { name: '', filters: [], requestTimeoutMs: 0, backendTimeoutMs: 0, retry: undefined };
const cart = (weight: number) => ({
  service: { namespace: 'shop', name: 'cart', port: 80 },
  weight,
  filters: [],
});

const resources: Resource[] = [
  {
    ...key,
    kind: 'workload',
    name: 'shop.far',
    body: {
      ...workload,
      uid: 'shop.far',
      name: 'far',
      node: 'other',
      capture: null,
      mtls: { mode: 'strict', ports: { 9090: 'disabled' } },
      transport: 'weft-tls',
    },
  },
  { ...key, kind: 'workload', name: 'shop.cart-1', body: workload },
  {
    ...key,
    kind: 'workload',
    name: 'uid-2',
    body: {
      ...workload,
      uid: 'uid-2',
      name: 'printer',
      kind: 'external',
      addresses: [],
      captured: false,
      capture: null,
    },
  },
  {
    ...key,
    kind: 'http-route',
    name: 'shop/cart',
    body: {
      kind: 'http-route',
      namespace: 'shop',
      name: 'cart',
      parents: [
        { namespace: 'shop', name: 'cart', port: 80 },
        { namespace: 'shop', name: 'web', port: undefined },
      ],
      hostnames: ['shop.example'],
      createdMs: 0,
      rules: [
        {
          ...rule,
          name: 'canary',
          matches: [
            {
              path: { type: 'Exact', value: '/cart' },
              headers: [{ name: 'x-canary', match: { type: 'Exact', value: '1' } }],
              queryParams: [{ name: 'q', match: { type: 'RegularExpression', value: 'a.*' } }],
              method: 'GET',
            },
            everyPath,
          ],
          backends: [cart(90), { service: null, weight: 10, filters: [] }],
        },
        {
          ...rule,
          matches: [{ ...everyPath, path: { type: 'RegularExpression', value: '/old/.*' } }],
          filters: [
            {
              type: 'RequestRedirect',
              scheme: undefined,
              hostname: undefined,
              path: undefined,
              port: undefined,
              statusCode: 301,
            },
          ],
          backends: [],
        },
        { ...rule, matches: [everyPath], backends: [cart(1)] },
      ],
    },
  },
  {
    ...key,
    kind: 'grpc-route',
    name: 'shop/ledger',
    body: {
      kind: 'grpc-route',
      namespace: 'shop',
      name: 'ledger',
      parents: [{ namespace: 'shop', name: 'ledger', port: 9090 }],
      hostnames: [],
      createdMs: 0,
      rules: [
        {
          ...rule,
          matches: [
            {
              ...everyPath,
              path: { type: 'GrpcExact', service: 'shop.Ledger', method: 'Get' },
              method: 'POST',
            },
            {
              ...everyPath,
              path: { type: 'GrpcRegularExpression', service: '', method: 'List.*' },
              method: 'POST',
            },
          ],
          backends: [cart(1)],
        },
      ],
    },
  },
];

test('workloads', () => {
  const served = { waitsFor: 'nothing', refusal: '' } as const;
  const workloads = resources.flatMap((one) =>
    one.kind === 'workload' ? [showWorkload(one.body, one.name === 'shop.cart-1' ? served : undefined)] : [],
  );
  expectGolden('workloads', formatWorkloads(workloads));
  expectGolden('workloads-json', `${JSON.stringify(workloads, null, 2)}\n`);
  expect(formatWorkloads([])).toBe('no workloads\n');
});

test('a workload that should be captured and is not is told with the reason', () => {
  const own = resources.flatMap((one) => (one.name === 'shop.cart-1' ? [one.body as Workload] : []));
  const waits = { waitsFor: 'capture', refusal: 'its namespace is gone' } as const;
  const [shown] = own.map((one): ShownWorkload => showWorkload(one, waits));
  expect(formatWorkloads(shown === undefined ? [] : [shown])).toMatch(
    /\nshop\/cart-1 is not captured: capture has not enrolled it: its namespace is gone\n$/,
  );
});

test('routes', () => {
  const routes = joinRoutes([{ version: 1, resources }], null);
  expectGolden('routes', formatRoutes(routes));
  expect(
    joinRoutes(
      [
        { version: 1, resources },
        { version: 2, resources },
      ],
      'shop',
    ),
  ).toHaveLength(routes.length);
  expect(joinRoutes([{ version: 1, resources }], 'other')).toEqual([]);
});

test('connections', () => {
  const connection = {
    direction: 'outbound',
    source: '10.66.0.2:41234',
    destination: '10.97.0.1:80',
    sourceNamespace: 'shop',
    sourceWorkload: 'web',
    destinationNamespace: '',
    destinationWorkload: 'unknown',
    service: 'cart',
    protocol: 'http',
    transport: 'none',
    peer: '',
    state: 'http',
    ageMs: 950,
    bytesReceived: 73,
    bytesSent: 5_000_000,
    bufferedBytes: 0,
  };
  const tls = { transport: 'tls', peer: 'spiffe://mesh.test/ns/shop/sa/cart' };
  const old = { ...connection, ...tls, ageMs: 4_000_000, protocol: 'tcp', service: '', state: 'tunnel' };
  expectGolden('connections', formatConnections([connection, old]));
});

test('edges', () => {
  const tls = {
    source: 'shop/web',
    destination: 'shop/cart',
    port: 8080,
    transport: 'tls',
    reason: 'none',
    connections: 3,
    requests: 4210,
  } as const;
  const plaintext = {
    ...tls,
    source: 'unknown/unknown',
    transport: 'plaintext',
    reason: 'source_unknown',
    connections: 12,
  } as const;
  const refused = { ...tls, source: 'shop/batch', transport: 'none', reason: 'plaintext_refused' } as const;
  expectGolden('edges', formatEdges([tls, plaintext, { ...refused, port: 0, requests: 0 }]));
  expect(formatEdges([])).toBe('nobody has talked to anybody yet\n');
});

test('every cause is explained', () => {
  for (const reason of plaintextCauses) {
    const text = formatEdges([
      {
        source: 'a/b',
        destination: 'c/d',
        port: 1,
        transport: 'plaintext',
        reason,
        connections: 1,
        requests: 0,
      },
    ]);
    expect(text).not.toContain('_');
  }
});

test('certificates', () => {
  const nowMs = Date.parse('2026-01-01T00:00:00.000Z');
  const one = {
    workload: 'shop.cart-1',
    name: 'shop/cart-1',
    node: 'local',
    identity: 'spiffe://shop.example/ns/shop/sa/cart',
    state: 'ready',
    serial: '4f00000000000000000000000000a1b2',
    issuer: 'CN=weft root 2026-01-01, O=shop.example',
    notBefore: '2026-01-01T00:00:00.000Z',
    expires: '2026-01-01T20:30:00.000Z',
    reason: null,
    message: null,
  };
  const nothing = { serial: null, issuer: null, notBefore: null, expires: null };
  const why = { reason: 'authority_unreachable', message: 'No connection established' };
  const certificates = [
    one,
    { ...one, name: 'shop/cart-2', state: 'renewing', expires: '2026-01-01T00:00:42.000Z', ...why },
    { ...one, name: 'shop/web-1', state: 'requesting', ...nothing },
    { ...one, name: 'shop/web-2', state: 'expired', expires: '2025-12-31T23:00:00.000Z' },
  ];
  expectGolden('certificates', formatCertificates({ on: true, certificates }, nowMs));
  expect(formatCertificates({ on: true, certificates: [] }, nowMs)).toBe('no captured workloads\n');
  expect(formatCertificates({ on: false, certificates: [] }, nowMs)).toMatch(/--no-identities/);
});

describe('status', () => {
  const transports = { plaintext: 1, arriving: 1, 'weft-tls': 3, leaving: 0, outside: 2 };
  const proxyAnswer: ProxyStatus = {
    node: 'local',
    version: '0.1.0',
    ready: true,
    capture: true,
    controller: true,
    configured: true,
    workloadsServed: 2,
    workloadsWanted: 2,
    snapshot: 17,
    transports,
    host: { kernel: '6.1.0', btf: true, nowMs: 0 },
    engine: { connections: 3, pooled: 1, bufferedBytes: 0 },
  };
  const well: WholeStatus = {
    controllers: [
      {
        name: 'controller',
        ok: true,
        answer: {
          transports,
          version: 17,
          summary: 'reached 1 of 1 nodes at version 17',
          resources: [{ kind: 'mesh', name: 'mesh', version: 'v' }],
          problems: [],
          nodes: [{ node: 'local', connected: true, agentVersion: '0.1.0', ackedVersion: 17, refusals: [] }],
        },
      },
    ],
    proxies: [
      {
        name: 'proxy',
        ok: true,
        answer: proxyAnswer,
      },
    ],
  };

  test('all is well', () => {
    expect(isWell(well)).toBe(true);
    expectGolden('status-well', formatStatus(well));
  });

  test.each([
    [-7_260_000, "clock       of local is 2h1m behind the controller's"],
    [30_000, "clock       of local is 30s ahead of the controller's"],
    [4_000, ''],
    [null, ''],
  ])('a clock that is %d ms off the controller`s is told where that matters', (clockSkewMs, said) => {
    const proxies = [{ name: 'proxy', ok: true, answer: { ...proxyAnswer, clockSkewMs } }] as const;
    const [line = ''] = formatStatus({ ...well, proxies }).match(/^clock.*$/m) ?? [];
    expect(line).toBe(said);
  });

  test('identities that are missing are missing', () => {
    const withProven = (inForce: number): WholeStatus => ({
      ...well,
      proxies: [
        {
          name: 'proxy',
          ok: true,
          answer: { ...proxyAnswer, ready: inForce === 2, identities: { wanted: 2, inForce } },
        },
      ],
    });
    expect(formatStatus(withProven(2))).toMatch(/ready: serves 2 of 2 .*, proves 2 of 2 identities$/m);
    expect(formatStatus(withProven(1))).toMatch(
      /not ready \(without identities\): .*, proves 1 of 2 identities$/m,
    );
  });

  test('replicas count versions for themselves: a node is held against the one that tells of it', () => {
    const [controller] = well.controllers;
    if (controller?.ok !== true) throw new Error('the fixture is wrong');
    const { answer } = controller;
    const [node] = answer.nodes;
    if (node === undefined) throw new Error('the fixture is wrong');
    const far = { ...node, node: 'far' };
    const other = { ...answer, version: 99, nodes: [{ ...far, ackedVersion: 99 }] };
    const leader = { ...answer, nodes: [node, { ...far, connected: false, ackedVersion: 16 }] };
    const joined = joinControllers([other, leader]);
    expect(joined?.version).toBe(17);
    expect(joined?.nodes.map((one) => [one.node, one.reached])).toEqual([
      ['far', true],
      ['local', true],
    ]);
  });

  test('a node whose controller is elsewhere is well while that answers', () => {
    const far: WholeStatus = { ...well, controllers: [] };
    expect(formatStatus(far)).toMatch(/^controller {2}on another machine\nproxy +ready: /);
    expect(isWell(far)).toBe(true);
    const cut = { ...proxyAnswer, controller: false };
    expect(isWell({ controllers: [], proxies: [{ name: 'proxy', ok: true, answer: cut }] })).toBe(false);
  });

  test('problems, refusals, and a proxy that is gone', () => {
    const [controller] = well.controllers;
    if (controller?.ok !== true) throw new Error('the fixture is wrong');
    const problem = { field: 'rules[0]', message: 'is too much', fix: 'write less' };
    const ill: WholeStatus = {
      controllers: [
        {
          name: 'controller',
          ok: true,
          answer: {
            ...controller.answer,
            summary: 'reached 0 of 2 nodes at version 17',
            problems: [
              {
                severity: 'error',
                origin: '/m/cart.yaml',
                line: 12,
                kind: 'HTTPRoute',
                namespace: 'shop',
                name: 'cart',
                field: 'spec.rules[0].matches[0].path.type',
                value: 'Prefix',
                message: 'is not a known value',
                fix: 'use one of Exact, PathPrefix, RegularExpression',
                inForce: 'last-good',
              },
              {
                severity: 'warning',
                origin: '/m/b.yaml',
                line: 0,
                kind: '',
                namespace: '',
                name: '',
                field: '',
                value: '',
                message: 'holds nothing',
                fix: 'delete it',
                inForce: 'as-written',
              },
            ],
            nodes: [
              {
                node: 'a',
                connected: true,
                agentVersion: '0.1.0',
                ackedVersion: 16,
                refusals: [{ kind: 'http-route', name: 'shop/big', problems: [problem] }],
              },
              { node: 'b', connected: false, agentVersion: '0.1.0', ackedVersion: 9, refusals: [] },
            ],
          },
        },
      ],
      proxies: [
        { name: 'proxy', ok: false, error: 'nobody listens on /run/weft/proxy/admin.sock: is weft running?' },
      ],
    };
    expect(isWell(ill)).toBe(false);
    expectGolden('status-ill', formatStatus(ill));
  });
});

test('figures for people', () => {
  expect([0, 1023, 1536, 5 * 2 ** 30].map(formatBytes)).toEqual(['0 B', '1023 B', '1.5 KiB', '5.0 GiB']);
  expect([12, 75_000, 4_000_000, 100_000_000].map(formatAge)).toEqual(['12ms', '1m15s', '1h6m', '1d3h']);
});
