import { workloadLabel } from './workload-label.js';

test.each([
  ['web', {}, 'web'],
  ['web-7d4b9c6f5d-x2v8k', {}, 'web'],
  ['redis-0', {}, 'redis'],
  ['job-x2v8k', {}, 'job'],
  ['web-1', { app: 'shop' }, 'shop'],
  ['web-1', { app: 'shop', 'app.kubernetes.io/name': 'front' }, 'front'],
  ['web-1', { app: '' }, 'web'],
  ['checkout-service', {}, 'checkout-service'],
])('%s with labels %j is called %s', (name, labels, label) => {
  expect(workloadLabel({ name, labels })).toBe(label);
});
