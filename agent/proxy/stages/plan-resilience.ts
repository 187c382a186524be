/** Slot `resilience`: deadlines, and what may be tried again. */

import { compileRetry, countRequest, type RetryPolicy } from '../../../model/retry-plan.js';
import { VerdictFlag } from '../../../native/engine.js';
import type { DecisionContext } from '../worker/decision-context.js';
import { defaultRetry, type RequestRecord } from '../worker/request-record.js';

/** An application behind its own agent: a second try only where a reused connection had just been closed. */
const inboundRetry: RetryPolicy = { ...compileRetry(undefined), attempts: 1 };

export function planResilience(context: DecisionContext, request: RequestRecord): boolean {
  if (request.traffic !== null) countRequest(request.traffic.budget, context.nowMs);
  if (request.match === null) {
    request.retry = defaultRetry;
    return true;
  }
  const { rule } = request.match;
  request.retry = rule.retry;
  request.requestTimeoutMs = rule.rule.requestTimeoutMs;
  request.backendTimeoutMs = rule.rule.backendTimeoutMs;
  return true;
}

/** The statuses that the engine shall hold back; asked anew for each attempt, since a route may have gone. */
export function retryStatuses(context: DecisionContext, request: RequestRecord): number {
  return request.match === null ? 0 : context.effects.retryStatusesOf(request.match.rule);
}

export function planInboundResilience(_context: DecisionContext, request: RequestRecord): boolean {
  request.retry = inboundRetry;
  return true;
}

/** What the engine shall ask about before it gives up. */
export function askFlags(request: RequestRecord): number {
  if (request.retry.attempts === 0) return 0;
  const onResponse = request.retry.asked && request.traffic !== null;
  return VerdictFlag.askOnConnectFailure | (onResponse ? VerdictFlag.askOnResponse : 0);
}
