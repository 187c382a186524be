/** The controller's own log: one JSON object per line on standard error (see docs/telemetry.md). */

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

export interface Log {
  error(message: string, details?: Readonly<Record<string, unknown>>): void;
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
  info(message: string, details?: Readonly<Record<string, unknown>>): void;
}

/** Writes lines through `write`; `now` gives the time. */
export function createLog(write: (line: string) => void, now: () => Date): Log {
  const line = (level: LogLevel, message: string, details: Readonly<Record<string, unknown>> = {}) => {
    const time = now().toISOString();
    write(`${JSON.stringify({ time, level, component: 'controller', message, ...details })}\n`);
  };
  return {
    error: (message, details) => line('error', message, details),
    warn: (message, details) => line('warn', message, details),
    info: (message, details) => line('info', message, details),
  };
}

/** An error with its causes as one text. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describeError(error.cause)}`;
}
