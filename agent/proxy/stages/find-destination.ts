/** Slot `destination`, outbound: what the address and port that the application asked for stand for. */
import { type Destination, findDestination } from '../../../model/find-destination.js';
import { Action, Direction } from '../../../native/engine.js';
import { Reason } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import type { RecordPool } from '../worker/record-pool.js';
import type { RequestRecord } from '../worker/request-record.js';
import { refuseRequest, resetConnection } from './answers.js';

/** An address that nobody owns yet is held: its configuration may be on the way, or is asked for now. */
export function findConnectionDestination(context: DecisionContext, connection: ConnectionRecord): boolean {
  const reason = lookUp(context, connection);
  if (reason === Reason.none) return true;
  switch (reason) {
    case Reason.unknown_destination:
    case Reason.no_snapshot:
    case Reason.detail_missing:
      connection.action = Action.park;
      connection.reason = reason;
      return false;
    default:
      return resetConnection(connection, reason);
  }
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
  if (found.kind === 'unfetched') {
    context.uses.note(found.detail.kind, found.detail.name);
    return Reason.detail_missing;
  }
  noteUse(context, found);
  connection.local = local;
  connection.localLabelId = -1;
  connection.source = local.addressed;
  connection.destination = found;
  connection.snapshot = snapshot;
  return Reason.none;
}

/** What open connections go to is in use, however long ago they were decided. */
export function noteOpenUses(context: DecisionContext, connections: RecordPool<ConnectionRecord>): void {
  for (let tag = 1; tag <= connections.capacity; tag += 1) {
    const connection = connections.find(tag);
    if (connection?.direction === Direction.outbound) noteUse(context, connection.destination);
  }
}

/** What is used stays, and what is wanted comes. */
function noteUse({ uses }: DecisionContext, destination: Destination): void {
  if (destination.kind === 'service') uses.note('service', destination.port.serviceKey);
  else if (destination.kind === 'workload') uses.note('workload', destination.view.workload.uid);
}
