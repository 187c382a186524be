import {
  beginAttempt,
  type Candidate,
  type ChoiceState,
  chooseEndpoint,
  type EndpointLoad,
  endAttempt,
  endpointKey,
  newEndpointLoad,
} from './choose-endpoint.js';
import { seededRandom } from './test-resources.js';

function candidate(name: string): Candidate {
  return { key: name, address: '10.0.0.1', port: 80, workloadUid: name, zone: '' };
}

function stateOf(
  loads = new Map<string, EndpointLoad>(),
): ChoiceState & { loads: Map<string, EndpointLoad> } {
  const loadOf = ({ key }: Candidate) => {
    const load = loads.get(key) ?? newEndpointLoad();
    loads.set(key, load);
    return load;
  };
  return { loads, loadOf, rotation: { next: 0 } };
}

const [a, b, c] = [candidate('a'), candidate('b'), candidate('c')];
const every = ['peak-ewma', 'round-robin', 'least-request'] as const;

describe.each(every)('%s', (balancing) => {
  test('nothing to choose from is null', () => {
    expect(chooseEndpoint([[], []], balancing, stateOf(), 0.5, 0, [])).toBeNull();
  });
  test('ready ones come before those that only serve', () => {
    expect(chooseEndpoint([[a], [b]], balancing, stateOf(), 0.99, 0, [])).toBe(a);
    expect(chooseEndpoint([[], [b]], balancing, stateOf(), 0.99, 0, [])).toBe(b);
  });
  test('one that was tried is left out while there is another', () => {
    const random = seededRandom(1);
    for (let round = 0; round < 100; round += 1) {
      expect(chooseEndpoint([[a, b, c]], balancing, stateOf(), random(), 0, [a, c])).toBe(b);
    }
    expect(chooseEndpoint([[a], [b]], balancing, stateOf(), 0, 0, [a])).toBe(a);
  });
  test('equal endpoints get equal shares', () => {
    const random = seededRandom(1);
    const state = stateOf();
    const counts = new Map<string, number>();
    for (let round = 0; round < 6000; round += 1) {
      const key = chooseEndpoint([[a, b, c]], balancing, state, random(), 0, [])?.key ?? '';
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    for (const key of ['a', 'b', 'c']) expect(Math.abs((counts.get(key) ?? 0) - 2000)).toBeLessThan(150);
  });
  test('every number in [0, 1) gives an endpoint', () => {
    for (const random of [0, 0.5, 1 - Number.EPSILON]) {
      expect(chooseEndpoint([[a, b]], balancing, stateOf(), random, 0, [])).not.toBeNull();
    }
  });
});

test('the two random choices always differ', () => {
  const random = seededRandom(4);
  const seen: Candidate[] = [];
  const tier = Array.from({ length: 7 }, (_, index) => candidate(`c${index}`));
  const state: ChoiceState = {
    rotation: { next: 0 },
    loadOf: (candidate) => {
      seen.push(candidate);
      return newEndpointLoad();
    },
  };
  for (let round = 0; round < 1000; round += 1) {
    seen.length = 0;
    chooseEndpoint([tier], 'least-request', state, random(), 0, []);
    expect(new Set(seen).size).toBe(2);
  }
});

test('round robin goes round, also where the number of endpoints changes', () => {
  const state = stateOf();
  const next = (tier: Candidate[]) => chooseEndpoint([tier], 'round-robin', state, 0, 0, [])?.key;
  expect([next([a, b, c]), next([a, b, c]), next([a, b, c]), next([a, b, c])]).toEqual(['a', 'b', 'c', 'a']);
  expect([next([a, b]), next([a, b])]).toEqual(['b', 'a']);
});

test('least request takes the one with fewer under way', () => {
  const state = stateOf();
  beginAttempt(state.loadOf(a));
  for (const random of [0, 0.4, 0.6, 0.9]) {
    expect(chooseEndpoint([[a, b]], 'least-request', state, random, 0, [])).toBe(b);
  }
});

describe('peak EWMA', () => {
  const choose = (state: ChoiceState, nowMs: number) =>
    [0, 0.4, 0.6, 0.9].map((random) => chooseEndpoint([[a, b]], 'peak-ewma', state, random, nowMs, [])?.key);
  const finish = (load: EndpointLoad, us: number, nowMs: number, failed = false) => {
    beginAttempt(load);
    endAttempt(load, us, failed, nowMs);
  };

  test('prefers the faster one', () => {
    const state = stateOf();
    finish(state.loadOf(a), 9000, 0);
    finish(state.loadOf(b), 1000, 0);
    expect(choose(state, 0)).toEqual(['b', 'b', 'b', 'b']);
  });
  test('weighs latency by what is under way', () => {
    const state = stateOf();
    finish(state.loadOf(a), 2000, 0);
    finish(state.loadOf(b), 1000, 0);
    for (let index = 0; index < 3; index += 1) beginAttempt(state.loadOf(b));
    expect(choose(state, 0)).toEqual(['a', 'a', 'a', 'a']);
  });
  test('a peak counts at once and fades', () => {
    const load = newEndpointLoad();
    finish(load, 1000, 0);
    finish(load, 50_000, 1);
    expect(load.latencyUs).toBe(50_000);
    for (let nowMs = 1000; nowMs <= 60_000; nowMs += 1000) finish(load, 1000, nowMs);
    expect(load.latencyUs).toBeLessThan(1300);
  });
  test('failing fast does not attract requests', () => {
    const state = stateOf();
    finish(state.loadOf(a), 20_000, 0);
    finish(state.loadOf(b), 10, 0, true);
    expect(choose(state, 0)).toEqual(['a', 'a', 'a', 'a']);
  });
  test('one that was bad long ago is asked again', () => {
    const state = stateOf();
    finish(state.loadOf(b), 10, 0, true);
    finish(state.loadOf(a), 1000, 120_000);
    expect(choose(state, 120_000)).toEqual(['b', 'b', 'b', 'b']);
  });
  test('one that never answered gets one request to find out', () => {
    const state = stateOf();
    finish(state.loadOf(a), 1000, 0);
    expect(choose(state, 0)).toEqual(['b', 'b', 'b', 'b']);
    beginAttempt(state.loadOf(b));
    expect(choose(state, 0)).toEqual(['a', 'a', 'a', 'a']);
  });
  test('a clock that steps back does no harm', () => {
    const load = newEndpointLoad();
    finish(load, 1000, 5000);
    finish(load, 500, 10);
    expect([load.updatedMs, Number.isFinite(load.latencyUs), load.inFlight]).toEqual([5000, true, 0]);
  });
});

test('keys of endpoints read like addresses', () => {
  expect([endpointKey('10.0.0.1', 80), endpointKey('fd00::1', 80)]).toEqual(['10.0.0.1:80', '[fd00::1]:80']);
});
