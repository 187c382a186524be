/** Slot `verdict` of requests: the slots become columns, and the attempt counts as under way. */
import { beginAttempt } from '../../../model/choose-endpoint.js';
import type { DecisionContext } from '../worker/decision-context.js';
import type { RequestRecord } from '../worker/request-record.js';
import { askFlags, retryStatuses } from './plan-resilience.js';

export function forwardRequest(context: DecisionContext, request: RequestRecord): boolean {
  sendAttempt(context, request, 0);
  return false;
}

/** Sends one attempt to the endpoint in the request's slot, after `delayMs`. */
export function sendAttempt(context: DecisionContext, request: RequestRecord, delayMs: number): void {
  context.verdict.forward(request, askFlags(request), retryStatuses(context, request), delayMs);
  request.attempts += 1;
  if (request.endpoint === null) return;
  beginAttempt(request.endpoint.load);
  request.attempting = true;
}
