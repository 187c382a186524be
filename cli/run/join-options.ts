/** The command line of `weft node`. */
import { resolve } from 'node:path';
import { parseOptions, text } from '../parse-options.js';
import { UsageError } from '../usage-error.js';
import {
  type NodeOptions,
  nodeOptionUsage,
  nodeOptionWords,
  parseHostPort,
  readNodeOptions,
} from './node-options.js';

export interface JoinOptions extends NodeOptions {
  /** HOST:PORT. */
  readonly controller: string;
  /** Full paths. */
  readonly tokenFile: string;
  readonly caFile: string;
  /** Keeps the node's key over an end of the whole node; undefined: it is in memory alone. */
  readonly nodeKeyFile: string | undefined;
}

export const nodeUsage = `usage: weft node --controller HOST:PORT --node NAME --token-file FILE --ca-file FILE [options]

Starts capture and proxy of a further node, under a controller on another machine (weft run --listen), and stays
until Ctrl-C or SIGTERM; then everything is taken away again. Needs root.

  --controller HOST:PORT  where that controller listens for nodes
  --node NAME             name of this node: the one that the token was made for
  --token-file FILE       what weft token create printed there; it is good once
  --ca-file FILE          roots (PEM) of that mesh: ca.crt of its authority
  --node-key-file FILE    keep the node's key and certificate there, for root alone, to come back without a token
                          while the certificate is valid (default: in memory, so each start needs a new token)
${nodeOptionUsage}

SIGUSR2 replaces the running processes by new ones of the program as it is on disk then, with no connection lost.
Exit codes: 0 ended as asked, 1 failed (standard error says what and how to mend it), 2 wrong usage.
`;

/** Throws UsageError. */
export function parseJoinOptions(args: readonly string[]): JoinOptions {
  const { values } = parseOptions(args, {
    ...nodeOptionWords,
    controller: text,
    'token-file': text,
    'ca-file': text,
    'node-key-file': text,
  });
  const { controller, node, 'token-file': token, 'ca-file': ca, 'node-key-file': key } = values;
  const given = { '--controller': controller, '--node': node, '--token-file': token, '--ca-file': ca };
  const missing = Object.entries(given).find(([, value]) => value === undefined);
  if (missing !== undefined) throw new UsageError(`${missing[0]} is missing`);
  return {
    ...readNodeOptions(values),
    controller: parseHostPort('--controller', controller as string),
    tokenFile: resolve(token as string),
    caFile: resolve(ca as string),
    nodeKeyFile: key === undefined ? undefined : resolve(key),
  };
}
