import { sameJson } from './same-json.js';

test.each([
  [
    { a: 1, b: [1, { c: null }] },
    { b: [1, { c: null }], a: 1 },
  ],
  [[], []],
  [{ a: undefined }, {}],
  ['x', 'x'],
])('%j is the same as %j', (left, right) => {
  expect(sameJson(left, right)).toBe(true);
  expect(sameJson(right, left)).toBe(true);
});

test.each([
  [{ a: 1 }, { a: 1, b: 2 }],
  [
    [1, 2],
    [2, 1],
  ],
  [[1], [1, 2]],
  [[], {}],
  [{ a: null }, {}],
  [0, ''],
  [null, {}],
])('%j is not the same as %j', (left, right) => {
  expect(sameJson(left, right)).toBe(false);
  expect(sameJson(right, left)).toBe(false);
});
