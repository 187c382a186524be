/** The kernel rules in force. Replaced as a whole; where that fails the last good ones stay. */
import type { KernelPrograms } from '../../native/kernel.js';
import type { KernelRules } from '../handover/messages.js';
import { planRules, RuleEncoder, type RuleEntries, type RuleMap, type RuleStep } from './plan-rules.js';

type Maps = Pick<KernelPrograms, 'lookup' | 'update' | 'remove' | 'keys'>;

export class RuleStore {
  readonly #maps: Maps;
  readonly #encoder = new RuleEncoder();
  #current: RuleEntries;

  /** Starts from what an earlier process left in the maps. */
  constructor(maps: Maps) {
    this.#maps = maps;
    this.#current = { destinations: this.#read('destinations'), rules: this.#read('rules') };
  }

  /**
   * Where nothing has ever been told: captured pods' connections to any address go to the proxy, so that those of a pod
   * that is held wait. The first rules of a proxy replace it.
   */
  steerAllWhileEmpty(): void {
    if (this.#current.destinations.size > 0) return;
    const all = ['0.0.0.0/0', '::/0'].map((cidr) => ({ cidr, action: 'proxy' as const, group: 0 }));
    this.apply({ destinations: all, rules: [] });
  }

  /** Throws where the kernel refuses an entry, having put back what was in force. */
  apply(rules: KernelRules): void {
    const wanted = this.#encoder.encode(rules);
    const steps = planRules(this.#current, wanted);
    try {
      for (const step of steps) this.#do(step);
    } catch (error) {
      this.#restore(steps);
      throw error;
    }
    this.#current = wanted;
  }

  /** Undoes the steps, the last one first; a step that was not done is undone for nothing. */
  #restore(steps: readonly RuleStep[]): void {
    for (const { map, key } of [...steps].reverse()) {
      const before = this.#current[map].get(key);
      this.#do({ map, key, value: before ?? null });
    }
  }

  #do({ map, key, value }: RuleStep): void {
    const keyBytes = Buffer.from(key, 'hex');
    if (value === null) this.#maps.remove(map, keyBytes);
    else this.#maps.update(map, keyBytes, Buffer.from(value, 'hex'));
  }

  #read(map: RuleMap): Map<string, string> {
    const entries = new Map<string, string>();
    for (const key of this.#maps.keys(map)) {
      const value = this.#maps.lookup(map, key);
      if (value !== null) entries.set(key.toString('hex'), value.toString('hex'));
    }
    return entries;
  }
}
