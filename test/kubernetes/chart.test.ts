import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { helm } from './harness/release.js';

const chart = join(import.meta.dirname, '../../../deploy/chart');

interface Container {
  readonly name: string;
  readonly image: string;
  readonly securityContext: Record<string, unknown> & { capabilities: { add?: string[]; drop: string[] } };
}

interface PodSpec {
  readonly containers: Container[];
  readonly initContainers?: Container[];
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly volumes?: Record<string, unknown>[];
}

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly template?: { readonly spec: PodSpec } };
  readonly rules?: { readonly resources: string[]; readonly verbs: string[] }[];
}

const render = async (...values: string[]): Promise<Rendered[]> => {
  const text = await helm(
    'template',
    'weft',
    chart,
    '-n',
    'weft-system',
    ...values.flatMap((one) => ['--set', one]),
  );
  return parseAllDocuments(text).flatMap((document) => (document.toJS() as Rendered | null) ?? []);
};

const podsOf = (objects: Rendered[]): PodSpec[] => objects.flatMap(({ spec }) => spec?.template?.spec ?? []);

test('only capture holds capabilities, and nobody is privileged, shares the host’s namespaces or floats a tag', async () => {
  const pods = podsOf(await render());
  const containers = pods.flatMap(({ containers, initContainers = [] }) => [
    ...initContainers,
    ...containers,
  ]);
  const held = containers.flatMap(({ name, securityContext: { capabilities } }) =>
    capabilities.add === undefined ? [] : [[name, ...capabilities.add]],
  );
  expect(held).toEqual([
    ['prepare', 'CHOWN'],
    ['capture', 'BPF', 'CHOWN', 'NET_ADMIN', 'PERFMON', 'SYS_ADMIN'],
  ]);
  for (const { image, securityContext } of containers) {
    expect(securityContext.capabilities.drop).toEqual(['ALL']);
    expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true });
    expect(securityContext.privileged ?? false).toBe(false);
    expect(image).toMatch(/:(?!latest$)[^:]+$/);
  }
  for (const { hostNetwork, hostPID, hostIPC } of pods) {
    expect([hostNetwork, hostPID, hostIPC]).toEqual([undefined, undefined, undefined]);
  }
});

test('the signing key is mounted into controllers alone; no role but the hooks’ may touch a secret', async () => {
  const objects = await render();
  const mounting = objects.filter(({ spec }) => JSON.stringify(spec ?? {}).includes('"secretName"'));
  expect(mounting.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual([
    'Deployment/weft-controller',
  ]);
  const touching = objects.filter(({ rules = [] }) =>
    rules.some(({ resources }) => resources.includes('secrets')),
  );
  expect(touching.map(({ metadata }) => metadata.name).sort()).toEqual(['weft-install', 'weft-uninstall']);
});

test.each([
  ['image.tag=latest', /tag/],
  ['mesh.mtls=strict', /mtls/],
  ['mesh.trustDomain=A_B', /trustDomain/],
  ['node.workers=0', /workers/],
  ['controller.replica=3', /replica/],
])('the value %s is refused with its name', async (value, message) => {
  await expect(render(value)).rejects.toThrow(message);
});

test('monitors, alerts and the dashboard are made where they are asked for, with the labels that select them', async () => {
  const named = (objects: Rendered[]) => objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  const usual = named(await render());
  expect(usual).toContain('ConfigMap/weft-dashboard');
  expect(usual.filter((name) => /Monitor|PrometheusRule/.test(name))).toEqual([]);
  const objects = await render(
    ...[
      'metrics.monitors=true',
      'metrics.alerts=true',
      'metrics.dashboard=false',
      'metrics.labels.release=prom',
    ],
  );
  const made = objects.filter(({ kind }) => /Monitor|PrometheusRule|ConfigMap/.test(kind));
  expect(named(made)).toEqual(['PodMonitor/weft', 'PrometheusRule/weft', 'ServiceMonitor/weft-controller']);
  for (const { metadata } of made) expect(metadata).toMatchObject({ labels: { release: 'prom' } });
  const [, rule] = made as unknown as { spec: { groups: { rules: { alert: string }[] }[] } }[];
  const alerts = rule?.spec.groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)) ?? [];
  const operations = readFileSync(join(chart, '../../docs/operations.md'), 'utf8');
  for (const alert of alerts) expect(operations).toContain(`| \`${alert}\``);
  expect(alerts.length).toBeGreaterThan(10);
});

test('monitors select ports that exist, and NetworkPolicy lets only named namespaces read metrics', async () => {
  const objects = (await render(
    'metrics.monitors=true',
    'networkPolicy.metricsFrom[0].team=sre',
  )) as unknown as {
    kind: string;
    metadata: { name: string };
    spec: Record<string, unknown> & { ingress?: { from?: unknown[]; ports: { port: number }[] }[] };
  }[];
  const find = (kind: string, name: string) =>
    objects.find((one) => one.kind === kind && one.metadata.name === name)?.spec;
  expect(find('ServiceMonitor', 'weft-controller')).toMatchObject({ endpoints: [{ port: 'http-metrics' }] });
  expect(find('Service', 'weft-controller')).toMatchObject({
    ports: expect.arrayContaining([expect.objectContaining({ name: 'http-metrics', port: 15014 })]),
  });
  expect(find('PodMonitor', 'weft')).toMatchObject({ podMetricsEndpoints: [{ port: 'metrics' }] });
  for (const [name, port] of [
    ['weft-controller', 15014],
    ['weft', 15020],
  ] as const) {
    const rules = find('NetworkPolicy', name)?.ingress?.filter(({ ports }) =>
      ports.some((one) => one.port === port),
    );
    expect(JSON.stringify(rules)).toContain('{"namespaceSelector":{"matchLabels":{"team":"sre"}}}');
    expect(rules?.every(({ from }) => from !== undefined)).toBe(true);
  }
});

test('who views may read and forward ports in weft’s namespace, and no more', async () => {
  const objects = await render('viewers[0].kind=Group', 'viewers[0].name=sre');
  const own = objects.filter(({ metadata }) => metadata.name === 'weft-viewer');
  expect(own.map(({ kind }) => kind).sort()).toEqual([
    'ClusterRole',
    'ClusterRoleBinding',
    'Role',
    'RoleBinding',
  ]);
  const verbs = (kind: string) => [
    ...new Set(own.find((one) => one.kind === kind)?.rules?.flatMap((rule) => rule.verbs)),
  ];
  expect(verbs('ClusterRole')).toEqual(['get', 'list']);
  const forwarding = own.filter(({ rules = [] }) =>
    rules.some(({ verbs: given }) => given.includes('create')),
  );
  expect(forwarding.map(({ kind, rules }) => [kind, rules?.[0]?.resources])).toEqual([
    ['Role', ['pods/portforward']],
  ]);
});
