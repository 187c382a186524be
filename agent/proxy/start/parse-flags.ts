/** The proxy's command line, parsed once. */
import { parseArgs } from 'node:util';

/** Where a listener or a controller is. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Where access-log lines go. */
export type AccessLogTarget =
  | { readonly kind: 'off' }
  | { readonly kind: 'stdout' }
  | { readonly kind: 'file'; readonly path: string };

/** Where the controller is, and how this node proves itself there. */
export type ControllerFlags =
  /** On this machine: `unix:PATH`. */
  | { readonly kind: 'socket'; readonly address: string }
  /** On another one: `host:port`, over TLS. */
  | { readonly kind: 'tls'; readonly address: string; readonly tokenFile: string; readonly caFile: string };

export interface Flags {
  readonly node: string;
  readonly controller: ControllerFlags;
  /** Path of capture's Unix socket. */
  readonly capture: string;
  readonly workers: number;
  readonly metrics: HostPort;
  /** A successor on this machine serves its metrics at the same address. */
  readonly sharedMetrics: boolean;
  /** Path of the admin socket; undefined: no admin. */
  readonly admin: string | undefined;
  /** Port of the same admin on 127.0.0.1; undefined: none. Whoever shares the network namespace can ask it. */
  readonly adminPort: number | undefined;
  readonly accessLog: AccessLogTarget;
  /** Folder that keeps the last configuration; undefined: not kept. */
  readonly state: string | undefined;
  /** Ask the controller for the workloads' certificates. */
  readonly identities: boolean;
  /** How long connections may go on where another proxy has taken this one's place. */
  readonly drainMs: number;
  readonly allowPrivileges: boolean;
}

export const usage = `usage: proxy --node NAME --controller unix:PATH|HOST:PORT --capture PATH
  --token-file FILE      with HOST:PORT: the token that this node joins with
  --ca-file FILE         with HOST:PORT: roots (PEM) that the controller's certificate leads to
  --workers N            engine threads, 1 to 64 (default 1)
  --metrics HOST:PORT    Prometheus metrics (default 127.0.0.1:15020)
  --shared-metrics       a proxy that replaces this one serves metrics at the same address
  --admin PATH           admin over HTTP on a Unix socket, for its owner alone
  --admin-port N         the same on 127.0.0.1, for a port-forward into a pod
  --access-log FILE|-|off  JSON lines (default -, standard output)
  --state DIR            keep the last configuration here, to start without a controller
  --no-identities        have no certificates issued: workloads speak plaintext
  --drain-ms N           connections' time once another proxy has taken over (default 60000)
  --allow-privileges     start though the process holds capabilities or is root`;

/** Throws an Error whose message ends with the usage. */
export function parseFlags(argv: readonly string[]): Flags {
  const values = readOptions(argv);
  return {
    node: required(values.node, '--node'),
    controller: parseController(values),
    capture: required(values.capture, '--capture'),
    workers: parseNumber('--workers', values.workers, 1, 64),
    metrics: parseHostPort(values.metrics),
    sharedMetrics: values['shared-metrics'],
    admin: values.admin,
    adminPort: parsePort(values['admin-port']),
    accessLog: parseAccessLog(values['access-log']),
    state: values.state,
    identities: !values['no-identities'],
    drainMs: parseNumber('--drain-ms', values['drain-ms'], 0, 3_600_000),
    allowPrivileges: values['allow-privileges'],
  };
}

function readOptions(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      strict: true,
      options: {
        node: { type: 'string' },
        controller: { type: 'string' },
        'token-file': { type: 'string' },
        'ca-file': { type: 'string' },
        capture: { type: 'string' },
        workers: { type: 'string', default: '1' },
        metrics: { type: 'string', default: '127.0.0.1:15020' },
        'shared-metrics': { type: 'boolean', default: false },
        admin: { type: 'string' },
        'admin-port': { type: 'string' },
        'access-log': { type: 'string', default: '-' },
        state: { type: 'string' },
        'no-identities': { type: 'boolean', default: false },
        'drain-ms': { type: 'string', default: '60000' },
        'allow-privileges': { type: 'boolean', default: false },
      },
    }).values;
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n${usage}`, { cause });
  }
}

function parseController(values: ReturnType<typeof readOptions>): ControllerFlags {
  const address = required(values.controller, '--controller');
  const { 'token-file': tokenFile, 'ca-file': caFile } = values;
  if (address.startsWith('unix:')) {
    if (tokenFile === undefined && caFile === undefined) return { kind: 'socket', address };
    throw new Error(`--token-file and --ca-file are for a controller at HOST:PORT\n${usage}`);
  }
  if (!/^(\[[^\]]+\]|[^:]+):\d{1,5}$/.test(address)) {
    throw new Error(`--controller ${address}: unix:PATH or HOST:PORT is needed\n${usage}`);
  }
  if (values['no-identities']) {
    throw new Error(`--no-identities: a controller at HOST:PORT knows its nodes by them\n${usage}`);
  }
  return {
    kind: 'tls',
    address,
    tokenFile: required(tokenFile, '--token-file'),
    caFile: required(caFile, '--ca-file'),
  };
}

function required(value: string | undefined, flag: string): string {
  if (value === undefined || value === '') throw new Error(`${flag} is missing\n${usage}`);
  return value;
}

function parseNumber(flag: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number < least || number > most) {
    throw new Error(`${flag} ${text}: a whole number from ${least} to ${most} is needed\n${usage}`);
  }
  return number;
}

function parsePort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new Error(`--admin-port ${text}: a port is needed, for example 15021\n${usage}`);
}

/** `host:port`, `[v6]:port`; port 0 lets the kernel choose. */
function parseHostPort(text: string): HostPort {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) {
    throw new Error(`--metrics ${text}: HOST:PORT is needed, for example 127.0.0.1:15020\n${usage}`);
  }
  return { host: match[1] ?? match[2] ?? '', port };
}

function parseAccessLog(text: string): AccessLogTarget {
  if (text === 'off') return { kind: 'off' };
  if (text === '-') return { kind: 'stdout' };
  return { kind: 'file', path: text };
}
