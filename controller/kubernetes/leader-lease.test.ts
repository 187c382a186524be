import { LeaseObserver, type LeaseView, leaseSpec, readLease, usualLeaseTimes } from './leader-lease.js';

const lease = (holder: string, resourceVersion = '1'): LeaseView => ({
  resourceVersion,
  holder,
  durationMs: 15_000,
  transitions: 3,
  acquireTime: '2026-01-01T00:00:00.000000Z',
});

test('a lease that is not there is made; one that was given up is taken at once', () => {
  const observer = new LeaseObserver('me');
  expect(observer.decide(null, 0)).toBe('create');
  expect(observer.decide(lease(''), 0)).toBe('take');
});

test("another's lease is taken only after its holder was silent for its duration, by the observer's own clock", () => {
  const observer = new LeaseObserver('me');
  expect(observer.decide(lease('other'), 1000)).toBe('wait');
  expect(observer.decide(lease('other'), 15_999)).toBe('wait');
  expect(observer.decide(lease('other', '2'), 16_000)).toBe('wait');
  expect(observer.decide(lease('other', '2'), 30_999)).toBe('wait');
  expect(observer.decide(lease('other', '2'), 31_000)).toBe('take');
});

test('the own lease is renewed, keeps its time and its count; a new holder counts on', () => {
  const observer = new LeaseObserver('me');
  expect(observer.decide(lease('me'), 0)).toBe('renew');
  const now = '2026-02-02T00:00:00.000000Z';
  expect(leaseSpec('me', lease('me'), usualLeaseTimes, now)).toMatchObject({
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: now,
    leaseTransitions: 3,
  });
  expect(leaseSpec('me', lease('other'), usualLeaseTimes, now)).toEqual({
    holderIdentity: 'me',
    leaseDurationSeconds: 15,
    acquireTime: now,
    renewTime: now,
    leaseTransitions: 4,
  });
});

test('what is no lease is none', () => {
  expect(readLease({})).toBeNull();
  expect(readLease({ metadata: { resourceVersion: '1' }, spec: {} })).toMatchObject({
    holder: '',
    durationMs: 15_000,
  });
});

test('a holder stops before another may begin', () => {
  expect(usualLeaseTimes.deadlineMs).toBeLessThan(usualLeaseTimes.durationMs);
});
