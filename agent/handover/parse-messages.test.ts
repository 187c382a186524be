import type { CaptureMessage, ProxyMessage } from './messages.js';
import { parseCaptureMessage } from './parse-capture-message.js';
import { parseProxyMessage } from './parse-proxy-message.js';

const packet = (value: unknown) => Buffer.from(JSON.stringify(value));

const enrolment = {
  workload: 'uid-1',
  netns: 'pod-1',
  addresses: ['10.0.0.1', 'fd00::1'],
  failMode: 'closed',
  udp: 'allow',
  probePorts: [8080],
  group: 7,
} as const;

const fromProxy: ProxyMessage[] = [
  { type: 'hello', protocol: 1, standing: 'superseded' },
  { type: 'claim-lead' },
  { type: 'resign-lead' },
  { type: 'hold', namespaces: ['shop'], more: false },
  { type: 'enrol', enrolment },
  { type: 'withdraw', workload: 'uid-1' },
  { type: 'sockets', workload: 'uid-1', family: 6, count: 253 },
  {
    type: 'kernel-rules',
    rules: {
      destinations: [{ cidr: '10.0.0.0/8', action: 'proxy', group: 0 }],
      rules: [{ source: 0, destination: 7, port: 80, verdict: 'deny' }],
    },
    more: false,
  },
  { type: 'counters' },
  { type: 'vault-put', workload: 'uid-1', secret: 'c2VjcmV0' },
  { type: 'vault-get', workload: 'uid-1' },
  { type: 'vault-drop', workload: 'uid-1' },
];

test.each(fromProxy)('capture reads $type as it was sent', (message) => {
  expect(parseProxyMessage(packet(message))).toEqual(message);
});

test.each([
  ['no JSON', Buffer.from('{'), /no JSON/],
  ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), /no JSON/],
  ['no object', packet([]), /type/],
  ['an unknown type', packet({ type: 'steal' }), /type \("steal"\) is not known/],
  ['an unknown field', packet({ type: 'counters', extra: 1 }), /extra \(1\) is unknown/],
  ['an inherited name', packet({ type: 'constructor' }), /is not known/],
  ['a path in place of a text', packet({ type: 'withdraw', workload: 7 }), /workload \(7\) is no text/],
  [
    'too many sockets',
    packet({ type: 'sockets', workload: 'a', family: 4, count: 254 }),
    /count \(254\) is out of range/,
  ],
  [
    'an address that is not canonical',
    packet({ type: 'enrol', enrolment: { ...enrolment, addresses: ['fd00:0::1'] } }),
    /enrolment\.addresses\[0\] \("fd00:0::1"\) is no address/,
  ],
  [
    'a range with host bits',
    packet({
      type: 'kernel-rules',
      rules: { destinations: [{ cidr: '10.0.0.1/8', action: 'proxy', group: 0 }], rules: [] },
    }),
    /rules\.destinations\[0\]\.cidr/,
  ],
])('capture refuses %s', (_what, bytes, message) => {
  expect(() => parseProxyMessage(bytes)).toThrow(message);
});

const fromCapture: (readonly [CaptureMessage, number])[] = [
  [{ type: 'welcome', protocol: 1 }, 1],
  [{ type: 'leading', enrolled: ['uid-1'], held: [] }, 0],
  [{ type: 'superseded' }, 0],
  [{ type: 'held', workload: 'uid-1' }, 0],
  [{ type: 'hold-applied' }, 0],
  [{ type: 'enrolled', workload: 'uid-1', listeners: [{ direction: 'outbound', family: 4 }] }, 1],
  [{ type: 'withdrawn', workload: 'uid-1' }, 0],
  [{ type: 'sockets', workload: 'uid-1', family: 4 }, 16],
  [{ type: 'rules-applied' }, 0],
  [
    {
      type: 'counters',
      refusals: { 1: 5 },
      pods: [{ workload: 'uid-1', steered: 1, direct: 2, arrived: 3, passed: 4 }],
    },
    0,
  ],
  [{ type: 'vault-kept', workload: 'uid-1' }, 0],
  [{ type: 'vault-entry', workload: 'uid-1', secret: 'c2VjcmV0' }, 0],
  [{ type: 'vault-entry', workload: 'uid-1', secret: null }, 0],
  [{ type: 'vault-dropped', workload: 'uid-1' }, 0],
  [{ type: 'refused', request: 'enrol', workload: 'uid-1', message: 'why' }, 0],
  [{ type: 'refused', request: 'hello', workload: undefined, message: 'why' }, 0],
];

test.each(fromCapture)('the proxy reads %j with %i descriptors', (message, descriptors) => {
  expect(parseCaptureMessage(packet(message), descriptors)).toEqual(message);
  expect(() => parseCaptureMessage(packet(message), descriptors + 300)).toThrow(
    /descriptors \(\d+\) do not fit/,
  );
});

test('the proxy refuses a count that is none', () => {
  const message = { type: 'counters', refusals: { x: 1 }, pods: [] };
  expect(() => parseCaptureMessage(packet(message), 0)).toThrow(/refusals code/);
});

test.each([
  { type: 'vault-put', workload: 'uid-1', secret: 'topsecret!' },
  { type: 'vault-put', workload: 'uid-1', secret: ['topsecret'] },
  { type: 'vault-put', workload: 'uid-1', secrt: 'topsecret' },
  { type: 'vault-put', workload: 'uid-1', secret: 'topsecret'.repeat(10_000) },
])('a secret that is refused is not shown', (message) => {
  expect(() => parseProxyMessage(packet(message))).toThrow(/secret|unknown field/);
  expect(() => parseProxyMessage(packet(message))).not.toThrow(/topsecret/);
});
