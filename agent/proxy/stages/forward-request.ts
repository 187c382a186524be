/** Slot `verdict` of requests: the slots become columns, and the attempt counts as under way. */
import { beginAttempt } from '../../../model/choose-endpoint.js';
import { VerdictFlag } from '../../../native/engine.js';
import type { DecisionContext } from '../worker/decision-context.js';
import type { RequestRecord } from '../worker/request-record.js';
import { askFlags, retryStatuses } from './plan-resilience.js';

export function forwardRequest(context: DecisionContext, request: RequestRecord): boolean {
  sendAttempt(context, request, 0);
  return false;
}

/** Sends one attempt to the endpoint in the request's slot, after `delayMs`. */
export function sendAttempt(context: DecisionContext, request: RequestRecord, delayMs: number): void {
  const flags = askFlags(request) | (wantsHttp2(request) ? VerdictFlag.http2 : 0);
  context.verdict.forward(request, flags, retryStatuses(context, request), delayMs);
  request.attempts += 1;
  if (request.endpoint === null) return;
  beginAttempt(request.endpoint.load);
  request.attempting = true;
}

/** A port that is declared as HTTP/2 or gRPC is spoken to so; between TLS ends the agents always do. */
function wantsHttp2({ connection, target }: RequestRecord): boolean {
  const protocol = target === null ? connection?.protocol : target.port.protocol;
  return protocol === 'http2' || protocol === 'grpc';
}
