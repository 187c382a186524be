import { parseFlags } from './options.js';

const least = ['--folder', '/m', '--listen', 'unix:/s'];
const identities = (...more: string[]) => parseFlags([...least, ...more])?.identities;

test('without a word about certificates none are issued', () => {
  expect(identities()).toBeNull();
});

test('an authority in files, or one behind files', () => {
  expect(identities('--authority', '/a')).toEqual({
    issuer: { kind: 'built-in', folder: '/a', create: false },
    lifetimeMs: 86_400_000,
  });
  expect(identities('--authority', '/a', '--create-authority', '--certificate-seconds', '60')).toEqual({
    issuer: { kind: 'built-in', folder: '/a', create: true },
    lifetimeMs: 60_000,
  });
  expect(identities('--external-issuer', '/e')).toMatchObject({ issuer: { kind: 'external', folder: '/e' } });
});

test.each([
  [['--create-authority'], /needs --authority/],
  [['--authority', '/a', '--external-issuer', '/e'], /exclude each other/],
  [['--authority', '/a', '--certificate-seconds', '4'], /5 to 2592000/],
  [['--authority', '/a', '--certificate-seconds', '1e3'], /5 to 2592000/],
  [['--listen', '127.0.0.1:9'], /unix:PATH is needed/],
  [['--listen-nodes', '0.0.0.0:9'], /needs --authority or --external-issuer/],
  [['--authority', '/a', '--listen-nodes', '0.0.0.0'], /no HOST:PORT/],
  [['--authority', '/a', '--tokens', '/t'], /--tokens needs --listen-nodes/],
])('%j is refused', (more, message) => {
  expect(() => identities(...more)).toThrow(message);
});

test('nodes connect beside the socket, or alone', () => {
  const nodes = ['--authority', '/a', '--listen-nodes', '[::]:7443'];
  expect(parseFlags([...least, ...nodes])?.listen).toEqual({
    socket: '/s',
    nodes: { host: '::', port: 7443 },
  });
  expect(parseFlags(['--folder', '/m', ...nodes])?.listen).toMatchObject({ socket: null });
  expect(() => parseFlags(['--folder', '/m'])).toThrow(/--listen is missing/);
});

test('a cluster’s nodes join with tokens that its API server reviews', () => {
  const cluster = ['--kubernetes', '--authority', '/a', '--listen-nodes', '[::]:7443'];
  expect(parseFlags([...cluster, '--review-tokens', 'weft'])?.reviewTokens).toBe('weft');
  expect(() => parseFlags([...least, '--review-tokens', 'weft'])).toThrow(/needs --kubernetes/);
  const both = [...cluster, '--review-tokens', 'weft', '--tokens', '/t'];
  expect(() => parseFlags(both)).toThrow(/exclude each other/);
});
