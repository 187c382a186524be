import { PausedTimers } from '../control/paused-timers.js';
import { AccessLogBuffer } from './access-log-buffer.js';

test('lines leave together when the batch is old or large enough', () => {
  const timers = new PausedTimers();
  const sent: string[] = [];
  const buffer = new AccessLogBuffer((lines) => void sent.push(lines), timers);
  buffer.add('a');
  buffer.add('b');
  expect(sent).toEqual([]);
  timers.advance(100);
  expect(sent).toEqual(['a\nb\n']);
  buffer.add('x'.repeat(70_000));
  expect(sent).toHaveLength(2);
});

test('a slow writer costs lines, not memory, and they are counted', () => {
  const sent: number[] = [];
  const buffer = new AccessLogBuffer((_, size) => void sent.push(size), new PausedTimers());
  const line = 'x'.repeat(1 << 20);
  for (let index = 0; index < 20; index += 1) buffer.add(line);
  expect(buffer.dropped).toBe(13);
  for (const size of sent) buffer.written(size);
  buffer.add(line);
  expect(buffer.dropped).toBe(13);
});
