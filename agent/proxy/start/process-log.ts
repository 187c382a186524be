/** The process's own log: one JSON object per line on standard error (docs/telemetry.md). */

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Named details of a line; never a header's value, a key or a token. */
export type LogDetails = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export type ProcessLog = (level: LogLevel, message: string, details?: LogDetails) => void;

/** A log whose lines go to `write`, stamped by `now` (milliseconds since the epoch). */
export function createProcessLog(write: (line: string) => void, now: () => number): ProcessLog {
  return (level, message, details) => {
    const time = new Date(now()).toISOString();
    write(`${JSON.stringify({ time, level, component: 'proxy', message, ...details })}\n`);
  };
}

/** An error with its causes, as one line of text for a log. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  while (current !== undefined && parts.length < 5) {
    parts.push(current instanceof Error ? current.message : String(current));
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(': ');
}
