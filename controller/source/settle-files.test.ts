import { FileSettler, looksCutOff } from './settle-files.js';

const times = { restMs: 25, suspectRestMs: 400, patienceMs: 250 };
const files = (...entries: [string, string][]) => new Map(entries);

test('a file counts once it has rested, and is read once', () => {
  const settler = new FileSettler(times);
  expect(settler.look(files(['a', '1']), 0)).toEqual({ read: [], gone: [], againMs: 25 });
  expect(settler.look(files(['a', '1']), 10)).toEqual({ read: [], gone: [], againMs: 15 });
  expect(settler.look(files(['a', '1']), 25)).toEqual({ read: ['a'], gone: [], againMs: null });
  expect(settler.accept('a', '1', false, 25)).toBe(true);
  expect(settler.look(files(['a', '1']), 30)).toEqual({ read: [], gone: [], againMs: null });
});

test('each write begins the rest anew', () => {
  const settler = new FileSettler(times);
  settler.look(files(['a', '1']), 0);
  expect(settler.look(files(['a', '2']), 20)).toMatchObject({ read: [], againMs: 25 });
  expect(settler.look(files(['a', '2']), 44)).toMatchObject({ read: [], againMs: 1 });
  expect(settler.look(files(['a', '2']), 45)).toMatchObject({ read: ['a'] });
});

test('a file that never rests is read in the end', () => {
  const settler = new FileSettler(times);
  let nowMs = 0;
  while (settler.look(files(['a', String(nowMs)]), nowMs).read.length === 0) nowMs += 10;
  expect(nowMs).toBe(250);
});

test('a file that was written while it was read is not accepted', () => {
  const settler = new FileSettler(times);
  settler.look(files(['a', '1']), 0);
  settler.look(files(['a', '1']), 25);
  expect(settler.accept('a', '2', false, 25)).toBe(false);
  expect(settler.accept('a', undefined, false, 25)).toBe(false);
});

test('a text that looks cut off must rest longer', () => {
  const settler = new FileSettler(times);
  settler.look(files(['a', '1']), 0);
  settler.look(files(['a', '1']), 25);
  expect(settler.accept('a', '1', true, 25)).toBe(false);
  expect(settler.accept('a', '1', true, 399)).toBe(false);
  expect(settler.accept('a', '1', true, 400)).toBe(true);
});

test('an editor that renames makes a file vanish for a moment; only a lasting absence counts', () => {
  const settler = new FileSettler(times);
  settler.look(files(['a', '1']), 0);
  settler.look(files(['a', '1']), 25);
  settler.accept('a', '1', false, 25);
  expect(settler.look(files(), 100)).toEqual({ read: [], gone: [], againMs: 25 });
  expect(settler.look(files(['a', '2']), 110)).toEqual({ read: [], gone: [], againMs: 25 });
  settler.look(files(), 200);
  expect(settler.look(files(), 225)).toEqual({ read: [], gone: ['a'], againMs: null });
  expect(settler.look(files(), 300)).toEqual({ read: [], gone: [], againMs: null });
});

test('texts that may be beginnings', () => {
  expect(looksCutOff('', undefined)).toBe(true);
  expect(looksCutOff('\n \n', 'a\n')).toBe(true);
  expect(looksCutOff('a: 1\nb:', undefined)).toBe(true);
  expect(looksCutOff('a: 1\n', 'a: 1\nb: 2\n')).toBe(true);
  expect(looksCutOff('a: 1\n', 'a: 2\nb: 2\n')).toBe(false);
  expect(looksCutOff('a: 1\nb: 2\n', 'a: 1\n')).toBe(false);
});
