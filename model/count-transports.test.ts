import { countTransports } from './count-transports.js';
import { workload } from './test-resources.js';
import type { TransportPhase } from './workload.js';

test('workloads are counted by phase, and those outside apart', () => {
  const one = (transport: TransportPhase, captured = true) => workload({ transport, captured });
  const counts = countTransports([
    one('weft-tls'),
    one('weft-tls'),
    one('arriving'),
    one('leaving', false),
    one('plaintext'),
    one('plaintext', false),
  ]);
  expect(counts).toEqual({ plaintext: 1, arriving: 1, 'weft-tls': 2, leaving: 1, outside: 1 });
});
