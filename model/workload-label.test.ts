import { workload } from './test-resources.js';
import { workloadLabel } from './workload-label.js';

test.each([
  ['the recommended label', { 'app.kubernetes.io/name': 'cart', app: 'x' }, 'pod-1', 'cart'],
  ['the short label', { app: 'cart' }, 'pod-1', 'cart'],
  ['an empty label counts as none', { app: '' }, 'cart-7d4b9c8f6d-x2x4z', 'cart'],
  ['a Deployment', {}, 'cart-7d4b9c8f6d-x2x4z', 'cart'],
  ['a DaemonSet', {}, 'node-agent-x2x4z', 'node-agent'],
  ['a StatefulSet', {}, 'redis-0', 'redis'],
  ['a bare name', {}, 'cart', 'cart'],
  ['words that look like no generated part', {}, 'cart-redis', 'cart-redis'],
  ['a name that would be empty', {}, '-12', '-12'],
])('%s', (_, labels, name, label) => {
  expect(workloadLabel(workload({ kind: 'pod', labels, name }))).toBe(label);
});

test('a name that a person gave is left alone', () => {
  expect(workloadLabel(workload({ kind: 'unit', name: 'cart-1' }))).toBe('cart-1');
});
