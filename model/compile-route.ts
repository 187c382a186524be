/** A route made ready for matching: once per version of the resource, shared by every table that holds it. */
import { type CompiledFilters, compileFilters, type RedirectFilter } from './compile-filters.js';
import { compileRegex, maxRegexLength, type Regex } from './compile-regex.js';
import { grpcExpression } from './grpc-expression.js';
import { normalizePath } from './normal-path.js';
import { compileRetry, type RetryPolicy } from './retry-plan.js';
import type { HttpRoute, HttpRouteMatch, HttpRouteRule, NamedMatch, StringMatch } from './route.js';

/** One backend of a rule, with the rule's filters and its own folded together. */
export interface CompiledBackend {
  /** `namespace/name` of the service; null where the reference is invalid: its share of requests gets a 500. */
  readonly serviceKey: string | null;
  readonly port: number;
  readonly weight: number;
  readonly filters: CompiledFilters;
  /** For the one thread that decides by it: what it has worked out, found without looking it up. Not read here. */
  kept: object | null;
}

export interface CompiledRule {
  readonly route: HttpRoute;
  readonly rule: HttpRouteRule;
  /** Place in its route, from 0. */
  readonly index: number;
  /** `namespace/name/rule`: the route label of metrics and logs. The rule's name, or its index. */
  readonly label: string;
  /** The rule's redirect: answered without a backend. */
  readonly redirect: RedirectFilter | null;
  /** The rule's own filters: what a redirect's response gets. */
  readonly filters: CompiledFilters;
  readonly backends: readonly CompiledBackend[];
  /** Sum of the backends' weights. */
  readonly totalWeight: number;
  readonly retry: RetryPolicy;
}

/** A header or a query parameter to compare. */
export interface CompiledNamed {
  readonly name: string;
  readonly exact: string | null;
  readonly regex: Regex | null;
}

/** One match of one rule. */
export interface CompiledMatch {
  readonly rule: CompiledRule;
  /** Place in its rule, from 0. */
  readonly index: number;
  readonly pathKind: 'exact' | 'prefix' | 'regex';
  /** Normal form; a prefix without its trailing slash, so that `/` is the empty text. A regex: its source. */
  readonly path: string;
  readonly pathRegex: Regex | null;
  /** Among expressions the larger comes first: characters of a gRPC service, then of its method; else 0. */
  readonly specificity: number;
  /** Characters of the matched prefix, for ReplacePrefixMatch; 0 for the prefix `/` and for other kinds. */
  readonly prefixLength: number;
  readonly method: string | null;
  readonly headers: readonly CompiledNamed[];
  readonly queryParams: readonly CompiledNamed[];
}

export interface CompiledRoute {
  /** `namespace/name` */
  readonly key: string;
  readonly route: HttpRoute;
  readonly matches: readonly CompiledMatch[];
}

/** Compiles a route that {@link checkResource} accepted; throws on one that it would refuse. */
export function compileRoute(route: HttpRoute): CompiledRoute {
  const matches: CompiledMatch[] = [];
  for (const [index, rule] of route.rules.entries()) {
    const compiled = compileRule(route, rule, index);
    for (const [at, match] of rule.matches.entries()) matches.push(compileMatch(compiled, match, at));
  }
  return { key: `${route.namespace}/${route.name}`, route, matches };
}

function compileRule(route: HttpRoute, rule: HttpRouteRule, index: number): CompiledRule {
  const filters = compileFilters(rule.filters);
  const backends = rule.backends.map((backend): CompiledBackend => {
    const own =
      backend.filters.length === 0 ? filters : compileFilters([...rule.filters, ...backend.filters]);
    const service = backend.service;
    return {
      serviceKey: service === null ? null : `${service.namespace}/${service.name}`,
      port: service?.port ?? 0,
      weight: backend.weight,
      filters: own,
      kept: null,
    };
  });
  return {
    route,
    rule,
    index,
    label: `${route.namespace}/${route.name}/${rule.name === '' ? index : rule.name}`,
    redirect: filters.redirect,
    filters,
    backends,
    totalWeight: backends.reduce((sum, backend) => sum + backend.weight, 0),
    retry: compileRetry(rule.retry),
  };
}

function compileMatch(rule: CompiledRule, match: HttpRouteMatch, index: number): CompiledMatch {
  const path = compilePath(match);
  return {
    rule,
    index,
    ...path,
    specificity: specificityOf(match),
    prefixLength: path.pathKind === 'prefix' ? path.path.length : 0,
    method: match.method ?? null,
    headers: compileNamed(match.headers, (name) => name.toLowerCase()),
    queryParams: compileNamed(match.queryParams, (name) => name),
  };
}

function compilePath(match: HttpRouteMatch): Pick<CompiledMatch, 'pathKind' | 'path' | 'pathRegex'> {
  switch (match.path.type) {
    case 'Exact':
      return { pathKind: 'exact', path: normalizePath(match.path.value), pathRegex: null };
    case 'PathPrefix': {
      const path = normalizePath(match.path.value);
      return { pathKind: 'prefix', path: path.endsWith('/') ? path.slice(0, -1) : path, pathRegex: null };
    }
    case 'RegularExpression':
      return regexPath(match.path.value);
    case 'GrpcExact': {
      const { service, method } = match.path;
      if (service === '') return regexPath(grpcExpression(match.path));
      if (method === '') return { pathKind: 'prefix', path: `/${service}`, pathRegex: null };
      return { pathKind: 'exact', path: `/${service}/${method}`, pathRegex: null };
    }
    case 'GrpcRegularExpression':
      return regexPath(grpcExpression(match.path));
  }
}

function regexPath(source: string): Pick<CompiledMatch, 'pathKind' | 'path' | 'pathRegex'> {
  return { pathKind: 'regex', path: source, pathRegex: regexOf(source) };
}

/** GRPCRoute's order among expressions: the longer service, then the longer method (GRPCRouteRule.matches). */
function specificityOf({ path }: HttpRouteMatch): number {
  if (path.type !== 'GrpcExact' && path.type !== 'GrpcRegularExpression') return 0;
  return path.service.length * (maxRegexLength + 1) + path.method.length;
}

/** Of entries with equivalent names only the first counts (HTTPHeaderMatch, HTTPQueryParamMatch). */
function compileNamed(entries: readonly NamedMatch[], fold: (name: string) => string): CompiledNamed[] {
  const byName = new Map<string, CompiledNamed>();
  for (const { name, match } of entries) {
    const folded = fold(name);
    if (!byName.has(folded)) byName.set(folded, { name: folded, ...compileString(match) });
  }
  return [...byName.values()];
}

function compileString(match: StringMatch): Pick<CompiledNamed, 'exact' | 'regex'> {
  if (match.type === 'Exact') return { exact: match.value, regex: null };
  return { exact: null, regex: regexOf(match.value) };
}

function regexOf(source: string): Regex {
  const regex = compileRegex(source);
  if ('message' in regex) throw new Error(`regular expression ${source}: ${regex.message}`);
  return regex;
}
