/** The commands that show something of a running weft. */
import { setTimeout as delay } from 'node:timers/promises';
import { flag, parseOptions, text } from '../parse-options.js';
import { type StatePaths, statePaths } from '../state-folder.js';
import { UsageError } from '../usage-error.js';
import { askAdmin, askJson } from './ask-admin.js';
import { readMetrics } from './read-metrics.js';
import { type Certificates, formatCertificates } from './show-certificates.js';
import { formatRoutes, formatWorkloads, type ProxyConfig } from './show-config.js';
import { formatConnections, type ShownConnection } from './show-connections.js';
import { formatEdges, type ShownEdge } from './show-edges.js';
import { formatStat, tabulateTraffic } from './show-stat.js';
import { formatStatus, isWell, readStatus } from './show-status.js';
import { formatWhy, isAllowed, type WhyAnswer } from './show-why.js';

/** What a command prints, and its exit code. */
export interface Shown {
  readonly text: string;
  readonly exitCode: 0 | 1;
}

const shared = `
  --state DIR     the folder that weft run was given (default /run/weft)
  -o, --output text|json
`;

const showOptions = { state: text, output: { type: 'string', short: 'o', default: 'text' } } as const;

interface ShowValues {
  readonly state?: string | undefined;
  readonly output: string;
}

function readShared(values: ShowValues): { paths: StatePaths; json: boolean } {
  if (values.output !== 'text' && values.output !== 'json') {
    throw new UsageError(`--output ${values.output}: text or json is needed`);
  }
  return { paths: statePaths(values.state), json: values.output === 'json' };
}

function shown(json: boolean, data: unknown, format: () => string, well = true): Shown {
  return { text: json ? `${JSON.stringify(data, null, 2)}\n` : format(), exitCode: well ? 0 : 1 };
}

export const statusUsage = `usage: weft status [options]

Is everything in force, on which node, and what is wrong.
${shared}
Exit codes: 0 all is well, 1 something is refused, missing or not ready, 2 wrong usage.
`;

export async function showStatus(args: readonly string[]): Promise<Shown> {
  const { paths, json } = readShared(parseOptions(args, showOptions).values);
  const status = await readStatus(paths);
  return shown(json, status, () => formatStatus(status), isWell(status));
}

export const workloadsUsage = `usage: weft workloads [options]

Workloads that this node's proxy knows: addresses, identity, whether they are in the mesh, what they demand of callers
(mtls), and whether TLS is spoken with them (transport: plaintext, arriving, weft-tls, leaving).
${shared}`;

export async function showWorkloads(args: readonly string[]): Promise<Shown> {
  const { paths, json } = readShared(parseOptions(args, showOptions).values);
  const config = await askJson<ProxyConfig>(paths.proxyAdmin, '/config');
  const workloads = config.resources.filter(({ kind }) => kind === 'workload');
  return shown(json, workloads, () => formatWorkloads(config));
}

export const routesUsage = `usage: weft routes [options]

Rules of the HTTPRoutes and GRPCRoutes in force: /x is a prefix, =/x exact, ~x an expression.
${shared}`;

export async function showRoutes(args: readonly string[]): Promise<Shown> {
  const { paths, json } = readShared(parseOptions(args, showOptions).values);
  const config = await askJson<ProxyConfig>(paths.proxyAdmin, '/config');
  const routes = config.resources.filter(({ kind }) => kind === 'http-route' || kind === 'grpc-route');
  return shown(json, routes, () => formatRoutes(config));
}

export const connectionsUsage = `usage: weft connections [options]

Connections that are open right now, the oldest first.
${shared}`;

export async function showConnections(args: readonly string[]): Promise<Shown> {
  const { paths, json } = readShared(parseOptions(args, showOptions).values);
  const connections = await askJson<ShownConnection[]>(paths.proxyAdmin, '/connections');
  return shown(json, connections, () => formatConnections(connections));
}

export const edgesUsage = `usage: weft edges [options]

Who talked to whom through this node's proxy since it began: encrypted or not, and why not.
${shared}`;

export async function showEdges(args: readonly string[]): Promise<Shown> {
  const { paths, json } = readShared(parseOptions(args, showOptions).values);
  const edges = await askJson<ShownEdge[]>(paths.proxyAdmin, '/edges');
  return shown(json, edges, () => formatEdges(edges));
}

export const certificatesUsage = `usage: weft certificates [options]

Identities of this node's workloads: who issued them, when they end, and where the next one stands.
${shared}
Exit codes: 0 every workload can prove who it is, 1 some cannot, 2 wrong usage.
`;

export async function showCertificates(args: readonly string[]): Promise<Shown> {
  const { paths, json } = readShared(parseOptions(args, showOptions).values);
  const answer = await askJson<Certificates>(paths.proxyAdmin, '/certificates');
  const proven = answer.certificates.every(({ state }) => state === 'ready' || state === 'renewing');
  return shown(json, answer.certificates, () => formatCertificates(answer, Date.now()), proven);
}

export const statUsage = `usage: weft stat [--interval SECONDS] [options]

Success rate, requests per second and latency by source, destination and route, over the interval (default 2 s).
  --interval N    seconds between the two looks, 0.1 to 3600
  --total         since the proxy began, in one look; rps is then left at 0
${shared}`;

export async function showStat(args: readonly string[]): Promise<Shown> {
  const { values } = parseOptions(args, { ...showOptions, interval: { ...text, default: '2' }, total: flag });
  const { paths, json } = readShared(values);
  const seconds = Number(values.interval);
  if (!(seconds >= 0.1 && seconds <= 3600)) {
    throw new UsageError(`--interval ${values.interval}: 0.1 to 3600 seconds are needed`);
  }
  const scrape = async () => readMetrics(await askAdmin(paths.proxyAdmin, '/metrics'));
  if (values.total) {
    const rows = tabulateTraffic([], await scrape(), Number.POSITIVE_INFINITY);
    return shown(json, rows, () => formatStat(rows));
  }
  const before = await scrape();
  const begun = performance.now();
  await delay(seconds * 1000);
  const after = await scrape();
  const rows = tabulateTraffic(before, after, (performance.now() - begun) / 1000);
  return shown(json, rows, () => formatStat(rows));
}

export const whyUsage = `usage: weft why SOURCE DESTINATION [METHOD PATH] [options]

What would happen to a connection, or to a request, and which route, endpoint and policy decide; from the proxy's
live state.
  SOURCE          NAMESPACE/NAME, uid or address of a workload
  DESTINATION     ADDRESS:PORT, or NAMESPACE/NAME:PORT of a service
  --host HOST     the request's Host (default: DESTINATION)
  --header N=V    a header of the request, may be repeated
${shared}
Exit codes: 0 some endpoint would get it, 1 it would be refused, 2 wrong usage.
`;

export async function showWhy(args: readonly string[]): Promise<Shown> {
  const options = { ...showOptions, host: text, header: { type: 'string', multiple: true } } as const;
  const { values, positionals } = parseOptions(args, options, [2, 4]);
  const { paths, json } = readShared(values);
  const [source = '', destination = '', method, path] = positionals;
  if (method !== undefined && path === undefined) throw new UsageError('METHOD needs a PATH');
  const query = new URLSearchParams({ source, destination });
  if (method !== undefined) query.set('method', method);
  if (path !== undefined) query.set('path', path);
  if (values.host !== undefined) query.set('host', values.host);
  for (const header of values.header ?? []) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(header) ?? [];
    if (name === undefined) throw new UsageError(`--header ${header}: NAME=VALUE is needed`);
    query.set(`header.${name.toLowerCase()}`, value ?? '');
  }
  const answer = await askJson<WhyAnswer | { readonly error: string }>(
    paths.proxyAdmin,
    `/why?${query}`,
    [200, 400],
  );
  if ('error' in answer) throw new UsageError(answer.error);
  return shown(json, answer, () => formatWhy(answer), isAllowed(answer));
}
