/** What check says of facts; the table as people see it is in golden.txt beside this file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from '../cluster/pod.js';
import { judge } from './check-command.js';
import type { ClusterFacts, Facts, MeshFacts } from './facts.js';
import { formatFindings } from './finding.js';

const nowMs = Date.parse('2026-01-01T12:00:00Z');
const meta = (name: string, labels = {}) => ({ name, namespace: 'weft-system', uid: name, labels });

const node = (name: string, kernelVersion: string, containerRuntimeVersion: string) => ({
  metadata: { name, uid: name },
  status: { nodeInfo: { kernelVersion, operatingSystem: 'linux', containerRuntimeVersion } },
});

const pod = (name: string, nodeName: string, ready = true): Pod => ({
  metadata: meta(name),
  spec: { nodeName, containers: [] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});

const crd = (name: string, ...versions: string[]) => ({
  metadata: { name, uid: name },
  spec: { group: '', versions: versions.map((one) => ({ name: one, served: true })) },
});

const cluster: ClusterFacts = {
  serverVersion: 'v1.34.1+k3s',
  nodes: [node('a', '6.1.0-18-amd64', 'containerd://1.7.28'), node('b', '6.12.3', 'cri-o://1.30.1')],
  crds: [
    crd('httproutes.gateway.networking.k8s.io', 'v1', 'v1beta1'),
    crd('grpcroutes.gateway.networking.k8s.io', 'v1'),
    crd('referencegrants.gateway.networking.k8s.io', 'v1beta1'),
    ...['meshes', 'authorizationpolicies', 'peerauthentications'].map((one) =>
      crd(`${one}.weft.dev`, 'v1alpha1'),
    ),
  ],
  installation: {
    namespace: 'weft-system',
    agents: new Map([
      ['a', pod('weft-1', 'a')],
      ['b', pod('weft-2', 'b')],
    ]),
    controllers: [pod('weft-controller-1', 'a')],
  },
  daemonSet: { metadata: meta('weft'), status: { desiredNumberScheduled: 2 } },
  deployment: { metadata: meta('weft-controller'), spec: { replicas: 1 } },
  lease: {
    metadata: meta('weft-controller'),
    spec: {
      holderIdentity: 'weft-controller-1_x',
      renewTime: '2026-01-01T11:59:55Z',
      leaseDurationSeconds: 15,
    },
  },
  roots: null,
  pods: [],
  unread: [],
};

const proxy = (name: string, version = '0.1.0', offMs = 0, controller = true) => ({
  name,
  ok: true as const,
  answer: {
    node: name,
    version,
    ready: true,
    capture: true,
    controller,
    configured: true,
    workloadsServed: 1,
    workloadsWanted: 1,
    snapshot: 7,
    transports: { plaintext: 0, arriving: 0, 'weft-tls': 1, leaving: 0, outside: 0 },
    host: { kernel: '6.1.0', btf: true, nowMs: nowMs + offMs },
    engine: { connections: 0, pooled: 0, bufferedBytes: 0 },
  },
});

const certificate = (state: string, expires: string) => ({
  workload: 'uid-1',
  name: 'shop/cart-1',
  identity: 'spiffe://x/ns/shop/sa/cart',
  state,
  serial: '1',
  issuer: 'CN=root',
  notBefore: '2026-01-01T00:00:00Z',
  expires,
  reason: null,
  message: null,
});

const mesh: MeshFacts = {
  controllers: [
    {
      name: 'weft-controller-1',
      ok: true,
      answer: {
        version: 7,
        summary: '',
        resources: [],
        problems: [],
        transports: { plaintext: 0, arriving: 0, 'weft-tls': 1, leaving: 0, outside: 0 },
        nodes: ['a', 'b'].map((name) => ({
          node: name,
          connected: true,
          agentVersion: '0.1.0',
          ackedVersion: 7,
          refusals: [],
        })),
      },
    },
  ],
  proxies: [proxy('a'), proxy('b')],
  certificates: [
    {
      name: 'a',
      ok: true,
      answer: { on: true, certificates: [certificate('ready', '2026-01-02T00:00:00Z')] },
    },
  ],
  askedMs: nowMs,
};

const facts: Facts = { nowMs, version: '0.1.0', cluster, mesh };
const told = (changed: Partial<Facts>) =>
  Object.fromEntries(judge({ ...facts, ...changed }, false).map((one) => [one.id, one]));
const inCluster = (changed: Partial<ClusterFacts>) => told({ cluster: { ...cluster, ...changed } });
const inMesh = (changed: Partial<MeshFacts>) => told({ mesh: { ...mesh, ...changed } });

test('of a healthy mesh nothing but the missing roots is told', () => {
  const findings = judge(facts, false);
  expect(findings.filter(({ severity }) => severity !== 'ok').map(({ id }) => id)).toEqual([
    'authority-roots',
  ]);
  const file = join(import.meta.dirname, '../../../cli/check/golden.txt');
  if (process.env.WEFT_UPDATE_GOLDEN === '1') writeFileSync(file, formatFindings(findings));
  expect(formatFindings(findings)).toBe(readFileSync(file, 'utf8'));
});

test('before installing only what weft needs is looked at', () => {
  const found = judge({ ...facts, mesh: null }, true);
  expect(found.every(({ severity }) => severity === 'ok')).toBe(true);
  expect(found).toHaveLength(5);
});

test.each([
  ['kubernetes-version', { serverVersion: 'v1.29.9' }, 'Kubernetes v1.29.9 is older than 1.30'],
  [
    'node-kernel',
    { nodes: [node('old', '5.15.0', 'containerd://2.0.0')] },
    /1 of 1 nodes .*: old \(linux 5.15.0\)/,
  ],
  [
    'node-runtime',
    { nodes: [node('old', '6.1.0', 'containerd://1.6.2')] },
    /without NRI: old \(containerd:\/\/1.6.2\)/,
  ],
  [
    'gateway-api',
    { crds: [crd('httproutes.gateway.networking.k8s.io', 'v1beta1')] },
    /httproutes in v1 \(served: v1beta1\), grpcroutes/,
  ],
  ['weft-kinds', { crds: [] }, /weft.dev are missing: meshes, authorizationpolicies, peerauthentications/],
  ['weft-installed', { installation: null }, 'weft is not installed'],
  ['controller-lease', { lease: null }, 'no controller holds the lease'],
  [
    'agents-ready',
    { daemonSet: { metadata: meta('weft'), status: { desiredNumberScheduled: 3 } } },
    '2 of 3 agents are ready',
  ],
] as const)('%s is an error where it does not hold', (id, changed, sentence) => {
  const finding = inCluster(changed as Partial<ClusterFacts>)[id];
  expect(finding).toMatchObject({ severity: 'error', sentence: expect.stringMatching(sentence) });
  expect(finding?.hint).not.toBe('');
});

test('a lease that is not renewed, and one that nobody known holds', () => {
  const lease = (holderIdentity: string, renewTime: string) => ({
    lease: {
      metadata: meta('weft-controller'),
      spec: { holderIdentity, renewTime, leaseDurationSeconds: 15 },
    },
  });
  expect(
    inCluster(lease('weft-controller-1_x', '2026-01-01T11:58:00Z'))['controller-lease']?.sentence,
  ).toMatch(/2m0s ago/);
  expect(inCluster(lease('weft-controller-9_x', '2026-01-01T11:59:59Z'))['controller-lease']?.severity).toBe(
    'warning',
  );
});

test('nodes without an agent, and pods that are not captured, are warned of by name', () => {
  const nodes = [...cluster.nodes, node('c', '6.1.0', 'containerd://2.0.0')];
  expect(inCluster({ nodes })['nodes-without-agent']).toMatchObject({
    severity: 'warning',
    sentence: '1 of 3 nodes have no agent: c',
  });
  const waiting = { pod: pod('cart', 'c'), asked: true, known: null, problem: 'its node c has no agent' };
  expect(inCluster({ pods: [waiting] })['pods-captured']?.sentence).toMatch(/cart: its node c has no agent/);
});

test('certificates that are gone are errors, those about to end are warned of', () => {
  const of = (state: string, expires: string) =>
    inMesh({
      certificates: [
        { name: 'a', ok: true, answer: { on: true, certificates: [certificate(state, expires)] } },
      ],
    }).certificates;
  expect(of('expired', '2026-01-01T11:00:00Z')).toMatchObject({
    severity: 'error',
    sentence: expect.stringMatching(/shop\/cart-1 \(expired\)/),
  });
  expect(of('ready', '2026-01-01T13:00:00Z')?.severity).toBe('warning');
});

test('versions further apart than one, clocks that differ, and agents that are cut off', () => {
  expect(inMesh({ proxies: [proxy('a', '0.2.0')] })['version-skew']?.severity).toBe('warning');
  expect(inMesh({ proxies: [proxy('a', '0.3.0')] })['version-skew']?.severity).toBe('error');
  expect(inMesh({ proxies: [proxy('a', '0.1.0', 9_000)] }).clocks).toMatchObject({
    severity: 'warning',
    sentence: expect.stringMatching(/a by 9s/),
  });
  expect(inMesh({ proxies: [proxy('a', '0.1.0', 99_000)] }).clocks?.severity).toBe('error');
  expect(inMesh({ proxies: [proxy('a', '0.1.0', 0, false)] })['agents-connected']?.severity).toBe('error');
  const gone = { name: 'b', ok: false as const, error: 'its pod does not run' };
  expect(inMesh({ proxies: [proxy('a'), gone] })['part-answers']?.sentence).toBe(
    'b cannot be asked: its pod does not run',
  );
});
