/** Matches of an HTTPRoute's rules. */

import { compileRegex, maxRegexLength } from '../../model/compile-regex.js';
import type { HttpRouteMatch, NamedMatch, PathMatch, StringMatch } from '../../model/route.js';
import type { Fields, TextRule } from './fields.js';
import { httpToken } from './text-rules.js';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const;

/** Characters of RFC 3986 paths, as Gateway API's own validation has them. */
const pathText: TextRule = {
  pattern: /^\/([-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})*$/,
  most: 1024,
  describe: 'an absolute path of URL characters',
};
/** Spellings with another normal form; a route that holds one could never match. */
const oddPath = /\/\/|\/\.(\/|$)|\/\.\.(\/|$)|%2f/i;

export function parseMatch(match: Fields): HttpRouteMatch {
  const path = match.object('path');
  const parsed: HttpRouteMatch = {
    path: path === undefined ? { type: 'PathPrefix', value: '/' } : readPath(path),
    headers: readHeaderMatches(match),
    queryParams: readNamed(match, 'queryParams', 1024, (name) => name),
    method: match.oneOf('method', methods),
  };
  match.finish();
  return parsed;
}

/** HTTPHeaderMatch and GRPCHeaderMatch, which are alike. */
export function readHeaderMatches(match: Fields): NamedMatch[] {
  return readNamed(match, 'headers', 4096, (name) => name.toLowerCase());
}

function readPath(path: Fields): PathMatch {
  const type = path.oneOf('type', ['Exact', 'PathPrefix', 'RegularExpression']) ?? 'PathPrefix';
  const value =
    type === 'RegularExpression' ? readRegex(path, 'value', maxRegexLength) : path.text('value', pathText);
  if (type !== 'RegularExpression' && value !== undefined && oddPath.test(value)) {
    path.problem('value', 'holds //, /./, /../ or %2f', 'write the path in its normal form');
  }
  path.finish();
  return { type, value: value ?? '/' };
}

/** Of entries with equivalent names only the first counts (Gateway API, HTTPHeaderMatch.name). */
function readNamed(
  match: Fields,
  list: 'headers' | 'queryParams',
  most: number,
  canonical: (name: string) => string,
): NamedMatch[] {
  const seen = new Set<string>();
  return match.objects(list, 16).flatMap((item) => {
    const name = canonical(item.requiredText('name', httpToken) ?? '');
    const type = item.oneOf('type', ['Exact', 'RegularExpression']) ?? 'Exact';
    const value = readValue(item, type, most);
    item.finish();
    if (seen.has(name)) return [];
    seen.add(name);
    return [{ name, match: { type, value } satisfies StringMatch }];
  });
}

function readValue(item: Fields, type: StringMatch['type'], most: number): string {
  if (!item.has('value') || item.raw('value') === '') {
    item.problem('value', 'is missing', 'give the value to compare with');
    return '';
  }
  if (type === 'RegularExpression') return readRegex(item, 'value', Math.min(most, maxRegexLength)) ?? '';
  return item.text('value', { pattern: /^/, most, describe: `at most ${most} characters` }) ?? '';
}

/** RE2 only: it runs in linear time, so one tenant's expression cannot stop a node. */
function readRegex(fields: Fields, name: string, most: number): string | undefined {
  const text = fields.requiredText(name, { pattern: /^/, most, describe: `at most ${most} characters` });
  if (text === undefined) return undefined;
  const compiled = compileRegex(text);
  if (!('message' in compiled)) return text;
  fields.problem(
    name,
    `is no RE2 expression: ${compiled.message}`,
    'RE2 has no look-around, no back-references',
  );
  return undefined;
}
