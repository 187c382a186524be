/** Addresses as the kernel programs keep them: 16 bytes in network order, IPv4 as v4-mapped. */
import { addressBytes, parseCidr } from '../../model/address.js';

/** Throws where the text is no address: it was parsed at the border. */
export function encodeIp(text: string): Buffer {
  const bytes = addressBytes(text);
  if (bytes === null) throw new Error(`${text} is no address`);
  return mapIp(bytes);
}

/** A range's first address, and its prefix length counted over 128 bits. */
export function encodeRange(cidr: string): { readonly ip: Buffer; readonly bits: number } {
  const range = parseCidr(cidr);
  if (range === null) throw new Error(`${cidr} is no address range`);
  return { ip: mapIp(range.bytes), bits: range.prefix + (range.bytes.length === 4 ? 96 : 0) };
}

function mapIp(bytes: Uint8Array): Buffer {
  if (bytes.length === 16) return Buffer.from(bytes);
  const mapped = Buffer.alloc(16);
  mapped.fill(0xff, 10, 12);
  mapped.set(bytes, 12);
  return mapped;
}
