/**
 * A path's one normal form (RFC 3986 section 6.2.2), and what keeps a path from having one.
 *
 * Routing and authorization both read the normal form: percent-encoded unreserved characters are decoded, other
 * encodings have upper-case digits, dot segments are removed. What servers disagree about (an encoded slash, `//`,
 * `;`, …) stays as it is in the normal form and is named by {@link pathAmbiguities}. Routing goes on with such a
 * path; where an enforced policy of the destination reads the path, the request is refused (ambiguous_path),
 * because the application might see another path than the policy did.
 */

/** Bits of {@link pathAmbiguities}. */
export const PathAmbiguity = {
  /** `%2F`: a slash to some servers, a letter to others. */
  encodedSlash: 1,
  /** `%5C` */
  encodedBackslash: 2,
  /** `%2E`: decoding turns it into a dot segment before or after dot segments are removed. */
  encodedDot: 4,
  /** `%00`–`%1F`, `%7F` */
  encodedControl: 8,
  /** `%25`: decoded twice it is something else. */
  encodedPercent: 16,
  /** `//`: merged by some servers. */
  emptySegment: 32,
  /** `;` or `%3B`: cut off as a parameter by some servers. */
  semicolon: 64,
  /** A bare backslash: a slash to some servers. */
  backslash: 128,
  /** `%` without two hexadecimal digits. */
  badPercent: 256,
  /** Percent-encoded bytes that are not UTF-8: overlong forms, surrogates, stray bytes. */
  badUtf8: 512,
  /** Bytes above 0x7E, or below 0x21, that are not encoded. */
  rawByte: 1024,
  /** `#`, or no leading slash (apart from the `*` of OPTIONS). */
  badForm: 2048,
} as const;

export type PathAmbiguityName = keyof typeof PathAmbiguity;

/** The names of the bits that are set. */
export function ambiguityNames(ambiguities: number): PathAmbiguityName[] {
  const names = Object.keys(PathAmbiguity) as PathAmbiguityName[];
  return names.filter((name) => (ambiguities & PathAmbiguity[name]) !== 0);
}

/** Each character that can make a path ambiguous or not normal: none of them, and both questions are answered. */
const suspicious = /[^!$&-.0-9:=@A-Z_a-z~/]|\/\/|\/\.|^[^/]/;

/** What is ambiguous about a path as sent (without its query): bits of {@link PathAmbiguity}, 0 for nothing. */
export function pathAmbiguities(path: string): number {
  if (!suspicious.test(path) || path === '' || path === '*') return 0;
  let found = path.charCodeAt(0) === 0x2f ? 0 : PathAmbiguity.badForm;
  for (let at = 0; at < path.length; at += 1) {
    const unit = path.charCodeAt(at);
    if (unit === 0x25) {
      const byte = encodedByte(path, at);
      found |= byte < 0 ? PathAmbiguity.badPercent : ambiguityOfByte(byte);
      if (byte >= 0) at += 2;
    } else if (unit === 0x2f) {
      if (path.charCodeAt(at + 1) === 0x2f) found |= PathAmbiguity.emptySegment;
    } else if (unit === 0x3b) found |= PathAmbiguity.semicolon;
    else if (unit === 0x5c) found |= PathAmbiguity.backslash;
    else if (unit === 0x23 || unit === 0x3f) found |= PathAmbiguity.badForm;
    else if (unit < 0x21 || unit > 0x7e) found |= PathAmbiguity.rawByte;
  }
  return encodedUtf8IsValid(path) ? found : found | PathAmbiguity.badUtf8;
}

function ambiguityOfByte(byte: number): number {
  if (byte < 0x20 || byte === 0x7f) return PathAmbiguity.encodedControl;
  switch (byte) {
    case 0x25:
      return PathAmbiguity.encodedPercent;
    case 0x2e:
      return PathAmbiguity.encodedDot;
    case 0x2f:
      return PathAmbiguity.encodedSlash;
    case 0x3b:
      return PathAmbiguity.semicolon;
    case 0x5c:
      return PathAmbiguity.encodedBackslash;
    default:
      return 0;
  }
}

/** The byte that `%XX` at `at` stands for, or -1 where two hexadecimal digits do not follow. */
function encodedByte(path: string, at: number): number {
  const high = hexValue(path.charCodeAt(at + 1));
  const low = hexValue(path.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** NaN (past the end) gives -1. */
function hexValue(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const lower = unit | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Whether each run of percent-encoded bytes above 0x7F is well-formed UTF-8 (RFC 3629). */
function encodedUtf8IsValid(path: string): boolean {
  for (const run of path.match(/(?:%[89a-fA-F][0-9a-fA-F])+/g) ?? []) {
    try {
      decodeURIComponent(run);
    } catch {
      return false;
    }
  }
  return true;
}

/**
 * The normal form of a path (without its query). An empty path is `/` (RFC 9110 section 4.2.3); `*` stays. Returns
 * the same string where it already is normal. Never leaves the root: dot segments above it vanish.
 */
export function normalizePath(path: string): string {
  if (!suspicious.test(path) && path !== '') return path;
  if (path === '*') return path;
  const decoded = path.includes('%') ? path.replace(/%(?:[0-9a-fA-F]{2})?/g, normalizeEncoding) : path;
  return removeDotSegments(decoded);
}

/** RFC 3986 sections 6.2.2.1 and 6.2.2.2 for one `%XX`; a stray `%` is encoded, lest decoding gives it digits. */
function normalizeEncoding(encoding: string): string {
  if (encoding === '%') return '%25';
  const char = String.fromCharCode(Number.parseInt(encoding.slice(1), 16));
  return /[A-Za-z0-9\-._~]/.test(char) ? char : encoding.toUpperCase();
}

/** RFC 3986 section 5.2.4, for a path taken as absolute. Empty segments are segments like others. */
function removeDotSegments(path: string): string {
  const segments = (path.startsWith('/') ? path.slice(1) : path).split('/');
  const kept: string[] = [];
  const last = segments.length - 1;
  for (const [index, segment] of segments.entries()) {
    if (segment === '..') kept.pop();
    if (segment !== '.' && segment !== '..') kept.push(segment);
    else if (index === last) kept.push('');
  }
  return `/${kept.join('/')}`;
}
