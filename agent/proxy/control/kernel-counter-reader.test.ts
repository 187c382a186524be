import { KernelCounterReader } from './kernel-counter-reader.js';
import { PausedTimers } from './paused-timers.js';

function harness() {
  const timers = new PausedTimers();
  const capture = {
    ready: true,
    asked: 0,
    requestCounters: (): void => {
      capture.asked += 1;
    },
  };
  const reader = new KernelCounterReader(capture, timers, () => ({ namespace: 'shop', workload: 'a' }));
  const steered = async (read: ReturnType<typeof reader.read>) => {
    const coverage = (await read).find(({ name }) => name === 'weft_workload_connections_total');
    return coverage?.values.find(({ labels }) => labels.path === 'steered')?.value;
  };
  const pod = (count: number) => ({ workload: 'a', steered: count, direct: 0, arrived: 0, passed: 0 });
  return { timers, capture, reader, steered, pod };
}

test('scrapes at the same time share one question, and see what capture answers', async () => {
  const { capture, reader, steered, pod } = harness();
  const reads = [reader.read(), reader.read()];
  reader.arrived({ refusals: {}, pods: [pod(3)] });
  expect(await Promise.all(reads.map(steered))).toEqual([3, 3]);
  expect(capture.asked).toBe(1);
});

test('where capture is slow or away the last counters are shown', async () => {
  const { timers, capture, reader, steered, pod } = harness();
  reader.arrived({ refusals: {}, pods: [pod(3)] });
  const slow = reader.read();
  timers.advance(500);
  expect(await steered(slow)).toBe(3);
  const again = reader.read();
  expect(capture.asked).toBe(2);
  reader.lost();
  await again;
  capture.ready = false;
  expect(await steered(reader.read())).toBe(3);
});
