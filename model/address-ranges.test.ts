import { addressBytes, formatAddress, parseCidr } from './address.js';
import { buildRangeTable, lookupRange } from './address-ranges.js';
import { seededRandom } from './test-resources.js';

const table = buildRangeTable<string>([
  ['0.0.0.0/0', 'any'],
  ['10.0.0.0/8', 'ten'],
  ['10.1.0.0/16', 'ten-one'],
  ['10.1.2.3/32', 'host'],
  ['fd00::/8', 'six'],
  ['fd00::5/128', 'six-host'],
]);

test.each([
  ['10.1.2.3', 'host'],
  ['10.1.2.4', 'ten-one'],
  ['10.2.0.0', 'ten'],
  ['192.0.2.1', 'any'],
  ['fd00::5', 'six-host'],
  ['fd12::5', 'six'],
  ['2001:db8::1', undefined],
  ['nonsense', undefined],
])('%s lies in %s', (address, value) => {
  expect(lookupRange(table, address)).toBe(value);
});

test('text that is no CIDR is refused', () => {
  expect(() => buildRangeTable([['10.0.0.1/8', 1]])).toThrow(RangeError);
});

test('agrees with a scan for the longest prefix over random ranges', () => {
  const random = seededRandom(3);
  const byte = (below = 256) => Math.floor(random() * below);
  const ranges = Array.from({ length: 300 }, (_, index): [string, number] => {
    const prefix = byte(33);
    const bytes = Uint8Array.from([10, byte(4), byte(8), byte()]);
    for (let bit = prefix; bit < 32; bit += 1)
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) & ~(0x80 >> (bit & 7));
    return [`${formatAddress(bytes, 0, 4)}/${prefix}`, index];
  });
  const built = buildRangeTable(ranges);
  for (let round = 0; round < 3000; round += 1) {
    const address = `10.${byte(4)}.${byte(8)}.${byte()}`;
    expect(lookupRange(built, address)).toBe(scan(ranges, address));
  }
});

function scan(ranges: readonly [string, number][], address: string): number | undefined {
  const bytes = addressBytes(address) ?? new Uint8Array(4);
  let best = -1;
  let found: number | undefined;
  for (const [cidr, value] of ranges) {
    const range = parseCidr(cidr);
    if (range === null || range.prefix < best) continue;
    const bit = (of: Uint8Array, at: number) => ((of[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;
    const holds = Array.from({ length: range.prefix }, (_, at) => bit(bytes, at) === bit(range.bytes, at));
    if (holds.every(Boolean)) {
      best = range.prefix;
      found = value;
    }
  }
  return found;
}
