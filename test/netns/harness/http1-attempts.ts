/**
 * Requests by HTTP/1.1 that parsers may read in more than one way. Each names its case in the field X-Case, as does the
 * request that some of them hide; what an application got can so be told apart.
 */

/** What may come of an attempt: nothing reaches an application, exactly one request does, or either. */
export type Outcome = 'none' | 'one' | 'at most one';

export interface Http1Attempt {
  readonly what: string;
  /** `CASE` stands for its number, `INNER` for a whole further request. */
  readonly text: string;
  readonly outcome: Outcome;
}

/** The request that must never arrive. */
export const smuggled = (number: number) =>
  `GET /smuggled HTTP/1.1\r\nHost: server\r\nX-Case: ${number}-inner\r\n\r\n`;

/** The bytes to send, in Latin-1. */
export function textOf(attempt: Http1Attempt, number: number): string {
  return attempt.text.replaceAll('INNER', smuggled(number)).replaceAll('CASE', String(number));
}

const fields = 'Host: server\r\nX-Case: CASE\r\n';
const post = `POST /c HTTP/1.1\r\n${fields}`;
const get = `GET /c HTTP/1.1\r\n${fields}`;
const close = 'Connection: close\r\n';
const ten = '0123456789';

const attempt =
  (outcome: Outcome) =>
  ([what, text]: readonly [string, string]): Http1Attempt => ({ what, text, outcome });

/** Field lines in a POST whose body would hide a request, were it read by another rule. */
const framings = (lines: readonly string[]) =>
  lines.map((line): [string, string] => [JSON.stringify(line), `${post}${line}\r\n\r\n0\r\n\r\nINNER`]);

const heads = (lines: readonly string[]) =>
  lines.map((line): [string, string] => [JSON.stringify(line), `${get}${line}\r\n\r\nINNER`]);

/** Request lines of requests that are otherwise right. */
const starts = (lines: readonly string[]) =>
  lines.map((line): [string, string] => [JSON.stringify(line), `${line}\r\n${fields}${close}\r\nINNER`]);

const chunked = (what: string, body: string): [string, string] => [
  what,
  `${post}Transfer-Encoding: chunked\r\n\r\n${body}INNER`,
];

const hosts = (lines: readonly string[]) =>
  lines.map((line): [string, string] => [
    JSON.stringify(line),
    `GET /c HTTP/1.1\r\nX-Case: CASE\r\n${line}\r\n\r\nINNER`,
  ]);

const refusedFraming = framings([
  // RFC 9112 section 6.3.
  'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 5',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  ...[
    ...['', 'identity', 'xchunked', 'gzip, chunked', 'chunked, identity', 'chunked, chunked', 'chunked;q=1'],
    ...['"chunked"', ',chunked', 'chunked,', 'chun ked', '\vchunked', 'chunked\0', '\r\n chunked'],
  ].map((value) => `Transfer-Encoding: ${value}`),
  ...['Transfer-Encoding : chunked', 'Transfer-Encoding\t: chunked', 'Transfer-Encoding\v: chunked'],
  ...['Transfer-Encoding\0: chunked', ' Transfer-Encoding: chunked', 'Transfer_Encoding: chunked'],
  ...['X-A: b\nTransfer-Encoding: chunked', 'X-A: b\rTransfer-Encoding: chunked'],
  ...['Content-Length: 5\r\nContent-Length: 5', 'Content-Length: 5\r\nContent-Length: 44'],
  ...[
    ...['', '+5', '-5', '-0', '0x5', '05', '5, 5', '5,', ',5', '5 5', '5;', '5.0', '1e1', 'five', '"5"'],
    ...['9007199254740992', '18446744073709551621', '5\0', '\v5', '5\r\n 5'],
  ].map((value) => `Content-Length: ${value}`),
  ...['Content-Length : 5', ' Content-Length: 5', 'Content_Length: 5', 'X-A: b\nContent-Length: 5'],
]);

const refusedHeads = heads([
  ...['X-A: b\nX-B: c', 'X-A: b\rX-B: c', 'X-A: b\r\n folded', 'X-A: b\r\n\tfolded', 'X-A: b\0', 'X-A: \x7f'],
  ...['X-A: \x1b[0m', ': b', 'X A: b', 'X-A', 'X-A : b', 'X-\xe9: b', 'X-A(: b', 'X-A\0: b'],
  // What Connection may not nominate, for the next hop would miss it (RFC 9110 section 7.6.1).
  ...['Connection: host', 'Connection: content-length', 'Connection: transfer-encoding'],
  ...['Connection: authorization', 'Connection: x-forwarded-for', 'Connection: traceparent'],
  ...['Expect: 200-ok\r\nContent-Length: 5', 'Expect: 100-continue, x\r\nContent-Length: 5'],
  `X-A: ${'b'.repeat(40_000)}`,
  Array.from({ length: 300 }, (_, n) => `X-${n}: b`).join('\r\n'),
]);

const refusedStarts = starts(
  [
    ...['GET  /c HTTP/1.1', 'GET /c  HTTP/1.1', 'GET /c HTTP/1.1 ', 'GET\t/c HTTP/1.1', ' GET /c HTTP/1.1'],
    ...[
      'GET /c',
      'GET',
      'GET /c http/1.1',
      'GET /c HTTP/1.2',
      'GET /c HTTP/2.0',
      'GET /c HTTP/1.1x',
      'GET /c HTTPS/1.1',
    ],
    ...[
      'GET /a b HTTP/1.1',
      'get /c HTTP/1.1',
      'G:T /c HTTP/1.1',
      'GET\0 /c HTTP/1.1',
      'GET /c\0 HTTP/1.1',
      'GET /c\v HTTP/1.1',
    ],
    ...[
      'GET /c#f HTTP/1.1',
      'GET /\xe9 HTTP/1.1',
      'GET c HTTP/1.1',
      'GET * HTTP/1.1',
      'GET server:80 HTTP/1.1',
    ],
    ...[
      'CONNECT server:80 HTTP/1.1',
      'CONNECT /c HTTP/1.1',
      'GET http://evil/c HTTP/1.1',
      'GET https://server/c HTTP/1.1',
    ],
    ...['GET http://user@server/c HTTP/1.1', 'GET http://server?q HTTP/1.1', 'GET http:///c HTTP/1.1'],
    '\r\n\r\nGET /c HTTP/1.1',
    'GET /c HTTP/1.1\r\nHost: server',
    `GET /${'c'.repeat(20_000)} HTTP/1.1`,
    // The policy denies /admin, and what it cannot read for certain.
    ...[
      '/admin',
      '/x/../admin',
      '/x/%2e%2e/admin',
      '/%61dmin',
      '//admin',
      '/x//../admin',
      '/admin;x=1',
      '/x;/../admin',
    ],
    ...[
      '/x\\..\\admin',
      '/admin%2fx',
      '/admin%00',
      '/x%0d%0aX-A:%20b',
      '/%252e%252e/admin',
      '/%c0%ae%c0%ae/admin',
      '/a%',
    ],
  ].map((line) => (line.startsWith('/') ? `GET ${line} HTTP/1.1` : line)),
);

const refusedHosts = hosts([
  ...['X-A: b', 'Host: server\r\nHost: evil', 'Host: server\r\nHost: server', 'Host:', 'Host: server, evil'],
  ...[
    'Host: user@server',
    'Host: ser ver',
    'Host: server:99999',
    'Host: server:',
    'Host: server%00',
    'Host: server/c',
  ],
  'Host: serv\xe9r',
]);

const refusedChunks = [
  ...[
    'zz',
    '0x5',
    '+5',
    '-5',
    ' 5',
    '5 ',
    '5\t',
    '',
    '10000000000000005',
    'fffffffffffffffff',
    '20000000000000',
  ].map((size) => chunked(`a chunk of size ${JSON.stringify(size)}`, `${size}\r\n01234\r\n0\r\n\r\n`)),
  chunked('a chunk size that ends in a bare line feed', '5\n01234\r\n0\r\n\r\n'),
  chunked('a chunk size that ends in a bare carriage return', '5\r01234\r\n0\r\n\r\n'),
  chunked('a chunk longer than its size', '5\r\n0123456\r\n0\r\n\r\n'),
  chunked('a chunk that ends in a bare line feed', '5\r\n01234\n0\r\n\r\n'),
  chunked('a chunk without its end', '5\r\n012340\r\n\r\n'),
  chunked('an extension with a bare line feed', '5;a\n01234\r\n0\r\n\r\n'),
  chunked('an extension with a carriage return', '5;a\rb\r\n01234\r\n0\r\n\r\n'),
  chunked('an extension that is no token', '5;a b=(\r\n01234\r\n0\r\n\r\n'),
  chunked('an extension that is endless', `5;a=${'b'.repeat(70_000)}\r\n01234\r\n0\r\n\r\n`),
  ...[
    ...['Content-Length: 5', 'Transfer-Encoding: chunked', 'Host: evil', 'Authorization: b', 'Cookie: a=b'],
    ...[
      'Connection: close',
      'Trailer: x',
      'X-Weft-Identity: b',
      'X-Forwarded-Client-Cert: b',
      'Content-Type: b',
    ],
    ...['X-A: b\nX-B: c', 'X-A: b\r\n folded', 'X-A : b', 'X-A', 'X-A: \0'],
  ].map((line) => chunked(`a trailer ${JSON.stringify(line)}`, `5\r\n01234\r\n0\r\n${line}\r\n\r\n`)),
];

const others: readonly (readonly [string, string])[] = [
  ['lines that end in line feeds alone', `${get}${close}\r\n`.replaceAll('\r\n', '\n')],
  ['a length longer than the body', `${post}Content-Length: 500\r\n\r\n${ten}`],
  ['content in TRACE', `TRACE /c HTTP/1.1\r\n${fields}Content-Length: 10\r\n\r\n${ten}`],
  ['chunked in HTTP/1.0', `POST /c HTTP/1.0\r\n${fields}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nINNER`],
  ['HTTP/0.9', 'GET /smuggled\r\n'],
  ['the preface of HTTP/2, cut off', 'PRI * HTTP/2.0\r\n\r\n'],
  ['CONNECT', `CONNECT server:80 HTTP/1.1\r\nHost: server:80\r\nX-Case: CASE\r\n${close}\r\nINNER`],
  ['TLS', '\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03'],
];

const passing: readonly (readonly [string, string])[] = [
  ['a plain GET', `${get}${close}\r\n`],
  ['a length', `${post}${close}Content-Length: 10\r\n\r\n${ten}`],
  ['a length with white space around it', `${post}${close}Content-Length: \t10 \r\n\r\n${ten}`],
  ['a GET with content', `${get}${close}Content-Length: 10\r\n\r\n${ten}`],
  ['chunks', `${post}${close}Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n`],
  ['chunked in other case', `${post}${close}tRANSFER-eNCODING: cHUNKED\r\n\r\nA\r\n${ten}\r\n000\r\n\r\n`],
  [
    'chunk extensions',
    `${post}${close}Transfer-Encoding: chunked\r\n\r\n5;a;b=c;d="e\\"f"\r\n01234\r\n0;x\r\n\r\n`,
  ],
  ['a trailer', `${post}${close}Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n0\r\nX-Sum: 7\r\n\r\n`],
  ['content that looks like a request', `${post}${close}Content-Length: LENGTH\r\n\r\nINNER`],
  [
    'chunks that look like a request',
    `${post}${close}Transfer-Encoding: chunked\r\n\r\nSIZE\r\nINNER\r\n0\r\n\r\n`,
  ],
  ['one empty line before', `\r\n${get}${close}\r\n`],
  ['absolute form of its own host', `GET http://server/c HTTP/1.1\r\n${fields}${close}\r\n`],
  ['absolute form without a path', `GET http://SERVER HTTP/1.1\r\n${fields}${close}\r\n`],
  ['asterisk form', `OPTIONS * HTTP/1.1\r\n${fields}${close}\r\n`],
  ['dot segments', `GET /x/../c HTTP/1.1\r\n${fields}${close}\r\n`],
  ['a value of every kind of character', `${get}${close}X-A: \t!"#$%&'()*+,/:;<=>?@[]^_\`{|}~ \xe9\r\n\r\n`],
  ['Expect: 100-continue', `${post}${close}Expect: 100-continue\r\nContent-Length: 10\r\n\r\n${ten}`],
  ['Expect without content', `${get}${close}Expect: 100-continue\r\n\r\n`],
  // Of a protocol that would carry requests past every rule about them nothing goes on.
  [
    'an upgrade to h2c, its settings missing',
    `${get}Connection: upgrade, close\r\nUpgrade: h2c\r\n\r\nINNER`,
  ],
  [
    'an upgrade to h2c that Connection does not name',
    `${get}${close}Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nINNER`,
  ],
  [
    'an upgrade to h2c with content',
    `${post}Connection: upgrade, http2-settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 10\r\n\r\n${ten}INNER`,
  ],
  ['an upgrade to HTTP/2.0', `${get}Connection: upgrade, close\r\nUpgrade: HTTP/2.0\r\n\r\nINNER`],
  ['an upgrade to TLS', `${get}Connection: upgrade, close\r\nUpgrade: TLS/1.3\r\n\r\nINNER`],
  [
    'an upgrade to one of several',
    `${get}Connection: upgrade, close\r\nUpgrade: websocket, h2c\r\n\r\nINNER`,
  ],
];

/** It is taken up, and what comes behind it ends the connection: before or after the request went on. */
const eitherWay: readonly (readonly [string, string])[] = [
  [
    'an upgrade to h2c, and HTTP/1.1 behind it',
    `${get}Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nINNER`,
  ],
];

/** A passing attempt whose content is the request that must not arrive has to say how long that is. */
const sized = ({ what, text, outcome }: Http1Attempt): Http1Attempt => {
  // The number of a case has three digits.
  const length = smuggled(100).length;
  return { what, outcome, text: text.replace('LENGTH', String(length)).replace('SIZE', length.toString(16)) };
};

export const http1Attempts: readonly Http1Attempt[] = [
  ...[...refusedFraming, ...refusedHeads, ...refusedStarts, ...refusedHosts, ...refusedChunks, ...others].map(
    attempt('none'),
  ),
  ...passing.map(attempt('one')).map(sized),
  ...eitherWay.map(attempt('at most one')),
];
