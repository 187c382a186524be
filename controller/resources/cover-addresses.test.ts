import { coverAddresses } from './cover-addresses.js';

test('addresses inside a range need none of their own', () => {
  expect(coverAddresses(['10.244.0.0/16', 'fd78::/56'], ['10.244.3.4', 'fd78::17', '10.96.0.1'])).toEqual([
    '10.96.0.1/32',
    '10.244.0.0/16',
    'fd78::/56',
  ]);
});

test('two halves become the whole, and those of larger blocks in turn', () => {
  expect(coverAddresses(['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/23'], [])).toEqual(['10.0.0.0/22']);
  expect(coverAddresses([], ['10.0.0.4', '10.0.0.5', '10.0.0.7', '10.0.0.6'])).toEqual(['10.0.0.4/30']);
});

test('neighbours that are no halves of one block stay two', () => {
  expect(coverAddresses([], ['10.0.0.1', '10.0.0.2'])).toEqual(['10.0.0.1/32', '10.0.0.2/32']);
});

test('a range inside another one, and one given twice, is left out', () => {
  expect(coverAddresses(['10.0.0.0/8', '10.1.0.0/16', '10.0.0.0/8'], ['10.0.0.0'])).toEqual(['10.0.0.0/8']);
});

test('nothing beyond what is given is covered', () => {
  const ranges = ['10.244.0.0/24', '10.244.2.0/24', '10.244.3.0/24', '10.96.0.0/16'];
  expect(coverAddresses(ranges, [])).toEqual(['10.96.0.0/16', '10.244.0.0/24', '10.244.2.0/23']);
});

test('everything stays everything, and what is no address is left out', () => {
  expect(coverAddresses(['0.0.0.0/1', '128.0.0.0/1', 'x'], ['y'])).toEqual(['0.0.0.0/0']);
});
