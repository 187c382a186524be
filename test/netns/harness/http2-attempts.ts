/** Requests by HTTP/2 that become something else where a gateway copies them to HTTP/1.1, or that RFC 9113 forbids. */
import { type Outcome, smuggled } from './http1-attempts.js';

export type Field = readonly [name: string, value: string];

/** What fixtures/http2-raw.py is told to send on a stream; texts are Latin-1. */
export interface RawStream {
  readonly headers: readonly Field[];
  readonly data?: readonly string[];
  readonly trailers?: readonly Field[];
}

/** What it saw of it. */
export interface RawAnswer {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly trailers?: Readonly<Record<string, string>>;
  readonly reset?: number;
  readonly goaway?: number;
  readonly silent?: boolean;
}

export interface Http2Attempt {
  readonly what: string;
  readonly stream: RawStream;
  readonly outcome: Outcome;
}

/** All attempts, each with its case's number in the field x-case. */
export function http2Attempts(first: number): Http2Attempt[] {
  return [
    ...refused.map((make) => [make, 'none'] as const),
    ...passing.map((make) => [make, 'one'] as const),
  ].map(([make, outcome], index) => {
    const [what, stream] = make(new Parts(first + index));
    return { what, stream, outcome };
  });
}

/** What attempts of one case are made of. */
class Parts {
  readonly inner: string;
  readonly get: readonly Field[];
  readonly post: readonly Field[];

  constructor(number: number) {
    this.inner = smuggled(number);
    const rest: Field[] = [
      [':scheme', 'http'],
      [':path', '/c'],
      [':authority', 'server'],
      ['x-case', String(number)],
    ];
    this.get = [[':method', 'GET'], ...rest];
    this.post = [[':method', 'POST'], ...rest];
  }

  /** A GET with further fields. */
  and(...fields: Field[]): RawStream {
    return { headers: [...this.get, ...fields] };
  }
  /** A POST with further fields and content. */
  sends(data: string, ...fields: Field[]): RawStream {
    return { headers: [...this.post, ...fields], data: [data] };
  }
  /** A GET with one of its fields replaced, or several in its place. */
  but(name: string, ...values: string[]): RawStream {
    const headers = this.get.flatMap((field) =>
      field[0] === name ? values.map((value): Field => [name, value]) : [field],
    );
    return { headers };
  }
  connects(): RawStream {
    return { headers: [[':method', 'CONNECT'], [':authority', 'server:80'], ...this.get.slice(4)] };
  }
  ends(...trailers: Field[]): RawStream {
    return { headers: this.post, data: ['abc'], trailers };
  }
}

type Make = (parts: Parts) => readonly [what: string, stream: RawStream];

const field = (name: string, value: string): Make => {
  return (parts) => [JSON.stringify(`${name}: ${value}`), parts.and([name, value])];
};
const pseudo = (name: string, value: string): Make => {
  return (parts) => [
    JSON.stringify(`${name}: ${value}`),
    parts.but(name, value.replace('INNER', parts.inner)),
  ];
};
const length = (value: string, data = 'abc'): Make => {
  return (parts) => [
    JSON.stringify(`content-length: ${value}`),
    parts.sends(data, ['content-length', value]),
  ];
};
const trailer = (name: string, value: string): Make => {
  return (parts) => [JSON.stringify(`trailer ${name}: ${value}`), parts.ends([name, value])];
};

const refused: readonly Make[] = [
  (parts) => ['a value that ends its line', parts.and(['x-a', `b\r\n\r\n${parts.inner}`])],
  (parts) => ['a name that ends its line', parts.and([`x-a: b\r\n\r\n${parts.inner}`, 'c'])],
  ...['b\nx-c: d', 'b\rx-c: d', 'b\0c', 'b\x7f', '\x1b[0m', ' b ', 'b\t', '\tb'].map((value) =>
    field('x-a', value),
  ),
  ...['x-a:b', 'X-A', '', 'x a', 'x\0a', 'x-\xe9', 'x-a(', 'x\ta'].map((name) => field(name, 'b')),
  // RFC 9113 section 8.2.2.
  ...['connection', 'upgrade', 'keep-alive', 'proxy-connection', 'http2-settings'].map((name) =>
    field(name, 'b'),
  ),
  ...['gzip', 'trailers, deflate', 'chunked'].map((value) => field('te', value)),
  ...['transfer-encoding', 'transfer_encoding'].map(
    (name): Make =>
      (parts) => [name, parts.sends(`0\r\n\r\n${parts.inner}`, [name, 'chunked'])],
  ),
  ...['expect', 'content_length', 'x_forwarded-for'].map((name) => field(name, 'b')),
  (parts) => ['a length shorter than the content', parts.sends(`abc${parts.inner}`, ['content-length', '3'])],
  (parts) => ['a length longer than the content', parts.sends('abc', ['content-length', '500'])],
  (parts) => ['a length without content', { headers: [...parts.post, ['content-length', '44']] }],
  (parts) => [
    'two lengths',
    parts.sends(`abc${parts.inner}`, ['content-length', '3'], ['content-length', '44']),
  ],
  (parts) => ['one length twice', parts.sends('abc', ['content-length', '3'], ['content-length', '3'])],
  ...['+3', '-3', '03', '0x3', '3, 3', '3,', '3 3', 'three', '', '18446744073709551619'].map((value) =>
    length(value),
  ),
  // RFC 9113 section 8.3.1.
  ...[
    '/ HTTP/1.1\r\nHost: server\r\n\r\nINNER',
    '/a HTTP/1.1',
    '/a b',
    '/a\tb',
    '/a\0',
    '/\xe9',
    '/a#b',
    '',
    'c',
  ].map((value) => pseudo(':path', value)),
  ...['*', 'http://evil/smuggled', 'server:80'].map((value) => pseudo(':path', value)),
  ...[
    'GET /smuggled HTTP/1.1\r\nHost: server\r\n\r\nGET',
    'GET /smuggled',
    'GE\0T',
    'G:T',
    '',
    'get',
    'CONNECT',
  ].map((value) => pseudo(':method', value)),
  ...['http://evil/?', 'ht tp', '', 'http\r\nx-a: b'].map((value) => pseudo(':scheme', value)),
  ...[
    'server\r\nx-a: b',
    'server@evil',
    'user@server',
    'server, evil',
    'server evil',
    'server/c',
    'server:99999',
    'ser\0ver',
  ].map((value) => pseudo(':authority', value)),
  ...['evil', 'server:81', ''].map((value) => field('host', value)),
  (parts) => [
    'two hosts',
    { headers: [...parts.but(':authority').headers, ['host', 'server'], ['host', 'evil']] },
  ],
  (parts) => ['one host twice', parts.and(['host', 'server'], ['host', 'server'])],
  ...[':method', ':scheme', ':path', ':authority'].map(
    (name): Make =>
      (parts) => [`no ${name}`, parts.but(name)],
  ),
  ...[':method', ':scheme', ':path', ':authority'].map(
    (name): Make =>
      (parts) => {
        const value = parts.get.find(([own]) => own === name)?.[1] ?? '';
        return [`${name} twice`, parts.but(name, value, value)];
      },
  ),
  (parts) => ['CONNECT', parts.connects()],
  (parts) => ['two paths', parts.but(':path', '/c', '/smuggled')],
  (parts) => [
    'a pseudo-header behind a header',
    { headers: [...parts.but(':path').headers, ['x-a', 'b'], [':path', '/smuggled']] },
  ],
  ...[':evil', ':status', ':protocol', ':'].map(
    (name): Make =>
      (parts) => [name, { headers: [[name, '200'], ...parts.get] }],
  ),
  (parts) => [
    'a head that is too large',
    parts.and(['x-a', 'b'.repeat(15_000)], ['x-b', 'c'.repeat(60_000)]),
  ],
  (parts) => [
    'too many fields',
    parts.and(...Array.from({ length: 300 }, (_, at): Field => [`x-${at}`, 'b'])),
  ],
  (parts) => ['a trailer that ends its line', parts.ends(['x-a', `b\r\n\r\n${parts.inner}`])],
  ...[
    ':path',
    ':status',
    'transfer-encoding',
    'content-length',
    'host',
    'authorization',
    'cookie',
    'connection',
  ].map((name) => trailer(name, 'b')),
  ...['X-A', 'te', 'trailer', 'content-type', 'x-weft-identity', 'x-forwarded-client-cert'].map((name) =>
    trailer(name, 'b'),
  ),
  // The policy denies /admin, and what it cannot read for certain.
  ...[
    '/admin',
    '/x/../admin',
    '/%61dmin',
    '//admin',
    '/admin;x=1',
    '/x\\..\\admin',
    '/admin%2fx',
    '/x%0d%0a',
  ].map((value) => pseudo(':path', value)),
];

const passing: readonly Make[] = [
  (parts) => ['a plain GET', parts.and()],
  (parts) => ['content with its length', parts.sends('abc', ['content-length', '3'])],
  (parts) => ['content without a length', parts.sends('abc')],
  (parts) => ['content that looks like a request', parts.sends(parts.inner)],
  (parts) => ['content that looks like the end of chunks', parts.sends(`0\r\n\r\n${parts.inner}`)],
  (parts) => ['a trailer', parts.ends(['x-sum', '7'])],
  (parts) => ['te: trailers', parts.and(['te', 'trailers'])],
  (parts) => [
    'host instead of authority',
    { headers: [...parts.but(':authority').headers, ['host', 'server']] },
  ],
  (parts) => ['host beside authority, in other case', parts.and(['host', 'SERVER'])],
  (parts) => ['several cookies', parts.and(['cookie', 'a=b'], ['cookie', 'c=d'])],
  (parts) => ['an empty value', parts.and(['x-a', ''])],
  (parts) => [
    'a value of every kind of character',
    parts.and(['x-a', '!"#$%&\'()*+,/:;<=>?@[]^_`{|}~ \t \xe9']),
  ],
  (parts) => ['dot segments', parts.but(':path', '/x/../c')],
];
