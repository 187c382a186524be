/** Where agents reach the controller: the own machine's node by a socket, all others over TLS as nodes that have joined. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Server } from '@grpc/grpc-js';
import {
  type AuthenticateNode,
  trustCertificate,
  trustNobody,
  trustSocket,
} from '../authority/authenticate-node.js';
import type { Authority } from '../authority/authority.js';
import type { ControllerCertificate, ServerIdentity } from '../authority/controller-certificate.js';
import { IdentityServices } from '../authority/identity-service.js';
import type { NodeAuthenticator } from '../authority/node-authenticator.js';
import { NodeListener } from '../authority/node-listener.js';
import type { NodeRefusals } from '../authority/node-refusals.js';
import { agentServer, type ConnectionBounds } from './agent-server.js';
import { listenOnSocket } from './agent-socket.js';
import type { AddedService, ConfigServer } from './config-server.js';

/** What issues certificates, and the controller's own one. */
export interface Issuing {
  readonly authority: Authority;
  /** `take` gets each certificate of the controller; nothing happens until it is refreshed. Absent kind: for servers. */
  readonly certify: (
    take: (identity: ServerIdentity) => void,
    kind?: 'controller' | 'replica',
  ) => ControllerCertificate;
}

export interface AgentListenersParts {
  readonly config: ConfigServer;
  /** Null: workloads and nodes get no certificates, and there is no listener for nodes. */
  readonly issuing: Issuing | null;
  /** Null: nodes do not join. */
  readonly joining: NodeAuthenticator | null;
  /** The node that the socket is for; null: whoever reaches it is the node that it names. */
  readonly socketNode: string | null;
  /** What other replicas of the controller may call; null: there are none. */
  readonly replicas: AddedService | null;
  readonly refusals: NodeRefusals;
  /** Null before the first configuration. */
  readonly trustDomain: () => string | null;
  /** Wall clock in milliseconds. */
  readonly now: () => number;
}

/** At least one of the two. */
export interface ListenAddresses {
  /** Path of a Unix socket. */
  readonly socket: string | null;
  readonly nodes: { readonly host: string; readonly port: number } | null;
}

/** Whoever has not read the end of its streams by then is not waited for. */
const drainMs = 1000;

/** Joining is one call with a token and a request: a stranger gets no more than that. */
const joiningBounds: ConnectionBounds = { messageBytes: 64 * 1024, calls: 1 };

export class AgentListeners {
  readonly #parts: AgentListenersParts;
  readonly #identities = new IdentityServices();
  readonly #servers: Server[] = [];
  #nodes: NodeListener | undefined;
  #certificate: ControllerCertificate | undefined;

  constructor(parts: AgentListenersParts) {
    this.#parts = parts;
  }

  /** Resolves once agents can connect, with the port for nodes (0 without). */
  async start({ socket, nodes }: ListenAddresses): Promise<number> {
    const port = nodes === null ? 0 : await this.#listenForNodes(nodes.host, nodes.port);
    if (socket !== null) await listenOnSocket(this.#server(trustSocket(this.#parts.socketNode)), socket);
    return port;
  }

  /** Renews what is due; call it often. */
  async refresh(): Promise<void> {
    await this.#certificate?.refresh();
  }

  /** Tells everybody that no more is served (GOAWAY), and lets what was answered get through. */
  async drain(): Promise<void> {
    this.#nodes?.pause();
    const shut = this.#servers.map(
      (server) => new Promise<void>((resolve) => server.tryShutdown(() => resolve())),
    );
    await Promise.race([Promise.all(shut), delay(drainMs, undefined, { ref: false })]);
  }

  stop(): void {
    this.#nodes?.close();
    for (const server of this.#servers) server.forceShutdown();
  }

  async #listenForNodes(host: string, port: number): Promise<number> {
    const { issuing, replicas, trustDomain, refusals, now } = this.#parts;
    if (issuing === null) throw new Error('nodes can only join a controller that issues certificates');
    const listener = new NodeListener({
      nodes: this.#server(trustCertificate(trustDomain)),
      joining: this.#server(trustNobody, joiningBounds),
      replicas: replicas === null ? null : this.#start([replicas]),
      trustDomain,
      refusals,
      now,
    });
    this.#nodes = listener;
    this.#certificate = issuing.certify((identity) => listener.identify(identity));
    await this.#certificate.refresh();
    return listener.listen(host, port);
  }

  #server(authenticate: AuthenticateNode, bounds?: ConnectionBounds): Server {
    const { config, issuing, joining } = this.#parts;
    const services = [config.service(authenticate)];
    if (issuing !== null) {
      services.push(this.#identities.service({ authority: issuing.authority, authenticate, joining }));
    }
    return this.#start(services, bounds);
  }

  #start(services: readonly AddedService[], bounds?: ConnectionBounds): Server {
    const server = agentServer(services, bounds);
    this.#servers.push(server);
    return server;
  }
}
