import { parse } from 'yaml';
import { parseDuration } from './duration.js';
import { formatPath } from './field-problem.js';
import type { RouteManifest } from './manifest.js';
import { parseManifest } from './parse-manifest.js';

/** Parses an HTTPRoute whose spec is given as YAML. */
function parseSpec(spec: string) {
  return parseManifest({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'r', namespace: 'shop' },
    spec: parse(spec),
  });
}

const parent = 'parentRefs: [{group: "", kind: Service, name: web}]\n';
const ruleOf = (rule: string) => `${parent}rules: [${rule}]`;

function route(spec: string): RouteManifest {
  const parsed = parseSpec(spec);
  if (parsed.type !== 'manifest') throw new Error(JSON.stringify(parsed));
  return parsed.manifest as RouteManifest;
}

/** `field: message; fix` of each problem. */
function problems(spec: string): string[] {
  const parsed = parseSpec(spec);
  if (parsed.type !== 'refused') return [];
  return parsed.problems.map(({ path, message, fix }) => `${formatPath(path)}: ${message}; ${fix}`);
}

test('a route without rules matches everything and forwards nowhere', () => {
  expect(route(parent).route).toEqual({
    kind: 'http-route',
    namespace: 'shop',
    name: 'r',
    parents: [{ namespace: 'shop', name: 'web', port: undefined }],
    hostnames: [],
    rules: [
      {
        name: '',
        matches: [
          { path: { type: 'PathPrefix', value: '/' }, headers: [], queryParams: [], method: undefined },
        ],
        filters: [],
        backends: [],
        requestTimeoutMs: 0,
        backendTimeoutMs: 0,
        retry: undefined,
      },
    ],
    createdMs: 0,
  });
});

test('all that core and extended support has arrives in the model', () => {
  const { route: parsed, references } = route(`
parentRefs:
- {group: "", kind: Service, name: web, namespace: other, port: 80}
- {name: gateway}
hostnames: [shop.example, "*.shop.example"]
rules:
- name: one
  matches:
  - path: {type: Exact, value: /a%20b}
    headers: [{name: X-Version, value: v1}, {name: x-version, value: ignored}, {name: ua, type: RegularExpression, value: "a+b"}]
    queryParams: [{name: Q, value: "1"}]
    method: POST
  filters:
  - type: RequestHeaderModifier
    requestHeaderModifier: {set: [{name: X-A, value: "1"}], add: [{name: b, value: "2"}], remove: [C]}
  - {type: ResponseHeaderModifier, responseHeaderModifier: {remove: [server]}}
  - {type: URLRewrite, urlRewrite: {hostname: new.example, path: {type: ReplaceFullPath, replaceFullPath: /}}}
  backendRefs:
  - {name: web, port: 80, weight: 0, filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {add: [{name: x, value: y}]}}]}
  - {name: web, port: 81}
  timeouts: {request: 1m, backendRequest: 1s500ms}
  retry: {codes: [503, 503], backoff: 100ms}
- matches: [{path: {value: /old}}]
  filters:
  - type: RequestRedirect
    requestRedirect: {scheme: https, path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}, port: 8443, statusCode: 308}
`);
  expect(parsed.parents).toEqual([{ namespace: 'other', name: 'web', port: 80 }]);
  expect(parsed.rules[0]).toMatchObject({
    matches: [
      {
        path: { type: 'Exact', value: '/a%20b' },
        headers: [
          { name: 'x-version', match: { type: 'Exact', value: 'v1' } },
          { name: 'ua', match: { type: 'RegularExpression', value: 'a+b' } },
        ],
        queryParams: [{ name: 'Q', match: { type: 'Exact', value: '1' } }],
        method: 'POST',
      },
    ],
    filters: [
      { edits: { set: [{ name: 'x-a', value: '1' }], add: [{ name: 'b', value: '2' }], remove: ['c'] } },
      { edits: { set: [], add: [], remove: ['server'] } },
      { type: 'URLRewrite', hostname: 'new.example', path: { type: 'ReplaceFullPath', value: '/' } },
    ],
    backends: [
      { weight: 0, filters: [{ type: 'ResponseHeaderModifier' }] },
      { weight: 1, filters: [] },
    ],
    requestTimeoutMs: 60_000,
    backendTimeoutMs: 1500,
    retry: { codes: [503], attempts: 2, backoffMs: 100 },
  });
  expect(parsed.rules[1]?.filters).toEqual([
    {
      type: 'RequestRedirect',
      scheme: 'https',
      hostname: undefined,
      path: { type: 'ReplacePrefixMatch', value: '/new' },
      port: 8443,
      statusCode: 308,
    },
  ]);
  expect(references[0]?.[1]).toEqual({
    group: '',
    kind: 'Service',
    namespace: 'shop',
    name: 'web',
    port: 81,
  });
});

const match = (text: string) => ruleOf(`{matches: [${text}], backendRefs: [{name: web, port: 80}]}`);
const filter = (text: string) => ruleOf(`{matches: [{path: {value: /x}}], filters: [${text}]}`);

test.each([
  [
    'an unknown field',
    ruleOf('{backendRef: []}'),
    /^spec.rules\[0\].backendRef: is not a known field; did you mean backendRefs\?$/,
  ],
  [
    'an unknown match',
    match('{path: {type: Prefix, value: /}}'),
    /path.type: is not a known value; use one of Exact, PathPrefix/,
  ],
  ['a relative path', match('{path: {value: x}}'), /path.value: is malformed; must be an absolute path/],
  ['a path with dot segments', match('{path: {value: /a/../b}}'), /path.value: holds .*normal form/],
  ['an encoded slash', match('{path: {value: /a%2Fb}}'), /path.value: holds/],
  ['a query in a path', match('{path: {value: "/a?b"}}'), /path.value: is malformed/],
  [
    'look-ahead',
    match('{path: {type: RegularExpression, value: "/(?=a)"}}'),
    /path.value: is no RE2 expression/,
  ],
  [
    'an expression that explodes',
    match('{path: {type: RegularExpression, value: "((a{100}){100}){100}"}}'),
    /no RE2 expression/,
  ],
  [
    'a lower-case method',
    match('{method: get}'),
    /matches\[0\].method: is not a known value; use one of GET/,
  ],
  ['a header without value', match('{headers: [{name: a}]}'), /headers\[0\].value: is missing/],
  [
    'a header with a bad name',
    match('{headers: [{name: "a b", value: c}]}'),
    /headers\[0\].name: is malformed/,
  ],
  [
    'a mirror',
    filter('{type: RequestMirror, requestMirror: {}}'),
    /filters\[0\].type: is not supported; supported are RequestHeaderModifier, ResponseHeaderModifier, RequestRedirect, URLRewrite/,
  ],
  ['an unknown filter', filter('{type: Rewrite}'), /filters\[0\].type: is no known filter/],
  ['a filter without settings', filter('{type: URLRewrite}'), /filters\[0\].urlRewrite: is missing/],
  [
    'settings of another filter',
    filter('{type: URLRewrite, urlRewrite: {}, requestRedirect: {}}'),
    /filters\[0\].requestRedirect: is not a known field/,
  ],
  [
    'a filter twice',
    filter('{type: URLRewrite, urlRewrite: {}}, {type: URLRewrite, urlRewrite: {}}'),
    /filters: hold URLRewrite more than once/,
  ],
  [
    'redirect and rewrite',
    filter('{type: URLRewrite, urlRewrite: {}}, {type: RequestRedirect, requestRedirect: {}}'),
    /hold both/,
  ],
  [
    'redirect and backends',
    ruleOf('{filters: [{type: RequestRedirect, requestRedirect: {}}], backendRefs: [{name: a, port: 1}]}'),
    /backendRefs: cannot stand beside/,
  ],
  [
    'a redirect status',
    filter('{type: RequestRedirect, requestRedirect: {statusCode: 304}}'),
    /statusCode: is no redirect status; use one of 301/,
  ],
  [
    'a framing header',
    filter(
      '{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Content-Length, value: "1"}]}}',
    ),
    /set\[0\].name: names content-length, which frames/,
  ],
  [
    'a header value with a line break',
    filter('{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: "b\\r\\nc: d"}]}}'),
    /set\[0\].value: is malformed/,
  ],
  [
    'a prefix replacement without a prefix',
    ruleOf(
      '{matches: [{path: {type: Exact, value: /x}}], filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]}',
    ),
    /path.type: needs a rule with one single match/,
  ],
  ['a backend without port', ruleOf('{backendRefs: [{name: web}]}'), /backendRefs\[0\].port: is missing/],
  [
    'a weight out of range',
    ruleOf('{backendRefs: [{name: web, port: 1, weight: 1000001}]}'),
    /weight: is no whole number in range; .*0 to 1000000/,
  ],
  [
    'a quoted number',
    ruleOf('{backendRefs: [{name: web, port: "80"}]}'),
    /port: is no whole number in range; .*without quotes/,
  ],
  ['a bad duration', ruleOf('{timeouts: {request: 1.5s}}'), /timeouts.request: is no duration/],
  [
    'an attempt longer than its request',
    ruleOf('{timeouts: {request: 1s, backendRequest: 2s}}'),
    /backendRequest: is longer than request/,
  ],
  ['a retry code', ruleOf('{retry: {codes: [200]}}'), /retry.codes\[0\]: is no whole number in range/],
  ['session persistence', ruleOf('{sessionPersistence: {}}'), /sessionPersistence: is not supported/],
  ['a name twice', ruleOf('{name: a}, {name: a}'), /rules\[1\].name: is used twice/],
  ['too many rules', ruleOf(new Array(17).fill('{}').join()), /^spec.rules: has 17 entries, at most 16/],
  [
    'too many matches',
    ruleOf(`{matches: [${new Array(65).fill('{}').join()}]}`),
    /rules\[0\].matches: has 65 entries, at most 64/,
  ],
  [
    'too many matches in all',
    ruleOf(new Array(3).fill(`{matches: [${new Array(43).fill('{}').join()}]}`).join()),
    /^spec.rules: hold 129 matches/,
  ],
  ['an IP-less host name with a port', `${parent}hostnames: ["a:80"]`, /hostnames\[0\]: is malformed/],
  [
    'a service parent of a wrong group',
    'parentRefs: [{kind: Service, name: web}]',
    /parentRefs\[0\].group: is not the group of Service/,
  ],
])('%s is a problem with its field and fix', (_what, spec, expected) => {
  expect(problems(spec)).toContainEqual(expect.stringMatching(expected));
});

test('every problem of a route is told at once', () => {
  expect(problems(ruleOf('{backendRefs: [{name: Web}], timeouts: {request: x}}'))).toHaveLength(3);
});

test.each([
  ['0s', 0],
  ['500ms', 500],
  ['1h1m1s1ms', 3_661_001],
  ['99999h', 359_996_400_000],
  ['', null],
  ['1', null],
  ['1.5s', null],
  ['-1s', null],
  ['100000s', null],
  ['1s1s1s1s1s', null],
])('duration %s is %s ms', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});
