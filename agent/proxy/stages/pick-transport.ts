/** Slot `transport`, outbound: TLS or plaintext to the endpoint, by what both of its ends are and demand. */
import { type DialRule, dialTransport } from '../../../model/mtls.js';
import { plaintextCause, plaintextCauses } from '../../../model/plaintext-cause.js';
import type { WorkloadView } from '../../../model/snapshot.js';
import { originalDestination } from '../../../native/engine.js';
import { Reason } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import { viewOf } from '../worker/endpoint-table.js';
import { wayOf } from '../worker/endpoint-way.js';
import type { RequestRecord } from '../worker/request-record.js';
import { Transport } from '../worker/transport.js';
import { refuseRequest, resetConnection } from './answers.js';
import { directCandidate } from './pick-endpoint.js';

/** Plaintext to an address that was asked for itself stays what it is; TLS makes it an endpoint with an identity. */
export function pickConnectionTransport(context: DecisionContext, connection: ConnectionRecord): boolean {
  const { destination } = connection;
  const direct = destination.kind === 'workload' ? destination.view : undefined;
  const view = connection.endpoint === null ? direct : viewOf(connection.endpoint, context.snapshot);
  const port = connection.endpoint?.candidate.port ?? connection.destinationPort;
  const rule = ruleOf(connection, view, port);
  if (typeof rule === 'number') return resetConnection(connection, rule);
  if (rule === 'plaintext' || view === undefined) {
    connection.transport = Transport.plaintext;
    connection.cause = causeOf(connection, view, port);
    connection.endpointId =
      connection.endpoint === null ? originalDestination : context.endpoints.plaintextId(connection.endpoint);
    return true;
  }
  connection.endpoint ??= context.endpoints.entryOf(directCandidate(connection), context.nowMs);
  connection.transport = Transport.tls;
  connection.peerId = view.authenticated.spiffeId;
  connection.endpointId = context.endpoints.tlsId(connection.endpoint, connection.peerId);
  return true;
}

export function pickRequestTransport(context: DecisionContext, request: RequestRecord): boolean {
  const { endpoint } = request;
  if (endpoint === null) {
    request.transport = Transport.plaintext;
    return true;
  }
  const way = wayOf(context, request.connection as ConnectionRecord, endpoint);
  if (way.refusal !== Reason.none) return refuseRequest(context, request, way.refusal);
  request.transport = way.transport;
  request.cause = way.cause;
  request.endpointId = way.endpointId;
  return true;
}

/** A connection that reaches this stage has found its own workload. */
function ruleOf(
  { local, workload }: ConnectionRecord,
  destination: WorkloadView | undefined,
  port: number,
): DialRule {
  if (local === null) throw new Error('the connection belongs to no workload');
  return dialTransport(local, workload?.identified === true, destination, port);
}

function causeOf({ local }: ConnectionRecord, destination: WorkloadView | undefined, port: number): number {
  return plaintextCauses.indexOf(plaintextCause(local ?? undefined, destination, port));
}
