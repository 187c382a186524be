/** How long to wait before a process that ended is started again. Pure. */

/** A process that ran for so long has recovered: its next end counts as the first. */
const recoveredMs = 30_000;
const firstBackoffMs = 100;
const maxBackoffMs = 5000;

export interface RestartHistory {
  /** Ends in a row without recovery. */
  readonly failures: number;
}

export const noFailures: RestartHistory = { failures: 0 };

/** The first restart is immediate, so that a crash costs no more than a start; then the waits double. */
export function planRestart(
  history: RestartHistory,
  ranMs: number,
): { readonly delayMs: number; readonly history: RestartHistory } {
  const failures = ranMs >= recoveredMs ? 0 : history.failures;
  const delayMs =
    failures === 0 ? 0 : Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(failures - 1, 10));
  return { delayMs, history: { failures: failures + 1 } };
}
