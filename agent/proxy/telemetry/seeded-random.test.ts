import { seededRandom } from './seeded-random.js';

test('every byte value comes about equally often, and seeds differ', () => {
  const words = new Uint32Array(64 * 1000);
  seededRandom(Uint32Array.of(1, 2, 3, 4))(words);
  const counts = new Uint32Array(256);
  for (const byte of new Uint8Array(words.buffer)) counts[byte] = (counts[byte] ?? 0) + 1;
  // Mean 1,000, standard deviation 32: six of them.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(190);
  const other = new Uint32Array(4);
  seededRandom(Uint32Array.of(1, 2, 3, 5))(other);
  expect(other).not.toEqual(words.slice(0, 4));
});

test('a seed of zeros still gives something', () => {
  const words = new Uint32Array(16);
  seededRandom(new Uint32Array(4))(words);
  expect(new Set(words).size).toBeGreaterThan(8);
});
