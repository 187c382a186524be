import { TestAgent } from '../../controller/test-agent.js';
import type { Resource, ResourceBodies, ResourceKind } from '../../model/resource.js';
import {
  apiServerReady,
  apply,
  createNamespace,
  daemon,
  deleteNamespace,
  getJson,
  installCrds,
  installGatewayApi,
  kubectl,
} from './harness/cluster.js';
import { ControllerProcess } from './harness/controller.js';
import { ControllerInProcess } from './harness/in-process.js';

/** What agents are told of a cluster: the real controller, real pods, and an agent's stream for each node. */
let namespace: string;
let own: string;
let controller: ControllerInProcess;
let agents: Record<'node1' | 'node2', TestAgent>;

beforeAll(async () => {
  await installGatewayApi();
  await installCrds();
  own = await createNamespace();
  namespace = await createNamespace({ 'weft.dev/mesh': 'enabled' });
  controller = await new ControllerInProcess(own).start();
  agents = {
    node1: new TestAgent(controller.agents, { node: 'node1' }),
    node2: new TestAgent(controller.agents, { node: 'node2' }),
  };
});

afterAll(async () => {
  for (const agent of Object.values(agents)) agent.close();
  controller.stop();
  await deleteNamespace(namespace);
  await deleteNamespace(own);
});

const deadlineMs = 60_000;

function bodyOf<Kind extends ResourceKind>(
  agent: TestAgent,
  kind: Kind,
  name: string,
): ResourceBodies[Kind] | undefined {
  const found = [...agent.resources.values()].find((resource: Resource) => {
    if (resource.kind !== kind) return false;
    if (resource.kind !== 'workload') return resource.name === `${namespace}/${name}`;
    return resource.body.namespace === namespace && resource.body.name === name;
  });
  return found?.body as ResourceBodies[Kind] | undefined;
}

/** Resolves with a resource's body once it satisfies. */
function waitFor<Kind extends ResourceKind>(
  agent: TestAgent,
  kind: Kind,
  name: string,
  satisfies: (body: ResourceBodies[Kind]) => boolean = () => true,
): Promise<ResourceBodies[Kind]> {
  const find = () => {
    const body = bodyOf(agent, kind, name);
    return body !== undefined && satisfies(body) ? body : undefined;
  };
  return agent.waitFor(`${kind} ${name}`, find, deadlineMs);
}

/** A pod of a program that waits, on a node, with a label for its service. */
function pod(name: string, node: string, more = ''): string {
  return `
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: ${namespace}, labels: {app: web${more}}}
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 1
  containers:
    - name: pause
      image: localhost/pause:1
      ports: [{name: http, containerPort: 8080}]
`;
}

function service(name: string, spec: string): string {
  return `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080, appProtocol: http}], ${spec}}
`;
}

test('a pod is a workload: who it is, where, what it serves, and that its node is to enrol it', async () => {
  await apply(pod('web-1', 'node1') + pod('web-2', 'node2') + service('web', ''));
  const one = await waitFor(agents.node1, 'workload', 'web-1', ({ addresses }) => addresses.length === 2);
  const stored = (await getJson('pod', 'web-1', '-n', namespace)) as {
    metadata: { uid: string };
    status: { podIPs: { ip: string }[] };
  };
  expect(one).toMatchObject({
    kind: 'pod',
    uid: stored.metadata.uid,
    namespace,
    serviceAccount: 'default',
    node: 'node1',
    locality: { region: 'region1', zone: 'zone1' },
    addresses: stored.status.podIPs.map(({ ip }) => ip),
    ports: [{ name: 'http', port: 8080, protocol: 'http' }],
    capture: { netns: '', failMode: 'closed' },
  });
  // Another node knows that it is captured, and not how.
  const seen = await waitFor(agents.node2, 'workload', 'web-1', ({ addresses }) => addresses.length === 2);
  expect(seen).toMatchObject({ captured: true, capture: null });
  const set = await waitFor(
    agents.node1,
    'endpoints',
    'web',
    ({ endpoints }) => endpoints.filter(({ ready, workloadUid }) => ready && workloadUid !== '').length === 2,
  );
  expect(set.endpoints.map(({ zone }) => zone).sort()).toEqual(['zone1', 'zone2']);
});

test('labels enrol and let go without a restart of the pod', async () => {
  await kubectl('label', 'pod', 'web-1', '-n', namespace, 'weft.dev/mesh=disabled');
  await waitFor(agents.node1, 'workload', 'web-1', ({ capture }) => capture === null);
  await kubectl('label', 'pod', 'web-1', '-n', namespace, 'weft.dev/mesh-');
  await waitFor(agents.node1, 'workload', 'web-1', ({ capture }) => capture !== null);
  const enrolled = (agent: TestAgent) =>
    [...agent.resources.values()].flatMap((resource) =>
      resource.kind === 'mesh' ? resource.body.enrolledNamespaces : [],
    );
  expect(enrolled(agents.node1)).toContain(namespace);
  await kubectl('label', 'namespace', namespace, '--overwrite', 'weft.dev/mesh=disabled');
  await waitFor(agents.node1, 'workload', 'web-1', ({ capture }) => capture === null);
  expect(enrolled(agents.node1)).not.toContain(namespace);
  await kubectl('label', 'namespace', namespace, '--overwrite', 'weft.dev/mesh=enabled');
  await waitFor(agents.node1, 'workload', 'web-1', ({ capture }) => capture !== null);
});

test("the mesh's ranges are the cluster's, and no single pod's", async () => {
  const find = ({ resources }: TestAgent) =>
    [...resources.values()].flatMap((resource) =>
      resource.kind === 'mesh' ? [resource.body.ranges] : [],
    )[0];
  const ranges = await agents.node1.waitFor('mesh', find, deadlineMs);
  expect(ranges).toEqual(
    expect.arrayContaining([
      { cidr: '10.96.0.0/16', action: 'proxy' },
      { cidr: '10.244.0.0/23', action: 'proxy' },
    ]),
  );
  expect(ranges.length).toBeLessThan(10);
});

/** Names of the pods that a node may use of a service, once they are these. */
async function nodeUses(node: 'node1' | 'node2', name: string, pods: readonly string[]): Promise<void> {
  const agent = agents[node];
  await waitFor(agent, 'endpoints', name, ({ endpoints }) => {
    const used = endpoints
      .filter(({ ready }) => ready)
      .map(({ workloadUid }) => {
        const found = [...agent.resources.values()].find(
          (one) => one.kind === 'workload' && one.name === workloadUid,
        );
        return found?.kind === 'workload' ? found.body.name : workloadUid;
      });
    return JSON.stringify(used.sort()) === JSON.stringify([...pods]);
  });
}

test('what kube-proxy promises holds on each node: Local, zones, one endpoint per client', async () => {
  await apply(
    service('local', 'internalTrafficPolicy: Local') +
      service('zonal', 'trafficDistribution: PreferSameZone') +
      service('sticky', 'sessionAffinity: ClientIP'),
  );
  for (const name of ['local', 'zonal']) {
    await nodeUses('node1', name, ['web-1']);
    await nodeUses('node2', name, ['web-2']);
  }
  await nodeUses('node1', 'sticky', ['web-1', 'web-2']);
  expect((await waitFor(agents.node1, 'service', 'sticky')).affinitySeconds).toBe(10_800);
  // The node's own endpoint goes: Local has none left, the zone's callers go elsewhere.
  await kubectl('delete', 'pod', 'web-1', '-n', namespace);
  await nodeUses('node1', 'local', []);
  await nodeUses('node1', 'zonal', ['web-2']);
  await apply(pod('web-1', 'node1'));
  await nodeUses('node1', 'local', ['web-1']);
});

test('pods that are not ready are used where the service publishes them', async () => {
  await apply(`${service('eager', 'publishNotReadyAddresses: true')}${service('patient', '')}
---
apiVersion: v1
kind: Pod
metadata: {name: unready, namespace: ${namespace}, labels: {app: web}}
spec:
  nodeName: node2
  terminationGracePeriodSeconds: 1
  containers:
    - name: pause
      image: localhost/pause:1
      readinessProbe: {tcpSocket: {port: 9}}
`);
  await nodeUses('node2', 'eager', ['unready', 'web-1', 'web-2']);
  await nodeUses('node2', 'patient', ['web-1', 'web-2']);
  expect(await waitFor(agents.node2, 'workload', 'unready')).toMatchObject({ capture: { probePorts: [9] } });
  await kubectl('delete', 'pod', 'unready', '-n', namespace, '--wait=false');
});

test('a bad change of one team does not hold up another, and keeps what was good', async () => {
  const route = (name: string, match: string) => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  parentRefs: [{group: "", kind: Service, name: web}]
  rules: [{matches: [{path: {type: RegularExpression, value: "${match}"}}], backendRefs: [{name: web, port: 80}]}]
`;
  await apply(route('team-a', '/a+'));
  await waitFor(agents.node1, 'http-route', 'team-a');
  await apply(route('team-a', '('));
  await apply(route('team-b', '/b+'));
  await waitFor(agents.node1, 'http-route', 'team-b');
  expect(bodyOf(agents.node1, 'http-route', 'team-a')?.rules[0]?.matches[0]?.path).toMatchObject({
    value: '/a+',
  });
  const { problems } = controller.controller;
  expect(problems).toContainEqual(
    expect.objectContaining({
      name: 'team-a',
      field: 'spec.rules[0].matches[0].path.value',
      inForce: 'last-good',
    }),
  );
});

test('the API server away: agents are served on; what changed meanwhile arrives once it is back', async () => {
  await daemon('node1', 'kube-apiserver', 'stop');
  try {
    // A node that comes now gets all that there was.
    const late = new TestAgent(controller.agents, { node: 'node3' });
    try {
      await waitFor(late, 'endpoints', 'web');
    } finally {
      late.close();
    }
  } finally {
    await daemon('node1', 'kube-apiserver', 'start');
    await apiServerReady();
  }
  // Nothing that kubelets or Kubernetes' controllers have a part in: they come back in their own time.
  await apply(service('after', ''));
  await kubectl('label', 'pod', 'web-2', '-n', namespace, 'weft.dev/mesh=disabled');
  await waitFor(agents.node1, 'service', 'after');
  await waitFor(agents.node2, 'workload', 'web-2', ({ capture }) => capture === null);
});

test('a controller that was killed comes back with the same versions, and nothing is sent twice', async () => {
  const flags = ['--node', 'node1', '--no-status'];
  const first = await ControllerProcess.start(own, flags);
  const agent = new TestAgent(first.agents, { node: 'node1' });
  await waitFor(agent, 'endpoints', 'web');
  // Its slice is made by Kubernetes' own controller, which lost its API server a moment ago.
  await waitFor(agent, 'endpoints', 'after', ({ endpoints }) => endpoints.length === 2);
  const held = [...agent.resources.values()].map(({ kind, name, version }) => ({ kind, name, version }));
  agent.close();
  await first.stop('SIGKILL');
  const second = await ControllerProcess.start(own, flags);
  const again = new TestAgent(second.agents, { node: 'node1', held });
  try {
    await again.waitFor('first delta', ({ deltas }) => deltas[0]);
    expect(again.deltas[0]).toMatchObject({ complete: true, upserts: [], removals: [] });
  } finally {
    again.close();
    await second.stop();
  }
});
