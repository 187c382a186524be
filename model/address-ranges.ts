/** Longest-prefix lookup over CIDR ranges: a binary trie per address family. */
import { addressBytes, type IpAddress, parseCidr } from './address.js';

interface TrieNode<Value> {
  value: Value | undefined;
  zero: TrieNode<Value> | undefined;
  one: TrieNode<Value> | undefined;
}

export interface RangeTable<Value> {
  readonly v4: TrieNode<Value>;
  readonly v6: TrieNode<Value>;
}

function newNode<Value>(): TrieNode<Value> {
  return { value: undefined, zero: undefined, one: undefined };
}

function bitAt(bytes: Uint8Array, bit: number): number {
  return ((bytes[bit >> 3] as number) >> (7 - (bit & 7))) & 1;
}

/** Builds a table; of equal ranges the last counts. Throws RangeError on text that is no CIDR. */
export function buildRangeTable<Value>(
  ranges: Iterable<readonly [cidr: string, value: Value]>,
): RangeTable<Value> {
  const table: RangeTable<Value> = { v4: newNode(), v6: newNode() };
  for (const [cidr, value] of ranges) {
    const parsed = parseCidr(cidr);
    if (parsed === null) throw new RangeError(`${cidr} is no CIDR`);
    let node = parsed.bytes.length === 4 ? table.v4 : table.v6;
    for (let bit = 0; bit < parsed.prefix; bit += 1) {
      if (bitAt(parsed.bytes, bit) === 0) node = node.zero ??= newNode();
      else node = node.one ??= newNode();
    }
    node.value = value;
  }
  return table;
}

/** The value of the longest range that holds an address; undefined where none does or the text is no address. */
export function lookupRange<Value>(table: RangeTable<Value>, address: IpAddress): Value | undefined {
  const bytes = addressBytes(address);
  if (bytes === null) return undefined;
  let node: TrieNode<Value> | undefined = bytes.length === 4 ? table.v4 : table.v6;
  let found: Value | undefined;
  for (let bit = 0; node !== undefined; bit += 1) {
    found = node.value ?? found;
    if (bit === bytes.length * 8) break;
    node = bitAt(bytes, bit) === 0 ? node.zero : node.one;
  }
  return found;
}
