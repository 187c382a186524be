/** IP addresses in one canonical text form, so that equal addresses are equal strings. */

/** Dotted decimal for IPv4 and for IPv4-mapped IPv6; RFC 5952 for other IPv6. */
export type IpAddress = string;

/** Reads an address of 4 or 16 bytes in network order at `offset`; 16 bytes that are IPv4-mapped give IPv4. */
export function formatAddress(bytes: Uint8Array, offset: number, length: 4 | 16): IpAddress {
  if (length === 4) return formatIpv4(bytes, offset);
  const groups: number[] = [];
  for (let at = 0; at < 16; at += 2) {
    groups.push(((bytes[offset + at] ?? 0) << 8) | (bytes[offset + at + 1] ?? 0));
  }
  const mapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  return mapped ? formatIpv4(bytes, offset + 12) : formatGroups(groups);
}

/** The canonical form of an address, or null where the text is no address (zones and ports are not accepted). */
export function parseAddress(text: string): IpAddress | null {
  const bytes = addressBytes(text);
  return bytes === null ? null : formatAddress(bytes, 0, bytes.length === 4 ? 4 : 16);
}

/** An address as 4 or 16 bytes in network order, or null where the text is no address. */
export function addressBytes(text: string): Uint8Array | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** A CIDR split into its address bytes (host bits must be zero) and prefix length, or null. */
export function parseCidr(text: string): { readonly bytes: Uint8Array; readonly prefix: number } | null {
  const slash = text.indexOf('/');
  if (slash < 0) return null;
  const bytes = addressBytes(text.slice(0, slash));
  const prefixText = text.slice(slash + 1);
  if (bytes === null || !/^(0|[1-9][0-9]{0,2})$/.test(prefixText)) return null;
  const prefix = Number(prefixText);
  if (prefix > bytes.length * 8) return null;
  for (let bit = prefix; bit < bytes.length * 8; bit += 1) {
    if (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) return null;
  }
  return { bytes, prefix };
}

function formatIpv4(bytes: Uint8Array, offset: number): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as `::`. */
function formatGroups(groups: readonly number[]): string {
  let bestStart = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length += 1;
    if (length > bestLength) {
      bestStart = start;
      bestLength = length;
    }
  }
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return bestStart < 0 ? hex(0, 8) : `${hex(0, bestStart)}::${hex(bestStart + bestLength, 8)}`;
}

const [dot, zero, nine] = [0x2e, 0x30, 0x39];

function parseIpv4(text: string): Uint8Array | null {
  const bytes = new Uint8Array(4);
  let index = 0;
  let digits = 0;
  let value = 0;
  // By hand, because a controller reads tens of thousands of addresses at each change.
  for (let at = 0; at <= text.length; at += 1) {
    const code = at === text.length ? dot : text.charCodeAt(at);
    if (code === dot) {
      if (digits === 0 || index === 4) return null;
      bytes[index] = value;
      index += 1;
      digits = 0;
      value = 0;
    } else {
      // No leading zeros: some read them as octal.
      if (code < zero || code > nine || (digits > 0 && value === 0)) return null;
      value = value * 10 + (code - zero);
      digits += 1;
      if (value > 255) return null;
    }
  }
  return index === 4 ? bytes : null;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const bytes = new Uint8Array(16);
  for (const [index, group] of groups.entries()) {
    bytes[index * 2] = group >> 8;
    bytes[index * 2 + 1] = group & 0xff;
  }
  return bytes;
}

/** Colon-separated groups; the last may be dotted decimal where the address ends there. */
function parseGroups(text: string, atEnd: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (atEnd && index === parts.length - 1 && part.includes('.')) {
      const v4 = parseIpv4(part);
      if (v4 === null) return null;
      groups.push(((v4[0] ?? 0) << 8) | (v4[1] ?? 0), ((v4[2] ?? 0) << 8) | (v4[3] ?? 0));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return null;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}
