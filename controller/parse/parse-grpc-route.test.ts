import { parse } from 'yaml';
import { formatPath } from './field-problem.js';
import type { RouteManifest } from './manifest.js';
import { parseManifest } from './parse-manifest.js';

/** Parses a GRPCRoute whose spec is given as YAML. */
function parseSpec(spec: string) {
  return parseManifest({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GRPCRoute',
    metadata: { name: 'r', namespace: 'shop' },
    spec: parse(spec),
  });
}

const parent = 'parentRefs: [{group: "", kind: Service, name: web}]\n';
const ruleOf = (rule: string) => `${parent}rules: [${rule}]`;

function route(spec: string): RouteManifest['route'] {
  const parsed = parseSpec(spec);
  if (parsed.type !== 'manifest') throw new Error(JSON.stringify(parsed));
  return (parsed.manifest as RouteManifest).route;
}

test('all that core and extended support has arrives in the model', () => {
  const parsed = route(`
parentRefs: [{group: "", kind: Service, name: web, namespace: other, port: 90}, {name: gateway}]
hostnames: [ledger.example, "*.shop.example"]
rules:
- name: one
  matches:
  - method: {service: shop.v1.Ledger, method: Get}
    headers: [{name: X-Version, value: v1}, {name: x-version, value: ignored}, {name: ua, type: RegularExpression, value: "a+b"}]
  - method: {type: Exact, method: List}
  - method: {type: RegularExpression, service: "shop[.].*"}
  - headers: [{name: a, value: b}]
  filters:
  - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-A, value: "1"}]}}
  backendRefs:
  - {name: web, port: 90, weight: 9, filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {remove: [server]}}]}
  - {name: web, port: 91}
- {}
`);
  expect(parsed).toMatchObject({
    kind: 'grpc-route',
    parents: [{ namespace: 'other', name: 'web', port: 90 }],
    hostnames: ['ledger.example', '*.shop.example'],
  });
  expect(parsed.rules[0]).toMatchObject({
    name: 'one',
    matches: [
      {
        path: { type: 'GrpcExact', service: 'shop.v1.Ledger', method: 'Get' },
        headers: [
          { name: 'x-version', match: { type: 'Exact', value: 'v1' } },
          { name: 'ua', match: { type: 'RegularExpression', value: 'a+b' } },
        ],
        method: 'POST',
      },
      { path: { type: 'GrpcExact', service: '', method: 'List' } },
      { path: { type: 'GrpcRegularExpression', service: 'shop[.].*', method: '' } },
      { path: { type: 'PathPrefix', value: '/' }, headers: [{ name: 'a' }], method: 'POST' },
    ],
    filters: [{ type: 'RequestHeaderModifier', edits: { set: [{ name: 'x-a', value: '1' }] } }],
    backends: [{ weight: 9, filters: [{ type: 'ResponseHeaderModifier' }] }, { weight: 1 }],
  });
  const everyCall = {
    path: { type: 'PathPrefix', value: '/' },
    headers: [],
    queryParams: [],
    method: 'POST',
  };
  expect(parsed.rules[1]?.matches).toEqual([everyCall]);
  expect(route(parent).rules[0]?.matches).toEqual([everyCall]);
});

const match = (text: string) => ruleOf(`{matches: [${text}], backendRefs: [{name: web, port: 90}]}`);
const filter = (text: string) => ruleOf(`{filters: [${text}]}`);

test.each([
  ['an empty method match', match('{method: {}}'), /method.service: and method are both missing/],
  ['an empty service', match('{method: {service: ""}}'), /method.service: is malformed/],
  ['a path as service', match('{method: {service: a/b}}'), /method.service: no name of a gRPC service/],
  ['a method with a dot', match('{method: {method: a.b}}'), /method.method: no name of a gRPC method/],
  ['an unknown type', match('{method: {type: Prefix, service: a}}'), /method.type: is not a known value/],
  [
    'look-ahead',
    match('{method: {type: RegularExpression, method: "(?=a)"}}'),
    /matches\[0\].method.method: .*RE2/,
  ],
  ['a path', match('{path: {value: /a}}'), /matches\[0\].path: is not a known field/],
  ['query parameters', match('{queryParams: []}'), /queryParams: is not a known field/],
  ['a header without value', match('{headers: [{name: a}]}'), /headers\[0\].value: is missing/],
  [
    'a mirror',
    filter('{type: RequestMirror, requestMirror: {}}'),
    /filters\[0\].type: is not supported; supported are RequestHeaderModifier, ResponseHeaderModifier$/,
  ],
  ['a rewrite', filter('{type: URLRewrite, urlRewrite: {}}'), /filters\[0\].type: is not supported/],
  ['an unknown filter', filter('{type: Rewrite}'), /filters\[0\].type: is no known filter/],
  ['timeouts', ruleOf('{timeouts: {request: 1s}}'), /timeouts: is not a known field/],
  ['a retry', ruleOf('{retry: {attempts: 1}}'), /retry: is not a known field/],
  ['session persistence', ruleOf('{sessionPersistence: {}}'), /sessionPersistence: is not supported/],
  ['a backend without port', ruleOf('{backendRefs: [{name: web}]}'), /backendRefs\[0\].port: is missing/],
  ['a name twice', ruleOf('{name: a}, {name: a}'), /rules\[1\].name: is used twice/],
])('%s is refused, with its place', (_, spec, problem) => {
  const parsed = parseSpec(spec);
  const problems = parsed.type === 'refused' ? parsed.problems : [];
  expect(problems.map(({ path, message, fix }) => `${formatPath(path)}: ${message}; ${fix}`)).toEqual([
    expect.stringMatching(problem),
  ]);
});
