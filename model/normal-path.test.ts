import { ambiguityNames, normalizePath, pathAmbiguities } from './normal-path.js';
import { seededRandom } from './test-resources.js';

test.each([
  ['/', '/'],
  ['', '/'],
  ['*', '*'],
  ['/a/b', '/a/b'],
  ['/a/./b', '/a/b'],
  ['/a/../b', '/b'],
  ['/a/b/..', '/a/'],
  ['/a/b/.', '/a/b/'],
  ['/../../etc/passwd', '/etc/passwd'],
  ['/..', '/'],
  ['/.', '/'],
  ['/a/%2e%2e/b', '/b'],
  ['/a/%2E/b', '/a/b'],
  ['/%7euser', '/~user'],
  ['/%41%62%2D', '/Ab-'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['/a%2fb', '/a%2Fb'],
  ['/a//b', '/a//b'],
  ['/a//../b', '/a/b'],
  ['/a;v=1/b', '/a;v=1/b'],
  ['/a%252e', '/a%252e'],
  ['/.well-known/x', '/.well-known/x'],
  ['/...', '/...'],
  ['/a%', '/a%25'],
  ['/a%%32%65', '/a%252e'],
  ['relative', '/relative'],
])('the normal form of %s is %s', (path, normal) => {
  expect(normalizePath(path)).toBe(normal);
});

test.each([
  ['/a/b-c_d.e~f', []],
  ['/caf%C3%A9', []],
  ['/a/../b', []],
  ["/a!$&'()*+,=:@", []],
  ['/a%20b', []],
  ['/a%2Fb', ['encodedSlash']],
  ['/a%2fb', ['encodedSlash']],
  ['/a%5cb', ['encodedBackslash']],
  ['/%2e%2e/a', ['encodedDot']],
  ['/a%00', ['encodedControl']],
  ['/a%0d%0a', ['encodedControl']],
  ['/a%7f', ['encodedControl']],
  ['/a%252e', ['encodedPercent']],
  ['/a//b', ['emptySegment']],
  ['//a', ['emptySegment']],
  ['/a;b', ['semicolon']],
  ['/a%3bb', ['semicolon']],
  ['/a\\b', ['backslash']],
  ['/a%', ['badPercent']],
  ['/a%2', ['badPercent']],
  ['/a%zz', ['badPercent']],
  ['/a%c0%af', ['badUtf8']],
  ['/a%ed%a0%80', ['badUtf8']],
  ['/a%e9', ['badUtf8']],
  ['/a%c3/%a9', ['badUtf8']],
  ['/caf\u00e9', ['rawByte']],
  ['/a b', ['rawByte']],
  ['/a\u0001', ['rawByte']],
  ['/a#b', ['badForm']],
  ['a', ['badForm']],
  ['/a//b%2F;', ['encodedSlash', 'emptySegment', 'semicolon']],
])('%s is ambiguous by %j', (path, names) => {
  expect(ambiguityNames(pathAmbiguities(path))).toEqual(names);
});

const pieces = [
  '/',
  '/',
  '.',
  '..',
  'a',
  'B',
  '%',
  '%2',
  '%2e',
  '%2E',
  '%2f',
  '%5C',
  '%41',
  '%c3%a9',
  '%25',
  ';',
];

function randomPaths(count: number): string[] {
  const random = seededRandom(11);
  return Array.from({ length: count }, () => {
    const length = Math.floor(random() * 14);
    return `/${Array.from({ length }, () => pieces[Math.floor(random() * pieces.length)]).join('')}`;
  });
}

test('normalizing is idempotent, and never leaves a dot segment or the root', () => {
  for (const path of randomPaths(10_000)) {
    const normal = normalizePath(path);
    expect(normalizePath(normal)).toBe(normal);
    expect(normal.startsWith('/')).toBe(true);
    expect(normal.split('/').filter((segment) => segment === '.' || segment === '..')).toEqual([]);
    expect(normal).not.toMatch(/%(?![0-9A-F]{2})|%2[DE]|%3[0-9]|%[46][1-9A-F]|%[57][0-9A]|%5F|%7E/);
  }
});

test('for an unambiguous path it does not matter whether a server decodes first or removes dots first', () => {
  const unambiguous = randomPaths(10_000).filter((path) => pathAmbiguities(path) === 0);
  expect(unambiguous.length).toBeGreaterThan(500);
  for (const path of unambiguous) {
    const dotsLast = withoutDots(decodeURIComponent(path));
    expect(decodeURIComponent(withoutDots(path))).toBe(dotsLast);
    expect(decodeURIComponent(normalizePath(path))).toBe(dotsLast);
  }
});

/** RFC 3986 section 5.2.4, written as its own loop over the input. */
function withoutDots(path: string): string {
  let input = path;
  let output = '';
  while (input !== '') {
    if (input.startsWith('/./')) input = input.slice(2);
    else if (input === '/.') input = '/';
    else if (input.startsWith('/../') || input === '/..') {
      input = `/${input.slice(4)}`;
      output = output.slice(0, Math.max(output.lastIndexOf('/'), 0));
    } else {
      const next = input.indexOf('/', 1);
      output += next < 0 ? input : input.slice(0, next);
      input = next < 0 ? '' : input.slice(next);
    }
  }
  return output;
}

test('a path that already is normal comes back as the same string', () => {
  const path = ['/api', 'v1', 'items'].join('/');
  expect(normalizePath(path)).toBe(path);
});
