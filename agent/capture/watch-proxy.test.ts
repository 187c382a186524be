import { ProxyWatch } from './watch-proxy.js';

/** Time that stands still until it is moved. */
function setUp(graceMs = 1_000) {
  let now = 0;
  let timers: { at: number; call: () => void }[] = [];
  const ended = new Set<number>();
  const closed: number[] = [];
  let gone = 0;
  const watch = new ProxyWatch({
    graceMs,
    after: (delayMs, call) => {
      const timer = { at: now + delayMs, call };
      timers.push(timer);
      return {
        cancel: () => {
          timers = timers.filter((other) => other !== timer);
        },
      };
    },
    hasEnded: (process) => ended.has(process),
    closeDescriptor: (descriptor) => closed.push(descriptor),
    onGone: () => {
      gone += 1;
    },
  });
  const pass = (ms: number) => {
    const end = now + ms;
    for (;;) {
      const next = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      now = next.at;
      timers = timers.filter((timer) => timer !== next);
      next.call();
    }
    now = end;
  };
  return { watch, ended, closed, pass, timesGone: () => gone };
}

test('no proxy from the start is gone after the grace', () => {
  const lab = setUp();
  lab.pass(999);
  expect(lab.timesGone()).toBe(0);
  lab.pass(1);
  expect([lab.timesGone(), lab.watch.kind]).toEqual([1, 'gone']);
});

test('a proxy that ended is gone after the grace, once', () => {
  const lab = setUp();
  lab.watch.greeted(7);
  lab.pass(60_000);
  expect(lab.watch.kind).toBe('present');
  lab.ended.add(7);
  lab.watch.disconnected();
  expect(lab.closed).toEqual([7]);
  lab.pass(999);
  expect(lab.timesGone()).toBe(0);
  lab.pass(60_000);
  expect(lab.timesGone()).toBe(1);
});

test('a proxy that only lost its connection is not gone, however long', () => {
  const lab = setUp();
  lab.watch.greeted(7);
  lab.watch.disconnected();
  lab.pass(3_600_000);
  expect([lab.timesGone(), lab.watch.kind]).toEqual([0, 'silent']);
  lab.ended.add(7);
  lab.pass(1_200);
  expect(lab.timesGone()).toBe(1);
});

test('a new proxy within the grace keeps pods closed', () => {
  const lab = setUp();
  lab.watch.greeted(7);
  lab.ended.add(7);
  lab.watch.disconnected();
  lab.pass(900);
  lab.watch.greeted(8);
  lab.pass(3_600_000);
  expect(lab.timesGone()).toBe(0);
});

test('of two proxies, as in an upgrade, the last one counts', () => {
  const lab = setUp();
  lab.watch.greeted(7);
  lab.watch.greeted(8);
  lab.ended.add(7);
  lab.watch.disconnected();
  lab.pass(60_000);
  expect(lab.watch.kind).toBe('present');
  lab.ended.add(8);
  lab.watch.disconnected();
  lab.pass(1_000);
  expect(lab.timesGone()).toBe(1);
});

test('a process that cannot be watched is gone with its connection', () => {
  const lab = setUp();
  lab.watch.greeted(undefined);
  lab.watch.disconnected();
  lab.pass(1_000);
  expect(lab.timesGone()).toBe(1);
});
