/** HTTPRoutes and GRPCRoutes, which share a message, to the model. */
import type {
  HeaderEdits,
  HttpFilter,
  HttpRoute,
  HttpRouteMatch,
  HttpRouteRule,
  NamedMatch,
  PathEdit,
  PathMatch,
  Retry,
  RouteKind,
} from '../model/route.js';
import { checkName, checkNumber, checkPort, checkText } from './check-values.js';
import type {
  ReceivedHeaderEdits,
  ReceivedHttpFilter,
  ReceivedHttpRoute,
  ReceivedHttpRouteMatch,
  ReceivedHttpRouteRule,
  ReceivedNamedMatch,
  ReceivedPathEdit,
  ReceivedServiceRef,
} from './messages.js';
import type { ProblemList } from './problem-list.js';

const redirectCodes = [301, 302, 303, 307, 308] as const;

export function decodeHttpRoute(
  kind: RouteKind,
  message: ReceivedHttpRoute,
  problems: ProblemList,
): HttpRoute {
  return {
    kind,
    namespace: checkText(problems, 'httpRoute.namespace', message.namespace),
    name: checkText(problems, 'httpRoute.name', message.name),
    parents: message.parents.map(({ namespace, name, port }, index) => ({
      namespace: checkText(problems, `httpRoute.parents[${index}].namespace`, namespace),
      name: checkText(problems, `httpRoute.parents[${index}].name`, name),
      port: optionalPort(problems, `httpRoute.parents[${index}].port`, port),
    })),
    hostnames: message.hostnames.map((host, index) =>
      checkText(problems, `httpRoute.hostnames[${index}]`, host),
    ),
    rules: message.rules.map((rule, index) => decodeRule(rule, `httpRoute.rules[${index}]`, problems)),
    createdMs: checkNumber(problems, 'httpRoute.createdMs', message.createdMs, 0, Number.MAX_SAFE_INTEGER),
  };
}

function decodeRule(rule: ReceivedHttpRouteRule, field: string, problems: ProblemList): HttpRouteRule {
  if (rule.matches.length === 0) {
    problems.add(
      `${field}.matches`,
      '[]',
      'is empty',
      'send one match of the path prefix / for every request',
    );
  }
  const filters = (list: readonly ReceivedHttpFilter[], at: string) =>
    list.map((filter, index) => decodeFilter(filter, `${at}.filters[${index}]`, problems));
  return {
    name: rule.name,
    matches: rule.matches.map((match, index) => decodeMatch(match, `${field}.matches[${index}]`, problems)),
    filters: filters(rule.filters, field),
    backends: rule.backends.map((backend, index) => ({
      service: decodeServiceRef(backend.service, `${field}.backends[${index}].service`, problems),
      weight: checkNumber(problems, `${field}.backends[${index}].weight`, backend.weight, 0, 1_000_000),
      filters: filters(backend.filters, `${field}.backends[${index}]`),
    })),
    requestTimeoutMs: rule.requestTimeoutMs,
    backendTimeoutMs: rule.backendTimeoutMs,
    retry: rule.retry === null ? undefined : decodeRetry(rule.retry, `${field}.retry`, problems),
  };
}

function decodeServiceRef(ref: ReceivedServiceRef | null, field: string, problems: ProblemList) {
  if (ref === null) return null;
  return {
    namespace: checkText(problems, `${field}.namespace`, ref.namespace),
    name: checkText(problems, `${field}.name`, ref.name),
    port: checkPort(problems, `${field}.port`, ref.port),
  };
}

function decodeRetry(
  retry: NonNullable<ReceivedHttpRouteRule['retry']>,
  field: string,
  problems: ProblemList,
): Retry {
  return {
    codes: retry.codes.map((code, index) =>
      checkNumber(problems, `${field}.codes[${index}]`, code, 400, 599),
    ),
    attempts: retry.attempts,
    backoffMs: retry.backoffMs,
  };
}

function decodeMatch(match: ReceivedHttpRouteMatch, field: string, problems: ProblemList): HttpRouteMatch {
  return {
    path: decodePath(match, field, problems),
    headers: decodeNamedMatches(match.headers, `${field}.headers`, problems),
    queryParams: decodeNamedMatches(match.queryParams, `${field}.queryParams`, problems),
    method: match.method === '' ? undefined : match.method,
  };
}

function decodePath(match: ReceivedHttpRouteMatch, field: string, problems: ProblemList): PathMatch {
  const type = checkName(problems, `${field}.pathType`, match.pathType, [
    'Exact',
    'PathPrefix',
    'RegularExpression',
    'GrpcExact',
    'GrpcRegularExpression',
  ]);
  switch (type) {
    case 'Exact':
    case 'PathPrefix':
    case 'RegularExpression':
      return { type, value: checkText(problems, `${field}.pathValue`, match.pathValue) };
    case 'GrpcExact':
    case 'GrpcRegularExpression':
      return { type, service: match.grpcService, method: match.grpcMethod };
  }
}

function decodeNamedMatches(
  list: readonly ReceivedNamedMatch[],
  field: string,
  problems: ProblemList,
): NamedMatch[] {
  return list.map(({ name, type, value }, index) => ({
    name: checkText(problems, `${field}[${index}].name`, name),
    match: {
      type: checkName(problems, `${field}[${index}].type`, type, ['Exact', 'RegularExpression']),
      value,
    },
  }));
}

function decodeFilter(filter: ReceivedHttpFilter, field: string, problems: ProblemList): HttpFilter {
  if (filter.requestHeaderModifier) {
    return { type: 'RequestHeaderModifier', edits: copyEdits(filter.requestHeaderModifier) };
  }
  if (filter.responseHeaderModifier) {
    return { type: 'ResponseHeaderModifier', edits: copyEdits(filter.responseHeaderModifier) };
  }
  if (filter.requestRedirect) {
    return decodeRedirect(filter.requestRedirect, `${field}.requestRedirect`, problems);
  }
  if (filter.urlRewrite) {
    return {
      type: 'URLRewrite',
      hostname: filter.urlRewrite.hostname || undefined,
      path: decodePathEdit(filter.urlRewrite.path, `${field}.urlRewrite.path`, problems),
    };
  }
  problems.add(field, '', 'is a filter that this build does not know', 'upgrade this side');
  return { type: 'URLRewrite', hostname: undefined, path: undefined };
}

function decodeRedirect(
  redirect: NonNullable<ReceivedHttpFilter['requestRedirect']>,
  field: string,
  problems: ProblemList,
): HttpFilter {
  const { scheme, hostname, path, port } = redirect;
  const statusCode = redirectCodes.find((code) => code === redirect.statusCode);
  if (statusCode === undefined) {
    problems.add(
      `${field}.statusCode`,
      redirect.statusCode,
      'is no redirect status',
      redirectCodes.join(', '),
    );
  }
  return {
    type: 'RequestRedirect',
    scheme: scheme === '' ? undefined : checkName(problems, `${field}.scheme`, scheme, ['http', 'https']),
    hostname: hostname || undefined,
    path: decodePathEdit(path, `${field}.path`, problems),
    port: optionalPort(problems, `${field}.port`, port),
    statusCode: statusCode ?? 302,
  };
}

function decodePathEdit(
  edit: ReceivedPathEdit | null,
  field: string,
  problems: ProblemList,
): PathEdit | undefined {
  if (edit === null) return undefined;
  const type = checkName(problems, `${field}.type`, edit.type, ['ReplaceFullPath', 'ReplacePrefixMatch']);
  return { type, value: edit.value };
}

function copyEdits(edits: ReceivedHeaderEdits): HeaderEdits {
  return { set: edits.set, add: edits.add, remove: edits.remove };
}

/** 0 on the wire is absent. */
function optionalPort(problems: ProblemList, field: string, port: number): number | undefined {
  return port === 0 ? undefined : checkPort(problems, field, port);
}
