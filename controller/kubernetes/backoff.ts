/** Exponential backoff with full jitter: uniform between 0 and a limit that doubles with each attempt. */

export interface BackoffSettings {
  /** Limit of the first delay. */
  readonly firstMs: number;
  readonly mostMs: number;
}

/**
 * @param attempt counted from 1
 * @param random uniform in [0, 1)
 * @returns whole milliseconds, at least 1, so that no loop is ever hot
 */
export function backoffMs({ firstMs, mostMs }: BackoffSettings, attempt: number, random: number): number {
  const limit = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.max(1, Math.floor(limit * random));
}
