import { compileFilters, noFilters } from './compile-filters.js';
import type { HeaderEdits, HttpFilter } from './route.js';
import { seededRandom } from './test-resources.js';

const edits = (changes: Partial<HeaderEdits>): HeaderEdits => ({ set: [], add: [], remove: [], ...changes });
const onRequest = (changes: Partial<HeaderEdits>): HttpFilter => ({
  type: 'RequestHeaderModifier',
  edits: edits(changes),
});

test('no filters need nothing', () => {
  expect(compileFilters([])).toBe(noFilters);
});

test('requests and responses are edited apart, names in lower case', () => {
  const filters = compileFilters([
    onRequest({ set: [{ name: 'X-A', value: '1' }] }),
    { type: 'ResponseHeaderModifier', edits: edits({ remove: ['Server'] }) },
  ]);
  expect(filters.request).toEqual(edits({ set: [{ name: 'x-a', value: '1' }] }));
  expect(filters.response).toEqual(edits({ remove: ['server'] }));
});

test("a backend's removal wins over its rule's addition", () => {
  const filters = compileFilters([
    onRequest({ add: [{ name: 'a', value: '1' }] }),
    onRequest({ remove: ['A'] }),
  ]);
  expect(filters.request).toEqual(edits({ remove: ['a'] }));
});

test('the last rewrite and redirect count', () => {
  const rewrite = (hostname: string): HttpFilter => ({ type: 'URLRewrite', hostname, path: undefined });
  expect(compileFilters([rewrite('a'), rewrite('b')]).rewrite?.hostname).toBe('b');
});

/** One edit as the engine does it: remove, then set, then add. */
function apply(headers: readonly [string, string][], { remove, set, add }: HeaderEdits): [string, string][] {
  const gone = new Set([...remove, ...set.map(({ name }) => name)]);
  const kept = headers.filter(([name]) => !gone.has(name));
  return [...kept, ...[...set, ...add].map(({ name, value }): [string, string] => [name, value])];
}

test('the folded edit does what the edits do one after the other', () => {
  const random = seededRandom(2);
  const names = ['a', 'b', 'c'];
  const some = () => names.filter(() => random() < 0.4);
  const values = () => some().map((name) => ({ name, value: String(Math.floor(random() * 100)) }));
  const start: [string, string][] = names.map((name) => [name, 'original']);
  const byName = (headers: readonly [string, string][]) =>
    names.map((name) => headers.filter(([other]) => other === name).map(([, value]) => value));
  for (let round = 0; round < 2000; round += 1) {
    const each = Array.from({ length: 3 }, () => edits({ set: values(), add: values(), remove: some() }));
    const folded = compileFilters(each.map(onRequest)).request ?? edits({});
    expect(byName(apply(start, folded))).toEqual(byName(each.reduce(apply, start)));
  }
});
