/** Slots `destination`, `source` and `protocol`, inbound: whose listener took the connection, who calls, and how. */
import { openProgram } from '../../../model/authorize.js';
import { carriesRequests, portProtocol } from '../../../model/find-destination.js';
import { checkPeer } from '../../../model/mtls.js';
import { programOf, type Snapshot, type WorkloadView, workloadAt } from '../../../model/snapshot.js';
import { type Source, unknownSource } from '../../../model/source.js';
import { Reason } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import type { RequestRecord } from '../worker/request-record.js';
import { Transport } from '../worker/transport.js';
import { recheckPlaintext } from './accept-transport.js';
import { readRequests, refuseRequest, resetConnection } from './answers.js';

export function findInboundConnection(context: DecisionContext, connection: ConnectionRecord): boolean {
  const reason = lookUpInbound(context, connection);
  return reason === Reason.none ? true : resetConnection(connection, reason);
}

/** A connection outlives snapshots: each request is judged by the one that is in force when it comes. */
export function findInboundRequest(context: DecisionContext, request: RequestRecord): boolean {
  const connection = request.connection as ConnectionRecord;
  request.transport = connection.transport;
  request.cause = connection.cause;
  const reason = connection.snapshot === context.snapshot ? Reason.none : lookUpAgain(context, connection);
  if (reason !== Reason.none) return refuseRequest(context, request, reason);
  // What has lost its name is cut; what it asks meanwhile is nobody's.
  return isImpostor(connection) ? refuseRequest(context, request, Reason.tls_wrong_identity) : true;
}

/** The configuration has changed since, and what forbids the connection's plaintext forbids its next request. */
function lookUpAgain(context: DecisionContext, connection: ConnectionRecord): number {
  const reason = lookUpInbound(context, connection);
  return reason === Reason.none ? recheckPlaintext(connection) : reason;
}

/** HTTP and gRPC are read request by request, the rest goes on as opaque bytes. */
export function readInboundRequests(_context: DecisionContext, connection: ConnectionRecord): boolean {
  return carriesRequests(connection.protocol) ? readRequests(connection) : true;
}

/** Whether the identity that a TLS peer has proven is no longer that of its address. */
export function isImpostor(connection: ConnectionRecord): boolean {
  return connection.transport === Transport.tls && !connection.source.authenticated;
}

/**
 * Fills the connection's slots from the present snapshot; returns why it cannot. The source is the workload that owns the
 * peer's address: proven, where TLS has shown its identity, else by its address alone; nobody where TLS has shown another.
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
  connection.peerLabelId = -1;
  connection.targetLabelId = -1;
  connection.peer = peer ?? null;
  connection.source = sourceOf(connection, peer);
  connection.program = programOf(snapshot, local);
  connection.protocol = portProtocol(snapshot, local, connection.destinationPort);
  connection.serviceName = serviceBefore(snapshot, connection.destinationAddress);
  connection.snapshot = snapshot;
  return Reason.none;
}

function sourceOf(connection: ConnectionRecord, peer: WorkloadView | undefined): Source {
  if (peer === undefined) return unknownSource;
  if (connection.transport !== Transport.tls) return peer.addressed;
  return checkPeer(peer, connection.peerId) === 'proven' ? peer.authenticated : unknownSource;
}

/** The one service in front of an address; `unknown` where there are several: the client's choice is not seen here. */
function serviceBefore(snapshot: Snapshot, address: string): string {
  const keys = snapshot.servicesByEndpoint.get(address);
  if (keys === undefined || keys.length !== 1) return 'unknown';
  return snapshot.services.get(keys[0] as string)?.service.name ?? 'unknown';
}
