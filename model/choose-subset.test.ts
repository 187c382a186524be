import type { Candidate } from './choose-endpoint.js';
import { subsetTiers } from './choose-subset.js';

const candidate = (index: number): Candidate => ({
  key: `10.0.${index >> 8}.${index & 255}:8080`,
  address: `10.0.${index >> 8}.${index & 255}`,
  port: 8080,
  workloadUid: `uid-${index}`,
  zone: '',
});
const many = (count: number) => Array.from({ length: count }, (_, index) => candidate(index));
const keysOf = (tier: readonly Candidate[] | undefined) => (tier ?? []).map(({ key }) => key);

test('a service that is small is used whole, by the very same list', () => {
  const tiers = [many(16), many(3)];
  expect(subsetTiers(tiers, 'client', 16)).toBe(tiers);
});

test('a large one is cut to size, always to the same endpoints for one client', () => {
  const [ready, leaving] = subsetTiers([many(100), many(3)], 'client', 16);
  expect([ready?.length, leaving?.length]).toEqual([16, 3]);
  expect(keysOf(subsetTiers([many(100)], 'client', 16)[0])).toEqual(keysOf(ready));
  expect(keysOf(subsetTiers([many(100)], 'another', 16)[0])).not.toEqual(keysOf(ready));
});

test('an endpoint that goes changes only the subsets that had it, each by one', () => {
  const all = many(100);
  for (let client = 0; client < 50; client += 1) {
    const before = new Set(keysOf(subsetTiers([all], `pod-${client}`, 16)[0]));
    const gone = all[client] as Candidate;
    const after = keysOf(subsetTiers([all.filter((one) => one !== gone)], `pod-${client}`, 16)[0]);
    const fresh = after.filter((key) => !before.has(key));
    expect(after).toHaveLength(16);
    expect(fresh).toHaveLength(before.has(gone.key) ? 1 : 0);
  }
});

test('many clients use all endpoints, none much more than its share', () => {
  const uses = new Map<string, number>();
  for (let client = 0; client < 1_000; client += 1) {
    for (const key of keysOf(subsetTiers([many(200)], `pod-${client}`, 16)[0])) {
      uses.set(key, (uses.get(key) ?? 0) + 1);
    }
  }
  const counts = [...uses.values()];
  expect(counts).toHaveLength(200);
  // 80 on average; by chance alone the deviation is 8.6.
  expect(Math.min(...counts)).toBeGreaterThan(80 - 5 * 8.6);
  expect(Math.max(...counts)).toBeLessThan(80 + 5 * 8.6);
});
