import { seededRandom } from './seeded-random.js';

test('every byte value comes about equally often, and seeds differ', () => {
  const bytes = new Uint8Array(256 * 1000);
  seededRandom(Uint32Array.of(1, 2, 3, 4))(bytes);
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  // Mean 1,000, standard deviation 32: six of them.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(190);
  const other = new Uint8Array(16);
  seededRandom(Uint32Array.of(1, 2, 3, 5))(other);
  expect(other).not.toEqual(bytes.slice(0, 16));
});

test('a seed of zeros still gives something', () => {
  const bytes = new Uint8Array(64);
  seededRandom(new Uint32Array(4))(bytes);
  expect(new Set(bytes).size).toBeGreaterThan(8);
});
