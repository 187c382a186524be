/** When to ask for the next certificate, and when to ask again. Pure: `random` is 0 to 1. */
import type { CheckedSvid } from '../../../proto/check-svid.js';

/** Renewal falls into this part of a certificate's life: late enough to be rare, early enough for hours of trying. */
const earliest = 0.5;
const latest = 0.7;
const firstRetryMs = 500;
const longestRetryMs = 60_000;

/**
 * Spread, so that a node's workloads, issued together, do not renew together. Milliseconds since the epoch, as `sinceMs`,
 * from which on the certificate is used: one that has just come is renewed in the midst of what is left of it by this
 * node's clock, wherever that stands.
 */
export function renewalTime({ expiresMs }: CheckedSvid, sinceMs: number, random: number): number {
  return sinceMs + (expiresMs - sinceMs) * (earliest + (latest - earliest) * random);
}

/** One that comes with less than a hundredth of its life left, by this node's clock, would be asked for without end. */
export function isSpent({ notBeforeMs, expiresMs }: CheckedSvid, nowMs: number): boolean {
  return expiresMs - nowMs < (expiresMs - notBeforeMs) / 100;
}

/** `remainingMs`: how long what is in force still lasts, 0 for nothing; the nearer its end, the sooner the next try. */
export function retryDelay(failures: number, remainingMs: number, random: number): number {
  const most =
    remainingMs > 0 ? Math.min(longestRetryMs, Math.max(firstRetryMs, remainingMs / 10)) : longestRetryMs / 4;
  return Math.min(most, firstRetryMs * 2 ** Math.min(failures, 10)) * (0.5 + 0.5 * random);
}
