import { PersistentMap } from './persistent-map.js';
import { seededRandom } from './test-resources.js';

test('a change leaves every earlier map as it was', () => {
  const first = PersistentMap.empty<number>().edit();
  first.set('a', 1);
  const one = first.finish();
  const second = one.edit();
  second.set('a', 2);
  second.set('b', 3);
  const two = second.finish();
  const third = two.edit();
  third.delete('a');
  const three = third.finish();
  expect([one.get('a'), one.get('b'), one.size]).toEqual([1, undefined, 1]);
  expect([two.get('a'), two.get('b'), two.size]).toEqual([2, 3, 2]);
  expect([three.get('a'), three.get('b'), three.size]).toEqual([undefined, 3, 1]);
});

test('an edit that goes on after finish does not reach the finished map', () => {
  const edit = PersistentMap.empty<number>().edit();
  edit.set('a', 1);
  const finished = edit.finish();
  edit.set('a', 2);
  edit.delete('a');
  expect(finished.get('a')).toBe(1);
});

test('deleting what is not there changes nothing', () => {
  const edit = PersistentMap.empty<number>().edit();
  edit.delete('a');
  expect(edit.finish().size).toBe(0);
});

test('agrees with Map over random edits, in every version that was kept', () => {
  const random = seededRandom(7);
  let map = PersistentMap.empty<number>();
  let model = new Map<string, number>();
  const kept: [PersistentMap<number>, Map<string, number>][] = [];
  for (let round = 0; round < 200; round += 1) {
    const edit = map.edit();
    model = new Map(model);
    for (let change = 0; change < 50; change += 1) {
      const key = `key-${Math.floor(random() * 3000)}`;
      if (random() < 0.3) {
        edit.delete(key);
        model.delete(key);
      } else {
        edit.set(key, round);
        model.set(key, round);
      }
    }
    map = edit.finish();
    kept.push([map, model]);
  }
  for (const [actual, expected] of kept) {
    expect(actual.size).toBe(expected.size);
    expect(new Map(actual.entries())).toEqual(expected);
  }
});

test('one change to 100,000 entries copies one leaf: all others are the very same values', () => {
  const edit = PersistentMap.empty<object>().edit();
  for (let at = 0; at < 100_000; at += 1) edit.set(`workload-${at}`, { at });
  const before = edit.finish();
  const change = before.edit();
  change.set('workload-5', {});
  const after = change.finish();
  expect(after.size).toBe(100_000);
  const differing = [...after.entries()].filter(([key, value]) => before.get(key) !== value);
  expect(differing.map(([key]) => key)).toEqual(['workload-5']);
});

test('tells which keys differ between any two versions', () => {
  const random = seededRandom(8);
  const kept = [PersistentMap.empty<number>()];
  for (let round = 0; round < 40; round += 1) {
    const edit = (kept.at(-1) as PersistentMap<number>).edit();
    for (let change = 0; change < 30; change += 1) {
      const key = `key-${Math.floor(random() * 500)}`;
      if (random() < 0.4) edit.delete(key);
      else edit.set(key, Math.floor(random() * 3));
    }
    kept.push(edit.finish());
  }
  for (const left of kept) {
    const right = kept[Math.floor(random() * kept.length)] ?? left;
    const keys = new Set([...left.keys(), ...right.keys()]);
    const expected = [...keys].filter((key) => left.get(key) !== right.get(key)).sort();
    expect([...left.differing(right)].sort()).toEqual(expected);
    expect([...left.differing(left)]).toEqual([]);
  }
});
