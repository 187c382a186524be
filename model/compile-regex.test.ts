import { compileRegex, maxRegexInput, maxRegexLength, type Regex } from './compile-regex.js';
import { seededRandom } from './test-resources.js';

function regex(source: string): Regex {
  const compiled = compileRegex(source);
  if ('message' in compiled) throw new Error(compiled.message);
  return compiled;
}

test.each([
  ['/a', '/a', true],
  ['/a', '/ab', false],
  ['/a', 'x/a', false],
  ['a|ab', 'ab', true],
  ['(?i)/a', '/A', true],
  ['/v[0-9]+/.*', '/v12/x', true],
  ['', '', true],
])('%s matches the whole of %s: %s', (source, text, matches) => {
  expect(regex(source).matches(text)).toBe(matches);
});

test.each([
  ['(', 'parenthes|missing'],
  ['a(?=b)', 'invalid|unsupported'],
  ['(a)\\1', 'invalid'],
  ['((a{100}){100}){100}', 'repeat'],
  ['x'.repeat(maxRegexLength + 1), 'characters'],
  ['(abcdefghij){200}', 'instructions'],
])('%s is refused with a reason', (source, reason) => {
  const compiled = compileRegex(source);
  expect('message' in compiled ? compiled.message : 'accepted').toMatch(new RegExp(reason));
});

test('a hostile expression stays within its bounds of time', () => {
  // Its automaton has 2^240 states.
  const hostile = regex('.*a.{240}c');
  const random = seededRandom(1);
  const texts = Array.from({ length: 20 }, () =>
    Array.from({ length: maxRegexInput }, () => (random() < 0.5 ? 'a' : 'b')).join(''),
  );
  const begun = Date.now();
  for (const text of texts) expect(hostile.matches(text)).toBe(false);
  // Some 20 ms each, with room for a slow machine.
  expect(Date.now() - begun).toBeLessThan(8000);
});

test('a text that is too long does not match', () => {
  expect(regex('a*').matches('a'.repeat(maxRegexInput))).toBe(true);
  expect(regex('a*').matches('a'.repeat(maxRegexInput + 1))).toBe(false);
});

test('an expression that makes backtracking engines hang takes time in proportion to the text', () => {
  const evil = regex('(a+)+');
  const time = (length: number) => {
    const text = `${'a'.repeat(length)}b`;
    const begun = Date.now();
    expect(evil.matches(text)).toBe(false);
    return Date.now() - begun;
  };
  time(8_000);
  // A backtracking engine would need 2^8000 steps.
  expect(time(8_000)).toBeLessThan(1000);
});
