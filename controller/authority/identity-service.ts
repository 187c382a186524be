/** Serves IdentityService over gRPC. */
import { type ServerUnaryCall, type ServerWritableStream, type sendUnaryData, status } from '@grpc/grpc-js';
import { loadIdentityService } from '../../proto/load-identity-service.js';
import type {
  IssueResponseMessage,
  ReceivedIssueNodeRequest,
  ReceivedIssueRequest,
  ReceivedWatchBundleRequest,
  TrustBundleMessage,
} from '../../proto/messages.js';
import type { AddedService } from '../publish/config-server.js';
import type { AuthenticateNode, NodeProof } from './authenticate-node.js';
import type { Authority, Bundle, IssueRequest } from './authority.js';
import type { Subject } from './authorize-request.js';
import type { NodeAuthenticator } from './node-authenticator.js';
import { type Refused, refuse } from './refusal.js';
import { statusOf } from './refusal-status.js';

const maxWatchers = 5000;

type Answer = sendUnaryData<IssueResponseMessage>;

export interface IdentityServiceParts {
  readonly authority: Authority;
  readonly authenticate: AuthenticateNode;
  /** Null: nodes do not join here. */
  readonly joining: NodeAuthenticator | null;
}

/** Counts watchers over all listeners that it makes a service for. */
export class IdentityServices {
  #watchers = 0;

  /** The service as one listener offers it. */
  service(parts: IdentityServiceParts): AddedService {
    const { authority, authenticate } = parts;
    return {
      definition: loadIdentityService().definition,
      handlers: {
        Issue: (call: ServerUnaryCall<ReceivedIssueRequest, IssueResponseMessage>, answer: Answer) => {
          const { node, workloadUid: uid, csr } = call.request;
          const proof = authenticate(call, node);
          reply(issue(authority, { node, subject: { kind: 'workload', uid }, csr }, proof), answer);
        },
        IssueNode: (call: ServerUnaryCall<ReceivedIssueNodeRequest, IssueResponseMessage>, answer: Answer) =>
          reply(issueNode(parts, call), answer),
        WatchBundle: (stream: ServerWritableStream<ReceivedWatchBundleRequest, TrustBundleMessage>) =>
          this.#watch(parts, stream),
      },
    };
  }

  #watch(
    { authority, authenticate }: IdentityServiceParts,
    stream: ServerWritableStream<ReceivedWatchBundleRequest, TrustBundleMessage>,
  ): void {
    const { node } = stream.request;
    const proof = authenticate(stream, node);
    if (!proof.ok) {
      stream.emit('error', statusOf(authority.refused({ node, subject: bundleSubject }, proof)));
      return;
    }
    if (this.#watchers >= maxWatchers) {
      stream.emit('error', { code: status.RESOURCE_EXHAUSTED });
      return;
    }
    this.#watchers += 1;
    const send = (bundle: Bundle) => void stream.write(encodeBundle(bundle, authority.nowMs));
    const unwatch = authority.watch(send);
    if (authority.bundle !== null) send(authority.bundle);
    let open = true;
    const close = () => {
      if (open) this.#watchers -= 1;
      open = false;
      unwatch();
    };
    for (const event of ['cancelled', 'error', 'close'] as const) stream.on(event, close);
  }
}

/** The bundle is asked for by a node, for all of its workloads. */
const bundleSubject: Subject = { kind: 'node' };

function reply(issued: Promise<IssueResponseMessage>, answer: Answer): void {
  issued.then(
    (response) => answer(null, response),
    (refusal: Refused) => answer(statusOf(refusal)),
  );
}

/** Rejects with a Refused. */
async function issueNode(
  { authority, authenticate, joining }: IdentityServiceParts,
  call: ServerUnaryCall<ReceivedIssueNodeRequest, IssueResponseMessage>,
): Promise<IssueResponseMessage> {
  const { node, csr, token } = call.request;
  const request: IssueRequest = { node, subject: { kind: 'node' }, csr };
  if (token === '' || joining === null) return issue(authority, request, authenticate(call, node));
  const proof = await joining.authenticate(token, node);
  if (!proof.ok || proof.node === node) return issue(authority, request, proof);
  const other = refuse('node_not_authenticated', `the token is of node ${proof.node}, not of ${node}`);
  return issue(authority, request, other);
}

/** Rejects with a Refused. */
async function issue(
  authority: Authority,
  request: IssueRequest,
  proof: NodeProof,
): Promise<IssueResponseMessage> {
  if (!proof.ok) throw authority.refused(request, proof);
  const result = await authority.issue(request);
  if (!result.ok) throw result;
  const { bundle } = authority;
  return {
    chain: result.chain.map((der) => Buffer.from(der)),
    bundle: bundle === null ? null : encodeBundle({ ...bundle, roots: result.roots }, authority.nowMs),
    expiresMs: result.expiresMs,
  };
}

function encodeBundle({ trustDomain, roots }: Bundle, nowMs: number): TrustBundleMessage {
  return { trustDomain, roots: roots.map((der) => Buffer.from(der)), nowMs };
}
