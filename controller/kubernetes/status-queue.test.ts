import type { ApiAnswer } from './api-client.js';
import { maxPending, StatusQueue } from './status-queue.js';

const answer = (status: number): ApiAnswer => ({ status, body: null, retryAfterMs: 0 });

/** A queue whose writes are answered by the test. */
function queue() {
  const writes: { text: string; signal: AbortSignal; end: (answer: ApiAnswer) => void }[] = [];
  const done: string[] = [];
  let check: () => void = () => {};
  const made = new StatusQueue<string>({
    write: (text, signal) =>
      new Promise((resolve) => {
        writes.push({ text, signal, end: resolve });
        check();
      }),
    onDone: (key, text, ended) => {
      done.push(`${key} ${text} ${ended?.status ?? 'none'}`);
      check();
    },
    onTrouble: () => {},
    random: () => 0,
  });
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not reached: ${done} ${writes.length}`)), 3000);
      check = () => {
        if (!condition()) return;
        clearTimeout(timer);
        resolve();
      };
      check();
    });
  return { made, writes, done, until };
}

test('a newer wish replaces the one that waits, and is written after the one under way', async () => {
  const { made, writes, done, until } = queue();
  made.put('a', 'first');
  made.put('a', 'second');
  made.put('a', 'third');
  expect(writes.map(({ text }) => text)).toEqual(['first']);
  writes[0]?.end(answer(200));
  await until(() => writes.length === 2);
  writes[1]?.end(answer(200));
  await until(() => done.length === 2);
  expect(done).toEqual(['a first 200', 'a third 200']);
});

test('few are written at once, and a full queue says so', () => {
  const { made, writes } = queue();
  for (let index = 0; index < maxPending + 4; index += 1) expect(made.put(`${index}`, '')).toBe(true);
  expect(writes).toHaveLength(4);
  expect(made.put('one more', '')).toBe(false);
  // What waits already may still change.
  expect(made.put('100', 'newer')).toBe(true);
});

test('a server in trouble is asked again, a refusal is not', async () => {
  const { made, writes, done, until } = queue();
  made.put('a', 'x');
  writes[0]?.end(answer(503));
  await until(() => writes.length === 2);
  writes[1]?.end(answer(409));
  await until(() => done.length === 1);
  expect(done).toEqual(['a x 409']);
  expect(writes).toHaveLength(2);
});

test('who loses the lease writes nothing more and hears of nothing', async () => {
  const { made, writes, done, until } = queue();
  for (const key of ['a', 'b', 'c', 'd', 'e']) made.put(key, 'old');
  made.clear();
  expect(writes.every(({ signal }) => signal.aborted)).toBe(true);
  for (const { end } of writes) end(answer(200));
  made.put('f', 'new');
  await until(() => writes.length === 5);
  writes[4]?.end(answer(200));
  await until(() => done.length === 1);
  expect(done).toEqual(['f new 200']);
});
