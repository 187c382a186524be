/** How stages end a pipeline. */
import { beginAttempt } from '../../../model/choose-endpoint.js';
import { Action } from '../../../native/engine.js';
import { Reason } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import type { RequestRecord } from '../worker/request-record.js';

/** The connection is reset and counted under `reason`. */
export function resetConnection(connection: ConnectionRecord, reason: number): false {
  connection.action = Action.reset;
  connection.reason = reason;
  return false;
}

/** Bytes are copied to where the connection's slots say. */
export function tunnelConnection(connection: ConnectionRecord): false {
  connection.action = Action.tunnel;
  connection.reason = Reason.none;
  if (connection.endpoint === null) return false;
  beginAttempt(connection.endpoint.load);
  connection.attempting = true;
  return false;
}

/** Its requests are read, and decided one by one. */
export function readRequests(connection: ConnectionRecord): false {
  connection.action = Action.http;
  return false;
}

/** The client gets the refusal's status and name. */
export function refuseRequest(context: DecisionContext, request: RequestRecord, reason: number): false {
  context.verdict.refuse(request.tag, reason);
  return false;
}
