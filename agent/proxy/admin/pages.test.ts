import { metricsPages, type PagesParts } from './pages.js';

test('a proxy that has served all stays available while a new pod waits for it, and says that it waits', async () => {
  const readiness = { ready: false, workloadsServed: 0, workloadsWanted: 1 };
  const proxy = { readiness: () => ({ ...readiness }) } as unknown as PagesParts['proxy'];
  const pages = metricsPages({ proxy, node: 'node1', version: '1' } as PagesParts);
  const ask = async () =>
    await (pages['/ready'] as unknown as () => Promise<{ status: number; body: string }>)();
  expect((await ask()).status).toBe(503);
  Object.assign(readiness, { ready: true, workloadsServed: 1 });
  expect((await ask()).status).toBe(200);
  Object.assign(readiness, { ready: false, workloadsWanted: 2 });
  const { status, body } = await ask();
  expect([status, JSON.parse(body)]).toEqual([200, readiness]);
});
