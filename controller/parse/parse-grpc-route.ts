/** gateway.networking.k8s.io/v1 GRPCRoute as Gateway API v1.6 defines it, for parents of kind Service (GAMMA). */
import { maxRegexLength } from '../../model/compile-regex.js';
import type { HttpRouteMatch, PathMatch } from '../../model/route.js';
import type { Fields } from './fields.js';
import type { RouteManifest } from './manifest.js';
import type { ObjectMetadata } from './object-metadata.js';
import { grpcFilters, parseFilters } from './parse-http-filter.js';
import { readHeaderMatches } from './parse-http-match.js';
import {
  maxMatches,
  type ParsedRule,
  parseRoute,
  type RouteForm,
  readBackend,
  refuseSessionPersistence,
} from './parse-route.js';
import { dnsSubdomain } from './text-rules.js';

/** gRPC requests are POST (gRPC over HTTP2, Requests). */
const everyCall: HttpRouteMatch = {
  path: { type: 'PathPrefix', value: '/' },
  headers: [],
  queryParams: [],
  method: 'POST',
};

const grpcForm: RouteForm = {
  manifestKind: 'GRPCRoute',
  kind: 'grpc-route',
  everything: everyCall,
  readRule,
};

export function parseGrpcRoute(object: Fields, metadata: ObjectMetadata): RouteManifest | null {
  return parseRoute(grpcForm, object, metadata);
}

function readRule(rule: Fields, namespace: string): ParsedRule {
  const matches = rule.objects('matches', maxMatches).map(readMatch);
  const readFilters = (owner: Fields) => parseFilters(owner, grpcFilters, matches);
  const backends = rule.objects('backendRefs', 16).map((ref) => readBackend(ref, namespace, readFilters));
  const filters = readFilters(rule);
  const name = rule.text('name', dnsSubdomain) ?? '';
  refuseSessionPersistence(rule);
  rule.finish();
  return {
    rule: {
      name,
      matches: matches.length === 0 ? [everyCall] : matches,
      filters,
      backends: backends.map(({ backend }) => backend),
      requestTimeoutMs: 0,
      backendTimeoutMs: 0,
      retry: undefined,
    },
    references: backends.map(({ reference }) => reference),
  };
}

function readMatch(match: Fields): HttpRouteMatch {
  const method = match.object('method');
  const parsed: HttpRouteMatch = {
    ...everyCall,
    path: method === undefined ? everyCall.path : readMethod(method),
    headers: readHeaderMatches(match),
  };
  match.finish();
  return parsed;
}

/** Names and expressions themselves are the model's to check (checkGrpcMethod). */
function readMethod(fields: Fields): PathMatch {
  const type = fields.oneOf('type', ['Exact', 'RegularExpression']) ?? 'Exact';
  const rule = { pattern: /./s, most: maxRegexLength, describe: 'a name that is not empty' };
  const service = fields.text('service', rule) ?? '';
  const method = fields.text('method', rule) ?? '';
  if (!fields.has('service') && !fields.has('method')) {
    fields.problem('service', 'and method are both missing', 'give one of them, or leave method out for any');
  }
  fields.finish();
  return { type: type === 'Exact' ? 'GrpcExact' : 'GrpcRegularExpression', service, method };
}
