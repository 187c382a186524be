/** Finds out before anything is started whether an unprivileged process can read what it must. */
import { spawnSync } from 'node:child_process';
import { CommandError } from '../usage-error.js';

/**
 * Whether a process that starts with the words of `privileges` (see plan-processes.ts) can read all of the paths: a
 * folder above may be closed to others, as home folders are. Throws CommandError where setpriv does not work.
 */
export function canRead(privileges: readonly string[], paths: readonly string[]): boolean {
  const tests = paths.map((_, index) => `test -r "$${index + 1}"`).join(' && ');
  const [program = '', ...args] = [...privileges, '/bin/sh', '-c', `(${tests}) || exit 9`, 'weft', ...paths];
  const result = spawnSync(program, args, { encoding: 'utf8' });
  if (result.error !== undefined) {
    throw new CommandError('setpriv is missing: install the package util-linux', { cause: result.error });
  }
  if (result.status !== 0 && result.status !== 9) {
    throw new CommandError(`setpriv failed: ${result.stderr.trim()}`);
  }
  return result.status === 0;
}
