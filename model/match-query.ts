/** Query parameters, decoded as application/x-www-form-urlencoded (URL Standard); of a repeated one, the first. */
import type { CompiledNamed } from './compile-route.js';

/** Whether a query (without its `?`) holds the parameter with a value that matches. */
export function matchQueryParam(wanted: CompiledNamed, query: string): boolean {
  if (query === '') return false;
  const value = queryParam(query, wanted.name);
  if (value === null) return false;
  return wanted.regex === null ? value === wanted.exact : wanted.regex.matches(value);
}

/** The first value of a parameter, decoded; empty where it stands without `=`; null where the query lacks it. */
export function queryParam(query: string, name: string): string | null {
  let start = 0;
  while (start <= query.length) {
    let end = query.indexOf('&', start);
    if (end < 0) end = query.length;
    let equals = query.indexOf('=', start);
    if (equals < 0 || equals > end) equals = end;
    if (end > start && nameIs(query, start, equals, name)) {
      return equals === end ? '' : decodeFormText(query.slice(equals + 1, end));
    }
    start = end + 1;
  }
  return null;
}

function nameIs(query: string, start: number, end: number, name: string): boolean {
  if (end - start === name.length && query.startsWith(name, start)) {
    // A name that itself holds an escape character is compared decoded.
    if (!name.includes('%') && !name.includes('+')) return true;
  } else if (end - start < name.length) return false;
  const raw = query.slice(start, end);
  return (raw.includes('%') || raw.includes('+')) && decodeFormText(raw) === name;
}

/** `+` is a space; bytes that are no UTF-8 leave the text as it stands. */
function decodeFormText(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
