import {
  apply,
  createNamespace,
  deleteNamespace,
  getJson,
  installCrds,
  installGatewayApi,
  kubectl,
} from './harness/cluster.js';
import { ControllerProcess } from './harness/controller.js';
import { eventually } from './harness/wait.js';

let namespace: string;
let other: string;
/** Holds the lease; weft's own namespace is never in the mesh. */
let own: string;
let controller: ControllerProcess;

beforeAll(async () => {
  await installGatewayApi();
  await installCrds();
  namespace = await createNamespace();
  other = await createNamespace();
  own = await createNamespace();
  await apply(
    service('web', 'ports: [{name: http, port: 80, appProtocol: http}]') +
      service('db', 'ports: [{name: sql, port: 5432}]') +
      service('headless', 'clusterIP: None, ports: [{port: 80, appProtocol: http}]') +
      service('outside', 'type: ExternalName, externalName: example.org') +
      service('ledger', 'ports: [{port: 80, appProtocol: http}]', other),
  );
  controller = await ControllerProcess.start(own);
});

afterAll(async () => {
  await controller.stop();
  await deleteNamespace(namespace);
  await deleteNamespace(other);
  await deleteNamespace(own);
});

function service(name: string, spec: string, where = namespace): string {
  return `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${where}}
spec: {${spec}}
`;
}

function route(name: string, parentRefs: string, backendRefs: string, more = ''): string {
  return `
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  parentRefs: [${parentRefs}]
  rules:
    - backendRefs: [${backendRefs}]
      ${more}
`;
}

const web = '{group: "", kind: Service, name: web, port: 80}';
const webBackend = '{name: web, port: 80}';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
}

interface Parent {
  readonly parentRef: { readonly name: string };
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

interface Seen {
  readonly metadata: { readonly generation: number; readonly resourceVersion: string };
  readonly status?: { readonly parents?: readonly Parent[]; readonly conditions?: readonly Condition[] };
}

const get = (...what: string[]) => getJson(...what, '-n', namespace) as unknown as Promise<Seen>;

/** Conditions in short: `Accepted=True:Accepted`, of the present generation only. */
function short(conditions: readonly Condition[] = [], generation?: number): string[] {
  return conditions
    .filter(({ observedGeneration }) => generation === undefined || observedGeneration === generation)
    .map(({ type, status, reason }) => `${type}=${status}:${reason}`);
}

/** Waits until our entries of the route's parents say this, in order; returns the object. */
function parentsSay(kind: string, name: string, expected: readonly (readonly string[])[]): Promise<Seen> {
  return eventually(
    `${kind} ${name} saying ${JSON.stringify(expected)}`,
    () => get(kind, name),
    ({ status, metadata }) => {
      const ours = (status?.parents ?? []).filter(
        (parent) => parent.controllerName === 'weft.dev/controller',
      );
      const said = ours.map(({ conditions }) => short(conditions, metadata.generation));
      return JSON.stringify(said) === JSON.stringify(expected);
    },
  );
}

function conditionsSay(kind: string, name: string, expected: readonly string[]): Promise<Seen> {
  return eventually(
    `${kind} ${name} saying ${JSON.stringify(expected)}`,
    () => get(kind, name),
    ({ status }) => {
      const ours = (status?.conditions ?? []).filter(
        ({ type }) => type.startsWith('weft.dev/') || !['pod', 'service'].includes(kind),
      );
      return JSON.stringify(short(ours)) === JSON.stringify(expected);
    },
  );
}

const good = ['Accepted=True:Accepted', 'ResolvedRefs=True:ResolvedRefs'];

test('a route that is right is accepted and resolved, for its present generation', async () => {
  await apply(route('right', web, webBackend));
  const first = await parentsSay('httproute', 'right', [good]);
  expect(first.status?.parents?.[0]).toMatchObject({
    parentRef: { group: '', kind: 'Service', name: 'web', port: 80 },
    conditions: [{ observedGeneration: 1 }, { observedGeneration: 1 }],
  });
  await apply(route('right', web, `${webBackend}, ${webBackend}`));
  const second = await parentsSay('httproute', 'right', [good]);
  expect(second.metadata.generation).toBe(2);
  // The state did not change, so its time did not.
  expect(second.status?.parents?.[0]?.conditions[0]?.lastTransitionTime).toBe(
    first.status?.parents?.[0]?.conditions[0]?.lastTransitionTime,
  );
});

test('each parent says by itself why it is refused', async () => {
  const parents = [
    web,
    '{group: "", kind: Service, name: headless}',
    '{group: "", kind: Service, name: outside}',
    '{group: "", kind: Service, name: nobody}',
    '{group: "", kind: Service, name: db}',
  ];
  await apply(route('parents', parents.join(), webBackend));
  const refused = (reason: string) => [`Accepted=False:${reason}`, 'ResolvedRefs=True:ResolvedRefs'];
  const seen = await parentsSay('httproute', 'parents', [
    good,
    refused('UnsupportedValue'),
    refused('UnsupportedValue'),
    refused('NoMatchingParent'),
    refused('UnsupportedValue'),
  ]);
  await apply(route('port', '{group: "", kind: Service, name: web, port: 81}', webBackend));
  await parentsSay('httproute', 'port', [refused('NoMatchingParent')]);
  expect(seen.status?.parents?.[1]?.conditions[0]?.message).toMatch(
    /spec\.parentRefs\[1\]\.name "headless" is a headless service; fix: a parent needs a virtual address/,
  );
});

test('a backend that is missing is told, and no more once it is there', async () => {
  await apply(route('late', web, '{name: late, port: 80}'));
  const seen = await parentsSay('httproute', 'late', [
    ['Accepted=True:Accepted', 'ResolvedRefs=False:BackendNotFound'],
  ]);
  expect(seen.status?.parents?.[0]?.conditions[1]?.message).toMatch(
    /spec\.rules\[0\]\.backendRefs\[0\]\.name "late" names no known service/,
  );
  await apply(service('late', 'ports: [{port: 80, appProtocol: http}]'));
  await parentsSay('httproute', 'late', [good]);
});

test('a backend of another namespace needs a grant', async () => {
  await apply(route('foreign', web, `{name: ledger, namespace: ${other}, port: 80}`));
  await parentsSay('httproute', 'foreign', [
    ['Accepted=True:Accepted', 'ResolvedRefs=False:RefNotPermitted'],
  ]);
  await apply(`
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: grant, namespace: ${other}}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: ${namespace}}]
  to: [{group: "", kind: Service}]
`);
  await parentsSay('httproute', 'foreign', [good]);
  await kubectl('delete', 'referencegrant', 'grant', '-n', other);
  await parentsSay('httproute', 'foreign', [
    ['Accepted=True:Accepted', 'ResolvedRefs=False:RefNotPermitted'],
  ]);
});

test('a GRPCRoute has conditions of its own', async () => {
  await apply(`${service('grpc', 'ports: [{port: 80, appProtocol: kubernetes.io/h2c}]')}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: grpc, namespace: ${namespace}}
spec:
  parentRefs: [{group: "", kind: Service, name: grpc}]
  rules: [{backendRefs: [{name: grpc, port: 80}]}]
`);
  await parentsSay('grpcroute', 'grpc', [good]);
});

test('what the API lets pass and weft cannot carry out falls back to the last good version, and says so', async () => {
  await apply(route('turned', web, webBackend));
  await parentsSay('httproute', 'turned', [good]);
  const bad = 'matches: [{path: {type: RegularExpression, value: "("}}]';
  await apply(route('turned', web, webBackend, bad));
  const seen = await parentsSay('httproute', 'turned', [[...good, 'PartiallyInvalid=True:UnsupportedValue']]);
  expect(seen.status?.parents?.[0]?.conditions[2]?.message).toMatch(
    /^Fall Back: spec\.rules\[0\]\.matches\[0\]\.path/,
  );
  await apply(route('turned', web, webBackend));
  await parentsSay('httproute', 'turned', [good]);
});

test('a route that was never good is not accepted', async () => {
  const bad = 'matches: [{path: {type: RegularExpression, value: "("}}]';
  await apply(route('never', web, webBackend, bad));
  await parentsSay('httproute', 'never', [
    ['Accepted=False:UnsupportedValue', 'ResolvedRefs=Unknown:Pending'],
  ]);
});

test("other controllers' entries stay, and go with nobody but their own", async () => {
  await apply(route('shared', `{name: gateway}, ${web}`, webBackend));
  const entry = {
    parentRef: { name: 'gateway' },
    controllerName: 'example.org/gateway',
    conditions: [
      {
        type: 'Accepted',
        status: 'True',
        reason: 'Accepted',
        message: '',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  };
  await parentsSay('httproute', 'shared', [good]);
  const { status } = await get('httproute', 'shared');
  await kubectl(
    ...['patch', 'httproute', 'shared', '-n', namespace, '--subresource=status', '--type=merge'],
    ...['-p', JSON.stringify({ status: { parents: [...(status?.parents ?? []), entry] } })],
  );
  // Our own entry changes; theirs must not.
  await apply(route('shared', `{name: gateway}, ${web}`, '{name: nobody, port: 80}'));
  const seen = await parentsSay('httproute', 'shared', [
    ['Accepted=True:Accepted', 'ResolvedRefs=False:BackendNotFound'],
  ]);
  expect(seen.status?.parents).toContainEqual(
    expect.objectContaining({ controllerName: 'example.org/gateway' }),
  );
  await apply(route('shared', '{name: gateway}', webBackend));
  const left = await parentsSay('httproute', 'shared', []);
  expect(left.status?.parents).toHaveLength(1);
});

test('a policy that the schema cannot judge is refused by its condition, and its targets are closed', async () => {
  const policy = (path: string) => `
apiVersion: weft.dev/v1alpha1
kind: AuthorizationPolicy
metadata: {name: web, namespace: ${namespace}}
spec: {action: ALLOW, rules: [{http: {paths: ["${path}"]}}]}
`;
  await apply(policy('/a/../b'));
  const seen = await conditionsSay('wap', 'web', ['Accepted=False:Invalid']);
  expect(seen.status?.conditions?.[0]?.message).toMatch(
    /spec\.rules\[0\]\.http\.paths\[0\].* not in normal form[\s\S]*The targets are closed until then/,
  );
  await apply(policy('/b'));
  await conditionsSay('wap', 'web', ['Accepted=True:Accepted']);
  await apply(`
apiVersion: weft.dev/v1alpha1
kind: AuthorizationPolicy
metadata: {name: nobody, namespace: ${namespace}}
spec: {action: ALLOW, targetRefs: [{name: nobody}]}
`);
  await conditionsSay('wap', 'nobody', ['Accepted=False:TargetNotFound']);
});

test('services that differ about one port of a pod are told on both', async () => {
  const slice = (name: string) => `
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}, namespace: ${namespace}, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [{name: "", port: 8080}]
endpoints: [{addresses: [10.244.0.250]}]
`;
  await apply(
    service('left', 'ports: [{port: 80, appProtocol: http}]') +
      slice('left') +
      service('right', 'ports: [{port: 80, appProtocol: grpc}]') +
      slice('right'),
  );
  await conditionsSay('service', 'left', ['weft.dev/ProtocolConflict=True:ProtocolConflict']);
  await conditionsSay('service', 'right', ['weft.dev/ProtocolConflict=True:ProtocolConflict']);
  await kubectl('delete', 'endpointslice', 'right', '-n', namespace);
  await conditionsSay('service', 'left', []);
  await conditionsSay('service', 'right', []);
});

test("a pod of the host's network that is meant to be in the mesh is told, and no more once it opts out", async () => {
  await apply(`
apiVersion: v1
kind: Pod
metadata: {name: host, namespace: ${namespace}}
spec:
  hostNetwork: true
  containers: [{name: pause, image: localhost/pause:1}]
`);
  const types = ({ status }: Seen) => (status?.conditions ?? []).map(({ type }) => type);
  const scheduled = (seen: Seen) => types(seen).includes('PodScheduled');
  await eventually('scheduling of the pod', () => get('pod', 'host'), scheduled);
  await kubectl('label', 'pod', 'host', '-n', namespace, 'weft.dev/mesh=enabled');
  const seen = await conditionsSay('pod', 'host', ['weft.dev/Enrolled=False:HostNetwork']);
  // Those of others stay.
  expect(types(seen)).toContain('PodScheduled');
  await kubectl('label', 'pod', 'host', '-n', namespace, '--overwrite', 'weft.dev/mesh=disabled');
  await conditionsSay('pod', 'host', []);
});

test('nothing is written where nothing changes', async () => {
  await apply(route('quiet', web, webBackend));
  const before = await parentsSay('httproute', 'quiet', [good]);
  // Work for the controller all around, seen to be done.
  for (const name of ['busy-1', 'busy-2', 'busy-3']) {
    await apply(route(name, web, webBackend));
    await parentsSay('httproute', name, [good]);
  }
  const after = await get('httproute', 'quiet');
  expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
});

test('one of two controllers writes; the other goes on when that one ends, and when it is killed', async () => {
  const holder = async () => {
    const { spec } = (await getJson('lease', 'weft-controller', '-n', own)) as {
      spec?: { holderIdentity?: string; leaseTransitions?: number };
    };
    return spec;
  };
  const first = (await holder())?.holderIdentity;
  const second = await ControllerProcess.start(own);
  try {
    expect(first).toBeTruthy();
    expect(second.log).not.toContain('holds the lease');
    await controller.stop();
    // Given up, so that nobody waits for the silence; but who never followed the holder lets others go first.
    const next = await eventually(
      'next holder',
      holder,
      (spec) => spec?.holderIdentity !== first && spec?.holderIdentity !== '',
      40_000,
    );
    expect(next?.leaseTransitions).toBeGreaterThan(0);
    await apply(route('handed', web, webBackend));
    await parentsSay('httproute', 'handed', [good]);
    controller = await ControllerProcess.start(own);
    await second.stop('SIGKILL');
    // Nobody gave it up: its silence has to pass.
    await eventually(
      'holder after the kill',
      holder,
      (spec) => spec?.holderIdentity !== next?.holderIdentity && spec?.holderIdentity !== '',
      40_000,
    );
    await apply(route('killed', web, webBackend));
    await parentsSay('httproute', 'killed', [good]);
  } finally {
    await second.stop('SIGKILL');
  }
});
