/**
 * Whether a failed attempt is tried again (HTTPRouteRetry, GEP-1731). A failed connect always may be: nothing of
 * the request was sent. So may an idempotent request that a kept connection left unanswered, since servers close
 * idle connections. A response or a death in the middle only where the rule asks for it. Every retry needs the
 * service's budget, so that retries cannot multiply an overload.
 */
import type { Retry } from './route.js';

/** Attempts after the first that a failed connect gets where the rule says nothing. */
export const connectRetries = 2;

/** The longest wait before an attempt, milliseconds, unless the rule's own backoff is longer. */
export const maxBackoffMs = 10_000;

export interface RetryPolicy {
  /** Attempts after the first. */
  readonly attempts: number;
  readonly backoffMs: number;
  /** Statuses that are tried again; empty: only failed connects are. */
  readonly codes: ReadonlySet<number>;
  /** Whether the rule asks for retries: attempts that die without a status are then tried again too. */
  readonly asked: boolean;
}

const connectOnly: RetryPolicy = {
  attempts: connectRetries,
  backoffMs: 0,
  codes: new Set<number>(),
  asked: false,
};

export function compileRetry(retry: Retry | undefined): RetryPolicy {
  if (retry === undefined) return connectOnly;
  return { attempts: retry.attempts, backoffMs: retry.backoffMs, codes: new Set(retry.codes), asked: true };
}

/** Whether a request may be sent twice to the same effect (RFC 9110 section 9.2.2). */
export function isIdempotent(method: string): boolean {
  return idempotentMethods.has(method);
}

const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** How an attempt failed. */
export type AttemptFailure =
  /** While connecting: nothing of the request was sent. */
  | { readonly kind: 'not-sent' }
  /** On a kept connection that ended before a byte of the response came: only repeatable methods may be repeated. */
  | { readonly kind: 'unanswered'; readonly idempotent: boolean }
  /** With a status that is held back. */
  | { readonly kind: 'status'; readonly status: number }
  /** Without a status, after bytes were sent. */
  | { readonly kind: 'died' };

export type RetryDecision = 'retry' | 'not-retryable' | 'attempts-spent' | 'budget-spent';

/**
 * Decides about a failed attempt; withdraws from the budget where the answer is `retry`.
 *
 * @param attempts attempts made so far, the failed one included
 */
export function planRetry(
  policy: RetryPolicy,
  failure: AttemptFailure,
  attempts: number,
  budget: RetryBudget,
  nowMs: number,
): RetryDecision {
  if (!isRetryable(policy, failure)) return 'not-retryable';
  if (attempts > policy.attempts) return 'attempts-spent';
  return withdrawRetry(budget, nowMs) ? 'retry' : 'budget-spent';
}

function isRetryable(policy: RetryPolicy, failure: AttemptFailure): boolean {
  switch (failure.kind) {
    case 'not-sent':
      return true;
    case 'status':
      return policy.codes.has(failure.status);
    case 'unanswered':
      return failure.idempotent || policy.asked;
    case 'died':
      return policy.asked;
  }
}

/**
 * How long to wait before the next attempt, milliseconds: at least the rule's backoff, doubled with each attempt,
 * and up to half as much again so that clients spread.
 *
 * @param attempts attempts made so far
 * @param random uniform in [0, 1)
 */
export function backoffMs(policy: RetryPolicy, attempts: number, random: number): number {
  const cap = Math.max(policy.backoffMs, maxBackoffMs);
  const base = Math.min(policy.backoffMs * 2 ** (attempts - 1), cap);
  return Math.round(base * (1 + random / 2));
}

const windowSeconds = 10;

/** Share of requests that may be retried, over the window. */
export const retryRatio = 0.2;

/** Retries per second that are always allowed, so that a quiet service may retry at all. */
export const minRetriesPerSecond = 10;

/**
 * Requests and retries of one service over the last ten seconds, by second. Changed in place by {@link countRequest}
 * and {@link planRetry}; belongs to whoever keeps state.
 */
export interface RetryBudget {
  readonly requests: number[];
  readonly retries: number[];
  /** The second that the newest slot counts. */
  second: number;
}

export function newRetryBudget(): RetryBudget {
  const slots = () => new Array<number>(windowSeconds).fill(0);
  return { requests: slots(), retries: slots(), second: 0 };
}

/** Counts a first attempt. */
export function countRequest(budget: RetryBudget, nowMs: number): void {
  const slot = currentSlot(budget, nowMs);
  budget.requests[slot] = (budget.requests[slot] as number) + 1;
}

/** Takes one retry from the budget; false where none is left. */
function withdrawRetry(budget: RetryBudget, nowMs: number): boolean {
  const slot = currentSlot(budget, nowMs);
  let requests = 0;
  let retries = 0;
  for (let at = 0; at < windowSeconds; at += 1) {
    requests += budget.requests[at] as number;
    retries += budget.retries[at] as number;
  }
  if (retries + 1 > retryRatio * requests + minRetriesPerSecond * windowSeconds) return false;
  budget.retries[slot] = (budget.retries[slot] as number) + 1;
  return true;
}

/** The slot of this second, after emptying those of seconds that have passed out of the window. */
function currentSlot(budget: RetryBudget, nowMs: number): number {
  const second = Math.max(Math.floor(nowMs / 1000), budget.second);
  const stale = Math.min(second - budget.second, windowSeconds);
  for (let step = 1; step <= stale; step += 1) {
    const slot = (budget.second + step) % windowSeconds;
    budget.requests[slot] = 0;
    budget.retries[slot] = 0;
  }
  budget.second = second;
  return second % windowSeconds;
}
