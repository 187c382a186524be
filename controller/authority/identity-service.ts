/** Serves IdentityService over gRPC. */
import {
  Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { loadIdentityService, reasonTrailer } from '../../proto/load-identity-service.js';
import type {
  IssueResponseMessage,
  ReceivedIssueRequest,
  ReceivedWatchBundleRequest,
  TrustBundleMessage,
} from '../../proto/messages.js';
import { reasons } from '../../reasons/reasons.js';
import type { AddedService } from '../publish/config-server.js';
import type { AuthenticateNode } from './authenticate-node.js';
import type { Authority, Bundle } from './authority.js';
import type { Refused } from './refusal.js';

const maxWatchers = 5000;

export function identityService(authority: Authority, authenticate: AuthenticateNode): AddedService {
  let watchers = 0;
  const Issue = (
    call: ServerUnaryCall<ReceivedIssueRequest, IssueResponseMessage>,
    answer: sendUnaryData<IssueResponseMessage>,
  ) => {
    issue(authority, authenticate, call.request).then(
      (response) => answer(null, response),
      (refusal: Refused) => answer(asStatus(refusal)),
    );
  };
  const WatchBundle = (stream: ServerWritableStream<ReceivedWatchBundleRequest, TrustBundleMessage>) => {
    const caller = authenticate({ claimed: stream.request.node });
    const refusal = caller.ok
      ? null
      : authority.refused({ node: stream.request.node, workloadUid: '' }, caller);
    if (refusal !== null || watchers >= maxWatchers) {
      stream.emit('error', refusal === null ? { code: status.RESOURCE_EXHAUSTED } : asStatus(refusal));
      return;
    }
    watchers += 1;
    const send = (bundle: Bundle) => void stream.write(encodeBundle(bundle));
    const unwatch = authority.watch(send);
    if (authority.bundle !== null) send(authority.bundle);
    let open = true;
    const close = () => {
      if (open) watchers -= 1;
      open = false;
      unwatch();
    };
    for (const event of ['cancelled', 'error', 'close'] as const) stream.on(event, close);
  };
  return { definition: loadIdentityService().definition, handlers: { Issue, WatchBundle } };
}

/** Rejects with a Refused. */
async function issue(
  authority: Authority,
  authenticate: AuthenticateNode,
  { node, workloadUid, csr }: ReceivedIssueRequest,
): Promise<IssueResponseMessage> {
  const caller = authenticate({ claimed: node });
  if (!caller.ok) throw authority.refused({ node, workloadUid }, caller);
  const result = await authority.issue({ node: caller.node, workloadUid, csr });
  if (!result.ok) throw result;
  const { bundle } = authority;
  return {
    chain: result.chain.map((der) => Buffer.from(der)),
    bundle: bundle === null ? null : encodeBundle({ ...bundle, roots: result.roots }),
    expiresMs: result.expiresMs,
  };
}

function encodeBundle({ trustDomain, roots }: Bundle): TrustBundleMessage {
  return { trustDomain, roots: roots.map((der) => Buffer.from(der)) };
}

function asStatus({ reason, message }: Refused) {
  const entry = reasons.find(({ name }) => name === reason);
  const metadata = new Metadata();
  metadata.set(reasonTrailer, reason);
  return { code: status[(entry?.grpc || 'UNKNOWN') as keyof typeof status], details: message, metadata };
}
