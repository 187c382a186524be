import { compileRoute } from './compile-route.js';
import { buildRouteTable, matchRoute, type RouteTable } from './match-route.js';
import type { RequestHead } from './request-head.js';
import type { HttpRoute, HttpRouteMatch } from './route.js';
import { pathMatch, request, route, rule, seededRandom } from './test-resources.js';

function tableOf(...routes: HttpRoute[]): RouteTable {
  const table = buildRouteTable(routes.map(compileRoute));
  if (table === null) throw new Error('no routes');
  return table;
}

/** A route whose rules are named by their matches' order. */
function routeOf(
  rules: Readonly<Record<string, HttpRouteMatch>>,
  changes: Partial<HttpRoute> = {},
): HttpRoute {
  const named = Object.entries(rules).map(([name, match]) => rule({ name, matches: [match] }));
  return route({ rules: named, ...changes });
}

function winner(table: RouteTable, head: RequestHead): string | null {
  return matchRoute(table, head)?.rule.label ?? null;
}

const header = (name: string, value: string) => ({ name, match: { type: 'Exact' as const, value } });

describe('paths', () => {
  const table = tableOf(
    routeOf({
      root: pathMatch('PathPrefix', '/'),
      regex: pathMatch('RegularExpression', '/[a-z]+/[0-9]+'),
      foo: pathMatch('PathPrefix', '/foo'),
      foobar: pathMatch('PathPrefix', '/foo/bar/'),
      food: pathMatch('PathPrefix', '/food'),
      exact: pathMatch('Exact', '/foo/bar'),
      tilde: pathMatch('Exact', '/%7euser'),
    }),
  );
  test.each([
    ['/', 'root'],
    ['/other', 'root'],
    ['/foo', 'foo'],
    ['/foo/', 'foo'],
    ['/foo/x', 'foo'],
    ['/foobar', 'root'],
    ['/food/1', 'food'],
    ['/foo/bar', 'exact'],
    ['/foo/bar/', 'foobar'],
    ['/foo/bar/x', 'foobar'],
    ['/foo/barx', 'foo'],
    ['/zoo/12', 'regex'],
    ['/zoo/12/', 'root'],
    ['/foo/12', 'foo'],
    ['/~user', 'tilde'],
    ['/foo/../food', 'food'],
    ['/%66oo/x', 'foo'],
    ['/foo?x=/bar', 'foo'],
  ])('%s is decided by %s', (path, name) => {
    expect(winner(table, request('GET', path))).toBe(`shop/cart/${name}`);
  });
});

test('a prefix is compared by whole elements even where a longer one shares its letters', () => {
  const table = tableOf(
    routeOf({
      a: pathMatch('PathPrefix', '/a'),
      ab: pathMatch('PathPrefix', '/ab'),
      abc: pathMatch('PathPrefix', '/ab/c'),
    }),
  );
  const paths = ['/ab/cd', '/ab/c/d', '/abc', '/a/b', '/abx'];
  expect(paths.map((path) => winner(table, request('GET', path)))).toEqual([
    'shop/cart/ab',
    'shop/cart/abc',
    null,
    'shop/cart/a',
    null,
  ]);
});

test('where the longest prefix fails by header the next shorter one is asked', () => {
  const table = tableOf(
    routeOf({
      long: pathMatch('PathPrefix', '/a/b', { headers: [header('x', '1')] }),
      short: pathMatch('PathPrefix', '/a'),
    }),
  );
  expect(winner(table, request('GET', '/a/b/c'))).toBe('shop/cart/short');
  expect(winner(table, request('GET', '/a/b/c', { x: '1' }))).toBe('shop/cart/long');
});

describe('the matched prefix', () => {
  const table = tableOf(
    routeOf({
      root: pathMatch('PathPrefix', '/'),
      foo: pathMatch('PathPrefix', '/foo/'),
      exact: pathMatch('Exact', '/e'),
    }),
  );
  test.each([
    ['/foo/x', 4],
    ['/other', 0],
    ['/e', 0],
  ])('of %s has %d characters', (path, length) => {
    expect(matchRoute(table, request('GET', path))?.prefixLength).toBe(length);
  });
});

describe('hostnames', () => {
  const byHost = (name: string, ...hostnames: string[]) =>
    routeOf({ r: pathMatch('PathPrefix', '/') }, { name, hostnames });
  const table = tableOf(
    byHost('any'),
    byHost('wide', '*.example'),
    byHost('narrow', '*.shop.example'),
    byHost('exact', 'cart.shop.example', 'other.example'),
  );
  test.each([
    ['cart.shop.example', 'exact'],
    ['CART.shop.example:8080', 'exact'],
    ['cart.shop.example.', 'exact'],
    ['other.example', 'exact'],
    ['a.shop.example', 'narrow'],
    ['a.b.shop.example', 'narrow'],
    ['shop.example', 'wide'],
    ['x.example', 'wide'],
    ['example', 'any'],
    ['.example', 'any'],
    ['notexample', 'any'],
    ['10.0.0.1', 'any'],
  ])('%s is decided by the route %s', (host, name) => {
    expect(winner(table, request('GET', `http://${host}/`))).toBe(`shop/${name}/r`);
  });

  test('the most specific one wins over a more specific path of another route', () => {
    const both = tableOf(
      byHost('exact', 'a.example'),
      routeOf({ r: pathMatch('Exact', '/x') }, { name: 'any' }),
    );
    expect(winner(both, request('GET', 'http://a.example/x'))).toBe('shop/exact/r');
  });

  test('a less specific one is asked where no rule of the more specific ones matches', () => {
    const post = pathMatch('PathPrefix', '/', { method: 'POST' });
    const both = tableOf(
      routeOf({ r: post }, { name: 'exact', hostnames: ['a.b.example'] }),
      routeOf({ r: post }, { name: 'wild', hostnames: ['*.b.example'] }),
      byHost('wide', '*.example'),
    );
    expect(winner(both, request('GET', 'http://a.b.example/x'))).toBe('shop/wide/r');
    expect(winner(both, request('POST', 'http://a.b.example/x'))).toBe('shop/exact/r');
  });

  test('no match at all is null', () => {
    expect(winner(tableOf(byHost('exact', 'a.example')), request('GET', 'http://b.example/'))).toBeNull();
  });
});

describe('precedence among matches of one path', () => {
  test('a method goes before headers, headers before query parameters, more before fewer', () => {
    const table = tableOf(
      routeOf({
        plain: pathMatch('PathPrefix', '/'),
        query: pathMatch('PathPrefix', '/', { queryParams: [header('q', '1'), header('r', '1')] }),
        oneHeader: pathMatch('PathPrefix', '/', { headers: [header('a', '1')] }),
        twoHeaders: pathMatch('PathPrefix', '/', { headers: [header('a', '1'), header('b', '1')] }),
        method: pathMatch('PathPrefix', '/', { method: 'GET' }),
      }),
    );
    const a = { a: '1' };
    const ab = { a: '1', b: '1' };
    expect(winner(table, request('GET', '/?q=1&r=1', ab))).toBe('shop/cart/method');
    expect(winner(table, request('PUT', '/?q=1&r=1', ab))).toBe('shop/cart/twoHeaders');
    expect(winner(table, request('PUT', '/?q=1&r=1', a))).toBe('shop/cart/oneHeader');
    expect(winner(table, request('PUT', '/?q=1&r=1'))).toBe('shop/cart/query');
    expect(winner(table, request('PUT', '/?q=1'))).toBe('shop/cart/plain');
  });

  test('then the older route, then the name, then the earlier rule', () => {
    const rules = { first: pathMatch('Exact', '/'), second: pathMatch('Exact', '/') };
    const old = routeOf(rules, { name: 'zebra', createdMs: 1 });
    const b = routeOf(rules, { name: 'b', createdMs: 2 });
    const a = routeOf(rules, { name: 'a', createdMs: 2 });
    expect(winner(tableOf(b, a, old), request('GET', '/'))).toBe('shop/zebra/first');
    expect(winner(tableOf(b, a), request('GET', '/'))).toBe('shop/a/first');
  });

  test('the path goes before all of them, over routes', () => {
    const table = tableOf(
      routeOf(
        { r: pathMatch('PathPrefix', '/a', { method: 'GET', headers: [header('x', '1')] }) },
        { name: 'old' },
      ),
      routeOf({ r: pathMatch('PathPrefix', '/a/b') }, { name: 'young', createdMs: 99 }),
    );
    expect(winner(table, request('GET', '/a/b', { x: '1' }))).toBe('shop/young/r');
  });
});

describe('headers', () => {
  const table = tableOf(
    routeOf({
      exact: pathMatch('PathPrefix', '/', {
        headers: [header('X-Version', '2'), header('x-version', 'ignored')],
      }),
      regex: pathMatch('PathPrefix', '/', {
        headers: [{ name: 'x-user', match: { type: 'RegularExpression', value: 'a.*' } }],
      }),
      host: pathMatch('PathPrefix', '/', { headers: [header('Host', 'Cart:80')] }),
    }),
  );
  test.each([
    [{ 'x-version': '2' }, '/', 'shop/cart/exact'],
    [{ 'x-version': '2, 3' }, '/', null],
    [{ 'x-user': 'alice' }, '/', 'shop/cart/regex'],
    [{ 'x-user': 'bea' }, '/', null],
    [{}, 'http://Cart:80/', 'shop/cart/host'],
    [{}, 'http://cart/', null],
  ])('%j to %s is decided by %s', (headers, url, label) => {
    expect(winner(table, request('GET', url, headers))).toBe(label);
  });
});

test('any match of a rule is enough, and methods are case-sensitive', () => {
  const matches = [pathMatch('Exact', '/a', { method: 'GET' }), pathMatch('Exact', '/b')];
  const table = tableOf(route({ rules: [rule({ matches })] }));
  expect(winner(table, request('GET', '/a'))).toBe('shop/cart/0');
  expect(winner(table, request('POST', '/b'))).toBe('shop/cart/0');
  expect(winner(table, request('get', '/a'))).toBeNull();
});

test('the asterisk form of OPTIONS matches only the prefix /', () => {
  const table = tableOf(routeOf({ a: pathMatch('PathPrefix', '/a'), root: pathMatch('PathPrefix', '/') }));
  expect(winner(table, request('OPTIONS', '*'))).toBe('shop/cart/root');
});

test('no routes make no table', () => {
  expect(buildRouteTable([])).toBeNull();
});

/** The order of the specification, by brute force over every match of every route. */
function slowWinner(routes: readonly HttpRoute[], head: RequestHead): string | null {
  const ranked = routes.flatMap((candidate) =>
    candidate.rules.flatMap((rules, ruleIndex) =>
      rules.matches.flatMap((match) => {
        const host = Math.max(...hostRanks(candidate.hostnames, head.host));
        const path = pathRank(match, head.path);
        const rest =
          (match.method ?? head.method) === head.method &&
          match.headers.every(({ name, match: { value } }) => head.header(name) === value) &&
          match.queryParams.every(({ name, match: { value } }) =>
            head.query.split('&').includes(`${name}=${value}`),
          );
        if (host < 0 || path < 0 || !rest) return [];
        const rank = [
          host,
          path,
          match.method === undefined ? 0 : 1,
          match.headers.length,
          match.queryParams.length,
        ];
        return [
          { label: `${candidate.namespace}/${candidate.name}/${ruleIndex}`, rank, candidate, ruleIndex },
        ];
      }),
    ),
  );
  ranked.sort((a, b) => {
    for (const [at, rank] of a.rank.entries()) {
      if (rank !== b.rank[at]) return (b.rank[at] ?? 0) - rank;
    }
    return (
      a.candidate.createdMs - b.candidate.createdMs ||
      (a.candidate.name < b.candidate.name
        ? -1
        : a.candidate.name > b.candidate.name
          ? 1
          : a.ruleIndex - b.ruleIndex)
    );
  });
  return ranked[0]?.label ?? null;
}

function hostRanks(hostnames: readonly string[], host: string): number[] {
  if (hostnames.length === 0) return [0];
  return hostnames.map((name) => {
    if (name === host) return 1000;
    return name.startsWith('*.') && host.endsWith(name.slice(1)) && host.length >= name.length
      ? name.length
      : -1;
  });
}

function pathRank({ path: match }: HttpRouteMatch, path: string): number {
  if (match.type === 'GrpcExact' || match.type === 'GrpcRegularExpression') throw new Error('not asked here');
  const { type, value } = match;
  const whole = value.endsWith('/') ? value.slice(0, -1) : value;
  switch (type) {
    case 'Exact':
      return path === value ? 1000 : -1;
    case 'PathPrefix':
      if (whole === '') return 0;
      return path === whole || path.startsWith(`${whole}/`) ? 1 + whole.length : -1;
    case 'RegularExpression':
      return new RegExp(`^(?:${value})$`).test(path) ? 1 : -1;
  }
}

test('agrees with the order of the specification over random routes and requests', () => {
  const random = seededRandom(5);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const paths = ['/', '/a', '/a/', '/a/b', '/ab', '/ab/c', '/a/b/c', '/abc'];
  const hosts = ['x.y.z', '*.y.z', '*.z', 'y.z'];
  const named = (names: readonly string[]) =>
    names.filter(() => random() < 0.3).map((name) => header(name, pick(['1', '2'])));
  const randomMatch = (): HttpRouteMatch => {
    const type = pick(['Exact', 'PathPrefix', 'PathPrefix', 'RegularExpression'] as const);
    const value = type === 'RegularExpression' ? pick(['/a.*', '/[ab]+/b', '.*c']) : pick(paths);
    return pathMatch(type, value, {
      method: random() < 0.3 ? pick(['GET', 'POST']) : undefined,
      headers: named(['h', 'i']),
      queryParams: named(['q', 'r']),
    });
  };
  const decided = new Set<string | null>();
  for (let round = 0; round < 300; round += 1) {
    const routes = Array.from({ length: 1 + Math.floor(random() * 5) }, (_, index) =>
      route({
        name: `r${index}`,
        createdMs: Math.floor(random() * 3),
        hostnames: random() < 0.4 ? [] : [...new Set([pick(hosts), pick(hosts)])],
        rules: Array.from({ length: 1 + Math.floor(random() * 4) }, () =>
          rule({ matches: [randomMatch(), ...(random() < 0.3 ? [randomMatch()] : [])] }),
        ),
      }),
    );
    const table = tableOf(...routes);
    for (let ask = 0; ask < 20; ask += 1) {
      const url = `http://${pick(['x.y.z', 'a.y.z', 'y.z', 'q.z', 'other'])}${pick(paths)}?q=${pick(['1', '2'])}&r=1`;
      const head = request(pick(['GET', 'POST']), url, { h: pick(['1', '2']), i: '1' });
      const expected = slowWinner(routes, head);
      expect(winner(table, head)).toBe(expected);
      decided.add(expected);
    }
  }
  expect(decided.size).toBeGreaterThan(10);
});
