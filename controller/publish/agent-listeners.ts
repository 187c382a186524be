/** Where agents reach the controller: the own machine's node by a socket, all others over TLS as nodes that have joined. */
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
import type { ConfigServer } from './config-server.js';

/** What issues certificates, and the controller's own one. */
export interface Issuing {
  readonly authority: Authority;
  /** `take` gets each certificate of the controller; nothing happens until it is refreshed. */
  readonly certify: (take: (identity: ServerIdentity) => void) => ControllerCertificate;
}

export interface AgentListenersParts {
  readonly config: ConfigServer;
  /** Null: workloads and nodes get no certificates, and there is no listener for nodes. */
  readonly issuing: Issuing | null;
  /** Null: nodes do not join. */
  readonly joining: NodeAuthenticator | null;
  /** The node that the socket is for; null: whoever reaches it is the node that it names. */
  readonly socketNode: string | null;
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

  stop(): void {
    this.#nodes?.close();
    for (const server of this.#servers) server.forceShutdown();
  }

  async #listenForNodes(host: string, port: number): Promise<number> {
    const { issuing, trustDomain, refusals, now } = this.#parts;
    if (issuing === null) throw new Error('nodes can only join a controller that issues certificates');
    const listener = new NodeListener({
      nodes: this.#server(trustCertificate(trustDomain)),
      joining: this.#server(trustNobody, joiningBounds),
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
    const server = agentServer(services, bounds);
    this.#servers.push(server);
    return server;
  }
}
