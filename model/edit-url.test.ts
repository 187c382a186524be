import type { RedirectFilter } from './compile-filters.js';
import { editPath, type RequestUrl, redirectLocation, rewriteTarget } from './edit-url.js';

describe('ReplacePrefixMatch, by the table of HTTPPathModifier', () => {
  test.each([
    ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
    ['/foo', '/foo', '/xyz', '/xyz'],
    ['/foo/', '/foo', '/xyz', '/xyz/'],
    ['/foo', '/foo', '/xyz/', '/xyz/'],
    ['/foo/bar', '/foo', '', '/bar'],
    ['/foo/', '/foo', '', '/'],
    ['/foo', '/foo', '', '/'],
    ['/foo/', '/foo', '/', '/'],
    ['/foo', '/foo', '/', '/'],
    ['/foo/bar', '/foo', '/', '/bar'],
    ['/bar', '', '/xyz', '/xyz/bar'],
    ['/', '', '/xyz', '/xyz/'],
    ['/bar', '', '/', '/bar'],
    ['/foo/bar', '/foo', 'xyz', '/xyz/bar'],
  ])('%s with the prefix %s replaced by %s is %s', (path, prefix, value, result) => {
    expect(editPath({ type: 'ReplacePrefixMatch', value }, path, prefix.length)).toBe(result);
  });
});

test.each([
  ['/new', '/new'],
  ['new', '/new'],
  ['', '/'],
])('ReplaceFullPath by %s is %s', (value, result) => {
  expect(editPath({ type: 'ReplaceFullPath', value }, '/old/path', 0)).toBe(result);
});

describe('redirects', () => {
  const url: RequestUrl = { scheme: 'http', host: 'shop.example', port: 80, path: '/cart/1', query: '' };
  const filter = (changes: Partial<RedirectFilter>): RedirectFilter => ({
    type: 'RequestRedirect',
    scheme: undefined,
    hostname: undefined,
    path: undefined,
    port: undefined,
    statusCode: 302,
    ...changes,
  });
  test.each([
    ['nothing given', {}, {}, 'http://shop.example/cart/1'],
    ['the dialled port stays', {}, { port: 8080 }, 'http://shop.example:8080/cart/1'],
    [
      'a scheme brings its own port',
      { scheme: 'https' as const },
      { port: 8080 },
      'https://shop.example/cart/1',
    ],
    ['the same scheme, named', { scheme: 'http' as const }, { port: 8080 }, 'http://shop.example/cart/1'],
    ['scheme and port', { scheme: 'https' as const, port: 8443 }, {}, 'https://shop.example:8443/cart/1'],
    [
      "the scheme's own port is not written",
      { scheme: 'https' as const, port: 443 },
      {},
      'https://shop.example/cart/1',
    ],
    ['port 80 over http is not written', { port: 80 }, { port: 8080 }, 'http://shop.example/cart/1'],
    ['443 over http is written', { port: 443 }, {}, 'http://shop.example:443/cart/1'],
    ['a hostname', { hostname: 'other.example' }, {}, 'http://other.example/cart/1'],
    ['the query stays', {}, { query: 'a=1&b' }, 'http://shop.example/cart/1?a=1&b'],
    [
      'prefix and query',
      { path: { type: 'ReplacePrefixMatch' as const, value: '/basket' } },
      { query: 'a' },
      'http://shop.example/basket/1?a',
    ],
    ['full path', { path: { type: 'ReplaceFullPath' as const, value: '/x' } }, {}, 'http://shop.example/x'],
    ['an IPv6 host', {}, { host: '[fd00::1]', port: 81 }, 'http://[fd00::1]:81/cart/1'],
  ])('%s', (_, given, asked, location) => {
    expect(redirectLocation(filter(given), { ...url, ...asked }, '/cart'.length)).toBe(location);
  });
});

test('a rewrite of the host alone leaves the target', () => {
  expect(rewriteTarget({ hostname: 'x', path: undefined }, { path: '/a', query: 'b' }, 0)).toBe('/a?b');
});

test('a rewrite keeps the query', () => {
  const path = { type: 'ReplacePrefixMatch' as const, value: '/' };
  expect(rewriteTarget({ hostname: undefined, path }, { path: '/foo', query: 'b' }, 4)).toBe('/?b');
});
