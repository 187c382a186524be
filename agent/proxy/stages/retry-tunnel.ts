/** An opaque connection whose endpoint could not be reached goes to another one: nothing of it has been read yet. */
import { type AttemptFailure, planRetry } from '../../../model/retry-plan.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import { type Pipeline, runPipeline } from '../worker/pipeline.js';
import { defaultRetry } from '../worker/request-record.js';
import { resetConnection, tunnelConnection } from './answers.js';
import { authorizeOutboundConnection } from './authorize.js';
import { pickConnectionEndpoint } from './pick-endpoint.js';
import { pickConnectionTransport } from './pick-transport.js';

const notSent: AttemptFailure = { kind: 'not-sent' };

/** `reason`: why the attempt failed; the connection ends with it where no other endpoint is left, or none is allowed. */
export function retryTunnel(context: DecisionContext, connection: ConnectionRecord, reason: number): void {
  const { traffic, endpoint, tried } = connection;
  if (traffic === null || endpoint === null) {
    resetConnection(connection, reason);
    return;
  }
  tried.push(endpoint.candidate);
  connection.reason = reason;
  const decision = planRetry(defaultRetry, notSent, tried.length, traffic.budget, context.nowMs);
  if (decision === 'retry') runPipeline(nextAttempt, context, connection);
  else resetConnection(connection, reason);
}

function avoidTried(_context: DecisionContext, connection: ConnectionRecord): boolean {
  const key = connection.endpoint?.candidate.key;
  const fresh = !connection.tried.some((candidate) => candidate.key === key);
  return fresh ? true : resetConnection(connection, connection.reason);
}

const nextAttempt: Pipeline<ConnectionRecord> = [
  ['endpoint', pickConnectionEndpoint],
  ['untried', avoidTried],
  ['transport', pickConnectionTransport],
  ['authorization', authorizeOutboundConnection],
  ['verdict', (_, connection) => tunnelConnection(connection)],
];
