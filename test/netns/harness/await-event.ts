/** Waiting for something to become true, always with a deadline. */
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Resolves with the first result of `probe` that is neither undefined, null nor false; probes every few milliseconds.
 * Throws after `deadlineMs`, naming `what` and the last error that a probe threw.
 */
export async function awaitEvent<T>(
  what: string,
  deadlineMs: number,
  probe: () => T | Promise<T>,
): Promise<NonNullable<Exclude<T, false>>> {
  const start = performance.now();
  let pauseMs = 2;
  let last: unknown;
  for (;;) {
    try {
      const result = await probe();
      if (result !== undefined && result !== null && result !== false) {
        return result as NonNullable<Exclude<T, false>>;
      }
      last = undefined;
    } catch (error) {
      last = error;
    }
    const left = deadlineMs - (performance.now() - start);
    if (left <= 0) throw new Error(`${what}: not within ${deadlineMs} ms`, { cause: last });
    await delay(Math.min(pauseMs, left));
    pauseMs = Math.min(pauseMs * 1.5, 50);
  }
}

/** Rejects with a message naming `what` if `promise` has not settled after `deadlineMs`. */
export async function withDeadline<T>(what: string, deadlineMs: number, promise: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = delay(deadlineMs, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`${what}: not within ${deadlineMs} ms`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
    late.catch(() => undefined);
  }
}
