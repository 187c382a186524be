/** The command line of `weft run`. */
import { resolve } from 'node:path';
import { flag, parseOptions, text, texts } from '../parse-options.js';
import { defaultState } from '../state-folder.js';
import { UsageError } from '../usage-error.js';

export interface RunOptions {
  /** Full path. */
  readonly manifests: string;
  readonly state: string | undefined;
  readonly node: string;
  readonly workers: number;
  /** state: access.log in the state folder. */
  readonly accessLog: { readonly kind: 'state' } | { readonly kind: 'given'; readonly value: string };
  readonly metrics: string;
  readonly pinFolder: string | undefined;
  readonly cgroups: readonly string[];
  readonly netnsFolders: readonly string[];
  readonly proxyUser: string;
  readonly controllerUser: string;
  readonly graceMs: string | undefined;
  readonly keepKernelState: boolean;
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
  --state DIR             sockets, logs, id (default ${defaultState})
  --node NAME             name of this node (default: local)
  --workers N             engine threads of the proxy, 1 to 64 (default 1)
  --access-log FILE|-|off JSON lines (default: access.log in the state folder; - is standard output)
  --metrics HOST:PORT     Prometheus (default 127.0.0.1:15020; with --state a free port of 127.0.0.1)
  --pin-folder DIR        where kernel objects are pinned (default below /sys/fs/bpf, by state folder)
  --cgroup DIR            cgroup2 folder to attach to, may be repeated (default: kubepods and the root)
  --netns-folder DIR      where named network namespaces are, may be repeated (default /run/netns)
  --proxy-user NAME|UID   the proxy's user (default nobody)
  --controller-user NAME|UID  the controller's user (default nobody; 65532 with --identities)
  --grace-ms N            how long the proxy may be gone before fail mode open takes effect
  --identities            issue certificates to workloads (see docs/identity.md); no traffic uses them yet
  --certificate-seconds N with --identities: life of a certificate, 5 to 2592000 (default 86400)
  --external-issuer DIR   with --identities: have certificates signed by requests laid into DIR
  --keep-kernel-state     leave programs and pins in force at the end (pods stay closed)

Exit codes: 0 ended as asked, 1 failed (standard error says what and how to mend it), 2 wrong usage.
`;

/** Throws UsageError. */
export function parseRunOptions(args: readonly string[]): RunOptions {
  const { values } = parseOptions(args, {
    folder: { ...text, short: 'f' },
    state: text,
    node: text,
    workers: text,
    'access-log': text,
    metrics: text,
    'pin-folder': text,
    cgroup: texts,
    'netns-folder': texts,
    'proxy-user': text,
    'controller-user': text,
    'grace-ms': text,
    'keep-kernel-state': flag,
    identities: flag,
    'certificate-seconds': text,
    'external-issuer': text,
  });
  if (values.folder === undefined) throw new UsageError('-f DIR is missing');
  const { node = 'local', state, metrics } = values;
  if (!/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/.test(node)) {
    throw new UsageError(`--node ${node}: lower-case letters, digits, - and . are allowed`);
  }
  const log = values['access-log'];
  return {
    manifests: resolve(values.folder),
    state,
    node,
    workers: parseNumber('--workers', values.workers ?? '1', 1, 64),
    accessLog: log === undefined ? { kind: 'state' } : { kind: 'given', value: absoluteLog(log) },
    metrics: metrics ?? (state === undefined ? '127.0.0.1:15020' : '127.0.0.1:0'),
    pinFolder: values['pin-folder'],
    cgroups: values.cgroup ?? [],
    netnsFolders: values['netns-folder'] ?? [],
    proxyUser: values['proxy-user'] ?? 'nobody',
    // A controller that signs must not share a user with the proxy, which could read its key.
    controllerUser: values['controller-user'] ?? (values.identities ? '65532' : 'nobody'),
    graceMs: values['grace-ms'],
    keepKernelState: values['keep-kernel-state'],
    identities: readIdentities(values),
  };
}

function readIdentities(values: {
  readonly identities: boolean;
  readonly 'certificate-seconds'?: string | undefined;
  readonly 'external-issuer'?: string | undefined;
}): RunOptions['identities'] {
  const { 'certificate-seconds': seconds, 'external-issuer': external } = values;
  if (!values.identities) {
    if (seconds !== undefined || external !== undefined) {
      throw new UsageError('--certificate-seconds and --external-issuer need --identities');
    }
    return null;
  }
  return {
    certificateSeconds: parseNumber('--certificate-seconds', seconds ?? '86400', 5, 2_592_000),
    externalIssuer: external === undefined ? undefined : resolve(external),
  };
}

function absoluteLog(value: string): string {
  return value === '-' || value === 'off' ? value : resolve(value);
}

function parseNumber(name: string, value: string, least: number, most: number): number {
  const number = Number(value);
  if (/^\d{1,9}$/.test(value) && number >= least && number <= most) return number;
  throw new UsageError(`${name} ${value}: a whole number from ${least} to ${most} is needed`);
}
