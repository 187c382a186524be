import { createMetrics } from './metrics.js';

const counts = { authority: null, nodeRefusals: { counts: new Map<string, number>() } };

test('a controller of a cluster tells its part in writing statuses, and its watches', async () => {
  const metrics = createMetrics();
  const cluster = (written: number) => ({
    leading: true,
    statusesWritten: written,
    watches: new Map([['Pod', { objects: 12, failures: 3 }]]),
  });
  await metrics.text(counts, cluster(1));
  const lines = (await metrics.text(counts, cluster(5))).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'weft_controller_leader 1',
      'weft_controller_statuses_written_total 5',
      'weft_controller_watched_objects{kind="Pod"} 12',
      'weft_controller_watch_failures_total{kind="Pod"} 3',
    ]),
  );
});

test('a controller of a folder tells nothing of clusters', async () => {
  expect(await createMetrics().text(counts, null)).not.toContain('weft_controller_leader');
});
