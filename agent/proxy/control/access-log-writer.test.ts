import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessLogWriter } from './access-log-writer.js';

const folder = mkdtempSync(join(tmpdir(), 'weft-log-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('batches are appended in order', async () => {
  const path = join(folder, 'access.log');
  const writer = new AccessLogWriter({ kind: 'file', path }, () => {});
  const done: Promise<void>[] = [];
  for (let index = 0; index < 50; index += 1) {
    done.push(new Promise((resolve) => writer.write(Buffer.from(`${index}\n`), resolve)));
  }
  await Promise.all(done);
  writer.close();
  expect(readFileSync(path, 'utf8').trim().split('\n').map(Number)).toEqual([...Array(50).keys()]);
});

test('a log that cannot be written is said once, and the workers are not held up', async () => {
  const complaints: string[] = [];
  const writer = new AccessLogWriter({ kind: 'file', path: '/dev/full' }, (_, message) => {
    complaints.push(message);
  });
  await new Promise<void>((resolve) => writer.write(Buffer.from('a\n'), resolve));
  await new Promise<void>((resolve) => writer.write(Buffer.from('b\n'), resolve));
  writer.close();
  expect(complaints).toHaveLength(1);
});

test('a file that cannot be opened is named', () => {
  expect(() => new AccessLogWriter({ kind: 'file', path: join(folder, 'no', 'log') }, () => {})).toThrow(
    'no/log',
  );
});
