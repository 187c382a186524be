import { Reason } from '../../../reasons/reasons.js';
import type { Identity } from '../identity/identity-state.js';
import type { ToWorker } from '../worker/messages.js';
import { IdentityDelivery, type WorkloadPlace } from './identity-delivery.js';

const identity = (name: string): Identity => ({
  svid: { spiffeId: `spiffe://m/${name}`, serial: '01', issuer: 'CN=m', notBeforeMs: 0, expiresMs: 1 },
  chain: [new Uint8Array([1])],
  privateKey: new Uint8Array([7, 8, 9]),
});
const roots = [new Uint8Array([2])];

function harness() {
  const places = new Map<string, WorkloadPlace>([
    ['a', { worker: 0, handle: 1 }],
    ['b', { worker: 1, handle: 2 }],
  ]);
  const sent: { worker: number; message: ToWorker; transfer: ArrayBuffer[] }[] = [];
  let changes = 0;
  const delivery = new IdentityDelivery({
    placeOf: (workload) => places.get(workload),
    deliver: (worker, message, transfer) => void sent.push({ worker, message, transfer }),
    onChange: () => {
      changes += 1;
    },
  });
  delivery.onBundle(roots);
  return { delivery, places, sent, changes: () => changes };
}

test('an identity goes to the one worker that serves its workload, with a key of its own to wipe', () => {
  const { delivery, sent } = harness();
  const published = identity('b');
  delivery.onPublished('b', published);
  const [{ worker, message, transfer } = { worker: -1, message: undefined, transfer: [] }] = sent;
  expect([sent.length, worker]).toEqual([1, 1]);
  expect(message).toMatchObject({ type: 'identity', handle: 2, uid: 'b', generation: 1, roots });
  const { privateKey } = message as Extract<ToWorker, { type: 'identity' }>;
  expect(transfer).toEqual([privateKey.buffer]);
  privateKey.fill(0);
  expect([...published.privateKey]).toEqual([7, 8, 9]);
});

test('new roots are a new generation of every identity in force, and of none that has ended', () => {
  const { delivery, sent } = harness();
  delivery.onPublished('a', identity('a'));
  delivery.onPublished('b', identity('b'));
  delivery.onWithdrawn('a', 'expired');
  delivery.onBundle([...roots, new Uint8Array([3])]);
  expect(sent.map(({ message }) => ({ ...message, chain: 0, privateKey: 0, roots: 0 }))).toMatchObject([
    { uid: 'a', generation: 1 },
    { uid: 'b', generation: 2 },
    { type: 'identity-withdrawn', handle: 1, reason: Reason.tls_expired_certificate },
    { uid: 'b', generation: 3 },
  ]);
});

test('one is in force once its engine has taken the last that was sent, and over renewals', () => {
  const { delivery, changes } = harness();
  delivery.onPublished('a', identity('a'));
  expect(delivery.inForce('a')).toBe(false);
  delivery.onBundle([...roots, ...roots]);
  delivery.installed('a', 1);
  expect(delivery.inForce('a')).toBe(false);
  delivery.installed('a', 2);
  delivery.onPublished('a', identity('a'));
  expect([delivery.inForce('a'), changes()]).toEqual([true, 1]);
  delivery.onWithdrawn('a', 'withdrawn');
  expect([delivery.inForce('a'), changes()]).toEqual([false, 2]);
});

test('a workload that nobody serves gets nothing', () => {
  const { delivery, places, sent } = harness();
  places.clear();
  delivery.onPublished('a', identity('a'));
  delivery.onWithdrawn('a', 'withdrawn');
  expect(sent).toEqual([]);
});
