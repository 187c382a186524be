/** A controller on the cluster: the real program, outside of it, with a kubeconfig. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusReport } from '../../../controller/status/status-report.js';
import { kubeconfig } from './cluster.js';

const program = join(import.meta.dirname, '../../../controller/main.js');

export class ControllerProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'weft-kc-'));
  /** Where agents connect. */
  readonly agents = `unix:${join(this.folder, 'agents.sock')}`;
  readonly #admin = join(this.folder, 'admin.sock');
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  log = '';

  private constructor(flags: readonly string[], config: string) {
    const args = [program, '--kubernetes', '--kubeconfig', config, '--listen', this.agents];
    const rest = ['--admin', this.#admin, '--trust-domain', 'test.mesh', ...flags];
    this.#child = spawn(process.execPath, [...args, ...rest], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.log += chunk;
    });
    this.#exited = once(this.#child, 'exit');
  }

  /** Resolves once agents can connect. `namespace` holds the lease. */
  static async start(
    namespace: string,
    flags: readonly string[] = [],
    config = kubeconfig(),
  ): Promise<ControllerProcess> {
    const controller = new ControllerProcess(['--namespace', namespace, ...flags], config);
    const said = await Promise.race([
      once(controller.#child.stdout as NodeJS.ReadableStream, 'data'),
      controller.#exited.then(() => null),
    ]);
    if (said === null) throw new Error(`the controller ended: ${controller.log}`);
    return controller;
  }

  status(): Promise<StatusReport> {
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: this.#admin, path: '/status', agent: false }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk;
        });
        response.on('end', () => resolve(JSON.parse(body) as StatusReport));
      });
      asked.on('error', reject);
      asked.end();
    });
  }

  /** Ends it as a pod is ended, or as a crash does. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill(signal);
      await this.#exited;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
