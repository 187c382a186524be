/** `weft vet`: the controller's own parser over a folder, without anything running. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { ProgramName } from './open-scope.js';
import { flag, parseOptions, text } from './parse-options.js';
import { UsageError } from './usage-error.js';

export const vetUsage = (program: ProgramName) => `usage: ${program} vet -f DIR [--strict] [-o text|json]

Reads manifests and tells everything that is wrong: what would be refused, routes to nowhere, policies that select
nothing, undeclared protocols.

Exit codes: 0 nothing would be refused, 1 something would (with --strict: or is warned of), 2 wrong usage.
`;

/** Returns the exit code; the parser writes to this process's own streams. */
export function vet(args: readonly string[], dist: string): number {
  const { values } = parseOptions(args, {
    folder: { ...text, short: 'f' },
    output: { ...text, short: 'o', default: 'text' },
    strict: flag,
  });
  if (values.folder === undefined) throw new UsageError('-f DIR is missing');
  if (!['text', 'json'].includes(values.output)) {
    throw new UsageError(`--output ${values.output}: text or json is needed`);
  }
  const flags = [
    '--folder',
    resolve(values.folder),
    '--output',
    values.output,
    ...(values.strict ? ['--strict'] : []),
  ];
  const result = spawnSync(process.execPath, [join(dist, 'controller/vet.js'), ...flags], {
    stdio: 'inherit',
  });
  if (result.error !== undefined) throw result.error;
  return result.status ?? 1;
}
