/** Subjects in place: which processes serve which target, for each way through the mesh. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Credentials, createCredentials } from './credentials.js';
import { type Encryption, type Endpoint, type Hop, type Listener, type Peer, plaintext } from './hop.js';
import type { Network } from './network.js';
import { type Daemon, loadCore, startDaemon, subjectCore } from './processes.js';
import { backendPorts, http2Ports, opaquePort } from './rules.js';
import { http2Backend } from './subjects/nghttpd.js';
import { backendFiles } from './subjects/nginx.js';

/**
 * outbound: one hop beside the client, which routes and authorizes, for a server without a proxy. inbound: one hop beside
 * the server, which authorizes. mesh: both; the first routes, the second authorizes. mtls: mesh, and what goes between the
 * two is mutual TLS. tls-out, tls-in: the same two hops, of which only the one beside the client (plaintext in, TLS out)
 * or beside the server (TLS in, plaintext out) is counted. http2: outbound, by HTTP/2 without TLS. logged: outbound with an
 * access log.
 */
export type Way = 'outbound' | 'inbound' | 'mesh' | 'mtls' | 'tls-out' | 'tls-in' | 'http2' | 'logged';

/** Whether mutual TLS goes between two hops. */
export function encrypts(way: Way): boolean {
  return way === 'mtls' || way === 'tls-out' || way === 'tls-in';
}

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
  /** Reaches a backend as opaque bytes: each connection goes on as one. Null where the way has none. */
  readonly opaqueTarget: Endpoint | null;
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
const outboundOpaquePort = 15003;
/** Inbound hops listen on the backends' ports plus this. */
const inboundOffset = 10_000;
const statsPort = 15090;

function backendEndpoints(address: string, offset = 0): Endpoint[] {
  return backendPorts.map((port) => ({ address, port: port + offset }));
}

/** A hop's way on: where its listeners forward to, and how. */
interface Onward {
  readonly http: readonly Endpoint[];
  readonly stream: Endpoint;
  readonly opaque: Endpoint;
  readonly credentials: Credentials | null;
}

function outboundHop(
  { client, other }: Network,
  offset: number,
  onward: Onward,
  on: { readonly authorization?: boolean; readonly accessLog?: boolean; readonly http2?: boolean },
): Hop {
  const address = '127.0.0.1';
  const encryption: Encryption = { inbound: null, outbound: onward.credentials };
  const opaque = (port: number, endpoint: Endpoint): Listener => ({
    ...encryption,
    protocol: 'tcp',
    address,
    port: port + offset,
    endpoint,
  });
  return {
    namespace: client.namespace,
    listeners: [
      {
        ...encryption,
        protocol: 'http',
        address,
        port: outboundPort + offset,
        routes: true,
        authorization: on.authorization ?? false,
        http2: on.http2 ?? false,
        endpoints: onward.http,
      },
      opaque(outboundStreamPort, onward.stream),
      opaque(outboundOpaquePort, onward.opaque),
    ],
    untrusted: [other.address],
    accessLog: on.accessLog ?? false,
    statsPort: statsPort + offset,
  };
}

/** Beside the server; with credentials it demands mutual TLS, and takes opaque connections too. */
function inboundHop({ server, other }: Network, offset: number, credentials: Credentials | null): Hop {
  const local = '127.0.0.1';
  const encryption: Encryption = { ...plaintext, inbound: credentials };
  const listen = { ...encryption, address: server.address };
  const requests = backendEndpoints(local).map(
    (endpoint): Listener => ({
      ...listen,
      protocol: 'http',
      port: endpoint.port + inboundOffset + offset,
      routes: false,
      authorization: true,
      http2: false,
      endpoints: [endpoint],
    }),
  );
  const opaque = [streamPort, opaquePort].map(
    (port): Listener => ({
      ...listen,
      protocol: 'tcp',
      port: port + inboundOffset + offset,
      endpoint: { address: local, port },
    }),
  );
  return {
    namespace: server.namespace,
    listeners: credentials === null ? requests : [...requests, ...opaque],
    untrusted: [other.address],
    accessLog: false,
    statsPort: statsPort + offset,
  };
}

function peerHops(way: Way, network: Network, offset: number, directory: string): Hop[] {
  const { address } = network.server;
  const straight: Onward = {
    http: backendEndpoints(address),
    stream: { address, port: streamPort },
    opaque: { address, port: opaquePort },
    credentials: null,
  };
  const guarded = backendEndpoints(address, inboundOffset + offset);
  switch (way) {
    case 'outbound':
      return [outboundHop(network, offset, straight, { authorization: true })];
    case 'logged':
      return [outboundHop(network, offset, straight, { authorization: true, accessLog: true })];
    case 'http2': {
      const http = http2Ports.map((port) => ({ address, port }));
      return [outboundHop(network, offset, { ...straight, http }, { authorization: true, http2: true })];
    }
    case 'inbound':
      return [inboundHop(network, offset, null)];
    case 'mesh':
      return [
        outboundHop(network, offset, { ...straight, http: guarded }, {}),
        inboundHop(network, offset, null),
      ];
    case 'mtls':
    case 'tls-out':
    case 'tls-in': {
      const credentials = createCredentials(directory);
      const onward: Onward = {
        http: guarded,
        stream: { address, port: streamPort + inboundOffset + offset },
        opaque: { address, port: opaquePort + inboundOffset + offset },
        credentials,
      };
      return [outboundHop(network, offset, onward, {}), inboundHop(network, offset, credentials)];
    }
  }
}

/** Stops all, the last started first. */
async function stopAll(daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons.toReversed()) await daemon.stop();
}

/** Starts a peer's processes for a way; they may not listen yet when it returns. */
export function deployPeer(peer: Peer, way: Way, network: Network, directory: string): Deployment {
  const daemons = peerHops(way, network, peer.portOffset, directory).map((hop, index) => {
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
  const local = (port: number) => ({ address: '127.0.0.1', port: port + peer.portOffset });
  const opaque = way === 'outbound' || encrypts(way);
  const counted = { 'tls-out': daemons.slice(0, 1), 'tls-in': daemons.slice(1) }[way as string] ?? daemons;
  return {
    subject: peer.name,
    way,
    roots: counted.map(({ pid }) => pid),
    namespaces: [client.namespace, server.namespace],
    client: client.namespace,
    target: way === 'inbound' ? inboundTarget : local(outboundPort),
    streamTarget: opaque ? local(outboundStreamPort) : null,
    opaqueTarget: opaque ? local(outboundOpaquePort) : null,
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
    opaqueTarget: { address: server.address, port: opaquePort },
    untrusted: null,
    async ready() {},
    assertRunning() {},
    async stop() {},
  };
}

/** Starts what answers the load in each server's namespace: an nginx, an iperf3, and an nghttpd for each port of HTTP/2. */
export function startBackends(network: Network, directory: string): Daemon[] {
  return [network.server, network.weftServer, network.weftBackend].flatMap(({ namespace }) => {
    const own = join(directory, `backend-${namespace}`);
    mkdirSync(own, { recursive: true });
    for (const [name, content] of Object.entries(backendFiles(own))) writeFileSync(join(own, name), content);
    const config = join(own, 'nginx.conf');
    const nginx = ['nginx', '-e', join(own, 'error.log'), '-c', config, '-g', 'daemon off;'];
    const iperf = ['iperf3', '-s', '-p', String(streamPort)];
    const http2 = http2Ports.map((port) =>
      startDaemon(
        { argv: http2Backend(port, own), namespace, core: loadCore },
        join(own, `nghttpd-${port}.log`),
      ),
    );
    return [
      ...http2,
      startDaemon({ argv: nginx, namespace, core: loadCore }, join(own, 'output.log')),
      startDaemon({ argv: iperf, namespace, core: loadCore }, join(own, 'iperf3.log')),
    ];
  });
}
