/** The command line of `weft run`. */
import { resolve } from 'node:path';
import { flag, parseOptions, text } from '../parse-options.js';
import { UsageError } from '../usage-error.js';
import {
  type NodeOptions,
  nodeOptionUsage,
  nodeOptionWords,
  parseHostPort,
  parseNumber,
  readNodeOptions,
} from './node-options.js';

export interface RunOptions extends NodeOptions {
  /** Full path. */
  readonly manifests: string;
  readonly controllerUser: string;
  /** Where further nodes connect; null: nowhere. */
  readonly listen: string | null;
  /** null: workloads get no certificates. */
  readonly identities: {
    readonly certificateSeconds: number;
    readonly externalIssuer: string | undefined;
  } | null;
}

export const runUsage = `usage: weft run -f DIR [options]

Starts controller, capture and proxy on this machine, over a watched folder of manifests, and stays until
Ctrl-C or SIGTERM; then everything is taken away again. Needs root.

  -f, --folder DIR        manifests (see docs/manifests.md)
  --node NAME             name of this node (default: local)
  --certificate-seconds N life of a workload's certificate, 5 to 2592000 (default 86400; docs/identity.md)
  --external-issuer DIR   have certificates signed by requests laid into DIR
  --listen HOST:PORT      let further nodes join over TLS (weft token, weft node)
  --no-identities         issue no certificates: pods speak plaintext, and no further node can join
  --controller-user NAME|UID  the controller's user (default 65532)
${nodeOptionUsage}

SIGUSR2 replaces the running processes by new ones of the program as it is on disk then, with no connection lost.
Exit codes: 0 ended as asked, 1 failed (standard error says what and how to mend it), 2 wrong usage.
`;

/** Throws UsageError. */
export function parseRunOptions(args: readonly string[]): RunOptions {
  const { values } = parseOptions(args, {
    ...nodeOptionWords,
    folder: { ...text, short: 'f' },
    'controller-user': text,
    listen: text,
    'no-identities': flag,
    'certificate-seconds': text,
    'external-issuer': text,
  });
  if (values.folder === undefined) throw new UsageError('-f DIR is missing');
  const { listen } = values;
  if (listen !== undefined && values['no-identities']) {
    throw new UsageError('--listen cannot go with --no-identities: nodes prove themselves by certificates');
  }
  return {
    ...readNodeOptions(values),
    manifests: resolve(values.folder),
    // A controller that signs must not share a user with the proxy, which could read its key.
    controllerUser: values['controller-user'] ?? '65532',
    listen: listen === undefined ? null : parseHostPort('--listen', listen),
    identities: readIdentities(values),
  };
}

function readIdentities(values: {
  readonly 'no-identities': boolean;
  readonly 'certificate-seconds'?: string | undefined;
  readonly 'external-issuer'?: string | undefined;
}): RunOptions['identities'] {
  const { 'certificate-seconds': seconds, 'external-issuer': external } = values;
  if (values['no-identities']) {
    if (seconds !== undefined || external !== undefined) {
      throw new UsageError('--certificate-seconds and --external-issuer cannot go with --no-identities');
    }
    return null;
  }
  return {
    certificateSeconds: parseNumber('--certificate-seconds', seconds ?? '86400', 5, 2_592_000),
    externalIssuer: external === undefined ? undefined : resolve(external),
  };
}
