import { checkResource } from './check-resource.js';
import type { Resource } from './resource.js';
import type { HttpFilter, HttpRouteRule } from './route.js';
import {
  endpoint,
  endpointSet,
  httpAttributes,
  mesh,
  pathMatch,
  policy,
  policyRule,
  resource,
  route,
  rule,
  service,
  workload,
} from './test-resources.js';

function fields(of: Resource): string[] {
  return checkResource(of).map(({ field }) => field);
}

const routeWith = (changes: Partial<HttpRouteRule>) =>
  resource('http-route', route({ rules: [rule(changes)] }));
const edits = (changes: object) => ({ set: [], add: [], remove: [], ...changes });
const editing = (changes: object): HttpFilter => ({ type: 'RequestHeaderModifier', edits: edits(changes) });
const redirect = (changes: object): HttpFilter => ({
  type: 'RequestRedirect',
  scheme: undefined,
  hostname: undefined,
  path: undefined,
  port: undefined,
  statusCode: 302,
  ...changes,
});
const http = (changes: Parameters<typeof httpAttributes>[0]) =>
  resource('authorization-policy', policy({ rules: [policyRule({ http: httpAttributes(changes) })] }));
const sources = (changes: object) =>
  resource(
    'authorization-policy',
    policy({
      rules: [policyRule({ sources: { serviceAccounts: [], namespaces: [], spiffeIds: [], ...changes } })],
    }),
  );

test.each([
  ['mesh', resource('mesh', mesh())],
  ['workload', resource('workload', workload())],
  ['service', resource('service', service())],
  ['endpoints', resource('endpoints', endpointSet([endpoint()]))],
  ['route', resource('http-route', route({ hostnames: ['a.example', '*.b.example'] }))],
  [
    'every kind of path',
    routeWith({ matches: [pathMatch('Exact', '/a'), pathMatch('RegularExpression', '/a.*')] }),
  ],
  ['a redirect', routeWith({ filters: [redirect({ hostname: 'a.example', port: 443 })], backends: [] })],
  [
    'a header edit',
    routeWith({ filters: [editing({ set: [{ name: 'x-a', value: 'a b' }], remove: ['x-b'] })] }),
  ],
  [
    'policy',
    http({ methods: ['GET'], paths: ['/a*', '*.css', '*', '/café'.replace('é', '%C3%A9')], hosts: ['*.a'] }),
  ],
  [
    'sources',
    sources({ serviceAccounts: ['a/b'], namespaces: ['a'], spiffeIds: ['spiffe://a.b/ns/c/sa/d'] }),
  ],
  [
    'the rules of a broken policy are not read',
    resource('authorization-policy', policy({ broken: true, rules: [policyRule({ ports: [0] })] })),
  ],
])('%s has no problem', (_, given) => {
  expect(checkResource(given)).toEqual([]);
});

test.each([
  ["a name that is another's", { ...resource('service', service()), name: 'shop/x' }, 'metadata.name'],
  [
    'an owner that is another',
    { ...resource('service', service()), ownerNamespace: 'x' },
    'metadata.namespace',
  ],
  ['trust domain', resource('mesh', mesh({ trustDomain: 'Mesh' })), 'trustDomain'],
  ['range', resource('mesh', mesh({ ranges: [{ cidr: '10.0.0.1/8', action: 'proxy' }] })), 'ranges[0].cidr'],
  ['address', resource('workload', workload({ addresses: ['10.0.0.256'] })), 'addresses[0]'],
  ['address not in canonical form', resource('service', service({ addresses: ['FD00::1'] })), 'addresses[0]'],
  ['empty uid', resource('workload', { ...workload(), uid: '' }), 'uid'],
  [
    'port',
    resource('workload', workload({ ports: [{ name: '', port: 0, protocol: 'http' }] })),
    'ports[0].port',
  ],
  [
    'share',
    resource('workload', workload({ limits: { ...workload().limits, cpuShare: 1001 } })),
    'limits.cpuShare',
  ],
  [
    'endpoint address',
    resource('endpoints', endpointSet([endpoint({ address: 'x' })])),
    'endpoints[0].address',
  ],
  [
    'endpoint port',
    resource('endpoints', endpointSet([endpoint({ ports: { 80: 70000 } })])),
    'endpoints[0].ports[80]',
  ],
  ['hostname', resource('http-route', route({ hostnames: ['A.example'] })), 'hostnames[0]'],
  ['wildcard in the middle', resource('http-route', route({ hostnames: ['a.*.example'] })), 'hostnames[0]'],
  ['no match', routeWith({ matches: [] }), 'rules[0].matches'],
  ['path without slash', routeWith({ matches: [pathMatch('Exact', 'a')] }), 'rules[0].matches[0].path.value'],
  [
    'path with dots',
    routeWith({ matches: [pathMatch('PathPrefix', '/a/../b')] }),
    'rules[0].matches[0].path.value',
  ],
  [
    'path with an encoded slash',
    routeWith({ matches: [pathMatch('Exact', '/a%2Fb')] }),
    'rules[0].matches[0].path.value',
  ],
  [
    'path with a query',
    routeWith({ matches: [pathMatch('Exact', '/a?b')] }),
    'rules[0].matches[0].path.value',
  ],
  [
    'expression',
    routeWith({ matches: [pathMatch('RegularExpression', '(?=a)')] }),
    'rules[0].matches[0].path.value',
  ],
  [
    'method',
    routeWith({ matches: [pathMatch('Exact', '/', { method: 'get' })] }),
    'rules[0].matches[0].method',
  ],
  [
    'header name',
    routeWith({
      matches: [pathMatch('Exact', '/', { headers: [{ name: 'a b', match: { type: 'Exact', value: '' } }] })],
    }),
    'rules[0].matches[0].headers[0].name',
  ],
  [
    'weight',
    routeWith({ backends: [{ service: null, weight: -1, filters: [] }] }),
    'rules[0].backendRefs[0].weight',
  ],
  [
    'a redirect on a backend',
    routeWith({ backends: [{ service: null, weight: 1, filters: [redirect({})] }] }),
    'rules[0].backendRefs[0].filters[0].type',
  ],
  ['a redirect beside backends', routeWith({ filters: [redirect({})] }), 'rules[0].filters'],
  [
    'redirect host',
    routeWith({ filters: [redirect({ hostname: 'a/b' })], backends: [] }),
    'rules[0].filters[0].requestRedirect.hostname',
  ],
  [
    'a line feed in a path',
    routeWith({
      filters: [redirect({ path: { type: 'ReplaceFullPath', value: '/a\r\nx: y' } })],
      backends: [],
    }),
    'rules[0].filters[0].requestRedirect.path',
  ],
  [
    'a prefix replaced where none was matched',
    routeWith({
      matches: [pathMatch('Exact', '/a')],
      filters: [
        { type: 'URLRewrite', hostname: undefined, path: { type: 'ReplacePrefixMatch', value: '/' } },
      ],
    }),
    'rules[0].filters',
  ],
  [
    'a line feed in a header value',
    routeWith({ filters: [editing({ set: [{ name: 'a', value: 'b\nc' }] })] }),
    'rules[0].filters[0].requestHeaderModifier.set[0].value',
  ],
  [
    'a header that frames the message',
    routeWith({ filters: [editing({ remove: ['Content-Length'] })] }),
    'rules[0].filters[0].requestHeaderModifier.remove[0]',
  ],
  [
    'timeouts',
    routeWith({ requestTimeoutMs: 100, backendTimeoutMs: 200 }),
    'rules[0].timeouts.backendRequest',
  ],
  [
    'retry code',
    routeWith({ retry: { codes: [200], attempts: 1, backoffMs: 0 } }),
    'rules[0].retry.codes[0]',
  ],
  [
    'policy port',
    resource('authorization-policy', policy({ rules: [policyRule({ ports: [0] })] })),
    'rules[0].ports[0]',
  ],
  ['service account', sources({ serviceAccounts: ['cart'] }), 'rules[0].sources.serviceAccounts[0]'],
  ['namespace glob', sources({ namespaces: ['shop*'] }), 'rules[0].sources.namespaces[0]'],
  ['empty namespace', sources({ namespaces: [''] }), 'rules[0].sources.namespaces[0]'],
  ['SPIFFE id', sources({ spiffeIds: ['spiffe://a'] }), 'rules[0].sources.spiffeIds[0]'],
  ['policy method', http({ methods: ['get'] }), 'rules[0].http.methods[0]'],
  ['two stars', http({ paths: ['/a*b*'] }), 'rules[0].http.paths[0]'],
  ['a star in the middle', http({ paths: ['/a*b'] }), 'rules[0].http.paths[0]'],
  ['a path that is not normal', http({ paths: ['/a//b'] }), 'rules[0].http.paths[0]'],
  ['a path with a needless encoding', http({ paths: ['/%61dmin*'] }), 'rules[0].http.paths[0]'],
  ['a path without slash', http({ paths: ['admin*'] }), 'rules[0].http.paths[0]'],
  ['a host with a port', http({ hosts: ['a:80'] }), 'rules[0].http.hosts[0]'],
  ['no header value', http({ headers: [{ name: 'a', values: [] }] }), 'rules[0].http.headers[0].values'],
])('%s is a problem of its field', (_, given, field) => {
  expect(fields(given as Resource)).toEqual([field]);
});

test.each([
  ['rules', resource('http-route', route({ rules: Array.from({ length: 65 }, () => rule()) }))],
  ['rules[0].matches', routeWith({ matches: Array.from({ length: 65 }, () => pathMatch('Exact', '/')) })],
  [
    'rules',
    resource('authorization-policy', policy({ rules: Array.from({ length: 65 }, () => policyRule()) })),
  ],
  ['rules[0].http.paths', http({ paths: Array.from({ length: 257 }, () => '/a') })],
  ['rules[0].sources.namespaces', sources({ namespaces: Array.from({ length: 257 }, () => 'a') })],
  ['endpoints', resource('endpoints', endpointSet(Array.from({ length: 10_001 }, () => endpoint())))],
])('%s has a bound', (field, given) => {
  expect(fields(given)).toEqual([field]);
});

test('a problem shows its value, shortened, and what to write', () => {
  const [problem] = checkResource(routeWith({ matches: [pathMatch('Exact', `x${'a'.repeat(500)}`)] }));
  expect(problem?.value).toHaveLength(100);
  expect(problem?.message).not.toBe('');
  expect(problem?.fix).not.toBe('');
});
