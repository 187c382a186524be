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
  [['--authority', '/a', '--listen', '127.0.0.1:9'], /over --listen unix:PATH alone/],
])('%j is refused', (more, message) => {
  expect(() => identities(...more)).toThrow(message);
});
