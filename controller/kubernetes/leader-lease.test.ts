import {
  addressAnnotation,
  LeaseObserver,
  type LeaseView,
  leaseSpec,
  readLease,
  usualLeaseTimes,
} from './leader-lease.js';

const lease = (holder: string, resourceVersion = '1'): LeaseView => ({
  resourceVersion,
  holder,
  durationMs: 15_000,
  transitions: 3,
  acquireTime: '2026-01-01T00:00:00.000000Z',
  address: '10.0.0.1:15012',
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

test('who may hold old phases leaves a free lease to others for a while', () => {
  const observer = new LeaseObserver('me');
  expect(observer.decide(lease(''), 0, 5000)).toBe('wait');
  expect(observer.decide(lease(''), 4999, 5000)).toBe('wait');
  expect(observer.decide(lease(''), 5000, 5000)).toBe('take');
  expect(observer.decide(lease('other', '2'), 6000, 5000)).toBe('wait');
  expect(observer.decide(lease('other', '2'), 25_999, 5000)).toBe('wait');
  expect(observer.decide(lease('other', '2'), 26_000, 5000)).toBe('take');
});

test('the lease of a process that was replaced is not waited for', () => {
  const observer = new LeaseObserver('pod-1_b', 'pod-1_');
  expect(observer.decide(lease('pod-1_a'), 0)).toBe('take');
  expect(observer.decide(lease('pod-12_a', '2'), 0)).toBe('wait');
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

test('a lease tells where its holder is reached', () => {
  const metadata = { resourceVersion: '1', annotations: { [addressAnnotation]: '[fd00::1]:15012' } };
  expect(readLease({ metadata, spec: {} })?.address).toBe('[fd00::1]:15012');
  expect(readLease({ metadata: { resourceVersion: '1' }, spec: {} })?.address).toBe('');
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
