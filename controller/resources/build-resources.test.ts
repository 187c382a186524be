import type { ResourceBodies, ResourceKind } from '../../model/resource.js';
import { readDocuments } from '../source/read-documents.js';
import { policyYaml, routeYaml, serviceYaml, sliceYaml, workloadYaml } from '../test-fixture.js';
import { buildResources } from './build-resources.js';
import { ManifestStore } from './manifest-store.js';
import { describeProblem } from './status-problem.js';

/** Builds all of these documents, each in a file of its own. */
function build(...documents: string[]) {
  return buildWith('test.mesh', ...documents);
}

function buildWith(trustDomain: string | null, ...documents: string[]) {
  const store = new ManifestStore();
  store.apply(documents.map((text, index) => readDocuments(`${index}.yaml`, text)));
  expect(store.problems()).toEqual([]);
  const { resources, problems } = buildResources(store.manifests(), { trustDomain, node: 'local' });
  const body = <Kind extends ResourceKind>(kind: Kind, name: string) =>
    resources?.find((one) => one.kind === kind && one.name === name)?.body as
      | ResourceBodies[Kind]
      | undefined;
  return { resources, body, problems: problems.map(describeProblem) };
}

const meshYaml = (spec: string) => `
apiVersion: weft.dev/v1alpha1
kind: Mesh
metadata: {name: mesh}
spec: {${spec}}
`;
const web = [serviceYaml('web', '10.96.0.1'), sliceYaml('web', '10.1.0.2'), workloadYaml('web', '10.1.0.2')];

describe('the mesh', () => {
  test('gives workloads their trust domain, and ranges only where none are given', () => {
    const { body, problems } = build(
      meshYaml('trustDomain: a.b, ranges: [{cidr: 10.0.0.0/8, action: proxy}]'),
      ...web,
    );
    expect(problems).toEqual([]);
    expect(body('workload', 'shop.web')).toMatchObject({ trustDomain: 'a.b', node: 'local' });
    expect(body('mesh', 'mesh')?.ranges).toEqual([{ cidr: '10.0.0.0/8', action: 'proxy' }]);
  });

  test('with enrolment disabled nobody is in it, whatever manifests say', () => {
    const captured = `{apiVersion: weft.dev/v1alpha1, kind: Workload, metadata: {name: db, namespace: shop},
      spec: {addresses: [10.0.0.9], capture: {netns: db}}}`;
    const captureOf = (spec: string) => build(meshYaml(spec), captured).body('workload', 'shop.db')?.capture;
    expect(captureOf('trustDomain: a.b')).toMatchObject({ netns: 'db' });
    expect(captureOf('trustDomain: a.b, enrolment: Disabled')).toBeNull();
  });

  test('warns of addresses that its ranges leave out', () => {
    const { problems } = build(
      meshYaml(
        'trustDomain: a.b, ranges: [{cidr: 10.96.0.0/16, action: proxy}, {cidr: 10.0.0.0/8, action: direct}]',
      ),
      ...web,
    );
    expect(problems).toEqual([expect.stringMatching(/spec.ranges .*do not hold 10.1.0.2 of shop\/web/)]);
  });

  test('is needed where there is no default trust domain', () => {
    const { resources, problems } = buildWith(null, ...web);
    expect(resources).toBeNull();
    expect(problems).toEqual([expect.stringMatching(/spec.trustDomain is unknown/)]);
  });

  test('a second one is refused', () => {
    const second = meshYaml('trustDomain: z').replace('name: mesh', 'name: other');
    const { body, problems } = build(meshYaml('trustDomain: a'), second);
    expect(body('mesh', 'mesh')?.trustDomain).toBe('a');
    expect(problems).toEqual([expect.stringMatching(/is a second Mesh beside mesh/)]);
  });
});

describe('identity', () => {
  test('an address belongs to one workload or service only', () => {
    const { body, problems } = build(
      workloadYaml('a', '10.1.0.2'),
      workloadYaml('b', '10.1.0.2'),
      serviceYaml('s', '10.1.0.2'),
    );
    expect(body('workload', 'shop.a')?.addresses).toEqual(['10.1.0.2']);
    expect(body('workload', 'shop.b')).toMatchObject({ addresses: [], capture: { netns: 'b' } });
    expect(body('service', 'shop/s')?.addresses).toEqual([]);
    expect(problems).toEqual([
      expect.stringMatching(
        /^1.yaml:6: Workload shop\/b: spec.addresses\[0\] .*belongs to Workload shop\/a already/,
      ),
      expect.stringMatching(/^2.yaml:6: Service shop\/s: .*belongs to Workload shop\/a already/),
    ]);
  });

  test('a network namespace of a node belongs to one workload only', () => {
    const { body, problems } = build(
      workloadYaml('a', '10.1.0.2'),
      workloadYaml('b', '10.1.0.3').replace('netns: b', 'netns: a'),
      workloadYaml('c', '10.1.0.4').replace('netns: c', 'netns: a').replace('spec:', 'spec:\n  node: other'),
    );
    expect(body('workload', 'shop.b')?.capture).toBeNull();
    expect(body('workload', 'shop.c')?.capture?.netns).toBe('a');
    expect(problems).toEqual([
      expect.stringMatching(/capture.netns .*namespace of Workload shop\/a already/),
    ]);
  });

  test('a uid names one workload', () => {
    const withUid = (name: string) =>
      workloadYaml(name, `10.1.0.${name.length}`).replace('{name:', '{uid: same, name:');
    const { resources, problems } = build(withUid('a'), withUid('bb'));
    expect(resources?.filter(({ kind }) => kind === 'workload')).toHaveLength(1);
    expect(problems).toEqual([expect.stringMatching(/has the uid of Workload shop\/a/)]);
  });
});

describe('endpoints', () => {
  test('slices of both families are merged, and ports join by name', () => {
    const slice6 = sliceYaml('web', '"fd00::2"')
      .replace('web-1', 'web-6')
      .replace('IPv4', 'IPv6')
      .replace('8080', '8081');
    const { body, problems } = build(...web, slice6);
    expect(problems).toEqual([]);
    expect(body('endpoints', 'shop/web')?.endpoints).toMatchObject([
      { address: '10.1.0.2', workloadUid: 'shop.web', ports: { 80: 8080 } },
      { address: 'fd00::2', workloadUid: '', ports: { 80: 8081 } },
    ]);
  });

  test('an address in two slices is one endpoint, ready if either says so', () => {
    const second = sliceYaml('web', '10.1.0.2')
      .replace('web-1', 'web-2')
      .replace('[10.1.0.2]', '[10.1.0.2]\n  conditions: {ready: false}');
    const { body } = build(...web, second);
    expect(body('endpoints', 'shop/web')?.endpoints).toMatchObject([{ address: '10.1.0.2', ready: true }]);
  });

  test('a service without slices has an empty set; a slice without service and a foreign port name give warnings', () => {
    const { body, problems } = build(
      serviceYaml('web', '10.96.0.1'),
      sliceYaml('gone', '10.1.0.9'),
      sliceYaml('web', '10.1.0.2').replace('name: http', 'name: htp'),
    );
    expect(body('endpoints', 'shop/web')?.endpoints).toMatchObject([{ ports: {} }]);
    expect(problems).toEqual([
      expect.stringMatching(
        /ports "htp" is no port name of service web; fix: use the service's port names: "http"/,
      ),
      expect.stringMatching(/"gone" names no known service/),
    ]);
  });

  test('a slice cannot lend a workload to an address that is not its own', () => {
    const lying = sliceYaml('web', '10.1.0.9').replace(
      '[10.1.0.9]',
      '[10.1.0.9]\n  targetRef: {kind: Pod, name: web}',
    );
    const { body, problems } = build(serviceYaml('web', '10.96.0.1'), workloadYaml('web', '10.1.0.2'), lying);
    expect(body('endpoints', 'shop/web')?.endpoints).toMatchObject([{ workloadUid: '' }]);
    expect(problems).toEqual([expect.stringMatching(/does not own 10.1.0.9, which is nobody's/)]);
  });
});

describe('routes', () => {
  const backends = (text: string) => build(...web, text).body('http-route', 'shop/r')?.rules[0]?.backends;

  test('a backend that exists is resolved', () => {
    expect(backends(routeYaml('r', 'web', 'web'))).toMatchObject([
      { service: { namespace: 'shop', name: 'web', port: 80 } },
    ]);
  });

  test.each([
    ['names no known service', routeYaml('r', 'web', 'none')],
    ['is no port of service web', routeYaml('r', 'web', 'web').replace('port: 80', 'port: 81')],
    [
      'is not supported as a backend',
      routeYaml('r', 'web', 'web').replace('{name: web, port', '{kind: Bucket, name: web, port'),
    ],
    [
      'is not permitted by a ReferenceGrant',
      routeYaml('r', 'web', 'web').replace('{name: web, port', '{namespace: bank, name: web, port'),
    ],
  ])('a backend that %s answers 500, with a warning', (message, text) => {
    const { body, problems } = build(...web, text);
    expect(body('http-route', 'shop/r')?.rules[0]?.backends).toMatchObject([{ service: null }]);
    expect(problems).toEqual([expect.stringContaining(`${message}; such requests are answered 500`)]);
  });

  test('a grant in the namespace of the service permits a reference, to the services that it names', () => {
    const bank = serviceYaml('ledger', '10.96.0.7').replace('namespace: shop', 'namespace: bank');
    const grant = (to: string, from = 'shop') => `
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: g, namespace: bank}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: ${from}}]
  to: [{group: "", kind: Service${to}}]
`;
    const route = routeYaml('r', 'web', 'ledger').replace('{name: ledger', '{namespace: bank, name: ledger');
    const resolved = (text: string) => {
      const built = build(...web, bank, route, text);
      return built.body('http-route', 'shop/r')?.rules[0]?.backends[0]?.service?.namespace;
    };
    expect(resolved(grant(''))).toBe('bank');
    expect(resolved(grant(', name: ledger'))).toBe('bank');
    expect(resolved(grant(', name: other'))).toBeUndefined();
    expect(resolved(grant('', 'evil'))).toBeUndefined();
    expect(resolved(grant('').replace('namespace: bank}', 'namespace: evil}'))).toBeUndefined();
  });

  test('parents that cannot be are left out, and a route without any is not published', () => {
    const headless = serviceYaml('headless', 'None');
    const parents = (text: string) => {
      const { body, problems } = build(
        ...web,
        headless,
        routeYaml('r', 'web', 'web').replace(/parentRefs:.*/, `parentRefs: [${text}]`),
      );
      return { parents: body('http-route', 'shop/r')?.parents, problems };
    };
    const service = (more: string) => `{group: "", kind: Service, ${more}}`;
    expect(parents(`${service('name: web')}, ${service('name: none')}`)).toEqual({
      parents: [{ namespace: 'shop', name: 'web', port: undefined }],
      problems: [expect.stringMatching(/parentRefs\[1\].name "none" names no known service/)],
    });
    expect(parents(service('name: headless')).problems[0]).toMatch(/is a headless service/);
    expect(parents(service('name: web, port: 81')).problems[0]).toMatch(
      /is no port of service web; fix: its ports are 80/,
    );
    expect(parents('{name: gateway}')).toEqual({
      parents: undefined,
      problems: [expect.stringMatching(/attaches the route to no service/)],
    });
  });
});

describe('GRPCRoutes', () => {
  const ledger = serviceYaml('web', '10.96.0.1').replace(
    '{name: http, port: 80}',
    '{name: http, port: 80}, {name: grpc, port: 90}',
  );
  const grpc = (name: string, port = '') => `
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: ${name}, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: web${port}}]
  rules:
  - matches: [{method: {service: shop.Web, method: Get}}]
    backendRefs: [{name: web, port: 90}]
`;

  test('resolve their backends and may share a name with an HTTPRoute', () => {
    const http = routeYaml('r', 'web', 'web').replace('name: web}]', 'name: web, port: 80}]');
    const { body, problems } = build(ledger, grpc('r', ', port: 90'), http);
    expect(problems).toEqual([]);
    expect(body('grpc-route', 'shop/r')?.rules[0]).toMatchObject({
      matches: [{ path: { type: 'GrpcExact', service: 'shop.Web', method: 'Get' }, method: 'POST' }],
      backends: [{ service: { namespace: 'shop', name: 'web', port: 90 } }],
    });
    expect(body('http-route', 'shop/r')?.kind).toBe('http-route');
  });

  test('decide a port alone; the HTTPRoute is told so, with its place, for each port that it loses', () => {
    const { body, problems } = build(ledger, routeYaml('old', 'web', 'web'), grpc('r', ', port: 90'));
    expect(problems).toEqual([
      expect.stringMatching(
        /^1.yaml:6: HTTPRoute shop\/old: spec.parentRefs "port 90" of shop\/web is decided by GRPCRoute shop\/r alone/,
      ),
    ]);
    expect(body('http-route', 'shop/old')).toBeDefined();
    expect(build(ledger, routeYaml('old', 'web', 'web'), grpc('r')).problems).toHaveLength(2);
    const elsewhere = routeYaml('old', 'web', 'web').replace('namespace: shop', 'namespace: bank');
    const consumer = elsewhere.replaceAll('name: web', 'namespace: shop, name: web');
    expect(build(ledger, consumer, grpc('r')).problems).toEqual([
      expect.stringMatching(/is not permitted by a ReferenceGrant/),
    ]);
  });

  test('a backend that cannot be used answers UNAVAILABLE; a grant for HTTPRoutes is none for them', () => {
    const bank = serviceYaml('ledger', '10.96.0.7').replace('namespace: shop', 'namespace: bank');
    const grant = (kind: string) => `
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: g, namespace: bank}
spec:
  from: [{group: gateway.networking.k8s.io, kind: ${kind}, namespace: shop}]
  to: [{group: "", kind: Service}]
`;
    const route = grpc('r').replace('{name: web, port: 90}', '{namespace: bank, name: ledger, port: 80}');
    expect(build(ledger, bank, route, grant('GRPCRoute')).problems).toEqual([]);
    expect(build(ledger, bank, route, grant('HTTPRoute')).problems).toEqual([
      expect.stringMatching(
        /not permitted by a ReferenceGrant; such requests are answered UNAVAILABLE; fix: .*from GRPCRoute of shop/,
      ),
    ]);
  });
});

describe('policies', () => {
  const open = workloadYaml('web', '10.1.0.2', ', failMode: open');
  const failMode = (...policies: string[]) => {
    const { body, problems } = build(
      serviceYaml('web', '10.96.0.1'),
      sliceYaml('web', '10.1.0.2'),
      open,
      ...policies,
    );
    return { mode: body('workload', 'shop.web')?.capture?.failMode, problems };
  };
  const rule = '  rules: [{ports: [80]}]';

  test('a DENY or authenticated-only policy forbids its workloads to fail open', () => {
    expect(failMode()).toEqual({ mode: 'open', problems: [] });
    expect(failMode(policyYaml('p', `  action: DENY\n${rule}`))).toEqual({
      mode: 'closed',
      problems: [
        expect.stringMatching(
          /^2.yaml:7: Workload shop\/web: spec.capture.failMode "open" is forbidden by policy shop\/p/,
        ),
      ],
    });
    expect(failMode(policyYaml('p', `  action: ALLOW\n  requireAuthenticated: true\n${rule}`)).mode).toBe(
      'closed',
    );
    expect(failMode(policyYaml('p', `  action: ALLOW\n${rule}`)).mode).toBe('open');
    expect(failMode(policyYaml('p', `  action: DENY\n  mode: Audit\n${rule}`)).mode).toBe('open');
  });

  test('only those that it protects: by service, by label, by namespace', () => {
    const target = (text: string) => policyYaml('p', `  action: DENY\n${rule}\n  ${text}`);
    expect(failMode(target('targetRefs: [{kind: Service, name: web}]')).mode).toBe('closed');
    expect(failMode(target('selector: {matchLabels: {app: web}}')).mode).toBe('closed');
    expect(failMode(target('selector: {matchLabels: {app: other}}'))).toEqual({
      mode: 'open',
      problems: [expect.stringMatching(/protects no known workload/)],
    });
    expect(failMode(target('targetRefs: [{kind: Service, name: gone}]')).problems).toEqual([
      expect.stringMatching(/targetRefs\[0\].name "gone" names no known service/),
      expect.stringMatching(/protects no known workload/),
    ]);
    expect(
      failMode(policyYaml('p', `  action: DENY\n${rule}`).replace('namespace: shop', 'namespace: bank')).mode,
    ).toBe('open');
  });
});

test('equal manifests give equal versions, whatever their order and place', () => {
  const versions = (...documents: string[]) =>
    build(...documents)
      .resources?.map(({ kind, name, version }) => `${kind} ${name} ${version}`)
      .sort();
  expect(versions(...web)).toEqual(versions(...web.toReversed()));
  expect(versions(...web)).not.toEqual(versions(...web.slice(0, 2), workloadYaml('web', '10.1.0.3')));
});
