import { PausedTimers } from '../control/paused-timers.js';
import { AccessLogBuffer } from './access-log-buffer.js';

function harness() {
  const timers = new PausedTimers();
  const sent: string[] = [];
  const buffer = new AccessLogBuffer((lines) => void sent.push(Buffer.from(lines).toString()), timers);
  return { timers, sent, buffer };
}

test('lines leave together when the batch is old or full', () => {
  const { timers, sent, buffer } = harness();
  buffer.add('a');
  buffer.add('bc');
  expect(sent).toEqual([]);
  timers.advance(100);
  expect(sent).toEqual(['a\nbc\n']);
  const line = 'x'.repeat(30_000);
  for (let index = 0; index < 5; index += 1) buffer.add(line);
  expect(sent).toHaveLength(2);
  timers.advance(100);
  expect(sent.slice(1).join('')).toBe(`${line}\n`.repeat(5));
});

test('a slow writer costs lines, not memory, and they are counted', () => {
  const { sent, buffer } = harness();
  const line = 'x'.repeat(30_000);
  for (let index = 0; index < 400; index += 1) buffer.add(line);
  const kept = 400 - buffer.dropped;
  expect(kept * 30_001).toBeLessThanOrEqual(8 * 1024 * 1024);
  expect(kept).toBeGreaterThan(250);
  for (const lines of sent) buffer.written(lines.length);
  const { dropped } = buffer;
  buffer.add(line);
  expect(buffer.dropped).toBe(dropped);
});

test('a line longer than any can be is dropped and counted', () => {
  const { buffer } = harness();
  buffer.add('x'.repeat(40_001));
  expect(buffer.dropped).toBe(1);
});
