import type { Detail } from '../../../model/workload-index.js';
import { unusedMs, WantedDetails } from './wanted-details.js';

const service = (name: string): Detail => ({ kind: 'service', name });

function harness(jitter = 0) {
  const state = { now: 0, changes: [] as (readonly [readonly Detail[], readonly Detail[]])[] };
  const wanted = new WantedDetails({
    now: () => state.now,
    random: () => jitter,
    onChange: (added, removed) => void state.changes.push([added, removed]),
  });
  return { state, wanted };
}

test('what several workers use is wanted once', () => {
  const { state, wanted } = harness();
  wanted.used([service('a/b')]);
  wanted.used([service('a/b'), { kind: 'workload', name: 'a/b' }]);
  expect(state.changes).toEqual([
    [[service('a/b')], []],
    [[{ kind: 'workload', name: 'a/b' }], []],
  ]);
  expect(wanted.all).toBe(wanted.all);
});

test('what is used stays, and what nothing has used for an hour goes', () => {
  const { state, wanted } = harness();
  wanted.used([service('a/kept'), service('a/idle')]);
  state.now = unusedMs - 1;
  wanted.used([service('a/kept')]);
  wanted.expire();
  expect(state.changes).toHaveLength(1);
  state.now = unusedMs;
  wanted.expire();
  expect(state.changes[1]).toEqual([[], [service('a/idle')]]);
  expect(wanted.all).toEqual([service('a/kept')]);
});

test('nodes let go at different times', () => {
  const { state, wanted } = harness(0.5);
  wanted.used([service('a/b')]);
  state.now = unusedMs * 1.04;
  wanted.expire();
  expect(wanted.all).toHaveLength(1);
  state.now = unusedMs * 1.05;
  wanted.expire();
  expect(wanted.all).toEqual([]);
});

test('beyond what a node can use, what was used longest ago goes', () => {
  const { state, wanted } = harness();
  wanted.used(Array.from({ length: 20_000 }, (_, at) => service(`a/s${at}`)));
  wanted.used([service('a/s0')]);
  wanted.used([service('a/new')]);
  expect(state.changes.at(-1)).toEqual([[service('a/new')], [service('a/s1')]]);
  expect(wanted.all).toHaveLength(20_000);
});
