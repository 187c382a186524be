/** Filters of a route's rules and backends. */
import type { HeaderEdits, HeaderValue, HttpFilter, HttpRouteMatch, PathEdit } from '../../model/route.js';
import type { Fields, TextRule } from './fields.js';
import { dnsSubdomain, headerText, httpToken } from './text-rules.js';

type FilterType = HttpFilter['type'];

/** The filters of an HTTPRoute that weft carries out. */
export const httpFilters: readonly FilterType[] = [
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'RequestRedirect',
  'URLRewrite',
];
/** Those of a GRPCRoute. */
export const grpcFilters: readonly FilterType[] = ['RequestHeaderModifier', 'ResponseHeaderModifier'];
/** Gateway API knows these too; naming them tells "not yet" from "misspelt". */
const unsupported = ['RequestMirror', 'CORS', 'ExternalAuth', 'ExtensionRef'];

/** The field that holds a filter's settings, by its type. */
const settings: Readonly<Record<FilterType, string>> = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
};

const replacement: TextRule = {
  pattern: /^(\/([-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})*)?$/,
  most: 1024,
  describe: 'a path of URL characters that begins with /',
};

/** Fields that belong to hop-by-hop framing; a route must not touch them (RFC 9110 section 7.6.1, RFC 9112). */
const framingHeaders = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Reads `filters` of a rule or a backend; `matches` are the rule's, which a prefix replacement needs. */
export function parseFilters(
  owner: Fields,
  supported: readonly FilterType[],
  matches: readonly HttpRouteMatch[],
): HttpFilter[] {
  const filters = owner.objects('filters', 16).flatMap((item) => readFilter(item, supported, matches) ?? []);
  const types = filters.map((filter) => filter.type);
  for (const type of new Set(types)) {
    if (types.filter((other) => other === type).length > 1) {
      owner.problem('filters', `hold ${type} more than once`, 'merge them into one');
    }
  }
  if (types.includes('RequestRedirect') && types.includes('URLRewrite')) {
    owner.problem('filters', 'hold both RequestRedirect and URLRewrite', 'keep one of them');
  }
  return filters;
}

function readFilter(
  item: Fields,
  supported: readonly FilterType[],
  matches: readonly HttpRouteMatch[],
): HttpFilter | null {
  const text = item.requiredText('type');
  if (text === undefined) return null;
  const type = supported.find((candidate) => candidate === text);
  if (type === undefined) {
    const known = unsupported.includes(text) || httpFilters.some((candidate) => candidate === text);
    const message = known ? 'is not supported' : 'is no known filter';
    item.problem('type', message, `supported are ${supported.join(', ')}`);
    return null;
  }
  const fields = item.object(settings[type]);
  item.finish();
  if (fields === undefined) {
    if (!item.has(settings[type])) item.problem(settings[type], 'is missing', `add it for type ${type}`);
    return null;
  }
  const filter = readSettings(type, fields, matches);
  fields.finish();
  return filter;
}

function readSettings(type: FilterType, fields: Fields, matches: readonly HttpRouteMatch[]): HttpFilter {
  switch (type) {
    case 'RequestHeaderModifier':
    case 'ResponseHeaderModifier':
      return { type, edits: readEdits(fields) };
    case 'URLRewrite':
      return { type, hostname: fields.text('hostname', dnsSubdomain), path: readPathEdit(fields, matches) };
    case 'RequestRedirect':
      return {
        type,
        scheme: fields.oneOf('scheme', ['http', 'https']),
        hostname: fields.text('hostname', dnsSubdomain),
        path: readPathEdit(fields, matches),
        port: fields.number('port', 1, 65_535),
        statusCode: readStatus(fields),
      };
  }
}

function readStatus(fields: Fields): 301 | 302 | 303 | 307 | 308 {
  const codes = [301, 302, 303, 307, 308] as const;
  const value = fields.raw('statusCode');
  const found = codes.find((code) => code === value);
  if (value !== undefined && found === undefined) {
    fields.problem('statusCode', 'is no redirect status', `use one of ${codes.join(', ')}`);
  }
  return found ?? 302;
}

function readPathEdit(owner: Fields, matches: readonly HttpRouteMatch[]): PathEdit | undefined {
  const path = owner.object('path');
  if (path === undefined) return undefined;
  const type = path.oneOf('type', ['ReplaceFullPath', 'ReplacePrefixMatch']);
  if (!path.has('type')) path.problem('type', 'is missing', 'write ReplaceFullPath or ReplacePrefixMatch');
  const field = type === 'ReplaceFullPath' ? 'replaceFullPath' : 'replacePrefixMatch';
  const value = path.text(field, replacement);
  if (type !== undefined && !path.has(field)) path.problem(field, 'is missing', `add it for type ${type}`);
  path.finish();
  if (type === 'ReplacePrefixMatch') checkPrefixMatch(path, matches);
  return type === undefined || value === undefined ? undefined : { type, value };
}

/** Gateway API: the rule must have exactly one match, a PathPrefix (an absent one is the prefix /). */
function checkPrefixMatch(path: Fields, matches: readonly HttpRouteMatch[]): void {
  const [only] = matches;
  if (matches.length > 1 || (only !== undefined && only.path.type !== 'PathPrefix')) {
    path.problem('type', 'needs a rule with one single match, of a PathPrefix', 'split the rule');
  }
}

function readEdits(fields: Fields): HeaderEdits {
  const edits = {
    set: readHeaders(fields, 'set'),
    add: readHeaders(fields, 'add'),
    remove: fields.texts('remove', 16, httpToken).map((name) => name.toLowerCase()),
  };
  for (const name of edits.remove) refuseFraming(fields, 'remove', name);
  return edits;
}

/** Of entries with equivalent names only the first counts (Gateway API, HTTPHeader.name). */
function readHeaders(fields: Fields, list: 'set' | 'add'): HeaderValue[] {
  const seen = new Set<string>();
  return fields.objects(list, 16).flatMap((item) => {
    const name = item.requiredText('name', httpToken)?.toLowerCase() ?? '';
    const value = item.requiredText('value', headerText) ?? '';
    item.finish();
    refuseFraming(item, 'name', name);
    if (seen.has(name)) return [];
    seen.add(name);
    return [{ name, value }];
  });
}

function refuseFraming(fields: Fields, field: string, name: string): void {
  if (!framingHeaders.has(name)) return;
  const fix = name === 'host' ? 'use URLRewrite with hostname' : 'leave it to the proxy';
  fields.problem(field, `names ${name}, which frames the message`, fix);
}
