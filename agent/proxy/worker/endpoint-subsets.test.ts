import type { Candidate } from '../../../model/choose-endpoint.js';
import { EndpointSubsets } from './endpoint-subsets.js';

const candidates = Array.from(
  { length: 20 },
  (_, index): Candidate => ({
    key: `10.0.0.${index}:80`,
    address: `10.0.0.${index}`,
    port: 80,
    workloadUid: `${index}`,
    zone: '',
  }),
);

test('with session affinity a client has one endpoint, and keeps it while others come and go', () => {
  const chosenOf = (tier: readonly Candidate[], client: string) =>
    new EndpointSubsets().of([tier], client, true)[0]?.map(({ key }) => key);
  const [chosen = ''] = chosenOf(candidates, 'web') ?? [];
  expect(chosenOf(candidates, 'web')).toEqual([chosen]);
  expect(
    chosenOf(
      candidates.filter(({ key }, index) => key === chosen || index % 2 === 0),
      'web',
    ),
  ).toEqual([chosen]);
  expect(
    chosenOf(
      candidates.filter(({ key }) => key !== chosen),
      'web',
    ),
  ).not.toEqual([chosen]);
});

test('clients with session affinity are spread over the endpoints', () => {
  const subsets = new EndpointSubsets();
  const used = new Set(
    Array.from(
      { length: 200 },
      (_, client) => subsets.of([candidates], `client-${client}`, true)[0]?.[0]?.key,
    ),
  );
  expect(used.size).toBeGreaterThan(15);
});

test('without it a large service is cut down to a bounded subset, a small one is not', () => {
  const subsets = new EndpointSubsets();
  expect(subsets.of([candidates], 'web', false)[0]).toHaveLength(16);
  const few = candidates.slice(0, 3);
  expect(subsets.of([few], 'web', false)[0]).toBe(few);
});
