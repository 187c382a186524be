/** Invariants of routes: what Gateway API's own schema checks, and what only weft can know. */
import { checkGrpcMethod, checkRuleKind } from './check-grpc-route.js';
import { checkRegex } from './check-regex.js';
import { checkLength, isHeaderValue, isHostname, isPort, isToken, problem } from './problem.js';
import type { Problem } from './resource.js';
import type {
  Backend,
  HeaderEdits,
  HttpFilter,
  HttpRoute,
  HttpRouteMatch,
  HttpRouteRule,
  NamedMatch,
  PathEdit,
  PathMatch,
  StringMatch,
} from './route.js';

/** Entries of any one list; Gateway API's own limits are 16, and 64 for the matches of a rule. */
const maxEntries = 64;

/** Gateway API allows 1,000,000. */
const maxWeight = 1_000_000;

export function checkRoute(route: HttpRoute): Problem[] {
  const problems = [
    ...checkLength(route.parents, maxEntries, 'parentRefs'),
    ...checkLength(route.hostnames, maxEntries, 'hostnames'),
    ...checkLength(route.rules, maxEntries, 'rules'),
  ];
  for (const [index, host] of route.hostnames.entries()) {
    if (isHostname(host.startsWith('*.') ? host.slice(2) : host)) continue;
    const message = 'not a lower-case host name, with or without a leading *.';
    problems.push(
      problem(`hostnames[${index}]`, host, message, 'write for example shop.example or *.shop.example'),
    );
  }
  for (const [index, rule] of route.rules.entries()) {
    const at = `rules[${index}]`;
    problems.push(...checkRule(rule, at), ...checkRuleKind(route.kind, rule, at));
  }
  return problems;
}

function checkRule(rule: HttpRouteRule, at: string): Problem[] {
  const problems = [
    ...checkLength(rule.matches, maxEntries, `${at}.matches`),
    ...checkLength(rule.backends, maxEntries, `${at}.backendRefs`),
  ];
  if (rule.matches.length === 0) {
    const fix = 'leave matches out for every request, or list one';
    problems.push(problem(`${at}.matches`, '[]', 'a rule has at least one match', fix));
  }
  for (const [index, match] of rule.matches.entries())
    problems.push(...checkMatch(match, `${at}.matches[${index}]`));
  for (const [index, backend] of rule.backends.entries()) {
    problems.push(...checkBackend(backend, `${at}.backendRefs[${index}]`));
  }
  problems.push(...checkFilters(rule.filters, `${at}.filters`), ...checkRuleFilters(rule, at));
  if (rule.backendTimeoutMs > rule.requestTimeoutMs && rule.requestTimeoutMs > 0) {
    const message = 'an attempt may not outlast its request';
    const fix = `write at most ${rule.requestTimeoutMs}ms`;
    problems.push(problem(`${at}.timeouts.backendRequest`, `${rule.backendTimeoutMs}ms`, message, fix));
  }
  for (const [index, code] of (rule.retry?.codes ?? []).entries()) {
    if (Number.isInteger(code) && code >= 400 && code <= 599) continue;
    const message = 'only error statuses are tried again';
    problems.push(problem(`${at}.retry.codes[${index}]`, code, message, 'write a status from 400 to 599'));
  }
  return problems;
}

function checkMatch(match: HttpRouteMatch, at: string): Problem[] {
  const problems = [
    ...checkLength(match.headers, maxEntries, `${at}.headers`),
    ...checkLength(match.queryParams, maxEntries, `${at}.queryParams`),
  ];
  problems.push(...checkPath(match.path, at));
  if (match.method !== undefined && !/^[A-Z]+$/.test(match.method)) {
    const message = 'not a method in upper case';
    problems.push(problem(`${at}.method`, match.method, message, 'write for example GET'));
  }
  for (const [index, header] of match.headers.entries()) {
    const field = `${at}.headers[${index}]`;
    if (!isToken(header.name)) problems.push(badHeaderName(`${field}.name`, header.name));
    problems.push(...checkString(header.match, `${field}.value`));
  }
  for (const [index, param] of match.queryParams.entries()) {
    const field = `${at}.queryParams[${index}]`;
    if (param.name === '')
      problems.push(problem(`${field}.name`, '', 'the name is empty', 'name the parameter'));
    problems.push(...checkString(param.match, `${field}.value`));
  }
  return problems;
}

function checkPath(path: PathMatch, at: string): Problem[] {
  switch (path.type) {
    case 'Exact':
    case 'PathPrefix':
      return checkMatchPath(path.value, `${at}.path.value`);
    case 'RegularExpression':
      return checkRegex(path.value, `${at}.path.value`);
    case 'GrpcExact':
    case 'GrpcRegularExpression':
      return checkGrpcMethod(path, `${at}.method`);
  }
}

/** The path rules of HTTPPathMatch: such a value could never match a path's normal form. */
function checkMatchPath(value: string, field: string): Problem[] {
  if (!value.startsWith('/')) return [problem(field, value, 'a path begins with /', `write /${value}`)];
  const forbidden = ['//', '/./', '/../', '%2f', '%2F', '#', '?'].find((part) => value.includes(part));
  const ending = ['/..', '/.'].find((end) => value.endsWith(end));
  const found = forbidden ?? ending;
  if (found === undefined) return [];
  const message = `a path to match holds no ${found}`;
  return [problem(field, value, message, 'write the path as it is after dot segments are removed')];
}

function checkString(match: StringMatch, field: string): Problem[] {
  return match.type === 'RegularExpression' ? checkRegex(match.value, field) : [];
}

function checkBackend(backend: Backend, at: string): Problem[] {
  const problems = checkFilters(backend.filters, `${at}.filters`);
  if (!Number.isInteger(backend.weight) || backend.weight < 0 || backend.weight > maxWeight) {
    const message = `a weight is a whole number from 0 to ${maxWeight}`;
    problems.push(problem(`${at}.weight`, backend.weight, message, 'write for example 90'));
  }
  if (backend.service !== null && !isPort(backend.service.port)) {
    problems.push(problem(`${at}.port`, backend.service.port, 'not a port', 'write the port of the service'));
  }
  for (const [index, filter] of backend.filters.entries()) {
    if (filter.type !== 'RequestRedirect') continue;
    const message = 'a backend cannot redirect: a redirect is answered before a backend is chosen';
    problems.push(
      problem(`${at}.filters[${index}].type`, filter.type, message, "move it to the rule's filters"),
    );
  }
  return problems;
}

function checkFilters(filters: readonly HttpFilter[], at: string): Problem[] {
  const each = filters.flatMap((filter, index) => checkFilter(filter, `${at}[${index}]`));
  return [...checkLength(filters, maxEntries, at), ...each];
}

function checkFilter(filter: HttpFilter, at: string): Problem[] {
  switch (filter.type) {
    case 'RequestHeaderModifier':
      return checkEdits(filter.edits, `${at}.requestHeaderModifier`);
    case 'ResponseHeaderModifier':
      return checkEdits(filter.edits, `${at}.responseHeaderModifier`);
    case 'RequestRedirect':
      return checkUrlParts(filter, `${at}.requestRedirect`);
    case 'URLRewrite':
      return checkUrlParts({ ...filter, port: undefined }, `${at}.urlRewrite`);
  }
}

function checkUrlParts(
  parts: { hostname: string | undefined; path: PathEdit | undefined; port: number | undefined },
  at: string,
): Problem[] {
  const problems: Problem[] = [];
  if (parts.hostname !== undefined && !isHostname(parts.hostname)) {
    const message = 'not a lower-case host name';
    problems.push(problem(`${at}.hostname`, parts.hostname, message, 'write for example shop.example'));
  }
  if (parts.port !== undefined && !isPort(parts.port)) {
    problems.push(problem(`${at}.port`, parts.port, 'not a port', 'write a whole number from 1 to 65535'));
  }
  if (parts.path !== undefined && !/^[!-"$->@-~]*$/.test(parts.path.value)) {
    const message = 'a path holds visible ASCII characters other than # and ?';
    problems.push(problem(`${at}.path`, parts.path.value, message, 'percent-encode the others'));
  }
  return problems;
}

/** Headers that decide where a message ends or which connection it uses belong to the engine. */
const reservedHeaders = new Set([
  'host',
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function checkEdits(edits: HeaderEdits, at: string): Problem[] {
  const problems = (['set', 'add', 'remove'] as const).flatMap((kind) =>
    checkLength(edits[kind], maxEntries, `${at}.${kind}`),
  );
  const names = [
    ...edits.set.map(({ name }, index) => [`set[${index}].name`, name] as const),
    ...edits.add.map(({ name }, index) => [`add[${index}].name`, name] as const),
    ...edits.remove.map((name, index) => [`remove[${index}]`, name] as const),
  ];
  for (const [field, name] of names) {
    if (!isToken(name)) problems.push(badHeaderName(`${at}.${field}`, name));
    if (!reservedHeaders.has(name.toLowerCase())) continue;
    const message = `${name} frames the message or names its target and cannot be edited`;
    problems.push(
      problem(`${at}.${field}`, name, message, 'remove it; a URLRewrite filter changes the host'),
    );
  }
  for (const kind of ['set', 'add'] as const) {
    for (const [index, { value }] of edits[kind].entries()) {
      if (isHeaderValue(value)) continue;
      const message = 'a header value holds no control characters, and no white space at its ends';
      problems.push(problem(`${at}.${kind}[${index}].value`, value, message, 'remove them'));
    }
  }
  return problems;
}

/** What filters need of the rest of their rule. */
function checkRuleFilters(rule: HttpRouteRule, at: string): Problem[] {
  const problems: Problem[] = [];
  const redirects = rule.filters.some((filter) => filter.type === 'RequestRedirect');
  const rewrites = rule.filters.some((filter) => filter.type === 'URLRewrite');
  if (redirects && (rewrites || rule.backends.length > 0)) {
    const message = 'a rule that redirects forwards nothing: it has no URLRewrite and no backends';
    problems.push(problem(`${at}.filters`, 'RequestRedirect', message, 'remove the one or the other'));
  }
  const all = [...rule.filters, ...rule.backends.flatMap((backend) => backend.filters)];
  const replacesPrefix = all.some(
    (filter) =>
      (filter.type === 'RequestRedirect' || filter.type === 'URLRewrite') &&
      filter.path?.type === 'ReplacePrefixMatch',
  );
  if (replacesPrefix && rule.matches.some((match) => match.path.type !== 'PathPrefix')) {
    const message = 'ReplacePrefixMatch needs a prefix: every match of its rule must be a PathPrefix';
    problems.push(
      problem(`${at}.filters`, 'ReplacePrefixMatch', message, 'use ReplaceFullPath or split the rule'),
    );
  }
  return problems;
}

function badHeaderName(field: string, name: NamedMatch['name']): Problem {
  return problem(field, name, 'not a header name (RFC 9110 section 5.1)', 'write for example x-version');
}
