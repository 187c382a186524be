import type { Candidate } from './choose-endpoint.js';
import { findStay, type Stay } from './session-affinity.js';

const candidate = (key: string): Candidate => ({ key, address: key, port: 80, workloadUid: key, zone: '' });
const [a, b, c] = ['a', 'b', 'c'].map(candidate) as [Candidate, Candidate, Candidate];
const stay: Stay = { key: 'b', usedMs: 1_000 };

test('a client stays where it was, whoever else comes', () => {
  expect(findStay([[a, b]], stay, 60_000, 2_000, [])).toBe(b);
  expect(findStay([[c, a, b]], stay, 60_000, 61_000, [])).toBe(b);
});

test('it stays no longer once it stayed away for longer than the time that the service gives', () => {
  expect(findStay([[a, b]], stay, 60_000, 61_001, [])).toBeNull();
});

test('an endpoint that ends is left as soon as a ready one is there, and kept while there is none', () => {
  expect(findStay([[a], [b]], stay, 60_000, 2_000, [])).toBeNull();
  expect(findStay([[], [a, b]], stay, 60_000, 2_000, [])).toBe(b);
  expect(findStay([[], [a]], stay, 60_000, 2_000, [])).toBeNull();
});

test('a retry goes elsewhere, and a new client stays nowhere', () => {
  expect(findStay([[a, b]], stay, 60_000, 2_000, [b])).toBeNull();
  expect(findStay([[a, b]], undefined, 60_000, 2_000, [])).toBeNull();
});
