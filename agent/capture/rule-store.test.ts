import type { KernelRules } from '../handover/messages.js';
import { planRules, RuleEncoder, type RuleEntries } from './plan-rules.js';
import { RuleStore } from './rule-store.js';

function encodeRules(rules: KernelRules): RuleEntries {
  return new RuleEncoder().encode(rules);
}

/** Maps in memory that refuse the write after so many. */
class PausingMaps {
  readonly entries = { destinations: new Map<string, string>(), rules: new Map<string, string>() };
  writesLeft = Number.POSITIVE_INFINITY;

  lookup(map: string, key: Uint8Array): Buffer | null {
    const value = this.#of(map).get(Buffer.from(key).toString('hex'));
    return value === undefined ? null : Buffer.from(value, 'hex');
  }
  update(map: string, key: Uint8Array, value: Uint8Array): void {
    if (this.writesLeft <= 0) {
      this.writesLeft = Number.POSITIVE_INFINITY;
      throw new Error('cannot write');
    }
    this.writesLeft -= 1;
    this.#of(map).set(Buffer.from(key).toString('hex'), Buffer.from(value).toString('hex'));
  }
  remove(map: string, key: Uint8Array): boolean {
    return this.#of(map).delete(Buffer.from(key).toString('hex'));
  }
  keys(map: string): Buffer[] {
    return [...this.#of(map).keys()].map((key) => Buffer.from(key, 'hex'));
  }
  #of(map: string): Map<string, string> {
    return this.entries[map as 'destinations' | 'rules'];
  }
}

const first: KernelRules = {
  destinations: [
    { cidr: '10.0.0.0/8', action: 'proxy', group: 0 },
    { cidr: '10.0.0.1/32', action: 'proxy', group: 2 },
  ],
  rules: [
    { source: 1, destination: 2, port: 80, verdict: 'deny' },
    { source: 1, destination: 2, port: 81, verdict: 'allow' },
  ],
};
const second: KernelRules = {
  destinations: [{ cidr: '10.0.0.0/8', action: 'deny', group: 0 }],
  rules: [
    { source: 1, destination: 2, port: 80, verdict: 'allow' },
    { source: 3, destination: 2, port: 0, verdict: 'deny' },
  ],
};

test('rules are replaced as a whole', () => {
  const maps = new PausingMaps();
  const store = new RuleStore(maps);
  store.apply(first);
  store.apply(second);
  expect(maps.entries).toEqual(encodeRules(second));
});

test('whichever write fails, the last good rules stay', () => {
  for (let writes = 0; writes < 3; writes += 1) {
    const maps = new PausingMaps();
    const store = new RuleStore(maps);
    store.apply(first);
    maps.writesLeft = writes;
    expect(() => store.apply(second)).toThrow('cannot write');
    expect(maps.entries).toEqual(encodeRules(first));
    store.apply(second);
    expect(maps.entries).toEqual(encodeRules(second));
  }
});

test('a new store starts from what the maps hold', () => {
  const maps = new PausingMaps();
  new RuleStore(maps).apply(first);
  new RuleStore(maps).apply({ destinations: [], rules: [] });
  expect(maps.entries.destinations.size + maps.entries.rules.size).toBe(0);
});

test('denials come first and leave last', () => {
  const steps = planRules(encodeRules(first), encodeRules(second));
  const deny = encodeRules(second).rules.get([...encodeRules(second).rules.keys()][1] ?? '');
  expect(steps[0]).toMatchObject({ map: 'rules', value: deny });
  const back = planRules(encodeRules(second), encodeRules(first));
  expect(back.at(-1)).toMatchObject({ map: 'rules', value: null });
});

test('what an encoder has encoded before changes nothing of what it says', () => {
  const encoder = new RuleEncoder();
  const twice = { cidr: '10.0.0.0/8', action: 'deny', group: 0 } as const;
  // Of entries with one key the last counts, also where the same was said before another.
  const third: KernelRules = {
    destinations: [twice, ...first.destinations, twice],
    rules: [...second.rules, ...first.rules],
  };
  for (const rules of [first, second, third, first, third, second]) {
    expect(encoder.encode(rules)).toEqual(encodeRules(rules));
  }
  const { destinations } = encoder.encode(third);
  expect(destinations.get([...destinations.keys()][0] ?? '')).toBe(
    [...encodeRules(second).destinations.values()][0],
  );
});
