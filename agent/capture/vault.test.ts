import { Vault } from './vault.js';

test('a full vault refuses, keeps what it has, and still takes what replaces', () => {
  const vault = new Vault();
  for (let at = 0; at < 1100; at += 1) vault.put(`uid-${at}`, 'b2xk');
  expect(() => vault.put('one-more', 'bmV3')).toThrow(/the vault is full: it keeps 1100 secrets/);
  vault.put('uid-7', 'bmV3');
  expect([vault.get('uid-7'), vault.get('uid-8'), vault.get('one-more')]).toEqual(['bmV3', 'b2xk', null]);
  vault.drop('uid-8');
  vault.put('one-more', 'bmV3');
  expect(vault.entries).toHaveLength(1100);
});

test('what is kept is bounded in all, also after many replacements', () => {
  const vault = new Vault();
  const large = 'A'.repeat(64 * 1024);
  for (let times = 0; times < 2000; times += 1) vault.put('a', large);
  for (let at = 0; at < 511; at += 1) vault.put(`uid-${at}`, large);
  expect(() => vault.put('last', large)).toThrow(/full/);
});
