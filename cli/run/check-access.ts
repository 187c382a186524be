/** Finds out before anything is started whether an unprivileged process can read what it must. */
import { spawnSync } from 'node:child_process';
import { CommandError } from '../usage-error.js';
import type { UserIds } from './find-user.js';
import { unprivileged } from './plan-processes.js';

/** Throws CommandError where setpriv is missing, or the user cannot read one of the paths. */
export function checkAccess(user: UserIds, paths: readonly string[]): void {
  for (const path of paths) {
    const [program = '', ...args] = [...unprivileged(user), 'test', '-r', path];
    const result = spawnSync(program, args, { encoding: 'utf8' });
    if (result.error !== undefined) {
      throw new CommandError('setpriv is missing: install the package util-linux', { cause: result.error });
    }
    if (result.status === 0) continue;
    if (result.stderr.trim() !== '') throw new CommandError(`setpriv failed: ${result.stderr.trim()}`);
    const fix = `let it through: each folder above needs execute permission for others (namei -l ${path} shows them)`;
    throw new CommandError(`user ${user.uid} cannot read ${path}; ${fix}`);
  }
}
