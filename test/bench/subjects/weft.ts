/** weft as a user runs it: `weft run` over a folder of manifests; controller, capture and proxy together. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Deployment, encrypts, streamPort, type Way } from '../deployments.js';
import type { Network, Pod } from '../network.js';
import { type Daemon, raisePriority, run, startDaemon, subjectCore } from '../processes.js';
import { backendOf, backendPorts, denied, hosts, http2Ports, opaquePort, prefixes } from '../rules.js';
import { processTree } from '../usage.js';

const main = 'dist/cli/main.js';
const virtualAddress = (host: number) => `10.213.78.${host}`;
/** The service that clients ask for. */
export const front = { address: virtualAddress(1), port: 80 };
const stream = { address: virtualAddress(20), port: streamPort };
const opaque = { address: virtualAddress(21), port: opaquePort };

const named = (name: string, namespace = 'bench') => ({ name, namespace });

function workload(name: string, pod: Pod, enrolled: boolean, namespace = 'bench', node?: string) {
  const http = backendPorts.map((port) => ({ name: `http-${port}`, port, appProtocol: 'http' }));
  const http2 = http2Ports.map((port) => ({ name: `h2-${port}`, port, appProtocol: 'kubernetes.io/h2c' }));
  return {
    apiVersion: 'weft.dev/v1alpha1',
    kind: 'Workload',
    metadata: { ...named(name, namespace), labels: { app: name } },
    spec: {
      addresses: [pod.address],
      serviceAccount: name,
      ...(node !== undefined && { node }),
      ...(name === 'server' && {
        ports: [
          ...http,
          ...http2,
          { name: 'stream', port: streamPort, appProtocol: 'tcp' },
          { name: 'opaque', port: opaquePort, appProtocol: 'tcp' },
        ],
      }),
      ...(enrolled && { capture: { netns: pod.namespace, failMode: 'closed', udp: 'allow' } }),
    },
  };
}

function service(name: string, address: string, port: number, appProtocol: string) {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: named(name),
    spec: { clusterIPs: [address], ports: [{ name: 'main', port, appProtocol }] },
  };
}

function endpoints(name: string, address: string, port: number) {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...named(`${name}-ipv4`), labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'main', port, protocol: 'TCP' }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  };
}

function route(host: string, hostIndex: number) {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: named(`route-${hostIndex}`),
    spec: {
      parentRefs: [{ group: '', kind: 'Service', name: 'front', port: front.port }],
      hostnames: [host],
      rules: prefixes.map((prefix, prefixIndex) => ({
        matches: [{ path: { type: 'PathPrefix', value: prefix } }],
        backendRefs: [{ name: `backend-${backendOf(hostIndex, prefixIndex)}`, port: 80 }],
      })),
    },
  };
}

const policy = {
  apiVersion: 'weft.dev/v1alpha1',
  kind: 'AuthorizationPolicy',
  metadata: named('denials'),
  spec: {
    selector: { matchLabels: { app: 'server' } },
    action: 'DENY',
    // By port: on an opaque one a rule about requests denies the connection.
    rules: [
      { http: { headers: [{ name: denied.header.name, values: [denied.header.value] }] } },
      { http: { methods: denied.write.methods, paths: [`${denied.write.prefix}*`] } },
      { http: { paths: [`${denied.prefix}*`] } },
      { sources: { namespaces: ['untrusted'] }, http: { paths: ['/*'] } },
    ].map((rule) => ({ ports: [...backendPorts, ...http2Ports], ...rule })),
  },
};

const mesh = {
  apiVersion: 'weft.dev/v1alpha1',
  kind: 'Mesh',
  metadata: { name: 'mesh' },
  spec: {
    trustDomain: 'bench.example',
    ranges: [
      { cidr: '10.213.77.0/24', action: 'proxy' },
      { cidr: '10.213.78.0/24', action: 'proxy' },
    ],
  },
};

/** The two hops are nodes of their own, so that each can be counted alone. */
const isSplit = (way: Way) => way === 'tls-out' || way === 'tls-in';
const serverNode = 'server';
const nodesListener = '127.0.0.1:15012';
const tlsDeadlineMs = 30_000;

const serverEnrolled = (way: Way) => way === 'inbound' || way === 'mesh' || encrypts(way);

/** Client and server of a way: only where weft has a hop is the pod enrolled. */
function pods(way: Way, network: Network): { readonly client: Pod; readonly server: Pod } {
  const client = way === 'inbound' ? network.client : network.weftClient;
  return { client, server: serverEnrolled(way) ? network.weftServer : network.weftBackend };
}

/** What weft is configured with for a way, as one YAML text. */
export function manifests(way: Way, network: Network): string {
  const { client, server } = pods(way, network);
  const protocol = way === 'http2' ? 'kubernetes.io/h2c' : 'http';
  const ports = way === 'http2' ? http2Ports : backendPorts;
  const backends = ports.flatMap((port, index) => [
    service(`backend-${index}`, virtualAddress(10 + index), 80, protocol),
    endpoints(`backend-${index}`, server.address, port),
  ]);
  const documents = [
    mesh,
    workload('client', client, way !== 'inbound'),
    workload('server', server, serverEnrolled(way), 'bench', isSplit(way) ? serverNode : undefined),
    workload('other', network.other, false, 'untrusted'),
    service('front', front.address, front.port, protocol),
    service('stream', stream.address, stream.port, 'tcp'),
    endpoints('stream', server.address, streamPort),
    service('opaque', opaque.address, opaque.port, 'tcp'),
    endpoints('opaque', server.address, opaquePort),
    ...backends,
    ...hosts.map(route),
    policy,
  ];
  return documents.map((document) => JSON.stringify(document)).join('\n---\n');
}

const weftCommand = (...words: string[]) => ({
  argv: [process.execPath, main, ...words],
  namespace: null,
  core: subjectCore,
});
const secondState = (own: string) => join(own, 'server-state');

/** The server's node joins that of the client. */
async function joinSecond(own: string, state: string): Promise<Daemon> {
  const token = await run(weftCommand('token', 'create', '--node', serverNode, '--state', state), 30_000);
  const file = join(own, 'token');
  writeFileSync(file, token, { mode: 0o600 });
  const ca = join(state, 'controller/authority/ca.crt');
  const joining = ['--controller', nodesListener, '--token-file', file, '--ca-file', ca];
  const options = [
    '--node',
    serverNode,
    '--state',
    secondState(own),
    '--workers',
    '1',
    '--access-log',
    'off',
  ];
  const daemon = startDaemon(weftCommand('node', ...joining, ...options), join(own, 'server-output.log'));
  await daemon.awaitOutput('weft: ready');
  return daemon;
}

interface ShownWorkload {
  readonly name: string;
  readonly transport: string | null;
}

/** Both pods have come to where TLS is demanded: before that some of what is measured would be plaintext. */
async function awaitTls(state: string): Promise<void> {
  for (const deadline = Date.now() + tlsDeadlineMs; ; await pause(100)) {
    const text = await run(weftCommand('workloads', '-o', 'json', '--state', state), 30_000);
    const pods = (JSON.parse(text) as ShownWorkload[]).filter(
      ({ name }) => name === 'client' || name === 'server',
    );
    if (pods.length === 2 && pods.every(({ transport }) => transport === 'weft-tls')) return;
    if (Date.now() > deadline) throw new Error(`no TLS between the pods: ${JSON.stringify(pods)}`);
  }
}

/** Starts weft for a way; it may not be ready yet when it returns. */
export function deployWeft(way: Way, network: Network, directory: string): Deployment {
  const own = join(directory, `weft-${way}`);
  const [folder, state] = [join(own, 'manifests'), join(own, 'state')];
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'bench.yaml'), manifests(way, network));
  const log = way === 'logged' ? [] : ['--access-log', 'off'];
  // Elsewhere the peers have no TLS, nor have the other subjects.
  const plain = encrypts(way) ? [] : ['--no-identities'];
  const nodes = isSplit(way) ? ['--listen', nodesListener] : [];
  const options = ['-f', folder, '--state', state, '--workers', '1', ...log, ...plain, ...nodes];
  const argv = [process.execPath, main, 'run', ...options];
  const daemon = startDaemon({ argv, namespace: null, core: subjectCore }, join(own, 'output.log'));
  let second: Daemon | null = null;
  const { client, server } = pods(way, network);
  const direct = { address: server.address, port: backendPorts[0] };
  return {
    subject: 'weft',
    way,
    get roots() {
      return way === 'tls-in' ? [second?.pid ?? Number.NaN] : [daemon.pid];
    },
    namespaces: [client.namespace, server.namespace],
    client: client.namespace,
    target: way === 'inbound' ? direct : front,
    streamTarget: way === 'outbound' || encrypts(way) ? stream : null,
    opaqueTarget: way === 'outbound' || encrypts(way) ? opaque : null,
    untrusted:
      serverEnrolled(way) && !encrypts(way) ? { namespace: network.other.namespace, target: direct } : null,
    async ready() {
      await daemon.awaitOutput('weft: ready');
      if (isSplit(way)) second = await joinSecond(own, state);
      if (encrypts(way)) await awaitTls(state);
      for (const pid of processTree([daemon.pid, ...(second === null ? [] : [second.pid])]))
        raisePriority(pid); // each part is a session of its own
    },
    assertRunning() {
      daemon.assertRunning();
      second?.assertRunning();
    },
    async stop() {
      await second?.stop();
      await daemon.stop();
      // What they pinned goes with them; this removes what they leave where they could not end in order.
      for (const left of second === null ? [state] : [secondState(own), state]) {
        await run(weftCommand('clean', '--state', left), 30_000);
      }
    },
  };
}
