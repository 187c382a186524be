/** For tests: a controller over a real folder and a real Unix socket. */
import { mkdtempSync, rmSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller } from './controller.js';
import type { StreamTimes } from './publish/config-server.js';
import { FolderSource } from './source/folder-source.js';
import { createLog } from './status/log.js';
import { TestAgent, type TestAgentOptions } from './test-agent.js';

export class ControllerFixture {
  readonly root = mkdtempSync(join(tmpdir(), 'weft-c-'));
  readonly socket = join(this.root, 'controller.sock');
  readonly address = `unix:${this.socket}`;
  readonly folder = mkdtempSync(join(this.root, 'manifests-'));
  readonly logged: string[] = [];
  readonly #agents: TestAgent[] = [];
  #check: () => void = () => {};
  readonly #times: StreamTimes | undefined;
  controller: Controller;

  constructor(times?: StreamTimes) {
    this.#times = times;
    this.controller = this.#create();
  }

  #create(trustDomain: string | null = 'test.mesh'): Controller {
    return new Controller({
      source: new FolderSource({
        folder: this.folder,
        onTrouble: (error) => this.logged.push(error.message),
      }),
      build: { trustDomain, node: 'local' },
      log: createLog(
        (line) => this.logged.push(line),
        () => new Date(0),
      ),
      now: () => Date.now(),
      ...(this.#times === undefined ? {} : { times: this.#times }),
      onChange: () => this.#check(),
    });
  }

  async start(files: Readonly<Record<string, string>> = {}): Promise<void> {
    for (const [name, text] of Object.entries(files)) await this.write(name, text);
    await this.controller.start({ socket: this.socket, nodes: null });
  }

  /** Ends the controller and starts a new one over the same folder and address. */
  async restart(): Promise<void> {
    this.controller.stop();
    this.controller = this.#create();
    await this.controller.start({ socket: this.socket, nodes: null });
  }

  agent(options: TestAgentOptions = {}): TestAgent {
    const agent = new TestAgent(this.address, options);
    this.#agents.push(agent);
    return agent;
  }

  /** Resolves once the condition holds after some change of the controller's status. */
  waitFor(what: string, condition: () => boolean, timeoutMs = 5000): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${what} within ${timeoutMs} ms`)), timeoutMs);
      this.#check = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#check = () => {};
        resolve();
      };
      this.#check();
    });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes in place, as careless tools do. */
  write(name: string, text: string): Promise<void> {
    return writeFile(this.path(name), text);
  }

  /** Writes beside and renames. */
  async replace(name: string, text: string): Promise<void> {
    await writeFile(this.path(`.${name}.tmp`), text);
    await rename(this.path(`.${name}.tmp`), this.path(name));
  }

  remove(name: string): Promise<void> {
    return rm(this.path(name));
  }

  stop(): void {
    for (const agent of this.#agents) agent.close();
    this.controller.stop();
    rmSync(this.root, { recursive: true, force: true });
  }
}

export const serviceYaml = (name: string, address: string) => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec:
  clusterIP: ${address}
  ports: [{name: http, port: 80}]
`;

export const sliceYaml = (name: string, ...addresses: string[]) => `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: ${name}-1
  namespace: shop
  labels: {kubernetes.io/service-name: ${name}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints:
${addresses.map((address) => `- addresses: [${address}]`).join('\n')}
`;

export const workloadYaml = (name: string, address: string, more = '') => `
apiVersion: weft.dev/v1alpha1
kind: Workload
metadata: {name: ${name}, namespace: shop, labels: {app: ${name}}}
spec:
  addresses: [${address}]
  capture: {netns: ${name}${more}}
`;

export const routeYaml = (name: string, service: string, backend: string, more = '') => `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ${name}, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: ${service}}]
  rules:
  - backendRefs: [{name: ${backend}, port: 80}]
${more}
`;

export const policyYaml = (name: string, spec: string) => `
apiVersion: weft.dev/v1alpha1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: shop}
spec:
${spec}
`;
