import { readName, writeSelector } from './find-destination.js';

test.each([
  ['cart', { kind: '', namespace: 'here', name: 'cart' }],
  ['shop/cart', { kind: '', namespace: 'shop', name: 'cart' }],
  ['deploy/cart', { kind: 'deploy', namespace: 'here', name: 'cart' }],
  ['shop/sts/cart', { kind: 'sts', namespace: 'shop', name: 'cart' }],
])('%s is read as a person means it', (text, wanted) => {
  expect(readName(text, 'here')).toEqual(wanted);
});

test('what is no name is refused with the way to write one', () => {
  expect(() => readName('a/b/c', 'here')).toThrow(/write NAMESPACE\/NAME, or a kind as in deploy\/NAME/);
});

test('a selector’s expressions become those of a query', () => {
  const selector = {
    matchLabels: { app: 'cart' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['a', 'b'] },
      { key: 'old', operator: 'DoesNotExist' },
    ],
  };
  const metadata = { name: 'cart', uid: 'u' };
  expect(writeSelector({ metadata, spec: { selector } })).toBe('app=cart,tier in (a,b),!old');
});
