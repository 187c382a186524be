/** gateway.networking.k8s.io/v1 HTTPRoute as Gateway API v1.6 defines it, for parents of kind Service (GAMMA). */
import type { HttpRouteMatch, HttpRouteRule, Retry, RouteParent } from '../../model/route.js';
import { parseDuration } from './duration.js';
import { fieldProblem } from './field-problem.js';
import type { Fields } from './fields.js';
import type { BackendReference, HttpRouteManifest } from './manifest.js';
import type { ObjectMetadata } from './object-metadata.js';
import { parseFilters } from './parse-http-filter.js';
import { parseMatch } from './parse-http-match.js';
import { dnsLabel, dnsSubdomain, hostname } from './text-rules.js';

/** Gateway API: at most 16 rules, 64 matches a rule, 128 in all. */
const maxRules = 16;
const maxMatches = 64;
const maxMatchesInAll = 128;
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

interface ParsedRule {
  readonly rule: HttpRouteRule;
  readonly references: readonly BackendReference[];
}

export function parseHttpRoute(object: Fields, metadata: ObjectMetadata): HttpRouteManifest | null {
  const { namespace, name, createdMs } = metadata;
  const spec = object.object('spec');
  object.ignore('status');
  if (spec === undefined) {
    if (!object.has('spec')) object.problem('spec', 'is missing', 'add spec with parentRefs and rules');
    return null;
  }
  const parents = spec.objects('parentRefs', 32).flatMap((ref) => readParent(ref, namespace));
  const hostnames = spec.texts('hostnames', 16, hostname);
  const parsed = readRules(spec, namespace);
  spec.finish();
  checkRules(spec, parsed);
  return {
    id: { kind: 'HTTPRoute', namespace, name },
    route: { namespace, name, parents, hostnames, rules: parsed.map(({ rule }) => rule), createdMs },
    references: parsed.map(({ references }) => references),
  };
}

/** Gateways and other parents are somebody else's to serve, so they are left out here. */
function readParent(ref: Fields, routeNamespace: string): RouteParent[] {
  const group = ref.text('group') ?? 'gateway.networking.k8s.io';
  const kind = ref.text('kind') ?? 'Gateway';
  const name = ref.requiredText('name', dnsSubdomain);
  const namespace = ref.text('namespace', dnsLabel) ?? routeNamespace;
  const port = ref.number('port', 1, 65_535);
  const section = ref.text('sectionName');
  ref.finish();
  if (kind === 'Service' && group !== '') {
    ref.problem('group', 'is not the group of Service', 'write group: ""');
    return [];
  }
  if (kind !== 'Service') return [];
  if (section !== undefined) ref.problem('sectionName', 'is not supported for a Service', 'use port');
  return name === undefined ? [] : [{ namespace, name, port }];
}

function readRules(spec: Fields, namespace: string): ParsedRule[] {
  if (!spec.has('rules')) {
    const rule = { name: '', matches: [everyPath], filters: [], backends: [], retry: undefined };
    return [{ rule: { ...rule, requestTimeoutMs: 0, backendTimeoutMs: 0 }, references: [] }];
  }
  return spec.objects('rules', maxRules).map((rule) => readRule(rule, namespace));
}

function readRule(rule: Fields, namespace: string): ParsedRule {
  const matches = rule.objects('matches', maxMatches).map(parseMatch);
  const backends = rule.objects('backendRefs', 16).map((ref) => readBackend(ref, namespace, matches));
  const filters = parseFilters(rule, matches);
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
  if (rule.has('sessionPersistence')) {
    rule.problem('sessionPersistence', 'is not supported', 'remove it');
  }
  if (filters.some((filter) => filter.type === 'RequestRedirect') && backends.length > 0) {
    rule.problem('backendRefs', 'cannot stand beside a RequestRedirect filter', 'remove one of them');
  }
  rule.finish();
  return { rule: parsed, references: backends.map(({ reference }) => reference) };
}

function readBackend(ref: Fields, routeNamespace: string, matches: readonly HttpRouteMatch[]) {
  const name = ref.requiredText('name', dnsSubdomain) ?? '';
  const kind = ref.text('kind') ?? 'Service';
  const group = ref.text('group') ?? '';
  const namespace = ref.text('namespace', dnsLabel) ?? routeNamespace;
  const port = ref.number('port', 1, 65_535);
  if (!ref.has('port') && kind === 'Service' && group === '') {
    ref.problem('port', 'is missing', "add the service's port number");
  }
  const weight = ref.number('weight', 0, 1_000_000) ?? 1;
  const filters = parseFilters(ref, matches);
  if (filters.some((filter) => filter.type === 'RequestRedirect')) {
    ref.problem(
      'filters',
      'cannot hold a RequestRedirect: a backend is chosen already',
      'move it to the rule',
    );
  }
  ref.finish();
  return {
    backend: { service: null, weight, filters },
    reference: { group, kind, namespace, name, port: port ?? 0 },
  };
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

/** What holds over all rules of a route. */
function checkRules(spec: Fields, parsed: readonly ParsedRule[]): void {
  const total = parsed.reduce((sum, { rule }) => sum + rule.matches.length, 0);
  if (total > maxMatchesInAll) {
    spec.problem('rules', `hold ${total} matches, at most ${maxMatchesInAll} are allowed`, 'split the route');
  }
  const seen = new Set<string>();
  for (const [index, { rule }] of parsed.entries()) {
    if (rule.name !== '' && seen.has(rule.name)) {
      const path = [...spec.path, 'rules', index, 'name'];
      spec.problems.push(fieldProblem(path, rule.name, 'is used twice', 'give each rule its own name'));
    }
    seen.add(rule.name);
  }
}
