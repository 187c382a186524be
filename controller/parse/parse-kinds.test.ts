import { parse } from 'yaml';
import { readAppProtocol } from './app-protocol.js';
import { formatPath } from './field-problem.js';
import { parseManifest } from './parse-manifest.js';

const versions: Readonly<Record<string, string>> = {
  Service: 'v1',
  Pod: 'v1',
  EndpointSlice: 'discovery.k8s.io/v1',
  ReferenceGrant: 'gateway.networking.k8s.io/v1beta1',
};

/** A document of a kind, with everything below metadata's name as YAML. */
function document(kind: string, rest: string) {
  const fields = parse(rest) as { metadata?: object };
  const metadata = { name: 'x', ...(kind === 'Mesh' ? {} : { namespace: 'shop' }), ...fields.metadata };
  return parseManifest({ apiVersion: versions[kind] ?? 'weft.dev/v1alpha1', kind, ...fields, metadata });
}

function good(kind: string, rest: string) {
  const parsed = document(kind, rest);
  if (parsed.type !== 'manifest') throw new Error(JSON.stringify(parsed));
  return parsed.manifest;
}

function problems(kind: string, rest: string): string[] {
  const parsed = document(kind, rest);
  if (parsed.type !== 'refused') return [];
  return parsed.problems.map(({ path, message, fix }) => `${formatPath(path)}: ${message}; ${fix}`);
}

describe('Service', () => {
  test('addresses are canonical, UDP is left out, protocols are as declared', () => {
    const spec = `
spec:
  clusterIPs: [10.0.0.1, "FD00:0:0::1"]
  ports:
  - {port: 80, appProtocol: kubernetes.io/h2c}
  - {name: grpc-api, port: 81, targetPort: api}
  - {name: dns, port: 53, protocol: UDP}
`;
    expect(good('Service', spec)).toMatchObject({
      form: 'virtual',
      service: {
        addresses: ['10.0.0.1', 'fd00::1'],
        ports: [
          { name: '', port: 80, protocol: 'http2' },
          { name: 'grpc-api', port: 81, protocol: 'grpc' },
        ],
        balancing: 'peak-ewma',
      },
    });
  });

  test('what is promised of its traffic is read', () => {
    expect(good('Service', 'spec: {clusterIP: 10.0.0.1}')).toMatchObject({
      service: { affinitySeconds: 0 },
      localOnly: false,
    });
    const spec = 'spec: {clusterIP: 10.0.0.1, sessionAffinity: ClientIP, internalTrafficPolicy: Local}';
    expect(good('Service', spec)).toMatchObject({ service: { affinitySeconds: 10_800 }, localOnly: true });
  });

  test('headless and ExternalName services have no virtual address', () => {
    expect(good('Service', 'spec: {clusterIP: None}')).toMatchObject({
      form: 'headless',
      service: { addresses: [] },
    });
    expect(good('Service', 'spec: {type: ExternalName, externalName: a.b}')).toMatchObject({
      form: 'external-name',
    });
  });

  test.each([
    ['no address', 'spec: {ports: []}', /^spec.clusterIP: is missing/],
    ['a bad address', 'spec: {clusterIP: 10.0.0}', /^spec.clusterIP: is not an IP address/],
    [
      'two that differ',
      'spec: {clusterIP: 10.0.0.1, clusterIPs: [10.0.0.2]}',
      /^spec.clusterIPs: does not begin with/,
    ],
    [
      'a misspelt field',
      'spec: {clusterIP: 10.0.0.1, port: [{port: 1}]}',
      /^spec.port: .*did you mean ports\?/,
    ],
    [
      'a port twice',
      'spec: {clusterIP: 10.0.0.1, ports: [{port: 1}, {name: b, port: 1}]}',
      /^spec.ports\[1\].port: the port is declared twice/,
    ],
    [
      'an unknown balancing',
      'metadata: {annotations: {weft.dev/balancing: random}}\nspec: {clusterIP: 10.0.0.1}',
      /^metadata.annotations\["weft.dev\/balancing"\]: .*peak-ewma, round-robin, least-request/,
    ],
  ])('%s is a problem', (_what, rest, expected) => {
    expect(problems('Service', rest)).toContainEqual(expect.stringMatching(expected));
  });
});

test.each([
  [undefined, 'http', 'http'],
  [undefined, 'http-web', 'http'],
  [undefined, 'HTTP2-x', 'http2'],
  [undefined, 'https', 'tls'],
  [undefined, 'httpx', 'tcp'],
  [undefined, '', 'tcp'],
  ['kubernetes.io/ws', 'tcp', 'http'],
  ['kubernetes.io/wss', '', 'tls'],
  ['mysql', 'http', 'tcp'],
  ['constructor', '', 'tcp'],
] as const)('appProtocol %s and name "%s" are carried as %s', (appProtocol, name, expected) => {
  expect(readAppProtocol(appProtocol, name)).toBe(expected);
});

describe('EndpointSlice', () => {
  const slice = (endpoints: string) =>
    `metadata: {labels: {kubernetes.io/service-name: web}}\naddressType: IPv4\nports: [{name: a, port: 1}]\nendpoints: ${endpoints}`;

  test('conditions have their defaults: ready unless said or terminating, and count where they are written', () => {
    const endpoints = `
- {addresses: [10.0.0.1]}
- {addresses: [10.0.0.2], conditions: {ready: false}}
- {addresses: [10.0.0.3], conditions: {ready: true, terminating: true, serving: true}}
- {addresses: [10.0.0.4], targetRef: {kind: Pod, name: p, uid: u}, nodeName: n, zone: z, hints: {forZones: [{name: z}], forNodes: [{name: n}]}}
- {addresses: [10.0.0.5], conditions: {terminating: true, serving: true}}
`;
    expect(good('EndpointSlice', slice(endpoints))).toMatchObject({
      service: 'web',
      ports: { a: 1 },
      endpoints: [
        { ready: true, serving: true, target: null, node: '', forZones: [], forNodes: [] },
        { ready: false, serving: false },
        { ready: true, serving: true },
        {
          ready: true,
          zone: 'z',
          node: 'n',
          forZones: ['z'],
          forNodes: ['n'],
          target: { namespace: 'shop', name: 'p', uid: 'u' },
        },
        { ready: false, serving: true },
      ],
    });
  });

  test.each([
    ['no service', 'addressType: IPv4', /service-name"\]: is missing/],
    ['FQDN', 'addressType: FQDN', /^addressType: is not supported/],
    ['no address', slice('[{addresses: []}]'), /^endpoints\[0\].addresses: holds no IP address/],
    [
      'a misspelt condition',
      slice('[{addresses: [10.0.0.1], conditions: {redy: true}}]'),
      /conditions.redy: .*did you mean ready/,
    ],
  ])('%s is a problem', (_what, rest, expected) => {
    expect(problems('EndpointSlice', rest)).toContainEqual(expect.stringMatching(expected));
  });
});

describe('Workload', () => {
  test('defaults: external without capture, closed and default limits with it', () => {
    expect(good('Workload', 'spec: {addresses: [10.0.0.1]}')).toMatchObject({
      workload: { kind: 'external', uid: 'shop.x', serviceAccount: 'default', node: '', capture: null },
    });
    expect(good('Workload', 'spec: {addresses: [10.0.0.1], capture: {netns: a}}')).toMatchObject({
      workload: {
        kind: 'unit',
        capture: { netns: 'a', failMode: 'closed', udp: 'allow', probePorts: [] },
        limits: { connections: 0, cpuShare: 0 },
      },
    });
  });

  test.each([
    ['no address', 'spec: {capture: {netns: a}}', /^spec.addresses: is missing/],
    ['an empty list', 'spec: {addresses: []}', /^spec.addresses: is missing/],
    ['a prefix', 'spec: {addresses: [10.0.0.1/24]}', /^spec.addresses\[0\]: is not an IP address/],
    [
      'a path as namespace',
      'spec: {addresses: [10.0.0.1], capture: {netns: ../x}}',
      /^spec.capture.netns: is malformed.*not a path/,
    ],
    ['no namespace', 'spec: {addresses: [10.0.0.1], capture: {}}', /^spec.capture.netns: is missing/],
    [
      'an unknown fail mode',
      'spec: {addresses: [10.0.0.1], capture: {netns: a, failMode: maybe}}',
      /failMode: .*closed, open/,
    ],
    [
      'a misspelt limit',
      'spec: {addresses: [10.0.0.1], limits: {connection: 1}}',
      /limits.connection: .*did you mean connections/,
    ],
    ['a bad uid', 'metadata: {uid: "a/b"}\nspec: {addresses: [10.0.0.1]}', /^metadata.uid: is malformed/],
  ])('%s is a problem', (_what, rest, expected) => {
    expect(problems('Workload', rest)).toContainEqual(expect.stringMatching(expected));
  });
});

describe('Pod', () => {
  test('addresses, ports and probe ports are read; only the annotation enrols it', () => {
    const pod = (annotations: string) => `
metadata: {uid: u1, annotations: {${annotations}}}
spec:
  serviceAccountName: sa
  nodeName: n1
  containers:
  - ports: [{name: http, containerPort: 80}, {name: admin, containerPort: 81}, {containerPort: 53, protocol: UDP}]
    readinessProbe: {httpGet: {port: admin}}
    livenessProbe: {exec: {command: [x]}}
  initContainers:
  - restartPolicy: Always
    startupProbe: {tcpSocket: {port: 90}}
  - ports: [{containerPort: 99}]
status: {podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}], podIP: 10.0.0.1}
`;
    expect(good('Pod', pod(''))).toMatchObject({
      workload: { kind: 'pod', uid: 'u1', node: 'n1', capture: null },
    });
    expect(good('Pod', pod('weft.dev/netns: ns-1, weft.dev/fail-mode: open'))).toMatchObject({
      workload: {
        addresses: ['10.0.0.1', 'fd00::1'],
        serviceAccount: 'sa',
        // What carries no protocol in its name declares none.
        ports: [{ name: 'http', port: 80, protocol: 'http' }],
        capture: { netns: 'ns-1', failMode: 'open', udp: 'allow', probePorts: [81, 90] },
      },
    });
  });

  test('a pod of the host’s network, and one that has ended, has no address of its own', () => {
    const status = 'status: {podIP: 10.0.0.1, phase: Running}';
    const annotated = 'metadata: {annotations: {weft.dev/netns: a}}\n';
    const empty = { workload: { addresses: [], capture: null } };
    expect(good('Pod', `${annotated}spec: {hostNetwork: true}\n${status}`)).toMatchObject(empty);
    expect(good('Pod', `${annotated}${status.replace('Running', 'Succeeded')}`)).toMatchObject(empty);
  });

  test('annotations that cannot be used are problems', () => {
    expect(problems('Pod', 'metadata: {annotations: {weft.dev/netns: /run/x, weft.dev/udp: maybe}}')).toEqual(
      [
        expect.stringMatching(/netns"\]: is malformed/),
        expect.stringMatching(/udp"\]: is not a known value; use one of allow, deny/),
      ],
    );
  });
});

describe('Mesh', () => {
  test.each([
    ['no trust domain', 'spec: {}', /^spec.trustDomain: is missing/],
    ['an upper-case one', 'spec: {trustDomain: A}', /^spec.trustDomain: is malformed/],
    ['host bits', 'spec: {trustDomain: a, ranges: [{cidr: 10.0.0.1/8, action: proxy}]}', /cidr: is no CIDR/],
    ['no action', 'spec: {trustDomain: a, ranges: [{cidr: 10.0.0.0/8}]}', /action: is missing/],
    [
      'a namespace',
      'metadata: {namespace: shop}\nspec: {trustDomain: a}',
      /^metadata.namespace: is set on a kind that has none/,
    ],
  ])('%s is a problem', (_what, rest, expected) => {
    expect(problems('Mesh', rest)).toContainEqual(expect.stringMatching(expected));
  });
});

describe('AuthorizationPolicy', () => {
  const spec = (rule: string) => `spec: {action: ALLOW, rules: [${rule}]}`;

  test('all parts of a rule are read', () => {
    const rule =
      '{sources: {serviceAccounts: [a/b], namespaces: [c], spiffeIDs: ["spiffe://t/ns/a/sa/b"]}, ports: [80], ' +
      'http: {methods: [GET], paths: ["/a*", "*.css", "*"], hosts: ["*.x"], headers: [{name: X-A, values: ["*"]}]}}';
    expect(good('AuthorizationPolicy', spec(rule))).toMatchObject({
      policy: {
        targets: [],
        action: 'ALLOW',
        mode: 'Enforce',
        requireAuthenticated: false,
        broken: false,
        rules: [
          {
            sources: { serviceAccounts: ['a/b'], namespaces: ['c'], spiffeIds: ['spiffe://t/ns/a/sa/b'] },
            ports: [80],
            http: {
              methods: ['GET'],
              paths: ['/a*', '*.css', '*'],
              hosts: ['*.x'],
              headers: [{ name: 'x-a', values: ['*'] }],
            },
          },
        ],
      },
    });
    expect(good('AuthorizationPolicy', spec('{}'))).toMatchObject({
      policy: { rules: [{ sources: { namespaces: [] }, ports: [], http: null }] },
    });
  });

  test.each([
    ['no action', 'spec: {rules: []}', /^spec.action: is missing/],
    ['a DENY that denies nothing', 'spec: {action: DENY}', /^spec.rules: is missing, so this DENY/],
    [
      'an empty list of sources',
      spec('{sources: {namespaces: []}}'),
      /sources.namespaces: is empty, which would match everything/,
    ],
    ['empty sources', spec('{sources: {}}'), /rules\[0\].sources: sources is empty/],
    ['empty http', spec('{http: {}}'), /rules\[0\].http: http is empty/],
    ['an empty list of ports', spec('{ports: []}'), /rules\[0\].ports: is empty/],
    [
      'a misspelt attribute',
      spec('{http: {path: [/a]}}'),
      /http.path: is not a known field; did you mean paths/,
    ],
    ['a star within', spec('{http: {paths: ["/a*b"]}}'), /paths\[0\]: is malformed/],
    ['a path that is no normal form', spec('{http: {paths: ["/a/../b"]}}'), /paths\[0\]: not in normal form/],
    [
      'a host with a port',
      spec('{http: {hosts: ["a:80"]}}'),
      /hosts\[0\]: hosts are compared without their port/,
    ],
    [
      'a service account without namespace',
      spec('{sources: {serviceAccounts: [web]}}'),
      /serviceAccounts\[0\]: is malformed; must be namespace\/name/,
    ],
    [
      'two kinds of targets',
      'spec: {action: ALLOW, targetRefs: [{kind: Service, name: a}], selector: {matchLabels: {a: b}}}',
      /selector: cannot stand beside targetRefs/,
    ],
    ['an empty selector', 'spec: {action: ALLOW, selector: {}}', /matchLabels: is empty/],
    [
      'another kind of target',
      'spec: {action: ALLOW, targetRefs: [{kind: Gateway, name: a}]}',
      /kind: is not supported; write Service/,
    ],
    ['an empty list of targets', 'spec: {action: ALLOW, targetRefs: []}', /targetRefs: names no service/],
  ])('%s is a problem', (_what, rest, expected) => {
    expect(problems('AuthorizationPolicy', rest)).toContainEqual(expect.stringMatching(expected));
  });
});

describe('documents that cannot be named or known', () => {
  const parsed = (value: unknown) => {
    const result = parseManifest(value);
    return result.type === 'refused'
      ? result.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`)
      : result.type;
  };

  test.each([
    [null, [': is not an object']],
    [[], [': is not an object']],
    ['text', [': is not an object']],
    [{ kind: 'Service' }, ['apiVersion: is missing']],
    [{ apiVersion: 'v1', kind: 'Service' }, ['metadata: is missing']],
    [{ apiVersion: 'v1', kind: 'Service', metadata: {} }, ['metadata.name: is missing']],
    [{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'A' } }, ['metadata.name: is malformed']],
    [{ apiVersion: 'v1beta1', kind: 'Service' }, ['apiVersion: is not read for kind Service']],
    [{ apiVersion: 'weft.dev/v1alpha1', kind: 'Meshh' }, ['kind: is not a kind that weft reads']],
    [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' } }, 'foreign'],
    [{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata: { name: 'x' } }, 'foreign'],
  ])('%j', (value, expected) => {
    expect(parsed(value)).toEqual(expected);
  });

  test.each([
    ['apps/v1', 'Deployment', undefined],
    ['networking.k8s.io/v1', 'NetworkPolicy', undefined],
    ['gateway.networking.k8s.io/v1', 'Gateway', undefined],
    ['gateway.networking.k8s.io/v1', 'TLSRoute', 'is not supported, so it decides nothing'],
    [
      'weft.de/v1alpha1',
      'AuthorizationPolicy2',
      'is no group that weft reads; this AuthorizationPolicy2 is passed over',
    ],
  ])('%s %s is passed over, with a warning where somebody may expect more', (apiVersion, kind, message) => {
    const result = parseManifest({ apiVersion, kind, metadata: { name: 'x' } });
    expect(result.type === 'foreign' ? result.warning?.message : result).toBe(message);
  });

  test('a document that plays with prototypes does no harm', () => {
    const value: unknown = JSON.parse(
      '{"apiVersion":"v1","kind":"Service","metadata":{"name":"x"},"spec":{"__proto__":{"clusterIP":"10.0.0.1"}}}',
    );
    expect(parsed(value)).toContain('spec.clusterIP: is missing');
    expect(({} as { clusterIP?: string }).clusterIP).toBeUndefined();
  });
});
