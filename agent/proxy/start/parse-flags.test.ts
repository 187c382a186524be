import { parseFlags } from './parse-flags.js';

const least = ['--node', 'a', '--controller', 'unix:/run/c.sock', '--capture', '/run/k.sock'];

test('the least command line has documented defaults', () => {
  expect(parseFlags(least)).toEqual({
    node: 'a',
    controller: { kind: 'socket', address: 'unix:/run/c.sock' },
    capture: '/run/k.sock',
    workers: 1,
    metrics: { host: '127.0.0.1', port: 15020 },
    sharedMetrics: false,
    drainMs: 60_000,
    admin: undefined,
    adminPort: undefined,
    accessLog: { kind: 'stdout' },
    state: undefined,
    identities: true,
    allowPrivileges: false,
  });
});

test('IPv6 metrics address, a log file and off are understood', () => {
  const flags = parseFlags([...least, '--metrics', '[::1]:0', '--access-log', '/tmp/x']);
  expect(flags.metrics).toEqual({ host: '::1', port: 0 });
  expect(flags.accessLog).toEqual({ kind: 'file', path: '/tmp/x' });
  expect(parseFlags([...least, '--access-log', 'off']).accessLog).toEqual({ kind: 'off' });
});

test.each([
  [['--node', 'a'], '--controller is missing'],
  [[...least, '--workers', '0'], '--workers 0'],
  [[...least, '--workers', '1.5'], '--workers 1.5'],
  [[...least, '--metrics', 'nowhere'], '--metrics nowhere'],
  [[...least, '--metrics', 'h:70000'], '--metrics h:70000'],
  [[...least, '--bogus'], '--bogus'],
])('%j is refused with its flag and the usage', (argv, message) => {
  expect(() => parseFlags(argv)).toThrow(message);
  expect(() => parseFlags(argv)).toThrow('usage: proxy');
});

test('a controller on another machine needs what this node joins with, and identities are on', () => {
  const far = ['--node', 'a', '--controller', 'ctl:15012', '--capture', '/run/k.sock'];
  const files = ['--token-file', '/t', '--ca-file', '/c'];
  expect(parseFlags([...far, ...files]).controller).toEqual({
    kind: 'tls',
    address: 'ctl:15012',
    tokenFile: '/t',
    caFile: '/c',
  });
  expect(() => parseFlags([...far, ...files, '--no-identities'])).toThrow(/knows its nodes by them/);
  expect(parseFlags([...least, '--no-identities']).identities).toBe(false);
  expect(() => parseFlags([...far, '--ca-file', '/c'])).toThrow(/--token-file is missing/);
  expect(() => parseFlags([...far, '--token-file', '/t'])).toThrow(/--ca-file is missing/);
  expect(() => parseFlags([...least, ...files])).toThrow(/are for a controller at HOST:PORT/);
  expect(() => parseFlags([...far.with(3, 'ctl'), ...files])).toThrow(/unix:PATH or HOST:PORT/);
});
