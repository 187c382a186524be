/** A real Prometheus (Debian's) in the cluster: it scrapes the pods whose annotations ask for it, and loads the shipped alerts. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { apply, getJson, kubectl } from './cluster.js';

const root = join(import.meta.dirname, '../../../..');
const image = 'localhost/prometheus:1';

/** Debian's Prometheus is built without Kubernetes' service discovery: what that finds by annotations is told to it. */
async function writeConfig(): Promise<string> {
  const { items } = (await getJson('pods', '--all-namespaces')) as { items: ScrapedPod[] };
  const targets = items.flatMap(({ metadata, spec, status }) => {
    const { 'prometheus.io/scrape': scrape, 'prometheus.io/port': port } = metadata.annotations ?? {};
    if (scrape !== 'true' || metadata.deletionTimestamp !== undefined) return [];
    return [{ targets: [`${status.podIP}:${port}`], labels: { pod: metadata.name, node: spec.nodeName } }];
  });
  const every = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
  return JSON.stringify({
    global: every,
    rule_files: ['/etc/prometheus/alerts.yaml'],
    scrape_configs: [{ job_name: 'pods', static_configs: targets }],
  });
}

interface ScrapedPod {
  readonly metadata: {
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly nodeName: string };
  readonly status: { readonly podIP: string };
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface Alert {
  readonly name: string;
  readonly health: string;
  readonly state: string;
  readonly lastError?: string;
}

/** The shipped rules; they fire at once, not after minutes. */
function readAlerts(): string {
  return readFileSync(join(root, 'deploy/chart/alerts.yaml'), 'utf8').replaceAll(/^( +for: ).*$/gm, '$10s');
}

export class Prometheus {
  readonly #namespace: string;

  private constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** Returns once it is ready to answer. */
  static async start(namespace: string): Promise<Prometheus> {
    await promisify(execFile)(join(root, 'test/cluster/image-debian'), [image, 'prometheus']);
    const metadata = { name: 'prometheus', namespace };
    const items = [
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata,
        data: { 'prometheus.yml': await writeConfig(), 'alerts.yaml': readAlerts() },
      },
      { apiVersion: 'v1', kind: 'Pod', metadata, spec: podSpec },
    ];
    await apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    await kubectl('-n', namespace, 'wait', '--for=condition=Ready', 'pod/prometheus', '--timeout=90s');
    return new Prometheus(namespace);
  }

  /** An instant query. Rejects with what Prometheus says of it. */
  async query(promql: string): Promise<Series[]> {
    const answer = await this.#ask<{ result: Series[] }>(`query?query=${encodeURIComponent(promql)}`);
    return answer.result;
  }

  /** Targets that are scraped without an error, by pod. */
  async healthyTargets(): Promise<string[]> {
    const { activeTargets } = await this.#ask<{
      activeTargets: { health: string; labels: { pod: string } }[];
    }>('targets?state=active');
    return activeTargets.filter(({ health }) => health === 'up').map(({ labels }) => labels.pod);
  }

  async alerts(): Promise<Alert[]> {
    const { groups } = await this.#ask<{ groups: { rules: Alert[] }[] }>('rules?type=alert');
    return groups.flatMap(({ rules }) => rules);
  }

  async #ask<Answer>(page: string): Promise<Answer> {
    const pod = `/api/v1/namespaces/${this.#namespace}/pods/prometheus:9090/proxy`;
    return (JSON.parse(await kubectl('get', '--raw', `${pod}/api/v1/${page}`)) as { data: Answer }).data;
  }
}

const podSpec = {
  terminationGracePeriodSeconds: 1,
  containers: [
    {
      name: 'prometheus',
      image,
      command: ['/usr/bin/prometheus'],
      args: ['--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/data'],
      securityContext: { runAsUser: 65534 },
      readinessProbe: { httpGet: { path: '/-/ready', port: 9090 }, periodSeconds: 1 },
      volumeMounts: [
        { name: 'config', mountPath: '/etc/prometheus' },
        { name: 'data', mountPath: '/data' },
      ],
    },
  ],
  volumes: [
    { name: 'config', configMap: { name: 'prometheus' } },
    { name: 'data', emptyDir: {} },
  ],
};
