import type { Resource } from '../../model/resource.js';
import { Choices, generateResource } from '../../proto/generate-resources.js';
import { nextDelta } from './next-delta.js';
import { resourceId } from './resource-id.js';
import { Snapshot } from './snapshot.js';
import { changesTo } from './test-changes.js';

const nothingGone = { goneHere: () => false, since: 0 };

/** Applies a delta to what is held, as an agent does. */
function apply(held: Map<string, string>, delta: ReturnType<typeof nextDelta>): void {
  for (const resource of delta.upserts) held.set(resourceId(resource), resource.version);
  for (const id of delta.removals) held.delete(id);
}

function randomResources(choices: Choices): Resource[] {
  const kinds = ['workload', 'service', 'endpoints', 'http-route', 'authorization-policy'] as const;
  const all = choices.list(() => generateResource(choices, choices.of(kinds)), 0, 30);
  return [...new Map(all.map((resource) => [resourceId(resource), resource])).values()];
}

test('an agent that follows every version holds exactly its view, whichever way the delta was found', () => {
  const choices = new Choices(9);
  for (let round = 0; round < 50; round += 1) {
    const held = new Map<string, string>();
    let snapshot: Snapshot | undefined;
    for (let version = 1; version <= 8; version += 1) {
      const previous = snapshot?.version ?? 0;
      const kept = [...(snapshot?.resources.values() ?? [])].filter(() => choices.number(0, 2) > 0);
      const resources = [
        ...new Map([...kept, ...randomResources(choices)].map((one) => [resourceId(one), one])).values(),
      ];
      const [changes, incomplete] = [changesTo(resources, snapshot), choices.number(0, 5) === 0];
      snapshot = snapshot?.next(version, changes, incomplete) ?? Snapshot.first(version, changes, incomplete);
      const view = snapshot.viewFor('node-1');
      const find = (since: number) => nextDelta(held, view, { goneHere: () => true, since });
      const [whole, quick] = [find(-1), find(previous)];
      expect(quick.upserts.map(resourceId).sort()).toEqual(whole.upserts.map(resourceId).sort());
      expect([...quick.removals].sort()).toEqual([...whole.removals].sort());
      apply(held, quick);
      const wanted = [...snapshot.resources.keys()].map((id) => [id, view.get(id)?.version]);
      expect(held).toEqual(new Map(wanted as [string, string][]));
    }
  }
});

test('what does not fit into one delta follows in the next, and only the last one is complete', () => {
  const choices = new Choices(3);
  const resources = Array.from({ length: 25 }, (_, index) => ({
    ...generateResource(choices, 'service'),
    name: `shop/s${index}`,
  })) as Resource[];
  const view = Snapshot.first(1, changesTo(resources), false).viewFor('local');
  const held = new Map([['service shop/old', 'v']]);
  const sizes: [number, number, boolean][] = [];
  for (;;) {
    const delta = nextDelta(held, view, { goneHere: () => false, since: 0, most: 10 });
    sizes.push([delta.upserts.length, delta.removals.length, delta.complete]);
    apply(held, delta);
    if (delta.complete) break;
  }
  expect(sizes).toEqual([
    [10, 0, false],
    [10, 0, false],
    [5, 1, true],
  ]);
  expect(held.size).toBe(25);
});

test('policies travel before workloads, workloads before services, and endpoints last', () => {
  const choices = new Choices(5);
  const kinds = ['http-route', 'service', 'workload', 'endpoints', 'mesh', 'authorization-policy'] as const;
  const view = Snapshot.first(
    1,
    changesTo(kinds.map((kind) => generateResource(choices, kind))),
    false,
  ).viewFor('local');
  const sent = nextDelta(new Map(), view, nothingGone).upserts.map(({ kind }) => kind);
  expect(sent).toEqual(['mesh', 'authorization-policy', 'workload', 'service', 'http-route', 'endpoints']);
});

test('while something is unknown, only what was seen to go is removed', () => {
  const held = new Map([
    ['service shop/seen', 'v'],
    ['service shop/inherited', 'v'],
  ]);
  const unknown = Snapshot.first(1, new Map(), true);
  const goneHere = (id: string) => id === 'service shop/seen';
  expect(nextDelta(held, unknown.viewFor('local'), { goneHere, since: 0 }).removals).toEqual([
    'service shop/seen',
  ]);
  const known = unknown.next(2, new Map(), false);
  expect(nextDelta(held, known.viewFor('local'), { goneHere, since: 1 }).removals).toHaveLength(2);
});
