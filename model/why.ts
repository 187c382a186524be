/** Why a connection or request ends as it does: the decisions of the pipelines, asked in order and written down. */
import { Reason, type ReasonCode } from '../reasons/reasons.js';
import { allowedByDefault, auditRequest, authorizeConnection, authorizeRequest } from './authorize.js';
import { type Candidate, endpointKey } from './choose-endpoint.js';
import type { Verdict } from './compile-policy.js';
import type { CompiledMatch } from './compile-route.js';
import { redirectLocation, rewriteTarget } from './edit-url.js';
import { explainTransport, type TransportAnswer } from './explain-transport.js';
import { carriesRequests, type Destination, findDestination, portProtocol } from './find-destination.js';
import { matchRoute } from './match-route.js';
import type { RequestHead } from './request-head.js';
import { programOf, routesFor, type ServicePortView, type Snapshot, type WorkloadView } from './snapshot.js';
import type { AppProtocol } from './workload.js';
import type { Detail } from './workload-index.js';

/** What would happen if `source` asked for `address:port`, with a request where one is given. */
export interface Question {
  /** undefined: an address that the mesh does not know. */
  readonly source: WorkloadView | undefined;
  /** Canonical text. */
  readonly address: string;
  readonly port: number;
  readonly request: RequestHead | null;
}

/** One endpoint that could take the request, and what its policies say. */
export interface EndpointAnswer {
  readonly candidate: Candidate;
  /** False: chosen only where nothing is ready. */
  readonly ready: boolean;
  readonly transport: TransportAnswer;
  readonly verdict: Verdict;
  /** Keys of the policies in audit mode that would refuse. */
  readonly audit: readonly string[];
}

/** One backend and its share of the traffic. */
export interface BackendAnswer {
  /** `namespace/name:port`; empty for a reference that is invalid by itself. */
  readonly backend: string;
  /** 0 to 1. */
  readonly share: number;
  /** Why this share fails before an endpoint is chosen; `none` where it does not. */
  readonly reason: ReasonCode;
  /** The request target it would get, where a rewrite changes it. */
  readonly target: string | undefined;
  readonly endpoints: readonly EndpointAnswer[];
}

export interface Answer {
  readonly destination: Destination;
  /** Undefined where the connection is refused or passes by. */
  readonly protocol: AppProtocol | undefined;
  /** Labels of the routes that were asked, in no order. */
  readonly routesAsked: readonly string[];
  /** `namespace/name/rule`, `default` where no route is attached, undefined where none was asked or none matches. */
  readonly route: string | undefined;
  /** Location of a redirect. */
  readonly redirect: string | undefined;
  /** Why all of it fails; `none` where an endpoint would be asked. */
  readonly reason: ReasonCode;
  readonly backends: readonly BackendAnswer[];
}

/** Endpoints of one answer whose policies are asked for: an answer for people needs no more. */
const maxEndpoints = 16;

/** What is to be fetched before the question can be answered; asked again once it is there. */
export function missingDetails({ destination, backends }: Answer): Detail[] {
  if (destination.kind === 'unfetched') return [destination.detail];
  const unknown = backends.flatMap(({ endpoints }) =>
    endpoints.filter(({ verdict }) => verdict.reason === Reason.detail_missing),
  );
  return unknown
    .slice(0, maxEndpoints)
    .map(({ candidate: { workloadUid: name } }) => ({ kind: 'workload', name }));
}

const unanswered = {
  protocol: undefined,
  routesAsked: [],
  route: undefined,
  redirect: undefined,
  backends: [],
};

export function explain(snapshot: Snapshot, question: Question): Answer {
  const destination = findDestination(snapshot, question.address, question.port);
  switch (destination.kind) {
    case 'refused':
      return { ...unanswered, destination, reason: destination.reason };
    case 'unfetched':
      return { ...unanswered, destination, reason: Reason.detail_missing };
    case 'passthrough':
      return { ...unanswered, destination, reason: Reason.none };
    case 'workload':
      return explainWorkload(snapshot, question, destination);
    case 'service':
      return explainService(snapshot, question, destination);
  }
}

function explainWorkload(
  snapshot: Snapshot,
  question: Question,
  destination: Extract<Destination, { kind: 'workload' }>,
): Answer {
  const { view, port, protocol } = destination;
  const candidate: Candidate = {
    key: endpointKey(question.address, port),
    address: question.address,
    port,
    workloadUid: view.workload.uid,
    zone: view.workload.locality.zone,
  };
  const endpoint = explainEndpoint(snapshot, question, candidate, true);
  const backend = { backend: '', share: 1, reason: Reason.none, target: undefined, endpoints: [endpoint] };
  return { ...unanswered, destination, protocol, reason: Reason.none, route: 'default', backends: [backend] };
}

function explainService(
  snapshot: Snapshot,
  question: Question,
  destination: Extract<Destination, { kind: 'service' }>,
): Answer {
  const { port } = destination;
  const protocol = port.port.protocol;
  const table = routesFor(port, question.source?.workload.namespace ?? '');
  const routed = table !== null && question.request !== null && carriesRequests(protocol);
  const known = { ...unanswered, destination, protocol };
  if (!routed) {
    const backends = [explainBackend(snapshot, question, port, 1, undefined)];
    return { ...known, route: 'default', reason: Reason.none, backends };
  }
  const asked = { ...known, routesAsked: table.routes.map((route) => route.key) };
  const match = matchRoute(table, question.request);
  if (match === null) return { ...asked, reason: Reason.no_matching_route };
  return { ...asked, route: match.rule.label, ...explainMatch(snapshot, question, match) };
}

function explainMatch(
  snapshot: Snapshot,
  question: Question,
  match: CompiledMatch,
): Pick<Answer, 'reason' | 'redirect' | 'backends'> {
  const { rule } = match;
  const head = question.request as RequestHead;
  const url = {
    scheme: 'http' as const,
    host: head.host,
    port: question.port,
    path: head.path,
    query: head.query,
  };
  if (rule.redirect !== null) {
    const redirect = redirectLocation(rule.redirect, url, match.prefixLength);
    return { reason: Reason.none, redirect, backends: [] };
  }
  if (rule.totalWeight === 0) return { reason: Reason.backend_invalid, redirect: undefined, backends: [] };
  const backends = rule.backends.map((backend): BackendAnswer => {
    const share = backend.weight / rule.totalWeight;
    const port =
      backend.serviceKey === null
        ? undefined
        : snapshot.services.get(backend.serviceKey)?.ports.get(backend.port);
    const { rewrite } = backend.filters;
    const target = rewrite === null ? undefined : rewriteTarget(rewrite, url, match.prefixLength);
    if (port !== undefined) return explainBackend(snapshot, question, port, share, target);
    const name = backend.serviceKey === null ? '' : `${backend.serviceKey}:${backend.port}`;
    return { backend: name, share, reason: Reason.backend_invalid, target, endpoints: [] };
  });
  return { reason: Reason.none, redirect: undefined, backends };
}

function explainBackend(
  snapshot: Snapshot,
  question: Question,
  port: ServicePortView,
  share: number,
  target: string | undefined,
): BackendAnswer {
  const endpoints = port.tiers.flatMap((tier, index) =>
    tier.map((candidate) => explainEndpoint(snapshot, question, candidate, index === 0)),
  );
  const reason = endpoints.length === 0 ? Reason.no_ready_endpoint : Reason.none;
  return { backend: `${port.serviceKey}:${port.port.port}`, share, reason, target, endpoints };
}

function explainEndpoint(
  snapshot: Snapshot,
  question: Question,
  candidate: Candidate,
  ready: boolean,
): EndpointAnswer {
  const { port } = candidate;
  const view = snapshot.workloads.get(candidate.workloadUid);
  const transport = explainTransport(question.source, view, port);
  if (view === undefined) return { candidate, ready, transport, verdict: allowedByDefault, audit: [] };
  if (transport.reason !== Reason.none) {
    const verdict = { allowed: false, reason: transport.reason, policy: null };
    return { candidate, ready, transport, verdict, audit: [] };
  }
  // Its policies are not here: what they say is not known, which is not the same as yes.
  if (view.indexed) {
    const verdict = { allowed: false, reason: Reason.detail_missing, policy: null };
    return { candidate, ready, transport, verdict, audit: [] };
  }
  const program = programOf(snapshot, view);
  const { source } = transport;
  const carries = carriesRequests(portProtocol(snapshot, view, port)) ? 'http' : 'opaque';
  const connection = authorizeConnection(program, source, port, carries);
  const head = carries === 'http' ? question.request : null;
  const judged = head !== null && connection.allowed;
  const verdict = judged ? authorizeRequest(program, source, port, head) : connection;
  const audited = carries === 'opaque' || head !== null ? auditRequest(program, source, port, head) : [];
  return { candidate, ready, transport, verdict, audit: audited.map((policy) => policy.key) };
}
