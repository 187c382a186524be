/** `weft status`. */
import {
  type ProgramName,
  placeOptions,
  placeUsage,
  type Shown,
  shown,
  wantsJson,
  withScope,
} from '../open-scope.js';
import { parseOptions } from '../parse-options.js';
import { formatStatus, isWell, readStatus } from './show-status.js';

export const statusUsage = (program: ProgramName) => `usage: ${program} status [options]

Is everything in force, on which node, and what is wrong.
${placeUsage}
Exit codes: 0 all is well, 1 something is refused, missing or not ready, 2 wrong usage.
`;

export async function showStatus(args: readonly string[], program: ProgramName): Promise<Shown> {
  const { values } = parseOptions(args, placeOptions);
  const json = wantsJson(values);
  const status = await withScope(program, values, ({ source }) => readStatus(source));
  return shown(json, status, () => formatStatus(status), isWell(status));
}
