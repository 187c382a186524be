import { RecordPool } from './record-pool.js';

test('a released record is reused under its tag, and cannot be found meanwhile', () => {
  const pool = new RecordPool((tag) => ({ tag }));
  const first = pool.take();
  const second = pool.take();
  expect([first.tag, second.tag]).toEqual([1, 2]);
  expect(pool.find(0)).toBeUndefined();
  expect(pool.find(2)).toBe(second);
  pool.release(second);
  expect(pool.find(2)).toBeUndefined();
  expect(pool.take()).toBe(second);
});

test('releasing twice does not hand one record to two users', () => {
  const pool = new RecordPool((tag) => ({ tag }));
  const record = pool.take();
  pool.release(record);
  pool.release(record);
  expect(pool.take()).not.toBe(pool.take());
  expect(pool.size).toBe(2);
});
