/** The fewest ranges that hold exactly what is given: a cluster has too many addresses to list each. */
import { addressBytes, formatAddress, parseCidr } from '../../model/address.js';

interface Block {
  /** 32 or 128. */
  readonly width: number;
  readonly first: bigint;
  readonly prefix: number;
}

/**
 * @param ranges CIDRs in canonical text; what is none is left out
 * @param addresses in canonical text
 * @returns CIDRs in canonical text, IPv4 first, without overlap
 */
export function coverAddresses(ranges: readonly string[], addresses: readonly string[]): string[] {
  const blocks = [...ranges.flatMap(readRange), ...addresses.flatMap(readAddress)];
  blocks.sort(
    (a, b) =>
      a.width - b.width || (a.first < b.first ? -1 : a.first > b.first ? 1 : 0) || a.prefix - b.prefix,
  );
  const cover: Block[] = [];
  for (const block of blocks) {
    const last = cover.at(-1);
    if (last !== undefined && holds(last, block)) continue;
    cover.push(block);
    joinLast(cover);
  }
  return cover.map(formatBlock);
}

/** Joins the two halves of a larger block at the end of the list, as often as there are two. */
function joinLast(cover: Block[]): void {
  for (;;) {
    const upper = cover.at(-1);
    const lower = cover.at(-2);
    if (upper === undefined || lower === undefined || upper.prefix !== lower.prefix || upper.prefix === 0)
      return;
    const parent = { width: lower.width, first: lower.first, prefix: lower.prefix - 1 };
    if (maskOff(parent) !== parent.first || !holds(parent, upper)) return;
    cover.splice(-2, 2, parent);
  }
}

function holds(outer: Block, inner: Block): boolean {
  if (outer.width !== inner.width || outer.prefix > inner.prefix) return false;
  return maskOff({ ...outer, first: inner.first }) === outer.first;
}

/** The block's first address with all bits beyond its prefix zero. */
function maskOff({ width, first, prefix }: Block): bigint {
  const host = BigInt(width - prefix);
  return (first >> host) << host;
}

function readRange(text: string): Block[] {
  const range = parseCidr(text);
  return range === null ? [] : [toBlock(range.bytes, range.prefix)];
}

function readAddress(text: string): Block[] {
  const bytes = addressBytes(text);
  return bytes === null ? [] : [toBlock(bytes, bytes.length * 8)];
}

function toBlock(bytes: Uint8Array, prefix: number): Block {
  const first = bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  return { width: bytes.length * 8, first, prefix };
}

function formatBlock({ width, first, prefix }: Block): string {
  const length = width === 32 ? 4 : 16;
  const bytes = Uint8Array.from({ length }, (_, index) =>
    Number((first >> BigInt(8 * (length - 1 - index))) & 0xffn),
  );
  return `${formatAddress(bytes, 0, length)}/${prefix}`;
}

/** Whether an address lies in one of some ranges; costs the logarithm of their number. */
export class RangeSet {
  /** Without overlap, ascending, by width. */
  readonly #blocks: readonly Block[];

  /** `ranges`: CIDRs; what is none is left out. */
  constructor(ranges: readonly string[]) {
    this.#blocks = coverAddresses(ranges, []).flatMap(readRange);
  }

  has(address: string): boolean {
    const [block] = readAddress(address);
    if (block === undefined) return false;
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { width, first } = this.#blocks[middle] as Block;
      if (width < block.width || (width === block.width && first <= block.first)) low = middle + 1;
      else high = middle;
    }
    const before = this.#blocks[low - 1];
    return before !== undefined && holds(before, block);
  }
}
