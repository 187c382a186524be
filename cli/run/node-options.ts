/** What `weft run` and `weft node` have in common: how capture and proxy of a node run. */
import { resolve } from 'node:path';
import { isNodeName } from '../../model/system-identity.js';
import { flag, text, texts } from '../parse-options.js';
import { defaultState } from '../state-folder.js';
import { UsageError } from '../usage-error.js';

export interface NodeOptions {
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
  readonly graceMs: string | undefined;
  /** How long connections of a proxy that was replaced may go on. */
  readonly drainMs: number;
  readonly keepKernelState: boolean;
}

/** For {@link parseOptions}. */
export const nodeOptionWords = {
  state: text,
  node: text,
  workers: text,
  'access-log': text,
  metrics: text,
  'pin-folder': text,
  cgroup: texts,
  'netns-folder': texts,
  'proxy-user': text,
  'grace-ms': text,
  'drain-ms': text,
  'keep-kernel-state': flag,
} as const;

export const nodeOptionUsage = `  --state DIR             sockets, logs, id (default ${defaultState})
  --workers N             engine threads of the proxy, 1 to 64 (default 1)
  --access-log FILE|-|off JSON lines (default: access.log in the state folder; - is standard output)
  --metrics HOST:PORT     Prometheus (default 127.0.0.1:15020; with --state a free port of 127.0.0.1)
  --pin-folder DIR        where kernel objects are pinned (default below /sys/fs/bpf, by state folder)
  --cgroup DIR            cgroup2 folder to attach to, may be repeated (default: kubepods and the root)
  --netns-folder DIR      where named network namespaces are, may be repeated (default /run/netns)
  --proxy-user NAME|UID   the proxy's user (default nobody)
  --grace-ms N            how long the proxy may be gone before fail mode open takes effect
  --drain-ms N            how long connections of a proxy that was replaced may go on (default 60000)
  --keep-kernel-state     leave programs and pins in force at the end (pods stay closed)`;

/** What the parser found under {@link nodeOptionWords}. */
interface NodeValues {
  readonly state?: string | undefined;
  readonly node?: string | undefined;
  readonly workers?: string | undefined;
  readonly 'access-log'?: string | undefined;
  readonly metrics?: string | undefined;
  readonly 'pin-folder'?: string | undefined;
  readonly cgroup?: string[] | undefined;
  readonly 'netns-folder'?: string[] | undefined;
  readonly 'proxy-user'?: string | undefined;
  readonly 'grace-ms'?: string | undefined;
  readonly 'drain-ms'?: string | undefined;
  readonly 'keep-kernel-state': boolean;
}

/** Throws UsageError. */
export function readNodeOptions(values: NodeValues): NodeOptions {
  const { node = 'local', state, metrics } = values;
  if (!isNodeName(node)) {
    throw new UsageError(`--node ${node}: lower-case letters, digits, - and . are allowed`);
  }
  const log = values['access-log'];
  return {
    state,
    node,
    workers: parseNumber('--workers', values.workers ?? '1', 1, 64),
    accessLog: log === undefined ? { kind: 'state' } : { kind: 'given', value: absoluteLog(log) },
    metrics: metrics ?? (state === undefined ? '127.0.0.1:15020' : '127.0.0.1:0'),
    pinFolder: values['pin-folder'],
    cgroups: values.cgroup ?? [],
    netnsFolders: values['netns-folder'] ?? [],
    proxyUser: values['proxy-user'] ?? 'nobody',
    graceMs: values['grace-ms'],
    drainMs: parseNumber('--drain-ms', values['drain-ms'] ?? '60000', 0, 3_600_000),
    keepKernelState: values['keep-kernel-state'],
  };
}

function absoluteLog(value: string): string {
  return value === '-' || value === 'off' ? value : resolve(value);
}

/** Throws UsageError. */
export function parseNumber(name: string, value: string, least: number, most: number): number {
  const number = Number(value);
  if (/^\d{1,9}$/.test(value) && number >= least && number <= most) return number;
  throw new UsageError(`${name} ${value}: a whole number from ${least} to ${most} is needed`);
}

/** `HOST:PORT` or `[ADDRESS]:PORT`, as it was given. Throws UsageError. */
export function parseHostPort(name: string, value: string): string {
  const [, port] = /^(?:\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(value) ?? [];
  if (port === undefined || Number(port) > 65_535) throw new UsageError(`${name} ${value} is no HOST:PORT`);
  return value;
}
