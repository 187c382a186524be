/** Clocks that differ: real certificates, and clocks that stand still until a test moves them. */
import { PausedTimers } from '../control/paused-timers.js';
import { ControllerClock, describeSkew, explainDates } from './controller-clock.js';
import { begun, ManagerUnderTest } from './manager-under-test.js';
import { TestAuthority } from './test-authority.js';

const hour = 3_600_000;
const cart = { workload: 'shop.cart', spiffeId: 'spiffe://test.mesh/ns/shop/sa/cart' };

let authority: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.create('one', begun - 24 * hour);
});

/** Certificates of a day, which begin a tenth of it earlier. */
function underTest(skewMs: number, vault = new Map<string, string>()): ManagerUnderTest {
  const harness = new ManagerUnderTest(authority, vault);
  harness.lifeMs = 24 * hour;
  harness.backdatedMs = 2.4 * hour;
  harness.skewMs = skewMs;
  harness.start(cart);
  return harness;
}

test.each([
  [-7_200_000, "this node's clock is 2 h behind the controller's"],
  [7_265_000, "this node's clock is 2 h 1 min ahead of the controller's"],
  [-61_000, "this node's clock is 1 min 1 s behind the controller's"],
  [90_000_000, "this node's clock is 1 d 1 h ahead of the controller's"],
  [0, "this node's clock is 0 s ahead of the controller's"],
])('%d ms are said as: %s', (skewMs, said) => {
  expect(describeSkew(skewMs)).toBe(said);
});

test('a clock that is off is told once, with how far, and once more when it agrees; a set clock shows at once', () => {
  const timers = new PausedTimers();
  let skewMs = 0;
  const logged: string[] = [];
  const clock = new ControllerClock({
    timers,
    wallClock: () => begun + timers.now() + skewMs,
    log: (level, message) => void logged.push(`${level}: ${message}`),
  });
  clock.measured(0);
  expect(clock.skewMs).toBeNull();
  clock.measured(begun);
  timers.advance(hour);
  expect([clock.skewMs, logged]).toEqual([0, []]);
  skewMs = -2 * hour;
  expect(clock.skewMs).toBe(-2 * hour);
  timers.advance(60_000);
  expect(logged).toEqual([
    expect.stringMatching(/^warn: this node's clock is 2 h behind the controller's; fix: /),
  ]);
  // Drifting on is not another message, jumping is.
  skewMs -= 600_000;
  timers.advance(60_000);
  expect(logged).toHaveLength(1);
  skewMs = 6 * hour;
  timers.advance(60_000);
  expect(logged.splice(1)).toEqual([expect.stringMatching(/^warn: .* is 6 h ahead of/)]);
  skewMs = 1000;
  timers.advance(60_000);
  expect(logged.slice(1)).toEqual(["info: this node's clock and the controller's agree again"]);
  // The controller's own clock was what was wrong.
  clock.measured(begun + timers.now() - hour);
  expect(logged.at(-1)).toMatch(/^warn: .* is 1 h ahead of/);
  clock.close();
  expect(clock.skewMs).toBeNull();
});

test.each([
  ['behind', -2.25 * hour],
  ['ahead', 7 * hour],
  ['far ahead', 23 * hour],
])(
  'a node whose clock is %s gets one certificate, and the next in the midst of its life',
  async (_how, skewMs) => {
    const harness = underTest(skewMs);
    await harness.obtained(1);
    expect([harness.kinds, harness.clock.skewMs]).toEqual([['ready'], skewMs]);
    const leftMs = 24 * hour - skewMs;
    harness.timers.advance(0.6 * leftMs - 60_000);
    expect(harness.requests).toBe(1);
    harness.timers.advance(120_000);
    await harness.obtained(2);
    expect(harness.kinds).toEqual(['ready']);
  },
);

test.each([
  ['behind', -5 * hour, /not valid before .*: this node's clock is 5 h behind the controller's/],
  ['ahead', 30 * hour, /ended at .*: this node's clock is 1 d 6 h ahead of the controller's/],
  ['ahead by a life', 24 * hour - 60_000, /comes at its end: this node's clock is 23 h 59 min ahead/],
])(
  'a clock that is too far %s is what is told, the authority is not flooded, and once right all is in force',
  async (_how, skewMs, said) => {
    const harness = underTest(skewMs);
    await harness.failed(1);
    expect(harness.manager.statuses[0]?.problem).toEqual({
      reason: 'clock_skew',
      message: expect.stringMatching(said),
    });
    for (let minute = 0; minute < 5; minute += 1) {
      for (let second = 0; second < 60; second += 5) {
        harness.timers.advance(5_000);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    }
    expect(harness.requests).toBeLessThan(50);
    harness.skewMs = 0;
    await harness.until('a try', () => {
      harness.timers.advance(1_000);
      return harness.manager.obtained === 1;
    });
    expect(harness.kinds).toEqual(['ready']);
  },
);

test('a clock that jumps past the end asks for another; what had lapsed is in force again once it is right', async () => {
  const harness = underTest(0);
  await harness.obtained(1);
  const first = harness.published.get(cart.workload);
  harness.skewMs = 30 * hour;
  harness.timers.advance(60_000);
  expect([harness.kinds, harness.seen.at(-1)]).toEqual([['expired'], 'expired shop.cart']);
  await harness.failed(1);
  harness.skewMs = 0;
  harness.timers.advance(60_000);
  await harness.until('the identity', () => harness.kinds.join() === 'ready');
  expect(harness.published.get(cart.workload)?.chain).toEqual(first?.chain);
  expect(harness.manager.obtained).toBe(1);
});

test('so is what a restarted proxy found in the vault, without the authority', async () => {
  const vault = new Map<string, string>();
  const before = underTest(0, vault);
  await before.obtained(1);
  before.manager.close();
  const harness = new ManagerUnderTest(authority, vault);
  harness.skewMs = 30 * hour;
  harness.answer = () => Promise.reject(new Error('the token was used'));
  harness.start(cart);
  await harness.failed(1);
  harness.skewMs = 0;
  harness.timers.advance(60_000);
  await harness.until('the identity', () => harness.kinds.join() === 'ready');
  expect(harness.manager.obtained).toBe(0);
});

test('a clock that is set back does not put off a renewal', async () => {
  const harness = underTest(0);
  await harness.obtained(1);
  harness.skewMs = -20 * hour;
  harness.timers.advance(0.6 * 24 * hour + 60_000);
  await harness.until('a request', () => harness.requests === 2);
});

test('a handshake that failed by a date names the clock, and any other is left as it is', () => {
  const here = 'here it is 2026-01-01T00:00:00.000Z';
  expect(explainDates('Last error: certificate is not yet valid.', begun)).toMatch(
    /clock is behind.*2026-01-01T00/,
  );
  expect(explainDates('Last error: certificate has expired', begun)).toContain(
    `ahead, or the controller's behind: ${here}`,
  );
  expect(explainDates('connect ECONNREFUSED', begun)).toBeNull();
});
