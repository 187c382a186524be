/** `weft routes`: what controllers publish, or where none answers, what proxies have in force. */
import type { Resource } from '../../model/resource.js';
import type { HttpRouteMatch, HttpRouteRule, PathMatch } from '../../model/route.js';
import { formatTable, sortRows } from './format-table.js';

/** What the proxy's /config answers, and the controller's /routes. */
export interface ProxyConfig {
  readonly version: number;
  readonly resources: readonly Resource[];
}

type RouteResource = Extract<Resource, { kind: 'http-route' | 'grpc-route' }>;

/** Of several nodes one copy of each version: two rows of one route tell that nodes have not caught up. */
export function joinRoutes(configs: readonly ProxyConfig[], namespace: string | null): RouteResource[] {
  const routes = configs.flatMap(({ resources }) =>
    resources.filter(
      (one): one is RouteResource =>
        (one.kind === 'http-route' || one.kind === 'grpc-route') &&
        (namespace === null || one.body.namespace === namespace),
    ),
  );
  return [...new Map(routes.map((one) => [`${one.kind} ${one.name} ${one.version}`, one])).values()];
}

export function formatRoutes(routes: readonly RouteResource[]): string {
  const columns = ['kind', 'route', 'rule', 'services', 'hosts', 'matches', 'answer'];
  const rows = routes.flatMap(({ body }) =>
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
