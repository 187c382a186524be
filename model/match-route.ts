/**
 * Which rule decides a request: Gateway API v1.6 precedence of HTTPRoute and GRPCRoute, compiled.
 *
 * The first match wins in this order (HTTPRouteSpec.hostnames, HTTPRouteRule.matches):
 * 1. the most specific hostname: exact, then the longest wildcard, then routes without hostnames;
 * 2. the path: exact, then the longest prefix, then regular expressions, then the prefix `/`. (The API leaves the
 *    place of expressions open. `/` comes last because it is the default of a rule without matches: before
 *    expressions it would leave them without a request.) A gRPC method is an exact path, a service a prefix; of
 *    expressions over them the one with the longer service comes first, then with the longer method.
 * 3. a method match; 4. more header matches; 5. more query parameter matches;
 * 6. the older route; 7. the route first by `namespace/name`; 8. the earlier rule, then the earlier match.
 *
 * A less specific hostname is asked where no rule of a more specific one matches. GEP-1294 advises a mesh not to
 * give hostnames a meaning beyond the route's own: here they only compare with the request's authority.
 */
import type { CompiledMatch, CompiledNamed, CompiledRoute } from './compile-route.js';
import { matchQueryParam } from './match-query.js';
import { buildPathIndex, longestPrefix, type PathIndex } from './path-index.js';
import type { RequestHead } from './request-head.js';

/** All rules of the routes that decide for one port of one service, by hostname. */
export interface RouteTable {
  readonly routes: readonly CompiledRoute[];
  readonly exactHosts: ReadonlyMap<string, PathIndex>;
  /** By what follows the `*`, with its leading dot. */
  readonly wildcardHosts: ReadonlyMap<string, PathIndex>;
  readonly anyHost: PathIndex | null;
}

/** Builds the table of the routes attached to one service port, or null where there are none. */
export function buildRouteTable(routes: readonly CompiledRoute[]): RouteTable | null {
  if (routes.length === 0) return null;
  const byHost = new Map<string, CompiledMatch[]>();
  for (const { route, matches } of routes) {
    const hosts =
      route.hostnames.length === 0 ? ['*'] : new Set(route.hostnames.map((host) => host.toLowerCase()));
    for (const host of hosts) {
      const list = byHost.get(host);
      if (list === undefined) byHost.set(host, [...matches]);
      else list.push(...matches);
    }
  }
  const exactHosts = new Map<string, PathIndex>();
  const wildcardHosts = new Map<string, PathIndex>();
  let anyHost: PathIndex | null = null;
  for (const [host, matches] of byHost) {
    const index = buildPathIndex(matches.sort(byPrecedence));
    if (host === '*') anyHost = index;
    else if (host.startsWith('*.')) wildcardHosts.set(host.slice(1), index);
    else exactHosts.set(host, index);
  }
  return { routes, exactHosts, wildcardHosts, anyHost };
}

/** Steps 3 to 8 of the order, behind that of gRPC expressions; other paths are ordered by the index. */
function byPrecedence(a: CompiledMatch, b: CompiledMatch): number {
  return (
    b.specificity - a.specificity ||
    Number(b.method !== null) - Number(a.method !== null) ||
    b.headers.length - a.headers.length ||
    b.queryParams.length - a.queryParams.length ||
    a.rule.route.createdMs - b.rule.route.createdMs ||
    compareText(routeName(a), routeName(b)) ||
    a.rule.index - b.rule.index ||
    a.index - b.index
  );
}

function routeName(match: CompiledMatch): string {
  return `${match.rule.route.namespace}/${match.rule.route.name}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The match that decides a request, or null: routes are attached and none matches (no_matching_route). */
export function matchRoute(table: RouteTable, head: RequestHead): CompiledMatch | null {
  const host = head.host;
  if (table.exactHosts.size > 0) {
    const exact = table.exactHosts.get(host);
    const match = exact === undefined ? null : matchPath(exact, head);
    if (match !== null) return match;
  }
  if (table.wildcardHosts.size > 0) {
    for (let dot = host.indexOf('.', 1); dot > 0; dot = host.indexOf('.', dot + 1)) {
      const index = table.wildcardHosts.get(host.slice(dot));
      const match = index === undefined ? null : matchPath(index, head);
      if (match !== null) return match;
    }
  }
  return table.anyHost === null ? null : matchPath(table.anyHost, head);
}

function matchPath(index: PathIndex, head: RequestHead): CompiledMatch | null {
  const path = head.path;
  // Asking an empty map would still hash the path.
  if (index.exact.size > 0) {
    const exact = index.exact.get(path);
    const match = exact === undefined ? null : firstMatch(exact, head);
    if (match !== null) return match;
  }
  if (index.prefixes !== null) {
    for (let node = longestPrefix(index.prefixes, path); node !== null; node = node.shorter) {
      const match = firstMatch(node.matches, head);
      if (match !== null) return match;
    }
  }
  for (const match of index.regexes) {
    if (match.pathRegex?.matches(path) === true && matchesRest(match, head)) return match;
  }
  return firstMatch(index.root, head);
}

function firstMatch(matches: readonly CompiledMatch[], head: RequestHead): CompiledMatch | null {
  for (let at = 0; at < matches.length; at += 1) {
    const match = matches[at] as CompiledMatch;
    if (matchesRest(match, head)) return match;
  }
  return null;
}

function matchesRest(match: CompiledMatch, head: RequestHead): boolean {
  if (match.method !== null && match.method !== head.method) return false;
  for (let at = 0; at < match.headers.length; at += 1) {
    if (!matchesHeader(match.headers[at] as CompiledNamed, head)) return false;
  }
  for (let at = 0; at < match.queryParams.length; at += 1) {
    if (!matchQueryParam(match.queryParams[at] as CompiledNamed, head.query)) return false;
  }
  return true;
}

function matchesHeader(wanted: CompiledNamed, head: RequestHead): boolean {
  const value = wanted.name === 'host' ? head.authority : head.header(wanted.name);
  if (value === null) return false;
  return wanted.regex === null ? value === wanted.exact : wanted.regex.matches(value);
}
