/** A mesh made for one test: pods, services, further manifests, and weft over them. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitTls } from './await-tls.js';
import { Lab } from './lab.js';
import {
  type Manifest,
  mesh,
  type PodSpec,
  type ServiceSpec,
  service,
  toYaml,
  workload,
} from './manifests.js';
import { parseMetrics, type Sample } from './metrics.js';
import type { Pod } from './pod.js';
import { fixture, python } from './services.js';
import { Weft, type WeftOptions } from './weft.js';

export interface MeshSpec {
  readonly pods: readonly PodSpec[];
  readonly services: readonly ServiceSpec[];
  /** Written to `more.yaml`. */
  readonly more?: readonly Manifest[];
  /** Between captured pods; default: mutual TLS, as by default everywhere. plaintext: weft issues no identities. */
  readonly transport?: 'mutual-tls' | 'plaintext';
  /** Replaces parts of how weft is started; its `more` come after those of `transport`. */
  readonly weft?: (lab: Lab) => Partial<WeftOptions>;
}

/** What fixtures/http-client.py saw. */
export interface ClientResult {
  readonly peer?: readonly [string, number];
  readonly local?: readonly [string, number];
  readonly status?: number;
  readonly body?: string;
  readonly error?: string;
}

/** What fixtures/raw-client.py saw. */
export interface RawResult {
  readonly received: string;
  readonly end: 'closed' | 'reset' | 'silent';
}

export class Mesh {
  readonly lab: Lab;
  readonly manifests: string;
  private started: Weft | undefined;

  private constructor(lab: Lab) {
    this.lab = lab;
    this.manifests = join(lab.folder, 'manifests');
  }

  /**
   * Makes the pods, writes the manifests, calls `startServers`, starts weft, and waits until captured pods speak as
   * `transport` says; on failure nothing is left.
   */
  static async open(
    spec: MeshSpec,
    startServers: (mesh: Mesh) => Promise<unknown> = async () => {},
  ): Promise<Mesh> {
    const lab = await Lab.open();
    const opened = new Mesh(lab);
    try {
      for (const pod of spec.pods) await lab.addPod(pod.name);
      mkdirSync(opened.manifests, { recursive: true });
      opened.write('mesh.yaml', [mesh]);
      opened.write(
        'workloads.yaml',
        spec.pods.map((pod) => workload(pod, lab.pod(pod.name))),
      );
      opened.write(
        'services.yaml',
        spec.services.flatMap((one) => service(one, lab.pods)),
      );
      opened.write('more.yaml', spec.more ?? []);
      await startServers(opened);
      await opened.startWeft(spec);
    } catch (error) {
      await lab.close();
      throw error;
    }
    return opened;
  }

  private async startWeft({ transport, pods, weft }: MeshSpec): Promise<void> {
    const options = weft?.(this.lab) ?? {};
    const more = [...(transport === 'plaintext' ? ['--no-identities'] : []), ...(options.more ?? [])];
    this.started = await Weft.start(this.lab, { manifests: this.manifests, ...options, more });
    const captured = pods.some(({ capture }) => capture !== null);
    if (transport !== 'plaintext' && captured) await awaitTls(this.started);
  }

  get weft(): Weft {
    if (this.started === undefined) throw new Error('weft is not started yet');
    return this.started;
  }

  pod(name: string): Pod {
    return this.lab.pod(name);
  }

  /** Replaces a file of manifests at once. */
  write(file: string, manifests: readonly Manifest[] | string): void {
    const draft = join(this.lab.folder, `.draft-${file}`);
    writeFileSync(draft, typeof manifests === 'string' ? manifests : toYaml(manifests));
    renameSync(draft, join(this.manifests, file));
  }

  /** Scrapes /metrics through Prometheus's own parser. */
  async samples(): Promise<Sample[]> {
    return parseMetrics(await this.weft.metricsText());
  }

  /** One request by fixtures/http-client.py, which connects in the given way. */
  async fetch(
    podName: string,
    way: string,
    address: string,
    port: number,
    path = '/',
    cgroup?: string,
  ): Promise<ClientResult> {
    const argv = [python, fixture('http-client.py'), way, address, String(port), path];
    return JSON.parse(
      await this.pod(podName).run(argv, cgroup === undefined ? {} : { cgroup }),
    ) as ClientResult;
  }

  /** Bytes as they are, by fixtures/raw-client.py. */
  async sendRaw(
    podName: string,
    address: string,
    port: number,
    input: string,
    silence = 0.5,
  ): Promise<RawResult> {
    const argv = [python, fixture('raw-client.py'), address, String(port), String(silence)];
    return JSON.parse(await this.pod(podName).run(argv, { input })) as RawResult;
  }

  /** curl with `-sS` in a pod; returns standard output. */
  curl(podName: string, ...args: string[]): Promise<string> {
    return this.pod(podName).run(['curl', '-sS', ...args]);
  }

  /** The status that curl sees, and whether it failed to get one (0). */
  async status(podName: string, ...args: string[]): Promise<number> {
    const result = await this.pod(podName).try([
      'curl',
      '-s',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      ...args,
    ]);
    return Number(result.stdout);
  }

  /** Ends weft in order, then removes everything; throws where anything is left. */
  async close(): Promise<void> {
    try {
      await this.started?.stop();
    } finally {
      await this.lab.close();
    }
  }
}
