import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { apply, createNamespace, deleteNamespace, getJson, kubectl } from './harness/cluster.js';
import { Prometheus } from './harness/prometheus.js';
import { installWeft, weftNamespace } from './harness/release.js';
import { ask, deployShop } from './harness/shop.js';
import { eventually } from './harness/wait.js';

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

const file = join(import.meta.dirname, '../../../deploy/chart/dashboards/weft.json');
const dashboard = JSON.parse(readFileSync(file, 'utf8')) as Dashboard;
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }, index) => [title, 'ABCDE'[index], expr] as const),
);

let shop: string;
let strangers: string;
let prometheus: Prometheus;
let traffic: Promise<void>;
let asking = true;

/** What dashboards are about: requests that succeed, that a policy refuses, and that come in plaintext. */
async function makeTraffic(): Promise<void> {
  while (asking) {
    await ask(shop, 'http://cart/', {}, 5);
    await ask(shop, 'http://cart/', { 'x-refused': 'yes' }, 2);
    await ask(strangers, `http://cart-v2.${shop}/`, {}, 2);
  }
}

const policies = `
apiVersion: weft.dev/v1alpha1
kind: AuthorizationPolicy
metadata: { name: refuse }
spec:
  action: DENY
  targetRefs: [{ name: cart }]
  rules: [{ http: { headers: [{ name: x-refused, values: ["yes"] }] } }]
`;

beforeAll(async () => {
  shop = await createNamespace({ 'weft.dev/mesh': 'enabled' });
  strangers = await createNamespace();
  await installWeft();
  await Promise.all([deployShop(shop), deployShop(strangers)]);
  await apply(policies, '-n', shop);
  // Only once all of weft runs: its pods' addresses are told to Prometheus then.
  prometheus = await Prometheus.start(strangers);
  traffic = makeTraffic();
}, 600_000);

afterAll(async () => {
  asking = false;
  await traffic;
  await Promise.all([shop, strangers].map(deleteNamespace));
}, 120_000);

test('every controller and every agent asks to be scraped by its annotations, and is', async () => {
  const { items } = (await getJson('pods', '-n', weftNamespace)) as {
    items: { metadata: { name: string; deletionTimestamp?: string } }[];
  };
  // Those of a release before may still be ending.
  const stay = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const wanted = stay.map(({ metadata }) => metadata.name).sort();
  await eventually(
    'healthy targets',
    async () => (await prometheus.healthyTargets()).sort().join(),
    (pods) => pods === wanted.join(),
    60_000,
  );
  expect(wanted.length).toBeGreaterThanOrEqual(3);
});

test('the dashboard reaches Grafana by a labelled ConfigMap', async () => {
  const { metadata, data } = (await getJson('configmap', 'weft-dashboard', '-n', weftNamespace)) as {
    metadata: { labels: Record<string, string> };
    data: Record<string, string>;
  };
  expect(metadata.labels.grafana_dashboard).toBe('1');
  expect(JSON.parse(data['weft.json'] ?? '')).toEqual(dashboard);
});

test.each(queries)('the dashboard’s query is answered: %s, %s', async (_title, _target, expr) => {
  const promql = expr.replaceAll('$__rate_interval', '1m').replaceAll('$namespace', '.*');
  expect(promql).not.toContain('$');
  await eventually(
    `data for ${promql}`,
    () => prometheus.query(promql),
    (series) => series.some(({ value }) => Number.isFinite(Number(value[1]))),
    90_000,
  );
});

test('every alert is valid, and in a healthy mesh none fires but that of refused requests', async () => {
  const firing = async () => {
    const alerts = await prometheus.alerts();
    expect(alerts.filter(({ health }) => health !== 'ok')).toEqual([]);
    return alerts.filter(({ state }) => state === 'firing').map(({ name }) => name);
  };
  await eventually('the one alert', firing, (names) => names.join() === 'WeftRequestsRefused', 90_000);
});

test('a controller that is gone fires its alerts', async () => {
  await kubectl('-n', weftNamespace, 'scale', 'deployment/weft-controller', '--replicas=0');
  const firing = async () =>
    (await prometheus.alerts()).filter(({ state }) => state === 'firing').map(({ name }) => name);
  await eventually(
    'alerts',
    firing,
    (names) => ['WeftControllerAbsent', 'WeftAgentCutOff'].every((name) => names.includes(name)),
    60_000,
  );
  await kubectl('-n', weftNamespace, 'scale', 'deployment/weft-controller', '--replicas=2');
  await kubectl('-n', weftNamespace, 'rollout', 'status', 'deployment/weft-controller', '--timeout=90s');
}, 300_000);
