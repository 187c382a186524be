import type { EndpointSet } from '../../model/service.js';
import { type EndpointPlace, scopeEndpoints } from './scope-endpoints.js';

interface Given extends Partial<EndpointPlace> {
  readonly ready?: boolean;
}

/** What a node may use of endpoints 10.0.0.1, 10.0.0.2 and so on: ready ones, then those that only serve in brackets. */
function usable(given: readonly Given[], node: string, zone: string, localOnly = false): string[] {
  const addresses = given.map((_, index) => `10.0.0.${index + 1}`);
  const set: EndpointSet = {
    namespace: 'shop',
    name: 'web',
    endpoints: given.map(({ ready = true }, index) => ({
      workloadUid: `${index + 1}`,
      address: addresses[index] ?? '',
      ports: { 80: 8080 },
      ready,
      serving: true,
      zone: '',
    })),
  };
  const places = new Map(
    given.map(({ node: at = '', forZones = [], forNodes = [] }, index) => [
      addresses[index] ?? '',
      { node: at, forZones, forNodes },
    ]),
  );
  const scoped = scopeEndpoints(set, { localOnly, places }, { name: node, zone });
  expect(scoped.endpoints.map(({ address }) => address)).toEqual(addresses);
  return scoped.endpoints.flatMap(({ ready, serving, workloadUid }) =>
    ready ? [workloadUid] : serving ? [`(${workloadUid})`] : [],
  );
}

describe('internalTrafficPolicy Local', () => {
  test("the node's own endpoints alone, those that end too", () => {
    const given = [{ node: 'a' }, { node: 'b' }, { node: 'a', ready: false }];
    expect(usable(given, 'a', '', true)).toEqual(['1', '(3)']);
  });

  test('none where the node has none', () => {
    expect(usable([{ node: 'a' }], 'b', '', true)).toEqual([]);
  });
});

describe('hints by zone', () => {
  const given = [{ forZones: ['x'] }, { forZones: ['y'] }, { forZones: ['x', 'y'] }];

  test("the node's zone decides", () => {
    expect(usable(given, 'a', 'x')).toEqual(['1', '3']);
    expect(usable(given, 'a', 'y')).toEqual(['2', '3']);
  });

  test.each([
    ['a zone that has no endpoint', given, 'z'],
    ['a node without zone', given, ''],
    ['hints that are not complete', [...given, {}], 'x'],
  ])('%s: all of them', (_what, endpoints, zone) => {
    expect(usable(endpoints, 'a', zone)).toHaveLength(endpoints.length);
  });

  test('a hint of an endpoint that is not ready does not count', () => {
    expect(usable([{ forZones: ['x'] }, { ready: false }], 'a', 'x')).toEqual(['1']);
    expect(usable([{ forZones: ['x'], ready: false }, { forZones: ['y'] }], 'a', 'x')).toEqual(['(1)', '2']);
  });

  test('with nothing ready, all that still serve', () => {
    const ending = given.map((one) => ({ ...one, ready: false }));
    expect(usable(ending, 'a', 'x')).toEqual(['(1)', '(2)', '(3)']);
  });
});

test('hints by node come before those by zone, which take over where the node has none', () => {
  const given = [
    { forNodes: ['a'], forZones: ['x'] },
    { forNodes: ['b'], forZones: ['x'] },
    { forNodes: ['c'], forZones: ['y'] },
  ];
  expect(usable(given, 'a', 'x')).toEqual(['1']);
  expect(usable(given, 'd', 'x')).toEqual(['1', '2']);
});
