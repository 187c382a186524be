import { normalizeHost, pathEnd } from './request-head.js';

test.each([
  ['cart.shop', 'cart.shop'],
  ['cart.shop:8080', 'cart.shop'],
  ['Cart.SHOP', 'cart.shop'],
  ['Cart.SHOP.:80', 'cart.shop'],
  ['cart.shop.', 'cart.shop'],
  ['10.0.0.1:80', '10.0.0.1'],
  ['[FD00::1]:80', '[fd00::1]'],
  ['[fd00::1]', '[fd00::1]'],
  ['', ''],
  ['.', '.'],
])('the host of %s is %s', (authority, host) => {
  expect(normalizeHost(authority)).toBe(host);
});

test('the path ends at the first question mark', () => {
  expect([pathEnd('/a?b?c'), pathEnd('/a'), pathEnd('?')]).toEqual([2, 2, 0]);
});
