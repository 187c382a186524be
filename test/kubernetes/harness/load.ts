/**
 * Requests that go on by themselves, whatever becomes of the API server: a pod that asks the shop without ever retrying,
 * over connections that it keeps and over new ones. What it got is read from its node.
 */
import { apply, kubectl, onNode } from './cluster.js';
import { image } from './release.js';
import { clientNode } from './shop.js';
import { eventually } from './wait.js';

export interface Counts {
  readonly ok: number;
  /** The first twenty, in words. */
  readonly failures: readonly string[];
  /** Versions of the shop, and pods, that answered since the line before. */
  readonly versions: readonly string[];
  readonly pods: readonly string[];
}

/** Four clients that keep their connections and one that makes a new one for each request, some two hundred requests a second. */
const program = `
  const http = require('http');
  const kept = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const failures = [];
  let ok = 0;
  let versions = new Set();
  let pods = new Set();
  const take = (what, status, reason, text) => {
    if (status !== 200) return failures.push(what + status + ' ' + reason);
    const said = JSON.parse(text);
    ok += 1;
    versions.add(said.version);
    pods.add(said.pod);
  };
  const one = (agent) => new Promise((resolve) => {
    const what = (agent ? 'kept: ' : 'new: ');
    const fail = (error) => { failures.push(new Date().toISOString() + ' ' + what + error.message); resolve(); };
    const q = http.get('http://cart/', { agent, timeout: 10000 }, (s) => {
      let text = '';
      s.on('data', (part) => (text += part));
      s.on('end', () => { take(what, s.statusCode, s.headers['x-weft-reason'], text); resolve(); });
      s.on('error', fail);
    });
    q.on('timeout', () => q.destroy(new Error('no answer')));
    q.on('error', fail);
  });
  const run = async (agent) => { for (;;) { await one(agent); await new Promise((next) => setTimeout(next, 20)); } };
  for (const agent of [kept, kept, kept, kept, false]) run(agent);
  setInterval(() => {
    const list = (set) => [...set].sort();
    console.log(JSON.stringify({ ok, failures: failures.slice(0, 20), versions: list(versions), pods: list(pods) }));
    versions = new Set();
    pods = new Set();
  }, 500);`;

export class Load {
  readonly #log: string;

  private constructor(log: string) {
    this.#log = log;
  }

  /** Resolves once the shop of the namespace answers. */
  static async start(namespace: string): Promise<Load> {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'load', namespace },
      spec: {
        nodeSelector: { 'kubernetes.io/hostname': clientNode },
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'app', image, args: ['-e', program] }],
      },
    };
    await apply(JSON.stringify(pod));
    await kubectl('-n', namespace, 'wait', '--for=condition=Ready', 'pod/load', '--timeout=90s');
    const load = new Load(`/var/log/pods/${namespace}_load_*/app/0.log`);
    await load.progress(50);
    return load;
  }

  /** So far. Needs no API server. */
  async counts(): Promise<Counts> {
    const line = await onNode(clientNode, 'sh', '-c', `tail -n 1 ${this.#log} 2> /dev/null || true`);
    const json = line.slice(line.indexOf('{'));
    return json === '' ? { ok: 0, failures: [], versions: [], pods: [] } : (JSON.parse(json) as Counts);
  }

  /** Resolves once so many more requests were answered; rejects where one failed. */
  async progress(requests: number): Promise<void> {
    const { ok } = await this.counts();
    await this.until(`${requests} answers`, (counts) => counts.ok >= ok + requests);
  }

  /** Resolves once the counts satisfy; rejects where a request failed, since the start. */
  async until(what: string, satisfies: (counts: Counts) => boolean, timeoutMs = 90_000): Promise<Counts> {
    const ask = async () => {
      const counts = await this.counts();
      if (counts.failures.length > 0) throw new Error(`requests failed: ${counts.failures.join('; ')}`);
      return counts;
    };
    return await eventually(what, ask, satisfies, timeoutMs);
  }
}
