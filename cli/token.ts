/** `weft token create`: lets a further node join. */
import { parseOptions, text } from './parse-options.js';
import { askAdmin } from './show/ask-admin.js';
import { statePaths } from './state-folder.js';
import { CommandError, UsageError } from './usage-error.js';

export const tokenUsage = `usage: weft token create --node NAME [--ttl DURATION] [--state DIR]

Makes a token with which one node joins this machine's controller (weft run --listen), once. The token goes to
standard output and is kept nowhere; bring it to the node as a file, with the roots named on standard error.

  --node NAME     the node that may join with it
  --ttl DURATION  how long it is good, 1s to 24h (default 10m)
  --state DIR     the folder that weft run was given (default /run/weft)

Exit codes: 0 done, 1 failed, 2 wrong usage.
`;

interface Created {
  readonly token: string;
  readonly node: string;
  readonly expiresMs: number;
}

export interface TokenOutput {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Throws CommandError where the controller makes none, UsageError. */
export async function token(args: readonly string[], { out, err }: TokenOutput): Promise<void> {
  const { values, positionals } = parseOptions(args, { node: text, ttl: text, state: text }, [1, 1]);
  if (positionals[0] !== 'create')
    throw new UsageError(`token ${positionals[0]}: create is all that there is`);
  if (values.node === undefined) throw new UsageError('--node NAME is missing');
  const query = new URLSearchParams({ node: values.node, ttlSeconds: String(readTtl(values.ttl ?? '10m')) });
  const paths = statePaths(values.state);
  const body = await askAdmin(paths.controllerAdmin, `/tokens?${query}`, [200, 400, 404], 'POST');
  const answer = JSON.parse(body) as Created | { readonly error: string };
  if ('error' in answer) throw new CommandError(explain(answer.error));
  out(`${answer.token}\n`);
  const until = new Date(answer.expiresMs).toISOString();
  err(
    `weft: node ${answer.node} may join with it once until ${until}; the roots: ${paths.authorityFolder}/ca.crt\n`,
  );
}

function explain(error: string): string {
  return error.startsWith('no page') ? 'nodes cannot join: start weft run with --listen HOST:PORT' : error;
}

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

function readTtl(ttl: string): number {
  const [, count, unit] = /^(\d{1,6})([smh])$/.exec(ttl) ?? [];
  if (count === undefined || unit === undefined) {
    throw new UsageError(`--ttl ${ttl}: a number with s, m or h is needed, as 10m`);
  }
  return Number(count) * (secondsOf[unit] ?? 1);
}
