/** Subjects in place: which processes serve which target, for each way through the mesh. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Endpoint, Hop, HttpListener, Peer } from './hop.js';
import type { Network } from './network.js';
import { type Daemon, loadCore, startDaemon, subjectCore } from './processes.js';
import { backendPorts } from './rules.js';
import { backendFiles } from './subjects/nginx.js';

/**
 * outbound: one hop beside the client, which routes and authorizes, for a server without a proxy. inbound: one hop beside
 * the server, which authorizes. mesh: both; the first routes, the second authorizes. logged: outbound with an access log.
 */
export type Way = 'outbound' | 'inbound' | 'mesh' | 'logged';

export type SubjectName = 'weft' | 'haproxy' | 'nginx' | 'envoy' | 'direct';

/** A subject that serves. */
export interface Deployment {
  readonly subject: SubjectName;
  readonly way: Way;
  /** Whose processes are counted, with all their descendants. */
  readonly roots: readonly number[];
  /** Where those have TCP sockets. */
  readonly namespaces: readonly string[];
  /** Where the load starts, and where it goes. */
  readonly client: string;
  readonly target: Endpoint;
  /** Where one opaque stream goes; null where the way has none. */
  readonly streamTarget: Endpoint | null;
  /** A source that must be denied and the target it tries; null where nothing authorizes by source. */
  readonly untrusted: { readonly namespace: string; readonly target: Endpoint } | null;
  /** Resolves when it serves, as far as it says so itself. */
  ready(): Promise<void>;
  /** Throws where one of its processes has ended. */
  assertRunning(): void;
  stop(): Promise<void>;
}

export const streamPort = 5201;
const outboundPort = 15001;
const outboundStreamPort = 15002;
/** Inbound hops listen on the backends' ports plus this. */
const inboundOffset = 10_000;
const statsPort = 15090;

function backendEndpoints(address: string, offset = 0): Endpoint[] {
  return backendPorts.map((port) => ({ address, port: port + offset }));
}

function outboundHop(
  { client, server, other }: Network,
  offset: number,
  endpoints: Endpoint[],
  on: { readonly authorization?: boolean; readonly accessLog?: boolean },
): Hop {
  const address = '127.0.0.1';
  return {
    namespace: client.namespace,
    listeners: [
      {
        protocol: 'http',
        address,
        port: outboundPort + offset,
        routes: true,
        authorization: on.authorization ?? false,
        endpoints,
      },
      {
        protocol: 'tcp',
        address,
        port: outboundStreamPort + offset,
        endpoint: { address: server.address, port: streamPort },
      },
    ],
    untrusted: [other.address],
    accessLog: on.accessLog ?? false,
    statsPort: statsPort + offset,
  };
}

function inboundHop({ server, other }: Network, offset: number): Hop {
  const listeners = backendEndpoints('127.0.0.1').map(
    (endpoint): HttpListener => ({
      protocol: 'http',
      address: server.address,
      port: endpoint.port + inboundOffset + offset,
      routes: false,
      authorization: true,
      endpoints: [endpoint],
    }),
  );
  return {
    namespace: server.namespace,
    listeners,
    untrusted: [other.address],
    accessLog: false,
    statsPort: statsPort + offset,
  };
}

function peerHops(way: Way, network: Network, offset: number): Hop[] {
  const { address } = network.server;
  const straight = backendEndpoints(address);
  switch (way) {
    case 'outbound':
      return [outboundHop(network, offset, straight, { authorization: true })];
    case 'logged':
      return [outboundHop(network, offset, straight, { authorization: true, accessLog: true })];
    case 'inbound':
      return [inboundHop(network, offset)];
    case 'mesh': {
      const guarded = backendEndpoints(address, inboundOffset + offset);
      return [outboundHop(network, offset, guarded, {}), inboundHop(network, offset)];
    }
  }
}

/** Stops all, the last started first. */
async function stopAll(daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons.toReversed()) await daemon.stop();
}

/** Starts a peer's processes for a way; they may not listen yet when it returns. */
export function deployPeer(peer: Peer, way: Way, network: Network, directory: string): Deployment {
  const daemons = peerHops(way, network, peer.portOffset).map((hop, index) => {
    const own = join(directory, `${peer.name}-${way}-${index}`);
    mkdirSync(own, { recursive: true });
    for (const [name, content] of Object.entries(peer.files(hop, own)))
      writeFileSync(join(own, name), content);
    const launch = { argv: peer.argv(own), namespace: hop.namespace, core: subjectCore };
    return startDaemon(launch, join(own, 'output.log'));
  });
  const { client, server, other } = network;
  const inboundTarget = { address: server.address, port: backendPorts[0] + inboundOffset + peer.portOffset };
  const authorizesSources = way === 'inbound' || way === 'mesh';
  return {
    subject: peer.name,
    way,
    roots: daemons.map(({ pid }) => pid),
    namespaces: [client.namespace, server.namespace],
    client: client.namespace,
    target:
      way === 'inbound' ? inboundTarget : { address: '127.0.0.1', port: outboundPort + peer.portOffset },
    streamTarget:
      way === 'outbound' ? { address: '127.0.0.1', port: outboundStreamPort + peer.portOffset } : null,
    untrusted: authorizesSources ? { namespace: other.namespace, target: inboundTarget } : null,
    async ready() {},
    assertRunning() {
      for (const daemon of daemons) daemon.assertRunning();
    },
    stop: () => stopAll(daemons),
  };
}

/** No proxy at all: the client reaches a backend. It follows no rules. */
export function deployDirect(way: Way, { client, server }: Network): Deployment {
  return {
    subject: 'direct',
    way,
    roots: [],
    namespaces: [],
    client: client.namespace,
    target: { address: server.address, port: backendPorts[0] },
    streamTarget: { address: server.address, port: streamPort },
    untrusted: null,
    async ready() {},
    assertRunning() {},
    async stop() {},
  };
}

/** Starts what answers the load in each server's namespace: an nginx and an iperf3. */
export function startBackends(network: Network, directory: string): Daemon[] {
  return [network.server, network.weftServer, network.weftBackend].flatMap(({ namespace }) => {
    const own = join(directory, `backend-${namespace}`);
    mkdirSync(own, { recursive: true });
    for (const [name, content] of Object.entries(backendFiles(own))) writeFileSync(join(own, name), content);
    const config = join(own, 'nginx.conf');
    const nginx = ['nginx', '-e', join(own, 'error.log'), '-c', config, '-g', 'daemon off;'];
    const iperf = ['iperf3', '-s', '-p', String(streamPort)];
    return [
      startDaemon({ argv: nginx, namespace, core: loadCore }, join(own, 'output.log')),
      startDaemon({ argv: iperf, namespace, core: loadCore }, join(own, 'iperf3.log')),
    ];
  });
}
