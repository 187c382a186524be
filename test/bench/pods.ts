/**
 * `make bench-pods`: what a node of so many idle pods costs in memory, the kernel's included. weft captures them all with
 * one capture and one proxy; a sidecar is a process in each pod, of which one is measured and counted as often. Prints a
 * table and writes test/bench/out/pods.json.
 */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { deployPeer, startBackends } from './deployments.js';
import { createNetwork, type Network, removeNetwork } from './network.js';
import { probeTarget } from './probe.js';
import { type Daemon, run, startDaemon, subjectCore } from './processes.js';
import { routeProbes } from './rules.js';
import { envoy } from './subjects/envoy.js';
import { haproxy } from './subjects/haproxy.js';
import { nginx } from './subjects/nginx.js';
import { measureMemory, processTree } from './usage.js';

const { values } = parseArgs({ options: { pods: { type: 'string', default: '250' } } });
const count = Number(values.pods);
if (!Number.isInteger(count) || count < 1 || count > 1000) throw new Error('--pods must be from 1 to 1000');

const main = 'dist/cli/main.js';
const namespaceOf = (index: number) => `weft-b-pod${index}`;
const addressOf = (index: number) => `10.213.${80 + (index >> 8)}.${index & 255}`;

/** What one arrangement of a node's pods holds; KiB. */
interface NodeMemory {
  readonly name: string;
  /** Pages of its processes. */
  readonly residentKib: number;
  /** Its sockets, as objects of the kernel and what they hold. */
  readonly socketKib: number;
  readonly sockets: number;
  /** Its BPF maps. */
  readonly mapKib: number;
  /** Network namespaces that it keeps open. */
  readonly namespaces: number;
}

/** The pods are namespaces with an address; nothing runs in them. */
function addPods(): void {
  const lines = Array.from({ length: count }, (_, index) => `netns add ${namespaceOf(index)}`);
  execFileSync('ip', ['-batch', '-'], { input: lines.join('\n') });
  for (let index = 0; index < count; index += 1) {
    const address = `addr add ${addressOf(index)}/32 dev lo`;
    execFileSync('ip', ['-n', namespaceOf(index), '-batch', '-'], { input: `link set lo up\n${address}\n` });
  }
}

const document = (kind: string, name: string, spec: object) => ({
  apiVersion: 'weft.dev/v1alpha1',
  kind,
  metadata: kind === 'Mesh' ? { name } : { name, namespace: 'bench', labels: { app: name } },
  spec,
});

function manifests(pods: number): string {
  const ranges = [{ cidr: '10.213.0.0/16', action: 'proxy' }];
  const workloads = Array.from({ length: pods }, (_, index) =>
    document('Workload', `pod${index}`, {
      addresses: [addressOf(index)],
      serviceAccount: `pod${index}`,
      ports: [{ name: 'http', port: 8080, appProtocol: 'http' }],
      capture: { netns: namespaceOf(index), failMode: 'closed', udp: 'allow' },
    }),
  );
  return [document('Mesh', 'mesh', { trustDomain: 'bench.example', ranges }), ...workloads]
    .map((one) => JSON.stringify(one))
    .join('\n---\n');
}

/** Bytes of the BPF maps that the processes hold (fdinfo's memlock: bpf_map_show_fdinfo), each once, and namespaces. */
function readHandles(pids: readonly number[]): { readonly mapBytes: number; readonly namespaces: number } {
  const maps = new Map<string, number>();
  let namespaces = 0;
  for (const pid of pids) {
    for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
      const target = linkOf(`/proc/${pid}/fd/${descriptor}`);
      if (target.startsWith('net:[') || target.startsWith('/run/netns/')) namespaces += 1;
      if (!target.includes('bpf-map')) continue;
      const info = readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8');
      const field = (name: string) => new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(info)?.[1] ?? '';
      maps.set(field('map_id'), Number(field('memlock')));
    }
  }
  return { mapBytes: [...maps.values()].reduce((sum, bytes) => sum + bytes, 0), namespaces };
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed meanwhile
  }
}

function measureNode(name: string, roots: readonly number[], within: readonly string[]): NodeMemory {
  const { mapBytes, namespaces } = readHandles(processTree(roots));
  return { name, ...measureMemory(roots, within), mapKib: Math.round(mapBytes / 1024), namespaces };
}

async function measureWeft(pods: number, directory: string): Promise<NodeMemory> {
  const own = join(directory, `weft-${pods}`);
  const [folder, state] = [join(own, 'manifests'), join(own, 'state')];
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'pods.yaml'), manifests(pods));
  const options = ['-f', folder, '--state', state, '--workers', '1', '--access-log', 'off'];
  const argv = [process.execPath, main, 'run', ...options];
  const daemon: Daemon = startDaemon({ argv, namespace: null, core: subjectCore }, join(own, 'output.log'));
  try {
    await daemon.awaitOutput('weft: ready');
    const within = Array.from({ length: pods }, (_, index) => namespaceOf(index));
    return measureNode(`weft, ${pods} pods`, [daemon.pid], within);
  } finally {
    await daemon.stop();
    const clean = [process.execPath, main, 'clean', '--state', state];
    await run({ argv: clean, namespace: null, core: subjectCore }, 60_000);
  }
}

/** One process beside one pod that both routes and authorizes, idle. */
async function measureSidecars(network: Network, directory: string): Promise<NodeMemory[]> {
  const found: NodeMemory[] = [];
  for (const peer of [haproxy, nginx, envoy]) {
    const deployment = deployPeer(peer, 'outbound', network, directory);
    try {
      await probeTarget(deployment.client, deployment.target, routeProbes(true)); // it serves
      const one = measureNode(peer.name, deployment.roots, deployment.namespaces);
      found.push({ ...one, name: `${peer.name}, 1 sidecar` });
      const times = (value: number) => value * count;
      found.push({
        name: `${peer.name} × ${count}`,
        residentKib: times(one.residentKib),
        socketKib: times(one.socketKib),
        sockets: times(one.sockets),
        mapKib: 0,
        namespaces: 0,
      });
    } finally {
      await deployment.stop();
    }
  }
  return found;
}

function table(rows: readonly NodeMemory[]): string {
  const mebibytes = (kib: number) => (kib / 1024).toFixed(1).padStart(10);
  const lines = rows.map(
    ({ name, residentKib, socketKib, sockets, mapKib, namespaces }) =>
      `${name.padEnd(20)}${mebibytes(residentKib)}${mebibytes(socketKib)}${mebibytes(mapKib)}` +
      `${String(sockets).padStart(9)}${String(namespaces).padStart(12)}`,
  );
  return [
    '                      MiB in processes, sockets, BPF maps  sockets  namespaces',
    ...lines,
    '',
  ].join('\n');
}

const directory = mkdtempSync(join(tmpdir(), 'weft-b-'));
execFileSync('chmod', ['755', directory]); // what a subject runs as another user must get in
const network = createNetwork();
const backends = startBackends(network, directory);
try {
  addPods();
  const rows = [await measureWeft(0, directory), await measureWeft(count, directory)];
  rows.push(...(await measureSidecars(network, directory)));
  mkdirSync('test/bench/out', { recursive: true });
  writeFileSync('test/bench/out/pods.json', `${JSON.stringify(rows, null, 1)}\n`);
  process.stdout.write(table(rows));
} finally {
  for (const backend of backends) await backend.stop();
  removeNetwork();
  rmSync(directory, { recursive: true });
}
