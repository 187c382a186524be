import { parse } from 'yaml';
import { buildResources } from './build-resources.js';
import { ManifestStore } from './manifest-store.js';
import { describeProblem } from './status-problem.js';

/** Builds a cluster of namespace `shop` (with these labels), a node, and a pod with this spec and metadata. */
function build(namespaceLabels: string, podMetadata: string, podSpec: string, phase = 'Running') {
  const store = new ManifestStore('cluster');
  const documents = [
    `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: ${namespaceLabels}}}`,
    `{apiVersion: v1, kind: Namespace, metadata: {name: weft-system, labels: ${namespaceLabels}}}`,
    `{apiVersion: v1, kind: Node, metadata: {name: node1, labels: {topology.kubernetes.io/region: r, topology.kubernetes.io/zone: z}},
      spec: {podCIDRs: [10.244.0.0/24, "fd78::/64"]}}`,
    `{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: kubernetes}, spec: {cidrs: [10.96.0.0/16]}}`,
    `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u1, ${podMetadata}},
      spec: {nodeName: node1, containers: [{name: c, livenessProbe: {httpGet: {port: 8081}}}], ${podSpec}},
      status: {phase: ${phase}, podIPs: [{ip: 10.244.0.7}]}}`,
    `{apiVersion: v1, kind: Pod, metadata: {name: controller, namespace: weft-system, uid: u2, labels: {weft.dev/mesh: enabled}}}`,
  ];
  store.apply(
    documents.map((text, index) => ({
      type: 'holds',
      origin: `${index}`,
      documents: [{ value: parse(text) as unknown, locate: () => 0 }],
    })),
  );
  const cluster = { excludedNamespaces: ['kube-system', 'weft-system'] };
  const { resources, problems } = buildResources(store.manifests(), {
    trustDomain: 'a.b',
    node: '',
    cluster,
  });
  const workloads = (resources ?? []).flatMap(({ kind, body }) => (kind === 'workload' ? [body] : []));
  const mesh = (resources ?? []).flatMap(({ kind, body }) => (kind === 'mesh' ? [body] : []))[0];
  const web = workloads.find(({ name }) => name === 'web');
  const controller = workloads.find(({ name }) => name === 'controller');
  const told = [...store.problems(), ...problems].map(describeProblem);
  return { web, controller, mesh, told };
}

const enabled = '{weft.dev/mesh: enabled}';

test('a label of the namespace enrols its pods; their node finds the network namespace', () => {
  const { web, told } = build(enabled, '', '');
  expect(web).toMatchObject({
    uid: 'u1',
    node: 'node1',
    addresses: ['10.244.0.7'],
    locality: { region: 'r', zone: 'z' },
    capture: { netns: '', failMode: 'closed', udp: 'allow', probePorts: [8081] },
  });
  expect(told.filter((text) => text.includes('shop/web'))).toEqual([]);
});

test.each([
  ['the namespace', '{weft.dev/mesh: disabled}', `labels: ${enabled}`, true],
  ['an enabled namespace', enabled, 'labels: {weft.dev/mesh: disabled}', false],
  ['a namespace that says nothing', '{}', `labels: ${enabled}`, true],
  ['a namespace that says nothing, without one', '{}', '', false],
])("a pod's own label wins over %s", (_what, namespaceLabels, podMetadata, enrolled) => {
  expect(build(namespaceLabels, podMetadata, '').web?.capture !== null).toBe(enrolled);
});

test("a pod of the host's network is not enrolled, has no address of its own, and is told", () => {
  const { web, told } = build(enabled, '', 'hostNetwork: true');
  expect(web).toMatchObject({ capture: null, addresses: [] });
  expect(told).toContainEqual(
    expect.stringMatching(/Pod shop\/web: spec\.hostNetwork "true" shares its node's network/),
  );
});

test('a sandboxed pod is not enrolled, and is told', () => {
  const { web, told } = build(enabled, '', 'runtimeClassName: kata');
  expect(web?.capture).toBeNull();
  expect(told).toContainEqual(
    expect.stringMatching(/Pod shop\/web: spec\.runtimeClassName "kata" has a kernel of its own/),
  );
});

test('what stands against enrolment is no matter where nobody asks for it', () => {
  expect(build('{}', '', 'hostNetwork: true').told.filter((text) => text.includes('shop/web'))).toEqual([]);
});

test('a pod that has ended is let go', () => {
  expect(build(enabled, '', '', 'Succeeded').web).toMatchObject({ capture: null, addresses: [] });
});

test('no pod can name a network namespace on a cluster', () => {
  const { web } = build(enabled, 'annotations: {weft.dev/netns: ../other}', '');
  expect(web?.capture?.netns).toBe('');
  expect(build('{}', 'annotations: {weft.dev/netns: other}', '').web?.capture).toBeNull();
});

test('a misspelt annotation leaves the pod enrolled and closed, and is told', () => {
  const { web, told } = build(enabled, 'annotations: {weft.dev/fail-mode: opne}', '');
  expect(web?.capture).toMatchObject({ failMode: 'closed' });
  expect(told).toContainEqual(expect.stringMatching(/"opne" is not a known value; closed is in force/));
});

test('a misspelt label enrols nobody, and is told', () => {
  const { web, told } = build('{weft.dev/mesh: "on"}', '', '');
  expect(web?.capture).toBeNull();
  expect(told).toContainEqual(expect.stringMatching(/Namespace shop: .*"on" enrols nobody/));
});

test("weft's own namespace is never in the mesh, whatever its labels say", () => {
  const { controller, mesh, told } = build(enabled, '', '');
  expect(controller?.capture).toBeNull();
  expect(mesh?.enrolledNamespaces).toEqual(['shop']);
  expect(told).toContainEqual(expect.stringMatching(/namespace weft-system is never in the mesh/));
});

test('the mesh is the ranges of nodes and services, and does not change with every pod', () => {
  expect(build(enabled, '', '').mesh?.ranges).toEqual([
    { cidr: '10.96.0.0/16', action: 'proxy' },
    { cidr: '10.244.0.0/24', action: 'proxy' },
    { cidr: 'fd78::/64', action: 'proxy' },
  ]);
});
