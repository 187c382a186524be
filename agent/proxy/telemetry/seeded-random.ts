/** Random numbers without a system call per request: xoshiro128** (Blackman, Vigna 2018), seeded from real randomness. */
import type { FillRandom } from './trace-context.js';

/** For identifiers that must not collide, not for secrets. `seed`: four words, not all zero. */
export function seededRandom(seed: Uint32Array): FillRandom {
  let [a = 1, b = 0, c = 0, d = 0] = seed;
  if ((a | b | c | d) === 0) a = 1;
  return (words) => {
    for (let at = 0; at < words.length; at += 1) {
      const product = Math.imul(b, 5);
      words[at] = Math.imul((product << 7) | (product >>> 25), 9);
      const shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = (d << 11) | (d >>> 21);
    }
  };
}
