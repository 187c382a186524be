/** Slot `protocol`, outbound: what the destination declares decides how its bytes are read. */

import { carriesRequests } from '../../../model/find-destination.js';
import { routesFor } from '../../../model/snapshot.js';
import type { AppProtocol } from '../../../model/workload.js';
import { Method } from '../../../native/engine.js';
import { Reason } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import type { RequestRecord } from '../worker/request-record.js';
import { readRequests, refuseRequest } from './answers.js';

/** HTTP and gRPC are read request by request; everything else goes on as opaque bytes. */
export function readProtocol(_context: DecisionContext, connection: ConnectionRecord): boolean {
  connection.protocol = declaredProtocol(connection);
  return carriesRequests(connection.protocol) ? readRequests(connection) : true;
}

function declaredProtocol({ destination }: ConnectionRecord): AppProtocol {
  switch (destination.kind) {
    case 'service':
      return destination.port.port.protocol;
    case 'workload':
      return destination.protocol;
    case 'passthrough':
    case 'refused':
    case 'unfetched':
      return 'tcp';
  }
}

/** CONNECT has no path, so no route can decide it: it passes only where none is attached (RFC 9110 section 9.3.6). */
export function checkMethod(context: DecisionContext, request: RequestRecord): boolean {
  if (context.head.methodCode !== Method.CONNECT || request.service === null) return true;
  const namespace = (request.connection as ConnectionRecord).source.namespace;
  if (routesFor(request.service, namespace) === null) return true;
  return refuseRequest(context, request, Reason.connect_not_allowed);
}
