/** The labels under which an ended connection or request is counted. */

import type { Destination } from '../../../model/find-destination.js';
import type { Snapshot, WorkloadView } from '../../../model/snapshot.js';
import { Direction } from '../../../native/engine.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import { type EndpointEntry, viewOf } from '../worker/endpoint-table.js';
import type { RequestRecord } from '../worker/request-record.js';
import { type LabelTable, unknownId } from './label-table.js';

export function labelConnection(labels: LabelTable, snapshot: Snapshot, connection: ConnectionRecord): void {
  if (connection.direction === Direction.inbound) {
    connection.sourceId = peerId(labels, connection);
    connection.destinationId = localId(labels, connection);
    connection.targetId = inboundTargetId(labels, connection);
    return;
  }
  const { destination } = connection;
  const service = destination.kind === 'service' ? destination.port.service.name : 'unknown';
  connection.sourceId = localId(labels, connection);
  connection.destinationId = destinationId(labels, snapshot, destination, connection.endpoint);
  connection.targetId = labels.targetId(service, 'default');
}

export function labelRequest(labels: LabelTable, snapshot: Snapshot, request: RequestRecord): void {
  const connection = request.connection as ConnectionRecord;
  request.direction = connection.direction;
  if (connection.direction === Direction.inbound) {
    request.sourceId = peerId(labels, connection);
    request.destinationId = localId(labels, connection);
    request.targetId = inboundTargetId(labels, connection);
    request.memo = connection;
    return;
  }
  request.sourceId = localId(labels, connection);
  request.destinationId = destinationId(labels, snapshot, connection.destination, request.endpoint);
  request.targetId = request.use?.targetId ?? outboundTargetId(labels, request);
  request.memo = request.use ?? request.traffic;
}

function outboundTargetId(labels: LabelTable, { match, target, service, traffic }: RequestRecord): number {
  if (match === null && traffic !== null) return traffic.targetId;
  const name = (target ?? service)?.service.name ?? 'unknown';
  return labels.targetId(name, match === null ? 'default' : match.rule.label);
}

function inboundTargetId(labels: LabelTable, connection: ConnectionRecord): number {
  if (connection.targetLabelId < 0)
    connection.targetLabelId = labels.targetId(connection.serviceName, 'default');
  return connection.targetLabelId;
}

function peerId(labels: LabelTable, connection: ConnectionRecord): number {
  if (connection.peerLabelId < 0) connection.peerLabelId = workloadId(labels, connection.peer);
  return connection.peerLabelId;
}

/** The endpoint's workload; where none was chosen or the mesh does not know it, what the destination says. */
function destinationId(
  labels: LabelTable,
  snapshot: Snapshot,
  destination: Destination,
  endpoint: EndpointEntry | null,
): number {
  const view = endpoint === null ? undefined : viewOf(endpoint, snapshot);
  if (endpoint !== null && view !== undefined) {
    if (endpoint.labelId < 0) endpoint.labelId = workloadId(labels, view);
    return endpoint.labelId;
  }
  switch (destination.kind) {
    case 'service':
      return labels.workloadId(destination.port.service.namespace, 'unknown');
    case 'workload':
      return workloadId(labels, destination.view);
    case 'passthrough':
    case 'refused':
    case 'unfetched':
      return unknownId;
  }
}

function localId(labels: LabelTable, connection: ConnectionRecord): number {
  if (connection.localLabelId < 0) connection.localLabelId = workloadId(labels, connection.local);
  return connection.localLabelId;
}

function workloadId(labels: LabelTable, view: WorkloadView | null): number {
  return view === null ? unknownId : labels.workloadId(view.workload.namespace, view.label);
}
