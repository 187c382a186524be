import { SharedTexts } from './shared-texts.js';

test('equal texts are kept once, and no more of them than so many', () => {
  const texts = new SharedTexts(2);
  expect([texts.share('a'), texts.share('b'), texts.share('a')]).toEqual(['a', 'b', 'a']);
  expect(texts.size).toBe(2);
  expect(texts.share('c')).toBe('c');
  expect(texts.size).toBe(1);
});
