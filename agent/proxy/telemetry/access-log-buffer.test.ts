import { PausedTimers } from '../control/paused-timers.js';
import { AccessLogBuffer } from './access-log-buffer.js';

function harness() {
  const timers = new PausedTimers();
  const sent: string[] = [];
  const batches: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new AccessLogBuffer((lines) => {
    sent.push(Buffer.from(lines).toString());
    batches.push(lines);
  }, timers);
  return { timers, sent, batches, buffer };
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
  const { batches, buffer } = harness();
  const line = 'x'.repeat(30_000);
  for (let index = 0; index < 400; index += 1) buffer.add(line);
  const kept = 400 - buffer.dropped;
  expect(kept * 30_001).toBeLessThanOrEqual(8 * 1024 * 1024);
  expect(kept).toBeGreaterThan(250);
  for (const lines of batches) buffer.written(lines);
  const { dropped } = buffer;
  buffer.add(line);
  expect(buffer.dropped).toBe(dropped);
});

test('a line longer than any can be is dropped and counted', () => {
  const { buffer } = harness();
  buffer.add('x'.repeat(40_001));
  expect(buffer.dropped).toBe(1);
});

test('memory that comes back is filled again, and no more of it is kept than is of use', () => {
  const { timers, sent, batches, buffer } = harness();
  const line = 'x'.repeat(30_000);
  for (let index = 0; index < 100; index += 1) {
    buffer.add(line);
    timers.advance(100);
    buffer.written(batches[index] as Uint8Array<ArrayBuffer>);
  }
  buffer.add('short');
  timers.advance(100);
  expect(sent.at(-1)).toBe('short\n');
  expect(new Set(batches.map((lines) => lines.buffer)).size).toBe(1);
  const before = batches.length;
  for (let index = 0; index < 80; index += 1) buffer.add(line);
  timers.advance(100);
  for (const lines of batches.slice(before)) buffer.written(lines);
  const known = new Set(batches.map((lines) => lines.buffer));
  const kept = batches.length;
  for (let index = 0; index < 80; index += 1) buffer.add(line);
  expect(batches.slice(kept).filter((lines) => known.has(lines.buffer))).toHaveLength(8);
});
