/** Slot `authorization`: the destination's policies, enforced where the destination's own agent stands. */
import { auditRequest, authorizeConnection, authorizeRequest } from '../../../model/authorize.js';
import { carriesRequests } from '../../../model/find-destination.js';
import type { RequestHead } from '../../../model/request-head.js';
import { programOf, type WorkloadView } from '../../../model/snapshot.js';
import { Reason } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import { type EndpointEntry, viewOf } from '../worker/endpoint-table.js';
import { isCaptured, wayOf } from '../worker/endpoint-way.js';
import type { RequestRecord } from '../worker/request-record.js';
import { refuseRequest, resetConnection } from './answers.js';

/** Inbound connection: on an HTTP port only what speaks of connections is decided here. */
export function authorizeInboundConnection(context: DecisionContext, connection: ConnectionRecord): boolean {
  const { program, source, destinationPort: port } = connection;
  const carries = carriesRequests(connection.protocol) ? 'http' : 'opaque';
  const verdict = authorizeConnection(program, source, port, carries);
  if (carries === 'opaque') context.audit.count(auditRequest(program, source, port, null));
  return verdict.allowed ? true : resetConnection(connection, verdict.reason);
}

/** Inbound request: everything again, since policies may have changed while its connection lived. */
export function authorizeInboundRequest(context: DecisionContext, request: RequestRecord): boolean {
  const { program, source, destinationPort } = request.connection as ConnectionRecord;
  request.program = program;
  request.source = source;
  keepHeaders(request, context.head, program.headerNames);
  const verdict = authorizeRequest(program, source, destinationPort, context.head);
  if (program.audit.length > 0) {
    context.audit.count(auditRequest(program, source, destinationPort, context.head));
  }
  return verdict.allowed ? true : refuseRequest(context, request, verdict.reason);
}

/** Where policies change while the request runs, they are held against the same values. */
function keepHeaders(request: RequestRecord, head: RequestHead, names: readonly string[]): void {
  request.headerNames = names;
  for (let at = 0; at < names.length; at += 1) request.headerValues.push(head.header(names[at] as string));
}

/** Outbound connection: a destination with an agent of its own decides there; for others it is decided here. */
export function authorizeOutboundConnection(context: DecisionContext, connection: ConnectionRecord): boolean {
  const reason = decideUncaptured(context, connection, connection.endpoint, null);
  return reason === Reason.none ? true : resetConnection(connection, reason);
}

export function authorizeOutboundRequest(context: DecisionContext, request: RequestRecord): boolean {
  const connection = request.connection as ConnectionRecord;
  const { endpoint } = request;
  if (endpoint === null) return true; // the address has become nobody's
  const { program } = wayOf(context, connection, endpoint);
  if (program === null) return true;
  if (!context.logging) request.keep(context.head);
  if (program.policies.length === 0) return true;
  const verdict = authorizeRequest(program, connection.source, endpoint.candidate.port, context.head);
  return verdict.allowed ? true : refuseRequest(context, request, verdict.reason);
}

/** Policies of a workload that nobody enforces at its own end, `none` where they allow; `head` null: opaque bytes. */
export function decideUncaptured(
  context: DecisionContext,
  connection: ConnectionRecord,
  endpoint: EndpointEntry | null,
  head: RequestHead | null,
): number {
  const view = uncapturedWorkload(context, connection, endpoint);
  if (view === null) return Reason.none;
  const port = endpoint === null ? connection.destinationPort : endpoint.candidate.port;
  const program = programOf(context.snapshot, view);
  if (program.policies.length === 0) return Reason.none;
  const verdict =
    head === null
      ? authorizeConnection(program, connection.source, port, 'opaque')
      : authorizeRequest(program, connection.source, port, head);
  return verdict.reason;
}

function uncapturedWorkload(
  context: DecisionContext,
  connection: ConnectionRecord,
  endpoint: EndpointEntry | null,
): WorkloadView | null {
  const { destination } = connection;
  let view: WorkloadView | undefined;
  if (endpoint !== null) view = viewOf(endpoint, context.snapshot);
  else if (destination.kind === 'workload') view = destination.view;
  if (view === undefined) return null;
  return isCaptured(view) ? null : view;
}
