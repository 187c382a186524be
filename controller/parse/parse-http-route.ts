/** gateway.networking.k8s.io/v1 HTTPRoute as Gateway API v1.6 defines it, for parents of kind Service (GAMMA). */
import type { HttpFilter, HttpRouteMatch, HttpRouteRule, Retry } from '../../model/route.js';
import { parseDuration } from './duration.js';
import type { Fields } from './fields.js';
import type { RouteManifest } from './manifest.js';
import type { ObjectMetadata } from './object-metadata.js';
import { httpFilters, parseFilters } from './parse-http-filter.js';
import { parseMatch } from './parse-http-match.js';
import {
  maxMatches,
  type ParsedRule,
  parseRoute,
  type RouteForm,
  readBackend,
  refuseSessionPersistence,
} from './parse-route.js';
import { dnsSubdomain } from './text-rules.js';

/** Where `retry` says no number: GEP-1731 leaves it to the implementation. */
const defaultAttempts = 2;
const defaultBackoffMs = 25;
/** 2^32 - 1 milliseconds travel; Gateway API's own limit is higher than anybody waits. */
const maxDurationMs = 4_294_967_295;

const everyPath: HttpRouteMatch = {
  path: { type: 'PathPrefix', value: '/' },
  headers: [],
  queryParams: [],
  method: undefined,
};

const httpForm: RouteForm = {
  manifestKind: 'HTTPRoute',
  kind: 'http-route',
  everything: everyPath,
  readRule,
};

export function parseHttpRoute(object: Fields, metadata: ObjectMetadata): RouteManifest | null {
  return parseRoute(httpForm, object, metadata);
}

function readRule(rule: Fields, namespace: string): ParsedRule {
  const matches = rule.objects('matches', maxMatches).map(parseMatch);
  const backends = rule
    .objects('backendRefs', 16)
    .map((ref) => readBackend(ref, namespace, (owner) => readBackendFilters(owner, matches)));
  const filters = parseFilters(rule, httpFilters, matches);
  const timeouts = readTimeouts(rule);
  const retry = rule.object('retry');
  const name = rule.text('name', dnsSubdomain) ?? '';
  const parsed: HttpRouteRule = {
    name,
    matches: matches.length === 0 ? [everyPath] : matches,
    filters,
    backends: backends.map(({ backend }) => backend),
    ...timeouts,
    retry: retry === undefined ? undefined : readRetry(retry),
  };
  refuseSessionPersistence(rule);
  if (filters.some((filter) => filter.type === 'RequestRedirect') && backends.length > 0) {
    rule.problem('backendRefs', 'cannot stand beside a RequestRedirect filter', 'remove one of them');
  }
  rule.finish();
  return { rule: parsed, references: backends.map(({ reference }) => reference) };
}

/** A redirect is answered before a backend is chosen. */
function readBackendFilters(ref: Fields, matches: readonly HttpRouteMatch[]): HttpFilter[] {
  const filters = parseFilters(ref, httpFilters, matches);
  if (filters.some((filter) => filter.type === 'RequestRedirect')) {
    const message = 'cannot hold a RequestRedirect: a backend is chosen already';
    ref.problem('filters', message, 'move it to the rule');
  }
  return filters;
}

/** Milliseconds; absent and "0s" are no limit (GEP-1742). */
function readTimeouts(rule: Fields): { requestTimeoutMs: number; backendTimeoutMs: number } {
  const timeouts = rule.object('timeouts');
  const requestTimeoutMs = readDuration(timeouts, 'request') ?? 0;
  const backendTimeoutMs = readDuration(timeouts, 'backendRequest') ?? 0;
  if (requestTimeoutMs > 0 && backendTimeoutMs > requestTimeoutMs) {
    timeouts?.problem('backendRequest', 'is longer than request', 'make it at most as long');
  }
  timeouts?.finish();
  return { requestTimeoutMs, backendTimeoutMs };
}

function readDuration(fields: Fields | undefined, name: string): number | undefined {
  const text = fields?.text(name);
  if (fields === undefined || text === undefined) return undefined;
  const duration = parseDuration(text);
  if (duration !== null && duration <= maxDurationMs) return duration;
  fields.problem(name, 'is no duration', 'write up to four of <number><h|m|s|ms>, such as 1m30s or 500ms');
  return undefined;
}

function readRetry(retry: Fields): Retry {
  const codes = retry.numbers('codes', 64, 400, 599);
  const attempts = retry.number('attempts', 0, 100) ?? defaultAttempts;
  const backoffMs = readDuration(retry, 'backoff') ?? defaultBackoffMs;
  retry.finish();
  return { codes: [...new Set(codes)], attempts, backoffMs };
}
