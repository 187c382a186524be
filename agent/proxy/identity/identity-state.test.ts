import {
  type Identity,
  type IdentityEvent,
  type IdentityState,
  identityOf,
  nextState,
} from './identity-state.js';
import { isSpent, renewalTime, retryDelay } from './renewal-schedule.js';

const svid = {
  spiffeId: 'spiffe://a/ns/b/sa/c',
  serial: '1',
  issuer: 'CN=r',
  notBeforeMs: 0,
  expiresMs: 1000,
};
const identity: Identity = { svid, chain: [], privateKey: new Uint8Array() };
const obtained: IdentityEvent = { type: 'obtained', identity, renewAtMs: 600 };

function walk(...events: IdentityEvent[]): IdentityState {
  return events.reduce<IdentityState>(nextState, { kind: 'none' });
}

test('a life: asked for, in force, renewed, expired, in force again, withdrawn', () => {
  const events: IdentityEvent[] = [
    { type: 'vault-empty' },
    { type: 'failed' },
    obtained,
    { type: 'renewal-due' },
    { type: 'failed' },
    { type: 'expired' },
    obtained,
    { type: 'withdrawn' },
    obtained,
  ];
  const seen = events.map((_, at) => walk(...events.slice(0, at + 1)));
  expect(seen.map(({ kind }) => kind)).toEqual([
    'requesting',
    'requesting',
    'ready',
    'renewing',
    'renewing',
    'expired',
    'ready',
    'withdrawn',
    'withdrawn',
  ]);
  expect(seen.map((state) => identityOf(state) !== null)).toEqual([
    false,
    false,
    true,
    true,
    true,
    false,
    true,
    false,
    false,
  ]);
});

test('failures are counted until there is a certificate', () => {
  const failing = walk({ type: 'vault-empty' }, { type: 'failed' }, { type: 'failed' });
  expect(failing).toEqual({ kind: 'requesting', failures: 2 });
  expect(nextState(nextState(failing, obtained), { type: 'renewal-due' })).toMatchObject({ failures: 0 });
});

test('an event that means nothing changes nothing', () => {
  for (const type of ['failed', 'renewal-due', 'expired'] as const)
    expect(walk({ type })).toEqual({ kind: 'none' });
  const ready = walk(obtained);
  expect(nextState(ready, { type: 'vault-empty' })).toBe(ready);
  expect(nextState(ready, { type: 'failed' })).toBe(ready);
});

test('renewal falls between the half and seven tenths of what is left, spread by chance', () => {
  expect([0, 0.5, 1].map((random) => renewalTime(svid, 0, random))).toEqual([500, 600, 700]);
  expect([0, 0.5, 1].map((random) => renewalTime(svid, 800, random))).toEqual([900, 920, 940]);
  expect([989, 990, 991].map((nowMs) => isSpent(svid, nowMs))).toEqual([false, false, true]);
});

test('tries are spread and get rarer, and are more frequent the nearer the end is', () => {
  expect([0, 1, 2, 20].map((failures) => retryDelay(failures, 0, 1))).toEqual([500, 1000, 2000, 15_000]);
  expect(retryDelay(20, 12 * 3_600_000, 1)).toBe(60_000);
  expect(retryDelay(20, 60_000, 1)).toBe(6_000);
  expect(retryDelay(20, 100, 1)).toBe(500);
  expect(retryDelay(0, 0, 0)).toBe(250);
});
