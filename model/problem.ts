/** Making {@link Problem}s. */
import type { Problem } from './resource.js';

/** A problem with its value as shortened text. */
export function problem(field: string, value: unknown, message: string, fix: string): Problem {
  return { field, value: shorten(value), message, fix };
}

function shorten(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

/** A list that is longer than a decision may have to read through. */
export function checkLength(list: readonly unknown[], max: number, field: string): Problem[] {
  if (list.length <= max) return [];
  const message = `the list has ${list.length} entries; ${max} are allowed`;
  return [problem(field, `${list.length} entries`, message, 'split it over several resources')];
}

/** RFC 9110 section 5.6.2. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
}

/** A header value that can be sent: no control characters, no white space at the ends (RFC 9110 section 5.5). */
export function isHeaderValue(text: string): boolean {
  return /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/.test(text);
}

/** An RFC 1123 name of at most 253 characters, lower case. */
export function isHostname(text: string): boolean {
  return (
    text.length <= 253 && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/.test(text)
  );
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535;
}
