/** Slots `destination`, `source` and `protocol`, inbound: whose listener took the connection, who calls, and how. */
import { openProgram } from '../../../model/authorize.js';
import { portProtocol } from '../../../model/find-destination.js';
import { programOf, type Snapshot, workloadAt } from '../../../model/snapshot.js';
import { unknownSource } from '../../../model/source.js';
import { Reason } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import type { RequestRecord } from '../worker/request-record.js';
import { readRequests, refuseRequest, resetConnection } from './answers.js';

export function findInboundConnection(context: DecisionContext, connection: ConnectionRecord): boolean {
  const reason = lookUpInbound(context, connection);
  return reason === Reason.none ? true : resetConnection(connection, reason);
}

/** A connection outlives snapshots: each request is judged by the one that is in force when it comes. */
export function findInboundRequest(context: DecisionContext, request: RequestRecord): boolean {
  const connection = request.connection as ConnectionRecord;
  if (connection.snapshot === context.snapshot) return true;
  const reason = lookUpInbound(context, connection);
  return reason === Reason.none ? true : refuseRequest(context, request, reason);
}

/** Last of a connection's stages: HTTP/1.1 is read request by request, the rest goes on as opaque bytes. */
export function readInboundRequests(_context: DecisionContext, connection: ConnectionRecord): boolean {
  return connection.protocol === 'http' ? readRequests(connection) : true;
}

/**
 * Fills the connection's slots from the present snapshot; returns why it cannot. Until mutual TLS proves it, the source is the workload that owns the peer's address.
 */
export function lookUpInbound(context: DecisionContext, connection: ConnectionRecord): number {
  const { snapshot } = context;
  connection.snapshot = null;
  if (snapshot.mesh === null) return Reason.no_snapshot;
  const local = snapshot.workloads.get(connection.workload?.uid ?? '');
  connection.program = openProgram;
  if (local === undefined) return Reason.workload_withdrawn;
  const peer = workloadAt(snapshot, connection.sourceAddress);
  connection.local = local;
  connection.localLabelId = -1;
  connection.peer = peer ?? null;
  connection.source = peer === undefined ? unknownSource : peer.addressed;
  connection.program = programOf(snapshot, local);
  connection.protocol = portProtocol(snapshot, local, connection.destinationPort);
  connection.serviceName = serviceBefore(snapshot, connection.destinationAddress);
  connection.snapshot = snapshot;
  return Reason.none;
}

/** The one service in front of an address; `unknown` where there are several: the client's choice is not seen here. */
function serviceBefore(snapshot: Snapshot, address: string): string {
  const keys = snapshot.servicesByEndpoint.get(address);
  if (keys === undefined || keys.length !== 1) return 'unknown';
  return snapshot.services.get(keys[0] as string)?.service.name ?? 'unknown';
}
