/** A quiet pod and a noisy one on the same proxy, and four kinds of noise. */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitEvent } from './await-event.js';
import { cgroupProcesses, createCgroup, removeCgroup } from './cgroup.js';
import type { LabProcess } from './lab-process.js';
import { Load } from './load.js';
import { route } from './manifests.js';
import { Mesh } from './mesh.js';
import { residentKib } from './resident-memory.js';
import { runCommand } from './run-command.js';
import { countRequests, fixture, python, type Service, startNginx } from './services.js';

/** A flood of requests, bulk transfers, readers that stall, a route whose regular expression is made to backtrack. */
export type NoiseKind = 'flood' | 'bulk' | 'stalled' | 'backtracking';

/** Connections of each kind. */
export const noiseConnections: Readonly<Record<NoiseKind, number>> = {
  flood: 256,
  bulk: 4,
  stalled: 100,
  backtracking: 16,
};

/**
 * Through the proxy; or, as a control, between two pods that no proxy serves: what the noise costs such a request is the
 * machine's and not the proxy's.
 */
export type Way = 'mesh' | 'direct';

/** What the quiet client did and what the noise was given meanwhile. */
export interface QuietRun {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that the noise had from its server meanwhile. */
  readonly noiseRequests: number;
  /** Bytes that its server sent meanwhile. */
  readonly noiseBytes: number;
}

const http = { name: 'http', port: 8080, appProtocol: 'http' };
const bigBytes = 2 ** 30;

/** All clients and servers share this processor, the proxy has the other. */
const clientsProcessor = '1';
const proxyProcessor = '0';

/** The noise runs whenever nobody else wants its processor, and gives way at once (SCHED_IDLE, sched(7)). */
const idly = ['chrt', '--idle', '0'];
const noisily = ['taskset', '-c', clientsProcessor, ...idly];

/**
 * The proxy has one processor for itself and all clients and servers share another: so what is seen is the proxy's fairness
 * and not who gets a processor.
 */
export class NoisyNeighbour {
  readonly #mesh: Mesh;
  readonly #server: Service;

  private constructor(mesh: Mesh, server: Service) {
    this.#mesh = mesh;
    this.#server = server;
  }

  static async open(): Promise<NoisyNeighbour> {
    const services: Service[] = [];
    const mesh = await Mesh.open(
      {
        pods: [
          { name: 'quiet' },
          { name: 'noisy' },
          { name: 'quiet-server', ports: [http] },
          { name: 'noisy-server', ports: [http] },
          { name: 'direct', capture: null },
          { name: 'direct-server', capture: null },
        ],
        services: [
          { name: 'quiet-server', host: 1, port: 80, targetPort: 8080, appProtocol: 'http' },
          { name: 'noisy-server', host: 2, port: 80, targetPort: 8080, appProtocol: 'http' },
        ],
        more: [
          // A backtracking matcher would take years for one such path; an automaton is linear.
          route('evil', 'noisy-server', [
            {
              matches: [{ path: { type: 'RegularExpression', value: '/(a+)+' } }],
              backendRefs: [{ name: 'noisy-server', port: 80 }],
            },
            { backendRefs: [{ name: 'noisy-server', port: 80 }] },
          ]),
        ],
      },
      async ({ lab }) => {
        await startNginx(lab.pod('quiet-server'), { port: 8080 });
        await startNginx(lab.pod('direct-server'), { port: 8080 });
        const { folder } = lab.pod('noisy-server');
        writeFileSync(join(folder, 'big'), '');
        truncateSync(join(folder, 'big'), bigBytes);
        const server = `location / { return 200 "ok"; } location = /big { root ${folder}; }`;
        services.push(
          await startNginx(lab.pod('noisy-server'), { port: 8080, server, log: false, under: idly }),
        );
      },
    );
    for (const pid of cgroupProcesses(mesh.lab.cgroup)) await pin(pid, clientsProcessor);
    await pin(mesh.weft.pidOf('proxy'), proxyProcessor);
    const [server] = services;
    if (server === undefined) throw new Error('the noisy server did not start');
    return new NoisyNeighbour(mesh, server);
  }

  async close(): Promise<void> {
    await this.#mesh.close();
  }

  /** The proxy's own memory, in KiB. */
  proxyKib(): number {
    return residentKib(this.#mesh.weft.pidOf('proxy'));
  }

  /** Starts the noise and resolves once it is heard; ends it by what it returns. */
  async start(kind: NoiseKind): Promise<() => Promise<void>> {
    const connections = noiseConnections[kind];
    switch (kind) {
      case 'flood':
        return this.#startLoad('/', connections, 2_000);
      case 'backtracking':
        return this.#startLoad(`/${'a'.repeat(2_000)}!`, connections, 100);
      case 'bulk': {
        const loop = 'echo started; while curl -sS -o /dev/null http://10.97.0.2/big; do :; done';
        return this.#startPrograms(['sh', '-c', loop], connections, /started/);
      }
      case 'stalled':
        return this.#startPrograms(
          [python, fixture('slow-transfer.py'), '10.97.0.2', '80', '/big'],
          connections,
          /stalled/,
        );
    }
  }

  /**
   * One client with one connection.
   * @param perSecond requests a second, 0: each as soon as the one before is answered.
   */
  async runQuiet(requests: number, perSecond: number, way: Way = 'mesh'): Promise<QuietRun> {
    const target = way === 'mesh' ? ['10.97.0.1', '80'] : [this.#mesh.pod('direct-server').ipv4, '8080'];
    const program = [fixture('paced-client.py'), ...target, String(perSecond), String(requests)];
    const argv = ['taskset', '-c', clientsProcessor, python, ...program];
    const before = await this.#served();
    const client = this.#mesh.pod(way === 'mesh' ? 'quiet' : 'direct');
    const text = await client.run(argv, { timeoutMs: 60_000 });
    const after = await this.#served();
    return {
      ...(JSON.parse(text) as { readonly p50Ms: number; readonly p99Ms: number }),
      noiseRequests: after.requests - before.requests,
      noiseBytes: after.bytes - before.bytes,
    };
  }

  async #served(): Promise<{ readonly requests: number; readonly bytes: number }> {
    const link = JSON.parse(
      await this.#mesh.pod('noisy-server').run(['ip', '-s', '-j', 'link', 'show', 'dev', 'eth0']),
    );
    return { requests: await countRequests(this.#server), bytes: link[0].stats64.tx.bytes };
  }

  async #startLoad(path: string, connections: number, heard: number): Promise<() => Promise<void>> {
    const url = `http://10.97.0.2${path}`;
    const load = new Load(this.#mesh.pod('noisy'), { url, connections, seconds: 120, under: noisily });
    const before = await countRequests(this.#server);
    await awaitEvent('the load', 30_000, async () => (await countRequests(this.#server)) > before + heard);
    return async () => {
      const { report, badStatuses, socketErrors } = await load.stop();
      if (badStatuses + socketErrors > 0) throw new Error(`the noise met failures: ${report}`);
    };
  }

  async #startPrograms(
    argv: readonly string[],
    count: number,
    started: RegExp,
  ): Promise<() => Promise<void>> {
    const cgroup = join(this.#mesh.lab.cgroup, 'noise');
    createCgroup(cgroup);
    const start = (): LabProcess => this.#mesh.pod('noisy').spawn([...noisily, ...argv], { cgroup });
    for (const one of Array.from({ length: count }, start)) await one.awaitOutput(started, 60_000);
    return () => removeCgroup(cgroup);
  }
}

/** Keeps a running process and all its threads on one processor. */
async function pin(pid: number, processor: string): Promise<void> {
  await runCommand(['taskset', '-a', '-cp', processor, String(pid)]);
}
