/** A command line that cannot be used: shown with the command's usage, exit code 2. */
export class UsageError extends Error {}

/** Something that went wrong and that a person can mend: shown as it is, exit code 1. */
export class CommandError extends Error {}

/** An error with its causes as one text. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describeError(error.cause)}`;
}
