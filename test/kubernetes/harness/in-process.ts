/** A controller in this process, whose socket takes agents of any node; all else is as in the program. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller } from '../../../controller/controller.js';
import { openCluster } from '../../../controller/kubernetes/open-cluster.js';
import { createLog } from '../../../controller/status/log.js';
import { kubeconfig } from './cluster.js';

export class ControllerInProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'weft-ki-'));
  /** Where agents connect. */
  readonly agents = `unix:${join(this.folder, 'agents.sock')}`;
  readonly logged: string[] = [];
  readonly controller: Controller;

  /** @param namespace weft's own */
  constructor(namespace: string) {
    const log = createLog(
      (line) => this.logged.push(line),
      () => new Date(),
    );
    const { source, cluster } = openCluster({ kubeconfig: kubeconfig(), namespace, status: false }, log);
    this.controller = new Controller({
      source,
      build: { trustDomain: 'test.mesh', node: '', cluster },
      log,
      now: () => Date.now(),
    });
  }

  async start(): Promise<this> {
    await this.controller.start({ socket: this.agents.slice('unix:'.length), nodes: null });
    return this;
  }

  stop(): void {
    this.controller.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
