/** GRPCRoutes from matching to precedence; what they share with HTTPRoutes is tested there. */
import { Reason } from '../reasons/reasons.js';
import { applyDelta } from './apply-delta.js';
import { checkResource } from './check-resource.js';
import { compileRoute } from './compile-route.js';
import { buildRouteTable, matchRoute } from './match-route.js';
import type { HttpRoute, HttpRouteMatch } from './route.js';
import { routesFor } from './snapshot.js';
import {
  delta,
  endpoint,
  endpointSet,
  grpcMatch,
  mesh,
  pathMatch,
  request,
  resource,
  route,
  rule,
  service,
  snapshotOf,
  workload,
} from './test-resources.js';
import { explain } from './why.js';

const everyCall = pathMatch('PathPrefix', '/', { method: 'POST' });
const header = (name: string, value: string) => ({ name, match: { type: 'Exact' as const, value } });
const regex = (service: string, method: string): HttpRouteMatch => ({
  ...everyCall,
  path: { type: 'GrpcRegularExpression', service, method },
});

function grpcRoute(
  rules: Readonly<Record<string, HttpRouteMatch>>,
  changes: Partial<HttpRoute> = {},
): HttpRoute {
  const named = Object.entries(rules).map(([name, match]) => rule({ name, matches: [match] }));
  return route({ kind: 'grpc-route', name: 'ledger', rules: named, ...changes });
}

function decide(path: string, headers: Readonly<Record<string, string>>, ...routes: HttpRoute[]) {
  for (const one of routes) expect(checkResource(resource('grpc-route', one))).toEqual([]);
  const table = buildRouteTable(routes.map(compileRoute));
  if (table === null) throw new Error('no routes');
  return matchRoute(table, request('POST', path, headers))?.rule.rule.name ?? null;
}

describe('the method decides', () => {
  const rules = grpcRoute({
    any: everyCall,
    'any-service': grpcMatch('', 'Get'),
    expression: regex('shop\\..*', 'G.*'),
    'long-expression': regex('shop\\.(Cart|Ledger)', 'List'),
    service: grpcMatch('shop.Ledger', ''),
    method: grpcMatch('shop.Ledger', 'Get'),
    'with-header': grpcMatch('shop.Ledger', 'Get', { headers: [header('version', '2')] }),
  });
  test.each([
    ['/shop.Ledger/Get', 'method'],
    ['/shop.Ledger/List', 'service'],
    ['/shop.ledger/Get', 'expression'],
    ['/shop.Cart/Get', 'expression'],
    ['/shop.Cart/List', 'long-expression'],
    ['/shop.Ledgers/Put', 'any'],
    ['/bank.Ledger/Get', 'any-service'],
    ['/bank.Ledger/Gets', 'any'],
    ['/shopXLedger/Get', 'any-service'],
  ])('%s is decided by %s', (path, name) => {
    expect(decide(path, {}, rules)).toBe(name);
  });

  test('more headers win among equal methods, and only where they match', () => {
    expect(decide('/shop.Ledger/Get', { version: '2' }, rules)).toBe('with-header');
    expect(decide('/shop.Ledger/Get', { version: '3' }, rules)).toBe('method');
  });

  test('of expressions the longer service wins over headers and age, then the longer method', () => {
    const long = grpcRoute({ long: regex('shop\\.Ledger', 'G.*') }, { name: 'b', createdMs: 9 });
    const method = grpcRoute({ method: regex('shop\\.Ledger', 'Get.*') }, { name: 'c', createdMs: 9 });
    const short = grpcRoute({ short: { ...regex('shop.*', 'G.*'), headers: [header('a', 'b')] } });
    expect(decide('/shop.Ledger/Get', { a: 'b' }, short, long, method)).toBe('method');
    expect(decide('/shop.Ledger/Go', { a: 'b' }, short, long, method)).toBe('long');
  });

  test('then the older route', () => {
    const older = grpcRoute({ older: grpcMatch('a.B', 'C') }, { name: 'z', createdMs: 1 });
    const newer = grpcRoute({ newer: grpcMatch('a.B', 'C') }, { name: 'a', createdMs: 2 });
    expect(decide('/a.B/C', {}, newer, older)).toBe('older');
  });

  test('what is no POST is no gRPC request, and an alternative stays within its part', () => {
    const table = buildRouteTable([compileRoute(grpcRoute({ any: everyCall }))]);
    expect(table === null ? null : matchRoute(table, request('GET', '/a.B/C'))).toBeNull();
    const alternatives = grpcRoute({ found: regex('a|b', 'C|D') });
    expect(decide('/b/C', {}, alternatives)).toBe('found');
    expect(decide('/a', {}, alternatives)).toBeNull();
    expect(decide('/x/D', {}, alternatives)).toBeNull();
  });
});

test.each([
  ['no part', grpcMatch('', ''), 'rules[0].matches[0].method'],
  ['a slash in a service', grpcMatch('a/b', ''), 'rules[0].matches[0].method.service'],
  ['a dot in a method', grpcMatch('', 'a.b'), 'rules[0].matches[0].method.method'],
  ['a stray parenthesis', regex('a)|(b', 'c'), 'rules[0].matches[0].method.service'],
  ['parts too long together', regex('a'.repeat(150), 'b'.repeat(150)), 'rules[0].matches[0].method'],
  ['a path', pathMatch('Exact', '/a', { method: 'POST' }), 'rules[0].matches[0]'],
  ['another verb', grpcMatch('a', 'b', { method: 'GET' }), 'rules[0].matches[0]'],
])('%s is refused', (_, match, field) => {
  const one = grpcRoute({ one: match });
  expect(checkResource(resource('grpc-route', one)).map((problem) => problem.field)).toContain(field);
});

test('a rewrite is refused, and so is a gRPC method in an HTTPRoute', () => {
  const filters = [{ type: 'URLRewrite' as const, hostname: 'a', path: undefined }];
  const backends = [{ service: null, weight: 1, filters }];
  const rewriting = route({ kind: 'grpc-route', rules: [rule({ matches: [everyCall], filters, backends })] });
  expect(checkResource(resource('grpc-route', rewriting)).map(({ field }) => field)).toEqual([
    'rules[0].filters[0].type',
    'rules[0].backendRefs[0].filters[0].type',
  ]);
  const mixed = route({ rules: [rule({ matches: [grpcMatch('a.B', 'C')] })] });
  expect(checkResource(resource('http-route', mixed)).map(({ field }) => field)).toEqual([
    'rules[0].matches[0].path.type',
  ]);
});

describe('beside HTTPRoutes', () => {
  const base = [
    resource('mesh', mesh()),
    resource('workload', workload()),
    resource('workload', workload({ uid: 'web', namespace: 'front', addresses: ['10.0.0.2'] })),
    resource(
      'service',
      service({
        ports: [
          { name: 'grpc', port: 90, protocol: 'grpc' },
          { name: 'http', port: 80, protocol: 'http' },
        ],
      }),
    ),
    resource('endpoints', endpointSet([endpoint({ ports: { 80: 8080, 90: 9090 } })])),
  ];
  const backends = [{ service: { namespace: 'shop', name: 'cart', port: 90 }, weight: 1, filters: [] }];
  const rules = [rule({ name: 'get', matches: [grpcMatch('shop.Ledger', 'Get')], backends })];
  const onPort = (port: number | undefined) => [{ namespace: 'shop', name: 'cart', port }];
  const http = resource('http-route', route({ rules: [rule({ name: 'http' })] }));
  const grpc = resource(
    'grpc-route',
    route({ kind: 'grpc-route', rules, parents: onPort(90), createdMs: 9 }),
  );
  const routesOn = (snapshot: ReturnType<typeof snapshotOf>, port: number, namespace = 'front') => {
    const view = snapshot.services.get('shop/cart')?.ports.get(port);
    const table = view === undefined ? null : routesFor(view, namespace);
    return table?.routes.map((compiled) => compiled.route.kind) ?? [];
  };

  test('a GRPCRoute decides its port alone, however young; other ports stay with HTTPRoutes', () => {
    const snapshot = snapshotOf(...base, http, grpc);
    expect(routesOn(snapshot, 90)).toEqual(['grpc-route']);
    expect(routesOn(snapshot, 80)).toEqual(['http-route']);
  });

  test('one name serves both kinds, and each goes by itself', () => {
    const snapshot = snapshotOf(...base, http, grpc);
    const without = applyDelta(snapshot, delta([], [{ kind: 'grpc-route', name: 'shop/cart' }]), 2).snapshot;
    expect(routesOn(without, 90)).toEqual(['http-route']);
    const other = applyDelta(snapshot, delta([], [{ kind: 'http-route', name: 'shop/cart' }]), 2).snapshot;
    expect([routesOn(other, 90), routesOn(other, 80)]).toEqual([['grpc-route'], []]);
  });

  test("a consumer's HTTPRoute is not outranked by the producer's GRPCRoute", () => {
    const own = route({ namespace: 'front', name: 'own', rules: [rule()], parents: onPort(90) });
    const snapshot = snapshotOf(...base, grpc, resource('http-route', own));
    expect(routesOn(snapshot, 90, 'front')).toEqual(['http-route']);
    expect(routesOn(snapshot, 90, 'shop')).toEqual(['grpc-route']);
  });

  test('why names the rule of a call, and what no rule matches', () => {
    const snapshot = snapshotOf(...base, grpc);
    const ask = (path: string) =>
      explain(snapshot, {
        source: snapshot.workloads.get('web'),
        address: '10.96.0.1',
        port: 90,
        request: request('POST', path),
      });
    expect(ask('/shop.Ledger/Get')).toMatchObject({ route: 'shop/cart/get', protocol: 'grpc' });
    expect(ask('/shop.Ledger/Put')).toMatchObject({ route: undefined, reason: Reason.no_matching_route });
  });
});
