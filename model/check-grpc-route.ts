/** What is true of GRPCRoutes beyond what they share with HTTPRoutes: gRPC requests only, headers edited only. */
import { checkRegex } from './check-regex.js';
import { type GrpcMethodMatch, grpcExpression } from './grpc-expression.js';
import { problem } from './problem.js';
import type { Problem } from './resource.js';
import type { HttpRouteMatch, HttpRouteRule, RouteKind } from './route.js';

/** Gateway API's own patterns of GRPCMethodMatch. */
const serviceName = /^\.?[A-Za-z_][A-Za-z_0-9]*(?:\.[A-Za-z_][A-Za-z_0-9]*)*$/;
const methodName = /^[A-Za-z_][A-Za-z_0-9]*$/;

/** Whether a rule is one of its route's kind. */
export function checkRuleKind(kind: RouteKind, rule: HttpRouteRule, at: string): Problem[] {
  const problems = rule.matches.flatMap((match, index) =>
    checkMatchKind(kind, match, `${at}.matches[${index}]`),
  );
  if (kind === 'http-route') return problems;
  const filters = [
    ...rule.filters.map((filter, index) => [`${at}.filters[${index}].type`, filter.type] as const),
    ...rule.backends.flatMap((backend, place) =>
      backend.filters.map(
        (filter, index) => [`${at}.backendRefs[${place}].filters[${index}].type`, filter.type] as const,
      ),
    ),
  ];
  for (const [field, type] of filters) {
    if (type === 'RequestHeaderModifier' || type === 'ResponseHeaderModifier') continue;
    problems.push(problem(field, type, 'is no filter of a GRPCRoute', 'modify headers only'));
  }
  return problems;
}

function checkMatchKind(kind: RouteKind, match: HttpRouteMatch, at: string): Problem[] {
  const { path } = match;
  const ofMethods = path.type === 'GrpcExact' || path.type === 'GrpcRegularExpression';
  if (kind === 'http-route') {
    if (!ofMethods) return [];
    return [problem(`${at}.path.type`, path.type, 'only a GRPCRoute matches gRPC methods', 'use Exact')];
  }
  const everyMethod = path.type === 'PathPrefix' && path.value === '/';
  if ((ofMethods || everyMethod) && match.method === 'POST' && match.queryParams.length === 0) return [];
  const message = 'a GRPCRoute matches POST, by service, method and headers';
  return [problem(at, path.type, message, 'use an HTTPRoute for anything else')];
}

/** The parts of a match of methods, at `field.service` and `field.method`. */
export function checkGrpcMethod(match: GrpcMethodMatch, field: string): Problem[] {
  const { type, service, method } = match;
  if (service === '' && method === '') {
    return [problem(field, '{}', 'names neither service nor method', 'give one, or leave it out for any')];
  }
  if (type === 'GrpcExact') {
    const problems: Problem[] = [];
    if (service !== '' && !serviceName.test(service)) {
      const message = 'no name of a gRPC service';
      problems.push(problem(`${field}.service`, service, message, 'write for example shop.v1.Cart'));
    }
    if (method !== '' && !methodName.test(method)) {
      const message = 'no name of a gRPC method';
      problems.push(problem(`${field}.method`, method, message, 'write for example GetCart'));
    }
    return problems;
  }
  // Each by itself first: a stray parenthesis must not reach into the other one.
  const problems = [
    ...(service === '' ? [] : checkRegex(service, `${field}.service`)),
    ...(method === '' ? [] : checkRegex(method, `${field}.method`)),
  ];
  return problems.length > 0 ? problems : checkRegex(grpcExpression(match), field);
}
