import { plaintextCause } from './plaintext-cause.js';
import { resource, snapshotOf, workload } from './test-resources.js';
import type { Workload } from './workload.js';

const view = (changes: Partial<Workload>) =>
  snapshotOf(resource('workload', workload(changes))).workloads.get('cart-1');
const ready = view({ transport: 'weft-tls' });
const bare = { captured: false, capture: null } as const;

test.each([
  ['destination_outside', ready, undefined],
  ['mode_disabled', ready, view({ mtls: { mode: 'strict', ports: { 80: 'disabled' } } })],
  ['destination_not_captured', ready, view(bare)],
  ['destination_not_ready', ready, view({})],
  ['destination_not_ready', ready, view({ ...bare, transport: 'leaving' })],
  ['source_unknown', undefined, ready],
  ['source_not_captured', view(bare), ready],
  ['source_not_ready', view({}), ready],
])('%s', (cause, source, destination) => {
  expect(plaintextCause(source, destination, 80)).toBe(cause);
});
