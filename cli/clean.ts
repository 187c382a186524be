/** `weft clean`: removes every trace of a weft that is not running any more. */
import { rmSync } from 'node:fs';
import { parseOptions, text } from './parse-options.js';
import { livingOwner } from './run/prepare-state.js';
import { cleanKernel } from './run/run.js';
import { statePaths } from './state-folder.js';
import { CommandError } from './usage-error.js';

export const cleanUsage = `usage: weft clean [--state DIR] [--pin-folder DIR]

Removes kernel programs, links, maps and pins, and the state folder, of a weft that is not running. Needs root.
Exit codes: 0 nothing is left, 1 something is left, 2 wrong usage.
`;

/** Throws CommandError where a weft runs there or something is left. */
export function clean(args: readonly string[], dist: string, err: (text: string) => void): void {
  const { values } = parseOptions(args, { state: text, 'pin-folder': text });
  if (process.getuid?.() !== 0) throw new CommandError('weft clean needs root: start it with sudo');
  const paths = statePaths(values.state, values['pin-folder']);
  const owner = livingOwner(paths);
  if (owner !== null)
    throw new CommandError(`weft runs over ${paths.root} as process ${owner}; stop it first`);
  if (!cleanKernel(paths, dist, (line) => err(`weft: ${line}\n`))) {
    throw new CommandError('something is left');
  }
  rmSync(paths.root, { recursive: true, force: true });
  err(`weft: nothing is left of ${paths.root} and ${paths.pinFolder}\n`);
}
