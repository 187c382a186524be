import { countTransports } from './count-transports.js';
import { resource, snapshotOf, workload } from './test-resources.js';
import type { TransportPhase } from './workload.js';

test('workloads are counted by phase, and those outside apart', () => {
  const one = (uid: string, transport: TransportPhase, captured = true) =>
    resource('workload', workload({ uid, transport, captured, addresses: [] }));
  const snapshot = snapshotOf(
    one('a', 'weft-tls'),
    one('b', 'weft-tls'),
    one('c', 'arriving'),
    one('d', 'leaving', false),
    one('e', 'plaintext'),
    one('f', 'plaintext', false),
  );
  expect(countTransports(snapshot)).toEqual({
    plaintext: 1,
    arriving: 1,
    'weft-tls': 2,
    leaving: 1,
    outside: 1,
  });
});
