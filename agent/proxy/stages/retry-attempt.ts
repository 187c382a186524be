/** What happens after a failed attempt: another endpoint after a while, or the answer that there is. */
import {
  type AttemptFailure,
  backoffMs,
  isIdempotent,
  newRetryBudget,
  planRetry,
  type RetryBudget,
} from '../../../model/retry-plan.js';
import { Direction, RowFlag, type Rows } from '../../../native/engine.js';
import { Reason } from '../../../reasons/reasons.js';
import type { DecisionContext } from '../worker/decision-context.js';
import { type Pipeline, runPipeline } from '../worker/pipeline.js';
import type { RequestRecord } from '../worker/request-record.js';
import { applyFilters } from './apply-filters.js';
import { authorizeOutboundRequest } from './authorize.js';
import { sendAttempt } from './forward-request.js';
import { passNormalPath } from './pass-normal-path.js';
import { passTrace } from './pass-trace.js';
import { pickRequestEndpoint } from './pick-endpoint.js';
import { pickRequestTransport } from './pick-transport.js';

/** Requests without a service behind them share one budget per worker. */
const sharedBudget: RetryBudget = newRetryBudget();

export function retryAttempt(
  context: DecisionContext,
  request: RequestRecord,
  rows: Rows,
  row: number,
): void {
  const status = rows.status[row] as number;
  const reason = rows.reason[row] as number;
  const budget = request.traffic === null ? sharedBudget : request.traffic.budget;
  const failure = failureOf(rows.flags[row] as number, status, context.head.method);
  // The application itself refuses: it will again, and nothing else could answer in its place.
  const hopeless = request.traffic === null && isConnectFailure(reason);
  const decision = hopeless
    ? 'not-retryable'
    : planRetry(request.retry, failure, request.attempts, budget, context.nowMs);
  if (decision !== 'retry') {
    if (status !== 0) context.verdict.pass(request.tag);
    else
      context.verdict.refuse(request.tag, decision === 'budget-spent' ? Reason.retry_budget_spent : reason);
    return;
  }
  // A server that closed an idle connection serves on: it stays a candidate.
  const suspect = failure.kind !== 'unanswered';
  if (request.endpoint !== null && suspect) request.tried.push(request.endpoint.candidate);
  const delayMs = backoffMs(request.retry, request.attempts, context.random());
  if (runPipeline(nextAttempt, context, request)) sendAttempt(context, request, delayMs);
}

/** The engine writes the request anew for each attempt, so what changes it is said again. The route stays. */
const nextAttempt: Pipeline<RequestRecord> = [
  ['filters', applyFilters],
  ['endpoint', pickRequestEndpoint],
  ['transport', pickAttemptTransport],
  ['authorization', authorizeAttempt],
  ['path', passInboundPath],
  ['trace', passTrace],
];

/** Another endpoint may be another workload, with policies of its own. */
function authorizeAttempt(context: DecisionContext, request: RequestRecord): boolean {
  const outbound = request.connection?.direction === Direction.outbound;
  return outbound ? authorizeOutboundRequest(context, request) : true;
}

function pickAttemptTransport(context: DecisionContext, request: RequestRecord): boolean {
  const outbound = request.connection?.direction === Direction.outbound;
  return outbound ? pickRequestTransport(context, request) : true;
}

function passInboundPath(context: DecisionContext, request: RequestRecord): boolean {
  const inbound = request.connection?.direction === Direction.inbound;
  return inbound ? passNormalPath(context, request) : true;
}

function isConnectFailure(reason: number): boolean {
  return (
    reason === Reason.connect_refused ||
    reason === Reason.connect_timeout ||
    reason === Reason.connect_unreachable
  );
}

const notSent: AttemptFailure = { kind: 'not-sent' };
const died: AttemptFailure = { kind: 'died' };

function failureOf(flags: number, status: number, method: string): AttemptFailure {
  if ((flags & RowFlag.notSent) !== 0) return notSent;
  if (status !== 0) return { kind: 'status', status };
  return (flags & RowFlag.unanswered) !== 0 ? { kind: 'unanswered', idempotent: isIdempotent(method) } : died;
}
