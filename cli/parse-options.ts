/** Command-line options by node's own parser, with errors as {@link UsageError}. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { UsageError } from './usage-error.js';

export const text = { type: 'string' } as const;
export const texts = { type: 'string', multiple: true } as const;
export const flag = { type: 'boolean', default: false } as const;

/** Parses; positional arguments are allowed between `least` and `most`. Throws UsageError. */
export function parseOptions<const Config extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Config,
  [least, most]: readonly [number, number] = [0, 0],
) {
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: most > 0, strict: true });
    const count = parsed.positionals.length;
    if (count < least) throw new UsageError('an argument is missing');
    if (count > most) throw new UsageError(`unexpected argument ${parsed.positionals[most]}`);
    return parsed;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
