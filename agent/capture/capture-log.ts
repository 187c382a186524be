/** Capture's log: one JSON object per line. */

export type LogLevel = 'info' | 'warn' | 'error';

/** Never given a secret: capture's messages hold names, addresses and numbers. */
export type CaptureLog = (
  level: LogLevel,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

export function makeLog(write: (line: string) => void, now: () => Date): CaptureLog {
  return (level, message, fields = {}) => {
    write(
      `${JSON.stringify({ time: now().toISOString(), level, component: 'capture', message, ...fields })}\n`,
    );
  };
}

/** An error's text with its causes. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describeError(error.cause)}`;
}
