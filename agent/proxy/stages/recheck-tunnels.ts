/** Opaque connections live long: when policies or identities change, those that would now be refused are reset. */
import { authorizeConnection } from '../../../model/authorize.js';
import { Action, Direction, type Engine } from '../../../native/engine.js';
import { Reason, type ReasonCode } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import { decideUncaptured } from './authorize.js';
import { lookUpInbound } from './find-inbound.js';

/** Costs the number of open connections; requests of HTTP connections are judged one by one anyway. */
export function recheckTunnels(
  context: DecisionContext,
  engine: Pick<Engine, 'closeConnections'>,
  connections: Iterable<ConnectionRecord>,
): void {
  for (const connection of connections) {
    if (connection.action !== Action.tunnel) continue;
    const reason = judge(context, connection);
    if (reason !== Reason.none) {
      engine.closeConnections(reason as ReasonCode, { connectionTag: connection.tag });
    }
  }
}

function judge(context: DecisionContext, connection: ConnectionRecord): number {
  if (connection.direction === Direction.outbound) {
    return decideUncaptured(context, connection, connection.endpoint, null);
  }
  const { protocol } = connection;
  // A workload that has left is withdrawn with a grace of its own.
  if (lookUpInbound(context, connection) !== Reason.none) return Reason.none;
  // The bytes are opaque still, whatever the port is declared to carry by now.
  connection.protocol = protocol;
  const { program, source, destinationPort } = connection;
  return authorizeConnection(program, source, destinationPort, 'opaque').reason;
}
