import { compileRoute } from './compile-route.js';
import { pickBackend } from './pick-backend.js';
import type { Backend } from './route.js';
import { route, rule, seededRandom } from './test-resources.js';

function ruleOf(...weights: [string | null, number][]) {
  const backends = weights.map(([name, weight]): Backend => {
    const service = name === null ? null : { namespace: 'shop', name, port: 80 };
    return { service, weight, filters: [] };
  });
  const compiled = compileRoute(route({ rules: [rule({ backends })] })).matches[0]?.rule;
  if (compiled === undefined) throw new Error('no rule');
  return compiled;
}

test.each([
  [0, 'shop/a'],
  [0.8999, 'shop/a'],
  [0.9, 'shop/b'],
  [0.9999999999999999, 'shop/b'],
])('of 90 and 10 the number %d picks %s', (random, key) => {
  expect(pickBackend(ruleOf(['a', 90], ['b', 10]), random)?.serviceKey).toBe(key);
});

test('a weight of 0 is never picked, at either end', () => {
  const weighted = ruleOf(['none', 0], ['a', 1], ['b', 1], ['none', 0]);
  for (const random of [0, 0.25, 0.5, 0.75, 1 - Number.EPSILON]) {
    expect(pickBackend(weighted, random)?.serviceKey).not.toBe('shop/none');
  }
});

test('an invalid reference takes its share', () => {
  const random = seededRandom(1);
  const weighted = ruleOf(['a', 1], [null, 3]);
  const invalid = Array.from({ length: 10_000 }, () => pickBackend(weighted, random())?.serviceKey);
  expect(invalid.filter((key) => key === null).length / 10_000).toBeCloseTo(0.75, 1);
});

test('2,000 picks of 90/10 split within three standard deviations', () => {
  const random = seededRandom(42);
  const weighted = ruleOf(['a', 90], ['b', 10]);
  const canary = Array.from({ length: 2000 }, () => pickBackend(weighted, random())?.serviceKey).filter(
    (key) => key === 'shop/b',
  ).length;
  expect(Math.abs(canary - 200)).toBeLessThan(3 * Math.sqrt(2000 * 0.1 * 0.9));
});

test('no backends, or none that weighs anything, is nobody', () => {
  expect(pickBackend(ruleOf(), 0.5)).toBeNull();
  expect(pickBackend(ruleOf(['a', 0], ['b', 0]), 0.5)).toBeNull();
});
