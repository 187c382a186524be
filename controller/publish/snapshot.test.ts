import { endpoint, workload } from '../../model/test-resources.js';
import { makeResource } from '../resources/make-resource.js';
import type { NodeScopes } from './scope-endpoints.js';
import { Snapshot } from './snapshot.js';
import { changesTo } from './test-changes.js';

const endpoints = [
  endpoint({ address: '10.0.0.1', workloadUid: 'one' }),
  endpoint({ address: '10.0.0.2', workloadUid: 'two' }),
];
const set = makeResource('endpoints', 'shop/cart', 'shop', { namespace: 'shop', name: 'cart', endpoints });

function localOnly(first: string, second: string): NodeScopes {
  const place = (node: string) => ({ node, forZones: [], forNodes: [] });
  const places = new Map([
    ['10.0.0.1', place(first)],
    ['10.0.0.2', place(second)],
  ]);
  return { services: new Map([['shop/cart', { localOnly: true, places }]]), zones: new Map() };
}

/** Which endpoints a node may use. */
function usable(snapshot: Snapshot, node: string): string[] {
  const resource = snapshot.viewFor(node).get('endpoints shop/cart');
  if (resource?.kind !== 'endpoints') throw new Error('no endpoints');
  return resource.body.endpoints.flatMap(({ ready, workloadUid }) => (ready ? [workloadUid] : []));
}

test('every node gets the endpoints that it may use, and all know them all', () => {
  const snapshot = Snapshot.first(1, changesTo([set]), false, localOnly('a', 'b'));
  expect(usable(snapshot, 'a')).toEqual(['one']);
  expect(usable(snapshot, 'b')).toEqual(['two']);
  expect(usable(snapshot, 'c')).toEqual([]);
  const versions = ['a', 'b', 'c', 'd'].map(
    (node) => snapshot.viewFor(node).get('endpoints shop/cart')?.version,
  );
  expect(new Set(versions).size).toBe(3);
  expect(versions[2]).toBe(versions[3]);
});

test('what did not change is the same object for each node', () => {
  const before = Snapshot.first(1, changesTo([set]), false, localOnly('a', 'b'));
  const seen = before.viewFor('a').get('endpoints shop/cart');
  const other = makeResource('workload', 'x', 'shop', workload({ uid: 'x' }));
  const after = before.next(2, changesTo([set, other], before), false);
  expect(after.viewFor('a').get('endpoints shop/cart')).toBe(seen);
});
