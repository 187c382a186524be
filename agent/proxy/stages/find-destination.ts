/** Slot `destination`, outbound: what the address and port that the application asked for stand for. */
import { findDestination } from '../../../model/find-destination.js';
import { Action } from '../../../native/engine.js';
import { Reason } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import type { RequestRecord } from '../worker/request-record.js';
import { refuseRequest, resetConnection } from './answers.js';

/** An address that nobody owns yet is held: its configuration may be on the way. */
export function findConnectionDestination(context: DecisionContext, connection: ConnectionRecord): boolean {
  const reason = lookUp(context, connection);
  if (reason === Reason.none) return true;
  if (reason !== Reason.unknown_destination && reason !== Reason.no_snapshot) {
    return resetConnection(connection, reason);
  }
  connection.action = Action.park;
  connection.reason = reason;
  return false;
}

/** A connection outlives snapshots: each request is decided by the one that is in force when it comes. */
export function findRequestDestination(context: DecisionContext, request: RequestRecord): boolean {
  const connection = request.connection as ConnectionRecord;
  const reason = connection.snapshot === context.snapshot ? Reason.none : lookUp(context, connection);
  if (reason !== Reason.none) return refuseRequest(context, request, reason);
  if (connection.destination.kind === 'service') request.service = connection.destination.port;
  return true;
}

/** Fills the connection's slots from the present snapshot; returns why it cannot. */
function lookUp(context: DecisionContext, connection: ConnectionRecord): number {
  const { snapshot } = context;
  connection.snapshot = null;
  if (snapshot.mesh === null) return Reason.no_snapshot;
  const local = snapshot.workloads.get(connection.workload?.uid ?? '');
  if (local === undefined) return Reason.workload_withdrawn;
  const found = findDestination(snapshot, connection.destinationAddress, connection.destinationPort);
  if (found.kind === 'refused') return found.reason;
  connection.local = local;
  connection.localLabelId = -1;
  connection.source = local.addressed;
  connection.destination = found;
  connection.snapshot = snapshot;
  return Reason.none;
}
