/** `weft workloads` and `weft routes`: what the proxy of this node has in force. */
import type { Resource } from '../../model/resource.js';
import type { HttpRouteMatch, HttpRouteRule, PathMatch } from '../../model/route.js';
import { spiffeId, type Workload } from '../../model/workload.js';
import { formatTable } from './format-table.js';

/** What the proxy's /config answers. */
export interface ProxyConfig {
  readonly version: number;
  readonly resources: readonly Resource[];
}

export function formatWorkloads({ resources }: ProxyConfig): string {
  const columns = [
    'namespace',
    'name',
    'kind',
    'node',
    'addresses',
    'identity',
    'mesh',
    'fails',
    'mtls',
    'transport',
  ];
  const rows = resources
    .filter((resource) => resource.kind === 'workload')
    .map(({ body }) => [
      body.namespace,
      body.name,
      body.kind,
      body.node,
      body.addresses.join(', ') || '-',
      spiffeId(body),
      describeCapture(body),
      body.capture?.failMode ?? '-',
      describeMtls(body),
      isMeshed(body) ? body.transport : '-',
    ]);
  return formatTable(
    columns.map((title) => ({ title })),
    sortRows(rows, 2),
    'no workloads',
  );
}

/** How a workload of another node is captured, only that node is told. */
function describeCapture({ captured, capture, node }: Workload): string {
  if (capture !== null)
    return `${capture.netns === '' ? 'pod' : `netns ${capture.netns}`}${captured ? '' : ', leaves'}`;
  return captured ? `on ${node}` : '-';
}

function isMeshed({ captured, transport }: Workload): boolean {
  return captured || transport !== 'plaintext';
}

function describeMtls(workload: Workload): string {
  if (!isMeshed(workload)) return '-';
  const { mode, ports } = workload.mtls;
  const own = Object.entries(ports).map(([port, portMode]) => `${port} ${portMode}`);
  return own.length === 0 ? mode : `${mode} (${own.join(', ')})`;
}

export function formatRoutes({ resources }: ProxyConfig): string {
  const columns = ['kind', 'route', 'rule', 'services', 'hosts', 'matches', 'answer'];
  const rows = resources
    .filter((resource) => resource.kind === 'http-route' || resource.kind === 'grpc-route')
    .flatMap(({ body }) =>
      body.rules.map((rule, index) => [
        body.kind === 'grpc-route' ? 'GRPCRoute' : 'HTTPRoute',
        `${body.namespace}/${body.name}`,
        rule.name || String(index),
        body.parents.map(({ name, port }) => (port === undefined ? name : `${name}:${port}`)).join(', '),
        body.hostnames.join(', ') || '*',
        rule.matches.map(describeMatch).join(' or '),
        describeAnswer(rule, body.kind === 'grpc-route' ? 'UNAVAILABLE' : '500'),
      ]),
    );
  return formatTable(
    columns.map((title) => ({ title })),
    sortRows(rows, 2),
    'no routes',
  );
}

/** By the first columns; rows that are alike there keep their order. */
function sortRows(rows: string[][], columns: number): string[][] {
  const key = (row: readonly string[]) => row.slice(0, columns).join('\0');
  return rows.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function describeMatch({ method, path, headers, queryParams }: HttpRouteMatch): string {
  const named = [
    ...headers.map((header) => ['', header] as const),
    ...queryParams.map((param) => ['?', param] as const),
  ].map(([mark, { name, match }]) => `${mark}${name}${match.type === 'Exact' ? '=' : '~'}${match.value}`);
  return [...(method === undefined ? [] : [method]), describePath(path), ...named].join(' ');
}

function describePath(path: PathMatch): string {
  switch (path.type) {
    case 'Exact':
      return `=${path.value}`;
    case 'PathPrefix':
      return path.value;
    case 'RegularExpression':
      return `~${path.value}`;
    case 'GrpcExact':
      return `=/${path.service || '*'}/${path.method || '*'}`;
    case 'GrpcRegularExpression':
      return `~/${path.service || '.+'}/${path.method || '.+'}`;
  }
}

/** `failing`: what the client gets where there is no backend. */
function describeAnswer({ filters, backends }: HttpRouteRule, failing: string): string {
  const redirect = filters.find((filter) => filter.type === 'RequestRedirect');
  if (redirect !== undefined) return `redirect ${redirect.statusCode}`;
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return failing;
  return backends
    .map(({ service, weight }) => {
      const name = service === null ? failing : `${service.namespace}/${service.name}:${service.port}`;
      return backends.length === 1 ? name : `${name} ${Math.round((weight / total) * 1000) / 10}%`;
    })
    .join(', ');
}
