/**
 * Where nodes of other machines connect: TLS 1.3 over TCP. gRPC's own TLS listener is not used, for it can neither insist
 * on a version, nor let a node in that has no certificate yet and nobody else, nor end a connection with its certificate.
 */
import { constants } from 'node:crypto';
import { createServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { type ConnectionInjector, type Server, ServerCredentials } from '@grpc/grpc-js';
import { replicaSpiffeId } from '../../model/system-identity.js';
import { nodeOfName } from './authenticate-node.js';
import type { ServerIdentity } from './controller-certificate.js';
import type { NodeRefusals } from './node-refusals.js';
import { refuse } from './refusal.js';

export interface NodeListenerParts {
  /** Serves connections that have proved a node by their client certificate. */
  readonly nodes: Server;
  /** Serves connections without a client certificate: joining is all that they may do. */
  readonly joining: Server;
  /** Serves connections that have proved to be another replica of the controller; null: there is none. */
  readonly replicas: Server | null;
  /** Null before the first configuration. */
  readonly trustDomain: () => string | null;
  readonly refusals: NodeRefusals;
  /** Wall clock in milliseconds. */
  readonly now: () => number;
}

const handshakeTimeoutMs = 10_000;
/** A node joins with one call; an external signer takes up to half a minute. */
const joiningMs = 60_000;
const maxConnections = 10_000;
/** Connections that have proved nothing. */
const maxJoining = 64;
/** The longest delay that a timer takes. */
const longestTimerMs = 2 ** 31 - 1;

export class NodeListener {
  readonly #parts: NodeListenerParts;
  readonly #server: TlsServer;
  readonly #nodes: ConnectionInjector;
  readonly #joining: ConnectionInjector;
  readonly #replicas: ConnectionInjector | null;
  readonly #sockets = new Set<TLSSocket>();
  #joiningNow = 0;

  constructor(parts: NodeListenerParts) {
    this.#parts = parts;
    this.#nodes = parts.nodes.createConnectionInjector(ServerCredentials.createInsecure());
    this.#joining = parts.joining.createConnectionInjector(ServerCredentials.createInsecure());
    this.#replicas = parts.replicas?.createConnectionInjector(ServerCredentials.createInsecure()) ?? null;
    this.#server = createServer({
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
      requestCert: true,
      // Whoever sends no certificate may join; one that does not verify is refused below.
      rejectUnauthorized: false,
      handshakeTimeout: handshakeTimeoutMs,
      // No resumption: each connection proves itself anew, against the roots of that moment.
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
    this.#server.maxConnections = maxConnections;
    this.#server.on('secureConnection', (socket) => this.#admit(socket));
    this.#server.on('tlsClientError', (error, socket) => {
      const why = refuse('node_not_authenticated', `the TLS handshake failed: ${error.message}`);
      this.#parts.refusals.record({ address: socket.remoteAddress ?? '' }, why);
      socket.destroy();
    });
  }

  /** For connections from now on. */
  identify(identity: ServerIdentity): void {
    this.#server.setSecureContext({
      ...identity,
      minVersion: 'TLSv1.3',
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
  }

  /** Binds; returns the port. Rejects where it cannot. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const failed = (cause: Error) =>
        reject(new Error(`cannot listen for nodes on ${host}:${port}`, { cause }));
      this.#server.once('error', failed);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', failed);
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  /** Takes no more connections. */
  pause(): void {
    this.#server.close();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#nodes.destroy();
    this.#joining.destroy();
    this.#replicas?.destroy();
  }

  #admit(socket: TLSSocket): void {
    socket.on('error', () => socket.destroy());
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) {
      this.#admitJoining(socket);
      return;
    }
    const name = certificate.subjectAltName ?? 'no name';
    if (!socket.authorized) {
      this.#refuse(
        socket,
        `the client certificate for ${name} is not accepted: ${socket.authorizationError}`,
      );
      return;
    }
    const trustDomain = this.#parts.trustDomain();
    if (this.#replicas !== null && trustDomain !== null && name === `URI:${replicaSpiffeId(trustDomain)}`) {
      endAfter(socket, certificate.validToDate.getTime() - this.#parts.now());
      this.#replicas.injectConnection(socket);
      return;
    }
    if (nodeOfName(name, trustDomain) === null) {
      this.#refuse(socket, `the client certificate is for ${name}, which is no node`);
      return;
    }
    endAfter(socket, certificate.validToDate.getTime() - this.#parts.now());
    this.#nodes.injectConnection(socket);
  }

  #admitJoining(socket: TLSSocket): void {
    if (this.#joiningNow >= maxJoining) {
      this.#refuse(socket, `${maxJoining} connections without a client certificate are open`);
      return;
    }
    this.#joiningNow += 1;
    socket.once('close', () => {
      this.#joiningNow -= 1;
    });
    endAfter(socket, joiningMs);
    this.#joining.injectConnection(socket);
  }

  #refuse(socket: TLSSocket, message: string): void {
    const address = socket.remoteAddress ?? '';
    this.#parts.refusals.record({ address }, refuse('node_not_authenticated', message.slice(0, 500)));
    socket.destroy();
  }
}

/** What proved the connection ends then; the node comes again with what it has by then. */
function endAfter(socket: TLSSocket, delayMs: number): void {
  const timer = setTimeout(() => socket.destroy(), Math.min(longestTimerMs, Math.max(0, delayMs)));
  socket.once('close', () => clearTimeout(timer));
}
